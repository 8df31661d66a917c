"""The owner's `lock`, `status` and cached answer, and the agent's memory, while users flood a system agent."""

import os
import sys
import time

from figure import Figure
from support.load import build_load
from support.open_agent import STRANGERS, TARGET, open_agent, seconds_of_owner
from support.processes import resident_bytes
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
        figures = [figure for name, loads in FLOODS.items() for figure in measure(agent, name, loads, rounds)]
        return [*figures, memory(agent)]


def memory(agent):
    """15,000 callers that stop before the last byte of a long head."""
    agent.start()
    running = [agent.load("drip", "agent.sock", TARGET, count, 16_384, 0, user=user)
               for user, count in [(0, 9000), (STRANGERS[0], 3000), (STRANGERS[1], 3000)]]
    for process in running:
        process.stdout.readline()
    peak = resident_bytes(agent.process.pid, "VmHWM") / (1 << 20)
    for process in running:
        process.kill()
        process.communicate()
    agent.stop()
    return Figure("15,000 hostile connections: memory", "MiB", peak, reach=128)


def measure(agent, name, loads, rounds):
    agent.start()  # a new one each time: each round takes one of the attempts that a profile has in an hour
    ready(agent)
    running = [agent.load(*arguments, user=user) for user, *arguments in loads]
    for process, (_, kind, *_) in zip(running, loads):
        if kind != "requests":
            process.stdout.readline()  # its word that it floods
    cached, others = [], []
    for _ in range(rounds):
        cached += [seconds_of_cached(agent) for _ in range(5)]
        others.append(seconds_of_owner(agent))
        ready(agent)
    for process in running:
        process.kill()
        process.communicate()
    agent.stop()
    return [
        Figure(f"{name}: the owner's {what}, p99 of {len(column)}", "ms", 1000 * p99(column), reach=100)
        for what, column in zip(("cached answer", "status", "lock"), (cached, *zip(*others)))]


def p99(times):
    return sorted(times)[int(0.99 * len(times))]


def seconds_of_cached(agent):
    begin = time.monotonic()
    assert agent.get(TARGET)[0] == 200
    return time.monotonic() - begin


def ready(agent):
    """A lock takes what the cached answers come from."""
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri":"pkcs11:token=demo"}')[0] == 204
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
