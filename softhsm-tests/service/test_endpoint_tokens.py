"""The token files of endpoints: whom they let read, where they are, and what waits for them."""

import contextlib
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from support import configuration
from support.agent import read_again
from support.answers import key_of
from support.container_endpoint import Endpoint, owned_by
from support.machine import ALICE, MALLORY
from support.waiting import wait_until


def table(endpoint, **settings):
    return configuration.table("[[listener]]", {
        "kind": "container-credentials", "address": endpoint.address, "profiles": ["test"],
        "token-file": endpoint.token_file, "readers": [MALLORY], "allow": {"users": [MALLORY]}, **settings})


def readers(path):
    listed = subprocess.run(
        ["getfacl", "--numeric", "--omit-header", "--absolute-names", path], capture_output=True, text=True, check=True)
    return [int(user) for user in re.findall(r"^user:(\d+):r--$", listed.stdout, re.MULTILINE)]


@contextlib.contextmanager
def slow(agent, calls, path):
    """Each of these system calls on the path takes 20 s before it begins."""
    tracer = subprocess.Popen(
        ["strace", "--follow-forks", "--quiet=attach,exit", f"--trace-path={path}", f"--trace={calls}",
         f"--inject={calls}:delay_enter=20000000", f"--attach={agent.process.pid}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: traced(agent), "each thread is traced")
        yield
    finally:
        tracer.terminate()
        tracer.wait()


def traced(agent):
    task = f"/proc/{agent.process.pid}/task"
    tracers = []
    for thread in os.listdir(task):
        with contextlib.suppress(FileNotFoundError), open(f"{task}/{thread}/status") as status:
            tracers.append(re.search(r"^TracerPid:\s+(\d+)", status.read(), re.MULTILINE)[1] != "0")
    return all(tracers)


def threads(agent):
    return len(os.listdir(f"/proc/{agent.process.pid}/task"))


@pytest.fixture
def rest(base, service):
    return base + configuration.profile(service)


def test_a_reload_back_to_fewer_readers_takes_the_file_from_the_others(start, rest, open_folder):
    endpoint = Endpoint(open_folder)
    agent = start(rest + table(endpoint))
    for wanted in [[MALLORY, ALICE], [MALLORY], [MALLORY, ALICE], [MALLORY]]:
        agent.configure(rest + table(endpoint, readers=wanted))
        read_again(agent)
        assert sorted(readers(endpoint.token_file)) == sorted(wanted)


def test_a_reader_who_is_taken_out_has_no_good_token(start, rest, open_folder):
    endpoint, both = Endpoint(open_folder), {"users": [MALLORY, ALICE]}
    agent = start(rest + table(endpoint, readers=[MALLORY, ALICE], allow=both))
    key_of(agent)
    old = endpoint.token()
    agent.configure(rest + table(endpoint, readers=[MALLORY], allow=both))
    read_again(agent)
    assert endpoint.connect(ALICE).ask(endpoint.request(token=old))[0] == 403
    assert endpoint.connect(MALLORY).ask(endpoint.request())[0] == 200


def test_a_token_file_goes_to_another_place_and_back(start, rest, open_folder):
    endpoint = Endpoint(open_folder)
    first, second = endpoint.token_file, f"{endpoint.token_file}2"
    agent = start(rest + table(endpoint))
    key_of(agent)
    for endpoint.token_file in [second, first, second, first]:
        agent.configure(rest + table(endpoint))
        read_again(agent)
        assert os.listdir(os.path.dirname(first)) == [os.path.basename(endpoint.token_file)]
        assert endpoint.connect(MALLORY).ask(endpoint.request())[0] == 200


def test_two_endpoints_swap_their_token_files(start, rest, open_folder):
    one, two = Endpoint(open_folder), Endpoint(open_folder)
    two.token_file += "2"
    agent = start(rest + table(one) + table(two))
    key_of(agent)
    for _ in range(2):
        one.token_file, two.token_file = two.token_file, one.token_file
        agent.configure(rest + table(one) + table(two))
        read_again(agent)
        wait_until(lambda: [e.connect(MALLORY).ask(e.request())[0] for e in (one, two)] == [200, 200], "both serve")
        assert one.connect(MALLORY).ask(one.request(token=two.token()))[0] == 403


def test_a_neighbour_of_a_token_file_is_left_alone(start, rest, open_folder):
    endpoint = Endpoint(open_folder)
    folder = os.path.dirname(endpoint.token_file)
    os.mkdir(folder, 0o755)
    with open(f"{endpoint.token_file}.new", "w") as file:
        file.write("precious\n")
    agent = start(rest + table(endpoint))
    assert len(os.listdir(folder)) == 2
    assert agent.stop() == 0
    assert os.listdir(folder) == [os.path.basename(endpoint.token_file) + ".new"]


def test_another_programs_key_is_not_written_over(start, rest, open_folder):
    endpoint, key = Endpoint(open_folder), "0123456789abcdef" * 4
    os.mkdir(os.path.dirname(endpoint.token_file), 0o755)
    with open(endpoint.token_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(key)
    with pytest.raises(AssertionError, match="no token of an agent"):
        start(rest + table(endpoint))
    assert endpoint.token() == key


def test_no_folder_is_made_in_one_that_others_can_write_to(start, rest, open_folder):
    """They could put a link to another folder of the agent's user in its place."""
    shared = f"{open_folder}/shared"
    os.mkdir(shared)
    os.chmod(shared, 0o777)
    endpoint, path = Endpoint(open_folder), f"{shared}/sockets/one.sock"
    endpoint.token_file = f"{shared}/tokens/one.token"
    agent = start(rest)
    agent.configure(
        rest + table(endpoint)
        + configuration.table("[[listener]]", {"kind": "socket", "path": path, "profiles": ["test"]}))
    read_again(agent)
    notices = [line for line in agent.json("status")["notices"] if f"{shared}: others can write to the directory" in line]
    assert len(notices) == 2
    assert os.listdir(shared) == []


def test_a_port_that_another_user_has_keeps_the_agent_from_nothing_else(start, rest, open_folder):
    endpoint = Endpoint(open_folder)
    taken = owned_by(ALICE, lambda: socket.create_server((endpoint.host, endpoint.port)))
    agent = start(rest + endpoint.table)
    key = key_of(agent)
    [notice] = [line for line in agent.json("status")["notices"] if endpoint.address in line]
    assert "another program listens on this port" in notice
    assert agent.log().count("another program listens on this port") == 1
    assert not os.path.exists(endpoint.token_file)
    taken.close()
    wait_until(lambda: os.path.exists(endpoint.token_file), "the endpoint listens")
    assert endpoint.connect(MALLORY).ask(endpoint.request())[1]["AccessKeyId"] == key
    wait_until(lambda: endpoint.address not in str(agent.json("status")["notices"]), "the notice is gone")


def test_a_lock_does_not_wait_for_a_token_file_that_hangs_at_a_reload(start, rest, open_folder):
    endpoint = Endpoint(open_folder)
    agent = start(rest + endpoint.table)
    key_of(agent)
    with slow(agent, "unlink", endpoint.token_file):
        agent.configure(rest)
        reload = threading.Thread(target=agent.cli, args=["reload"])
        reload.start()
        with pytest.raises(ConnectionRefusedError):
            while True:  # until the reload has closed it
                endpoint.connect().socket.close()
        begun = time.monotonic()
        assert agent.cli("lock").returncode == 0
        assert time.monotonic() - begun < 10
        assert os.path.exists(endpoint.token_file), "the file was removed too soon"
    reload.join()
    assert not os.path.exists(endpoint.token_file)


def test_refusals_do_not_pile_up_looks_at_a_file_that_hangs(start, softhsm, token, service, open_folder):
    endpoint, pin = Endpoint(open_folder), f"{open_folder}/pin"
    agent = start(
        configuration.module(softhsm), configuration.token(f"file:{pin}"), endpoint.table, configuration.profile(service))
    connection = endpoint.connect(MALLORY)
    wait_until(lambda: connection.ask(endpoint.request())[1]["code"] == "configuration", "it is refused")
    with slow(agent, "newfstatat,stat,statx", pin):
        before = threads(agent)
        for _ in range(300):
            assert connection.ask(endpoint.request())[1]["code"] == "configuration"
        assert threads(agent) < before + 20
        begun = time.monotonic()
        assert agent.cli("status").returncode == 0
        assert time.monotonic() - begun < 10
