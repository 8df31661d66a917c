"""The cost for an agent's callers when its workers are killed, with SIGKILL and under load."""

import random

from figure import Figure
from support.killing import PROFILES, kill_workers
from support.world import World


def killed_workers(place, kills):
    with World(place.path / "kills") as world:
        world.serve_token()
        endpoint = world.endpoint()
        names = ["test", *(f"p{number}" for number in range(PROFILES))]
        agent = world.agent(*(world.profile(endpoint, name) for name in names))
        assert agent.credentials().returncode == 0, agent.log()
        load, others = kill_workers(agent, kills, random.Random(kills))
        assert agent.stop() == 0
    name = f"{kills:,} workers killed"
    return [
        Figure(f"{name}: failed requests, per kill", "", len(load.failed) / kills, reach=1),
        Figure(f"{name}: failed requests that need no token", "", len(others.failed), reach=0),
        Figure(f"{name}: wrong answers", "", len(load.wrong) + len(others.wrong), reach=0),
        Figure(f"{name}: right answers meanwhile", "", load.answered + others.answered),
    ]
