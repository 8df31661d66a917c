"""Many callers at once, many connections, hostile ones among them."""

import contextlib
import json
import os
import re
import resource
import select
import signal
import socket
import statistics
import subprocess
import time

import pytest

from support.credentials import access_key, checked_credentials
from support.memory_limit import memory_limit
from support.open_agent import STRANGERS, TARGET, build_load, open_agent, seconds_of_owner
from support.processes import resident_bytes
from support.waiting import wait_until
from support.world import World

CALLERS = 10_000
CACHED_REQUESTS = 100_000
GROWTH = 5 << 20  # bytes of resident memory that the cached requests may leave; what is shipped keeps it, as does a debug build
STRANGER = STRANGERS[0]


@pytest.fixture(scope="session")
def load_program(tmp_path_factory):
    return build_load(tmp_path_factory.mktemp("load"))


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
def test_refused_users_that_connect_all_the_time_keep_nobody_waiting_and_fill_no_log(open_world, processes):
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
            connection.settimeout(10)
            for part in parts:
                socket.send_fds(connection, [part], [writing] * 200)
            os.close(writing)
            if parts[-1].endswith(b"\r\n\r\n"):
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert select.select([pipe], [], [], 10)[0] and pipe.read() == b"", "nobody holds the pipe any more"
    wait_until(lambda: len(os.listdir(folder)) <= before, "nothing is left open")


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
    agent = world.agent(world.profile("test", endpoint.url, endpoint.ca))
    access_key(agent.credentials())
    folder = f"/proc/{agent.process.pid}/fd"
    before = len(os.listdir(folder))
    answers(load("requests", agent.socket, TARGET, 2000))
    holder = load("hold", agent.socket, 500)
    read_line(holder, "held")
    holder.communicate()
    wait_until(lambda: len(os.listdir(folder)) <= before, "all descriptors closed", 10)
