"""Thousands of callers and connections at once are all served."""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import time

import pytest

from support.credentials import access_key, checked_credentials
from support.load import answers, read_line
from support.open_agent import TARGET
from support.processes import processor_seconds, resident_bytes
from support.waiting import stop, wait_until

CALLERS = 10_000
CACHED_REQUESTS = 100_000
GROWTH = 5 << 20  # bytes of resident memory that the cached requests may leave; what is shipped keeps it, as does a debug build


def get(agent):
    """The status of one answer, and the seconds that it took."""
    begin = time.monotonic()
    status, _ = agent.get(TARGET)
    return status, time.monotonic() - begin


def ask_at_once(load, agent, endpoint, count):
    """Callers of which none gets an answer before all have asked."""
    callers = load("at-once", agent.socket, TARGET, count)
    read_line(callers, "connected")
    stop(endpoint.process.pid)
    callers.stdin.write("\n")
    callers.stdin.flush()
    read_line(callers, "sent")
    os.kill(endpoint.process.pid, signal.SIGCONT)
    return callers


def test_ten_thousand_callers_of_an_empty_cache_cost_one_signature(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    callers = ask_at_once(load, agent, endpoint, CALLERS)
    [(count, status, credentials)] = answers(callers)
    assert (count, status) == (CALLERS, 200)
    checked_credentials(json.dumps(credentials))
    assert (*world.spy.counts("C_Login", "C_Sign"), endpoint.asked()) == (1, 1, 1)


def test_a_wrong_pin_is_tried_once_for_a_thousand_callers(world, load):
    world.write_pin("000000")
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    callers = ask_at_once(load, agent, endpoint, 1000)
    kinds = answers(callers)
    assert sum(count for count, _, _ in kinds) == 1000
    assert {(status, problem["code"], problem["exit"]) for _, status, problem in kinds} == {(422, "pin-incorrect", 80)}
    assert world.spy.counts("C_Login", "C_Sign") == (1, 0)
    assert answers(load("requests", agent.socket, TARGET, 1000))[0][:2] == (1000, 422)
    assert world.spy.count("C_Login") == 1


def test_cached_requests_leave_no_memory_behind(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    key = access_key(agent.credentials())
    answers(load("requests", agent.socket, TARGET, CACHED_REQUESTS // 10, 10))  # warm-up
    before = resident_bytes(agent.process.pid)
    [(count, status, credentials)] = answers(load("requests", agent.socket, TARGET, CACHED_REQUESTS, 10))
    assert (count, status, credentials["AccessKeyId"]) == (CACHED_REQUESTS, 200, key)
    assert resident_bytes(agent.process.pid) - before <= GROWTH
    assert endpoint.asked() == 1


def test_ten_thousand_idle_connections_do_not_slow_the_next_request(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    access_key(agent.credentials())
    holder = load("hold", agent.socket, CALLERS)
    read_line(holder, "held")
    get(agent)  # behind those that are still to be accepted
    status, seconds = get(agent)
    assert status == 200 and seconds < 0.1
    access_key(agent.credentials())
    holder.communicate()


def test_descriptors_that_are_sent_along_are_closed(world):
    agent = world.agent()
    folder = f"/proc/{agent.process.pid}/fd"
    assert agent.request("GET", "/v1/health")[0] == 200
    before = len(os.listdir(folder))
    request = b"GET /v1/health HTTP/1.1\r\nHost: t\r\n\r\n"
    for parts in [[request], [request[:1], request[1:]], [request[:20]]]:
        reading, writing = os.pipe()
        with socket.socket(socket.AF_UNIX) as connection, os.fdopen(reading, "rb") as pipe:
            connection.connect(agent.socket)
            connection.settimeout(60)
            for part in parts:
                socket.send_fds(connection, [part], [writing] * 200)
            os.close(writing)
            if parts[-1].endswith(b"\r\n\r\n"):
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert select.select([pipe], [], [], 60)[0] and pipe.read() == b"", "nobody holds the pipe any more"
    wait_until(lambda: len(os.listdir(folder)) <= before, "nothing is left open")


def test_five_hundred_callers_that_drip_delay_no_other(world):
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    access_key(agent.credentials())
    request = f"GET {TARGET} HTTP/1.1\r\nHost: t\r\nX-Slow: ".encode()
    slow = []
    for _ in range(500):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(agent.socket)
        connection.setblocking(False)
        slow.append(connection)
    try:
        begin, position, ended, worst = time.monotonic(), 0, {}, 0
        while len(ended) < len(slow):
            assert time.monotonic() - begin < 15, f"{len(slow) - len(ended)} still drip"
            byte = request[position:position + 1] or b"x"
            position += 1
            for connection in slow:
                if connection in ended:
                    continue
                try:
                    connection.send(byte)
                except OSError:
                    pass  # what it was told is read below
                try:
                    ended[connection] = connection.recv(4096)
                except BlockingIOError:
                    pass
            status, seconds = get(agent)
            assert status == 200
            worst = max(worst, seconds)
            select.select([], [], [], 0.05)
        assert worst < 1
        assert {answer.split(b" ")[1] for answer in ended.values()} == {b"408"}
        assert 4.5 < time.monotonic() - begin
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("descriptors", [64, 300])  # below what the agent keeps for itself, and just above
def test_running_out_of_descriptors_passes(world, load, descriptors):
    endpoint = world.endpoint()
    agent = world.agent(
        world.profile(endpoint), prefix=["prlimit", f"--nofile={descriptors}:{descriptors}"])
    key = access_key(agent.credentials())
    holder = load("hold", agent.socket, descriptors + 100)
    read_line(holder, "held")
    holder.communicate()
    wait_until(lambda: agent.credentials().returncode == 0, "served again")
    assert access_key(agent.credentials()) == key
    assert agent.request("GET", "/v1/identities")[1][0]["usable"], "the worker's descriptors came through"


def test_callers_who_wait_for_a_descriptor_cost_no_processor_time(world):
    """The limit is lowered while the agent runs: by itself it takes no more connections than it has descriptors for."""
    agent = world.agent()
    limits = resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir(f"/proc/{agent.process.pid}/fd"))) + 1
    resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
    with contextlib.ExitStack() as waiting:
        for _ in range(100):
            waiting.enter_context(socket.socket(socket.AF_UNIX)).connect(agent.socket)
        wait_until(lambda: "no descriptors left" in agent.log(), "the agent's word")
        begin = processor_seconds(agent.process.pid)
        time.sleep(2)  # what is measured is what these cost
        assert processor_seconds(agent.process.pid) - begin < 0.2
    resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, limits)
    wait_until(lambda: agent.request("GET", "/v1/health")[0] == 200, "served again")
    assert agent.log().count("no descriptors left") == 1


def test_nothing_is_left_open(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile(endpoint))
    access_key(agent.credentials())
    folder = f"/proc/{agent.process.pid}/fd"
    before = len(os.listdir(folder))
    answers(load("requests", agent.socket, TARGET, 2000))
    holder = load("hold", agent.socket, 500)
    read_line(holder, "held")
    holder.communicate()
    wait_until(lambda: len(os.listdir(folder)) <= before, "all descriptors closed", 10)
