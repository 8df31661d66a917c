"""Many callers at once, many connections, hostile ones among them."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

from memory_limit import memory_limit
from processes import Agent
from world import HERE, World, access_key, checked_credentials, end, resident_bytes, wait_until

CALLERS = 10_000
CACHED_REQUESTS = 100_000
GROWTH = 5 << 20  # bytes of resident memory that the cached requests may leave; what is shipped keeps it, as does a debug build
STRANGERS = 60001, 60002  # users without a name
STRANGER = STRANGERS[0]
TARGET = "/v1/profiles/test/credentials"


@pytest.fixture(scope="session")
def load_program(tmp_path_factory):
    program = tmp_path_factory.mktemp("load") / "load"
    subprocess.run(["cc", "-O2", "-Wall", "-o", program, f"{HERE}/load/load.c"], check=True, timeout=60)
    return program


@pytest.fixture
def load(load_program):
    """Starts load.c: `load("cold", socket, …)`."""
    running = []

    def start(*arguments, program=load_program, **options):
        command = [program, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, spy=True)
    yield world
    world.close()


def answers(process, timeout=120):
    """How often each answer came: a list of count, status and JSON."""
    out, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0
    return [(int(count), int(status), json.loads(body)) for count, status, body in
            (line.split(" ", 2) for line in out.splitlines())]


def read_line(process, expected, seconds=60):
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    assert ready and process.stdout.readline().strip() == expected


def ask_at_once(load, agent, endpoint, count):
    """Callers of which none gets an answer before all have asked."""
    callers = load("at-once", agent.socket, TARGET, count)
    read_line(callers, "connected")
    os.kill(endpoint.process.pid, signal.SIGSTOP)
    callers.stdin.write("\n")
    callers.stdin.flush()
    read_line(callers, "sent")
    os.kill(endpoint.process.pid, signal.SIGCONT)
    return callers


def processor_seconds(pid):
    """What all threads of a process have had, user and system."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get(agent):
    """The status of one answer, and the seconds that it took."""
    begin = time.monotonic()
    status, _ = agent.get(TARGET)
    return status, time.monotonic() - begin


def test_ten_thousand_callers_of_an_empty_cache_cost_one_signature(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    callers = ask_at_once(load, agent, endpoint, CALLERS)
    [(count, status, credentials)] = answers(callers)
    assert (count, status) == (CALLERS, 200)
    checked_credentials(json.dumps(credentials))
    assert (world.calls("C_Login"), world.calls("C_Sign"), endpoint.requests) == (1, 1, 1)


def test_a_wrong_pin_is_tried_once_for_a_thousand_callers(world, load):
    world.write_pin("000000")
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    callers = ask_at_once(load, agent, endpoint, 1000)
    kinds = answers(callers)
    assert sum(count for count, _, _ in kinds) == 1000
    assert {(status, problem["code"], problem["exit"]) for _, status, problem in kinds} == {(422, "pin-incorrect", 80)}
    assert (world.calls("C_Login"), world.calls("C_Sign")) == (1, 0)
    assert answers(load("requests", agent.socket, TARGET, 1000))[0][:2] == (1000, 422)
    assert world.calls("C_Login") == 1


def test_cached_requests_leave_no_memory_behind(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    key = access_key(agent.credentials())
    answers(load("requests", agent.socket, TARGET, CACHED_REQUESTS // 10, 10))  # warm-up
    before = resident_bytes(agent.process.pid)
    [(count, status, credentials)] = answers(load("requests", agent.socket, TARGET, CACHED_REQUESTS, 10))
    assert (count, status, credentials["AccessKeyId"]) == (CACHED_REQUESTS, 200, key)
    assert resident_bytes(agent.process.pid) - before <= GROWTH
    assert endpoint.requests == 1


def test_ten_thousand_idle_connections_do_not_slow_the_next_request(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    access_key(agent.credentials())
    holder = load("hold", agent.socket, CALLERS)
    read_line(holder, "held")
    get(agent)  # behind those that are still to be accepted
    status, seconds = get(agent)
    assert status == 200 and seconds < 0.1
    access_key(agent.credentials())
    holder.communicate()


def test_one_user_cannot_take_every_connection(world, load, load_program):
    """12,000 connections are one user's share; the agent's own user is served all the same."""
    endpoint = world.endpoint()
    place = f"{world.folder}/public"
    agent = Agent(
        f"{world.folder}/agent",
        world.module() + world.profile("test", endpoint.url, endpoint.ca) + f"[profile.test.allow]\nusers = [{STRANGER}, 0]\n",
        arguments=["--system", "--socket", f"{place}/agent.sock"])
    agent.socket = f"{place}/agent.sock"
    world.ends.callback(lambda: agent.process and agent.process.poll() is None and agent.stop(signal.SIGKILL))
    agent.start()
    key = access_key(agent.credentials())
    # Its folder, not the path to it: pytest's folders are closed to other users.
    shutil.copy(load_program, place)
    user = {"program": "./load", "cwd": place, "user": STRANGER, "group": STRANGER, "extra_groups": []}
    holder = load("hold", "agent.sock", 12_000, **user)
    read_line(holder, "held")
    [(count, status, problem)] = answers(load("requests", "agent.sock", TARGET, 20, **user))
    assert (count, status, problem["code"], problem["exit"]) == (20, 429, "too-many-requests", 75)
    assert access_key(agent.credentials()) == key
    holder.communicate()
    wait_until(lambda: answers(load("requests", "agent.sock", TARGET, 1, **user))[0][1] == 200, "room again", 10)


@pytest.fixture
def open_world(world, load, load_program):
    """A system agent whose profile serves more users than its own, under the memory limit of the shipped unit."""
    endpoint = world.endpoint()
    place = f"{world.folder}/public"
    os.mkdir(place)
    shutil.copy(load_program, place)
    agent = Agent(
        f"{world.folder}/agent",
        world.module() + world.profile("test", endpoint.url, endpoint.ca)
        + f"[profile.test.allow]\nusers = {[0, *STRANGERS]}\n",
        arguments=["--system", "--socket", f"{place}/agent.sock"])
    agent.socket = f"{place}/agent.sock"
    world.ends.callback(end, agent)
    agent.load = lambda *arguments, user=0: load(
        arguments[0], "agent.sock", *arguments[1:], program="./load", cwd=place, user=user, group=user, extra_groups=[])
    return agent


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
        holders = [agent.load("drip", target, count, head, body, user=user)
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


def test_five_hundred_callers_that_drip_keep_nobody_waiting(world):
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
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
        world.profile("test", endpoint.url, endpoint.ca), prefix=["prlimit", f"--nofile={descriptors}:{descriptors}"])
    key = access_key(agent.credentials())
    holder = load("hold", agent.socket, descriptors + 100)
    read_line(holder, "held")
    holder.communicate()
    wait_until(lambda: agent.credentials().returncode == 0, "served again")
    assert access_key(agent.credentials()) == key
    assert agent.request("GET", "/v1/identities")[1][0]["usable"], "the worker's descriptors came through"


def test_callers_who_wait_for_a_descriptor_cost_no_processor_time(world, load):
    agent = world.agent(prefix=["prlimit", "--nofile=64:64"])
    holder = load("hold", agent.socket, 1000)  # they are refused a few at a time, each within a second
    read_line(holder, "held")
    begin = processor_seconds(agent.process.pid)
    time.sleep(2)  # what is measured is what these cost
    assert processor_seconds(agent.process.pid) - begin < 0.2
    holder.communicate()
    wait_until(lambda: agent.request("GET", "/v1/health")[0] == 200, "served again")
    assert agent.log().count("no descriptors left") == 1


def test_nothing_is_left_open(world, load):
    endpoint = world.endpoint()
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    access_key(agent.credentials())
    folder = f"/proc/{agent.process.pid}/fd"
    before = len(os.listdir(folder))
    answers(load("requests", agent.socket, TARGET, 2000))
    holder = load("hold", agent.socket, 500)
    read_line(holder, "held")
    holder.communicate()
    wait_until(lambda: len(os.listdir(folder)) <= before, "all descriptors closed", 10)
