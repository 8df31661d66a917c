"""Connections of other users, however many, do not keep the owner waiting."""

import json
import re
import statistics
import time

import pytest

from support.credentials import access_key
from support.load import answers, read_line
from support.memory_limit import memory_limit
from support.open_agent import STRANGERS, TARGET, open_agent, seconds_of_owner
from support.processes import resident_bytes
from support.waiting import wait_until

STRANGER = STRANGERS[0]


@pytest.fixture
def open_world(world, load_program):
    return open_agent(world, load_program)


def answered(agent, user):
    """The status of one request of a user, and the problem; None where the agent has hung up."""
    process = agent.load("requests", "agent.sock", TARGET, 1, user=user)
    out, _ = process.communicate(timeout=20)
    return process.returncode == 0 and (int(out.split()[1]), json.loads(out.split(" ", 2)[2]))


def test_a_listed_user_has_few_connections_and_is_told_so(open_world):
    agent = open_world.start()
    key = access_key(agent.credentials())
    holder = agent.load("hold", "agent.sock", 200, user=STRANGER)
    read_line(holder, "held")
    status, problem = wait_until(lambda: answered(agent, STRANGER), "an answer")  # a few of them a second
    assert (status, problem["code"], problem["exit"]) == (429, "too-many-requests", 75)
    assert access_key(agent.credentials()) == key
    assert answered(agent, STRANGERS[1])[0] == 200
    holder.communicate()
    wait_until(lambda: (answered(agent, STRANGER) or [None])[0] == 200, "room again", 10)


@pytest.mark.parametrize("users", [STRANGERS, (0,)], ids=["two listed users", "the owner"])
def test_however_many_connections_are_held_the_owner_locks_and_sees_the_status(open_world, users):
    agent = open_world.start()
    access_key(agent.credentials())
    holders = [agent.load("hold", "agent.sock", 18_000 // len(users), user=user) for user in users]
    for holder in holders:
        read_line(holder, "held")
    assert agent.request("POST", "/v1/lock")[0] == 204  # behind those that are still to be accepted
    assert max(max(seconds_of_owner(agent)) for _ in range(5)) < 0.1
    assert agent.cli("lock").returncode == 0
    assert agent.cli("status").returncode == 0
    for holder in holders:
        holder.communicate()


@pytest.mark.parametrize("processes", [1, 4])
def test_refused_users_that_connect_all_the_time_delay_no_caller_and_fill_no_log(open_world, processes):
    """Each process is another user's. They flood another socket first: that alone keeps a machine with two cores busy."""
    agent = open_world.start()
    access_key(agent.credentials())
    sink = agent.load("sink", "sink.sock")
    read_line(sink, "listens")

    def flooded(*arguments):
        floods = [agent.load("flood", *arguments, user=61_000 + number) for number in range(processes)]
        for flood in floods:
            read_line(flood, "floods")
        times = [max(seconds_of_owner(agent)) for _ in range(20)]
        for flood in floods:
            flood.communicate()
        return statistics.median(times)

    elsewhere = flooded("sink.sock")
    sink.kill()
    began = time.monotonic()
    assert flooded("agent.sock") < max(0.1, 10 * elsewhere)
    seconds = time.monotonic() - began
    wait_until(lambda: len(refused := re.findall("decision=deny.*", agent.log())) > 1 and refused[-1], "lines")
    lines = re.findall(r"decision=deny .*? uid=61\d\d\d .*", agent.log())
    assert len(lines) <= seconds + 2
    assert any("others=" in line for line in lines)


def test_cached_answers_by_the_thousand_are_a_line_a_second_that_counts_them(open_world):
    agent = open_world.start()
    access_key(agent.credentials())
    begin = time.monotonic()
    assert answers(agent.load("requests", "agent.sock", TARGET, 20_000, 100, user=STRANGER))[0][:2] == (20_000, 200)
    seconds = time.monotonic() - begin

    def counted():
        lines = re.findall(rf" uid={STRANGER} .*", agent.log())
        assert len(lines) <= seconds + 3
        return sum(1 + int((re.search(r"others=(\d+)", line) or [0, 0])[1]) for line in lines)

    wait_until(lambda: counted() == 20_000, "all of them counted")


@pytest.mark.parametrize("target, head, body", [
    (TARGET, 16_384, 0),
    ("/v1/tokens/unlock", 200, 8192),
], ids=["heads", "bodies"])
def test_fifteen_thousand_callers_that_stop_before_the_last_byte_fit_into_the_units_memory(
        open_world, target, head, body):
    agent = open_world
    with memory_limit(256 << 20) as (prefix, killed):
        agent.prefix = prefix
        agent.start()
        key = access_key(agent.credentials())
        before = resident_bytes(agent.process.pid)
        holders = [agent.load("drip", "agent.sock", target, count, head, body, user=user)
                   for user, count in [(0, 9000), (STRANGERS[0], 3000), (STRANGERS[1], 3000)]]
        for holder in holders:
            read_line(holder, "held")
        assert resident_bytes(agent.process.pid, "VmHWM") < 128 << 20
        for holder in holders:
            holder.communicate()
        wait_until(lambda: agent.credentials().returncode == 0, "served again")
        assert access_key(agent.credentials()) == key
        wait_until(lambda: resident_bytes(agent.process.pid) < before + (8 << 20), "memory is given back")
        assert not killed()
