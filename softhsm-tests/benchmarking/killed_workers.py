"""What it costs the callers of an agent that its workers are killed, with SIGKILL and under load."""

import pathlib
import random

from figure import Figure
from support.killing import PROFILES, kill_workers
from support.world import World


def killed_workers(place, kills):
    folder = pathlib.Path(place.folder, "kills")
    folder.mkdir()
    world = World(folder)
    try:
        world.serve_token()
        endpoint = world.endpoint()
        names = ["test", *(f"p{number}" for number in range(PROFILES))]
        agent = world.agent(*(world.profile(name, endpoint.url, endpoint.ca) for name in names))
        assert agent.credentials().returncode == 0, agent.log()
        load, others = kill_workers(agent, kills, random.Random(kills))
        assert agent.stop() == 0
    finally:
        world.close()
    name = f"{kills:,} workers killed"
    return [
        Figure(f"{name}: failed requests, per kill", "", len(load.failed) / kills, reach=1),
        Figure(f"{name}: failed requests that need no token", "", len(others.failed), reach=0),
        Figure(f"{name}: wrong answers", "", len(load.wrong) + len(others.wrong), reach=0),
        Figure(f"{name}: right answers meanwhile", "", load.answered + others.answered),
    ]
