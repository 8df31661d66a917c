"""A system agent whose profile serves more users than its own, and load on it by any user (root alone can be others)."""

import os
import shutil
import subprocess
import time

from support.agent import Agent, end
from support.load import end_load

TARGET = "/v1/profiles/test/credentials"
STRANGERS = 60001, 60002  # users without a name


def open_agent(world, load_program):
    """Not started yet. `agent.load("flood", "agent.sock", user=…)` starts load.c in the folder of the agent's socket: its
    folder, not the path to it, because temporary folders are closed to other users."""
    endpoint = world.endpoint()
    place = f"{world.folder}/public"
    os.mkdir(place)
    shutil.copy(load_program, place)
    agent = Agent(
        f"{world.folder}/agent",
        world.module() + world.profile(endpoint, allow={"users": [0, *STRANGERS]}),
        arguments=["--system", "--socket", f"{place}/agent.sock"])
    agent.socket = f"{place}/agent.sock"
    world.ends.callback(end, agent)

    def load(*arguments, user=0):
        process = subprocess.Popen(
            ["./load", *map(str, arguments)], cwd=place, user=user, group=user, extra_groups=[],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        world.ends.callback(end_load, process)
        return process

    agent.load = load
    return agent


def seconds_of_owner(agent):
    """The time of the owner's `status` and `lock`, each with a connection of its own."""
    times = []
    for method, path, status in (("GET", "/v1/status", 200), ("POST", "/v1/lock", 204)):
        begin = time.monotonic()
        assert agent.request(method, path)[0] == status
        times.append(time.monotonic() - begin)
    return times
