"""After SIGKILL at any moment nothing needs repair, and no answer is wrong."""

import json
import os
import random
import signal
import threading
import time

import pytest

from support.credentials import access_key, checked_credentials
from support.killing import PROFILES, Load, TokenCaller, ask, cached, children, kill_workers
from support.processes import is_running
from support.waiting import stop, wait_until

AGENT_KILLS = 100
WORKER_KILLS = 1000
SEED = 20240229


@pytest.fixture(scope="module")
def endpoint(killed_world):
    return killed_world.endpoint()


@pytest.fixture
def profiles(killed_world, endpoint):
    return [killed_world.profile(endpoint, name) for name in ("test", *(f"p{i}" for i in range(PROFILES)))]


def files(folder):
    """Every path below a folder."""
    return {os.path.join(place, name) for place, folders, names in os.walk(folder) for name in folders + names}


def test_the_agent_can_be_killed_at_any_moment(killed_world, profiles):
    chance = random.Random(SEED)
    agent = killed_world.agent(*profiles[:AGENT_KILLS])
    before = files(killed_world.folder)
    # A kill within the first login of all leaves its PIN in doubt, and nothing is sent again by itself: see test_pins_in_doubt.
    assert cached(agent) is None
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
    assert files(killed_world.folder) == before
    assert agent.stop() == 0


@pytest.fixture
def worker_agent(request, killed_world, profiles):
    agent = killed_world.agent(*profiles, folder=f"agent-{len(request.node.name)}")
    access_key(agent.credentials())
    yield agent
    assert agent.stop() == 0


def test_a_worker_that_is_killed_costs_one_request_at_most(killed_world, worker_agent):
    agent, chance = worker_agent, random.Random(SEED + 1)
    key = access_key(agent.credentials())
    before = files(killed_world.folder)
    load, others = kill_workers(agent, WORKER_KILLS, chance)
    assert load.wrong == [] and others.wrong == []
    assert len(load.failed) <= WORKER_KILLS and others.failed == []
    assert access_key(agent.credentials()) == key
    assert ask(agent, "/v1/identities")[1][0]["usable"]
    assert files(killed_world.folder) == before


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


def test_a_worker_that_hangs_is_replaced(shared_world):
    world, endpoint = shared_world, shared_world.endpoint()
    agent = world.agent(*(world.profile(endpoint, name) for name in ("p0", "p1", "p2")), folder="hung")
    access_key(agent.credentials("p0"))
    stop(endpoint.process.pid)
    results = []
    caller = threading.Thread(target=lambda: results.append(agent.credentials("p1")))
    try:
        caller.start()
        # The tokens have been listed when the endpoint is called, and the next word is for the token.
        wait_until(lambda: connections_to(endpoint.port), "the agent at the endpoint")
        [worker] = agent.workers()
        stop(worker)
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
