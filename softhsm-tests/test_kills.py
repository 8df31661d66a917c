"""SIGKILL at any moment, for the agent and its workers, under load: nothing to repair, nothing wrong handed out."""

import contextlib
import json
import os
import random
import signal
import socket
import threading
import time

import pytest

from world import World, access_key, checked_credentials, is_running, wait_until

AGENT_KILLS = 100
WORKER_KILLS = 900
SEED = 20240229
# Each is asked for a session once: a second call would get what the cache remembers of the first.
PROFILES = 300


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("kills"))
    try:
        world.serve_token()
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def plain_world(tmp_path_factory):
    """Its token is in the worker itself."""
    world = World(tmp_path_factory.mktemp("hung"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def endpoint(world):
    return world.endpoint()


@pytest.fixture
def profiles(world, endpoint):
    return [world.profile(name, endpoint.url, endpoint.ca) for name in ("test", *(f"p{i}" for i in range(PROFILES)))]


def files(folder):
    """Every path below a folder."""
    return {os.path.join(place, name) for place, folders, names in os.walk(folder) for name in folders + names}


def ask(agent, path):
    """Status and JSON of a request, or None when the connection ended without a whole answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(agent.socket)
            connection.settimeout(60)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
    except (ConnectionError, FileNotFoundError):
        return None
    head, separator, body = answer.partition(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if not separator or len(body) < int(length[0].split(b":")[1]):
        return None
    return int(head.split()[1]), json.loads(body)


class Load:
    """Callers of the agent in threads, each of which checks whatever it gets."""

    def __init__(self, agent, *steps):
        self.agent, self.steps, self.stopping = agent, steps, threading.Event()
        self.answered, self.failed, self.wrong = 0, [], []
        self.threads = [threading.Thread(target=self.run, args=(step,), daemon=True) for step in steps]

    def run(self, step):
        """A step returns nothing, or how it failed as the contract lets it; whatever it raises is wrong."""
        while not self.stopping.is_set():
            try:
                failure = step(self.agent)
            except Exception as error:  # the test that started the load shall tell of it
                self.wrong.append(repr(error))
                return
            if failure:
                self.failed.append(failure)
                self.stopping.wait(0.005)
            else:
                self.answered += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def children(pid):
    """As Agent.workers, without a process of its own."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    return [child for child in found if is_running(child)]


def cached(agent):
    """The session that is held needs no token: only a connection can fail, and only with the agent."""
    answer = ask(agent, "/v1/profiles/test/credentials")
    if answer is None:
        return "connection"
    if answer[0] != 200:
        return answer[1]["code"]
    checked_credentials(json.dumps(answer[1]))


class TokenCaller:
    """Needs the token each time: to see it, or for a session of another profile."""

    def __init__(self):
        self.turn = 0
        self.looks = 0  # that a worker has answered

    def __call__(self, agent):
        self.turn += 1
        profile, is_look = divmod(self.turn, 20)
        if is_look or profile >= PROFILES:
            status, tokens = ask(agent, "/v1/tokens")
            assert status == 200
            if not tokens:
                return "no token"
            assert [token["label"] for token in tokens] == ["demo"]
            self.looks += 1
            return None
        status, answer = ask(agent, f"/v1/profiles/p{profile}/credentials")
        if status == 200:
            checked_credentials(json.dumps(answer))
            return None
        assert (status, answer["code"], answer["exit"]) == (503, "module-failed", 75), answer
        return answer["code"]


def test_the_agent_can_be_killed_at_any_moment(world, profiles):
    chance = random.Random(SEED)
    agent = world.agent(*profiles[:AGENT_KILLS])
    before = files(world.folder)
    with Load(agent, cached, cached) as load:
        for kill in range(AGENT_KILLS - 1):
            # A profile without a session, so that many kills meet the token or the service at work.
            path = f"/v1/profiles/p{kill}/credentials"
            cold = threading.Thread(target=ask, args=(agent, path))
            cold.start()
            time.sleep(chance.uniform(0, 0.06))
            workers = children(agent.process.pid)
            agent.process.kill()
            agent.process.wait()
            wait_until(lambda: not any(map(is_running, workers)), "no orphan", 1)
            cold.join(60)
            agent.start()
            status, answer = ask(agent, path)
            assert status == 200, (kill, answer)
            checked_credentials(json.dumps(answer))
    assert load.wrong == [] and set(load.failed) <= {"connection"} and load.answered > AGENT_KILLS
    access_key(agent.credentials())
    assert files(world.folder) == before
    assert agent.stop() == 0


@pytest.fixture
def worker_agent(request, world, profiles):
    agent = world.agent(*profiles, folder=f"agent-{len(request.node.name)}")
    access_key(agent.credentials())
    yield agent
    assert agent.stop() == 0


def test_a_worker_that_is_killed_costs_one_request_at_most(world, worker_agent):
    agent, chance = worker_agent, random.Random(SEED + 1)
    key = access_key(agent.credentials())
    before = files(world.folder)
    token_caller = TokenCaller()
    with Load(agent, token_caller) as load, Load(agent, cached) as others:
        for kill in range(WORKER_KILLS):
            # An agent leaves a module alone that dies each time before it has answered, so each gives an answer: the
            # first one after the kill may still be of the worker before.
            seen = token_caller.looks
            wait_until(lambda: token_caller.looks >= seen + 2 or load.wrong, f"answers after kill {kill}")
            time.sleep(chance.uniform(0, 0.02))
            for worker in children(agent.process.pid):
                os.kill(worker, signal.SIGKILL)
                wait_until(lambda: not is_running(worker), "the worker's end")
        seen = token_caller.looks
        wait_until(lambda: token_caller.looks > seen or load.wrong, "an answer after the last kill")
    assert load.wrong == [] and others.wrong == []
    assert len(load.failed) <= WORKER_KILLS and others.failed == []
    assert access_key(agent.credentials()) == key
    assert ask(agent, "/v1/identities")[1][0]["usable"]
    assert files(world.folder) == before


def test_a_module_that_dies_as_it_starts_is_back_when_it_stops_doing_so(worker_agent):
    agent, chance = worker_agent, random.Random(SEED + 2)
    with Load(agent, TokenCaller()) as load, Load(agent, cached) as others:
        for _ in range(5):
            for _ in range(4):
                worker = wait_until(lambda: children(agent.process.pid), "a worker")[0]
                time.sleep(chance.uniform(0, 0.01))
                os.kill(worker, signal.SIGKILL)
                wait_until(lambda: worker not in children(agent.process.pid), "the worker's end")
            seen = load.answered
            wait_until(lambda: load.answered > seen, "an answer", 3)
    assert load.wrong == [] and others.wrong == [] and others.failed == []


def connections_to(port):
    """Established TCP connections to a local port, as the kernel lists them."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return [row for row in rows if row[2] == f"0100007F:{port:04X}" and row[3] == "01"]


def test_a_worker_that_hangs_is_replaced(plain_world):
    world, endpoint = plain_world, plain_world.endpoint()
    agent = world.agent(*(world.profile(name, endpoint.url, endpoint.ca) for name in ("p0", "p1", "p2")), folder="hung")
    access_key(agent.credentials("p0"))
    os.kill(endpoint.process.pid, signal.SIGSTOP)
    results = []
    caller = threading.Thread(target=lambda: results.append(agent.credentials("p1")))
    try:
        caller.start()
        # The tokens have been listed when the endpoint is called, and the next word is for the token.
        wait_until(lambda: connections_to(endpoint.port), "the agent at the endpoint")
        [worker] = agent.workers()
        os.kill(worker, signal.SIGSTOP)
        begin = time.monotonic()
    finally:
        os.kill(endpoint.process.pid, signal.SIGCONT)
    caller.join(60)
    assert 14 < time.monotonic() - begin < 20
    [finished] = results
    assert (finished.returncode, finished.stdout) == (75, "")
    assert finished.stderr == (
        'tokenward: logging in to token "demo": a call did not come back within 15 seconds, and its worker was ended; '
        "check the token or its connection, then try again\n")
    wait_until(lambda: not is_running(worker), "the hung worker's end")
    access_key(agent.credentials("p2"))
    [replacement] = agent.workers()
    assert replacement != worker
