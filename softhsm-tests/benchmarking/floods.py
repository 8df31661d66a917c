"""The worst time of the owner's `lock` and `status` while other users flood a system agent."""

import os
import sys

from figure import Figure
from support.load import build_load
from support.open_agent import STRANGERS, TARGET, open_agent, seconds_of_owner
from support.world import World

REFUSED = range(61_000, 61_004)
FLOODS = {
    "no flood": [],
    "18,000 connections of two listed users": [(user, "hold", "agent.sock", 9000) for user in STRANGERS],
    "6,000 heads without an end of two listed users": [
        (user, "drip", "agent.sock", TARGET, 3000, 16_384, 0) for user in STRANGERS],
    "cached answers of a listed user": [(STRANGERS[0], "requests", "agent.sock", TARGET, 1_000_000_000, 1000)],
    "a refused user that connects all the time": [(REFUSED[0], "flood", "agent.sock")],
    "four refused users that connect all the time": [(user, "flood", "agent.sock") for user in REFUSED],
}


def floods(place, rounds):
    if os.geteuid() != 0:
        print("floods are not measured: only root can be other users", file=sys.stderr)
        return []
    with World(place.path / "floods") as world:
        agent = open_agent(world, build_load(world.folder))
        return [figure for name, loads in FLOODS.items() for figure in measure(agent, name, loads, rounds)]


def measure(agent, name, loads, rounds):
    agent.start()  # a new one each time: each round takes one of the attempts that a profile has in an hour
    ready(agent)
    running = [agent.load(*arguments, user=user) for user, *arguments in loads]
    for process, (_, kind, *_) in zip(running, loads):
        if kind != "requests":
            process.stdout.readline()  # its word that it floods
    times = []
    for _ in range(rounds):
        times.append(seconds_of_owner(agent))
        ready(agent)
    for process in running:
        process.kill()
        process.communicate()
    agent.stop()
    return [
        Figure(f"{name}: the owner's {what}, worst of {rounds}", "ms", 1000 * max(column), reach=100)
        for what, column in zip(("status", "lock"), zip(*times))]


def ready(agent):
    """A lock takes what the cached answers come from."""
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri":"pkcs11:token=demo"}')[0] == 204
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
