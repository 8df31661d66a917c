"""Endpoints for container credentials: real SDK code of the users who are let in gets credentials, and all others nothing."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from support import configuration
from support.agent import read_again
from support.answers import key_of
from support.container_endpoint import Endpoint, owned_by
from support.machine import ALICE, MALLORY
from support.waiting import stop, wait_until


@pytest.fixture
def serve(start, base, service, open_folder):
    """Starts an agent with an endpoint, and returns both."""

    def serve(**settings):
        endpoint = Endpoint(open_folder, **settings)
        return start(base, endpoint.table, configuration.profile(service)), endpoint

    return serve


@pytest.mark.parametrize("is_ipv6", [False, True])
def test_botocore_of_another_user_gets_credentials_on_an_empty_cache(serve, service, is_ipv6):
    created = service.created()
    agent, endpoint = serve(is_ipv6=is_ipv6)
    for _ in range(2):
        result = endpoint.fetch()
        assert result.returncode == 0, (result.stderr, agent.log())
        assert result.stdout.split() == ["container-role", key_of(agent), "True"]
    assert service.created() == created + 1
    assert f"uid={MALLORY} listener={endpoint.address} route=credentials profile=test status=200" in agent.log()
    assert endpoint.token() not in agent.log()


def test_the_session_of_a_fallback_is_handed_out_while_the_profile_is_down(start, base, service, open_folder):
    endpoint = Endpoint(open_folder)
    agent = start(
        base, endpoint.table, configuration.profile(service, endpoint="https://127.0.0.1:1", fallback=["other"]),
        configuration.profile(service, "other"))
    result = endpoint.fetch()
    assert result.returncode == 0, (result.stderr, agent.log())
    assert result.stdout.split() == ["container-role", key_of(agent, "other"), "True"]
    wait_until(lambda: f"listener={endpoint.address} route=credentials profile=test status=200" in agent.log()
               and "fallback=other" in agent.log(), "both names in the audit log")


def test_the_token_file_is_its_readers_alone_and_goes_with_the_agent(serve):
    agent, endpoint = serve()
    listed = subprocess.run(
        ["getfacl", "--numeric", "--omit-header", "--absolute-names", endpoint.token_file], capture_output=True,
        text=True, check=True).stdout.split()
    assert listed == ["user::rw-", f"user:{MALLORY}:r--", "group::---", "mask::r--", "other::---"]
    assert re.fullmatch("tokenward-[0-9a-f]{64}", endpoint.token())
    for user, code in [(MALLORY, 0), (ALICE, 1)]:
        assert subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "cat", endpoint.token_file],
            capture_output=True).returncode == code
    assert agent.stop() == 0
    assert os.listdir(os.path.dirname(endpoint.token_file)) == []


def test_users_who_are_not_allowed_are_refused_with_the_right_token_and_sdks_say_why(serve):
    agent, endpoint = serve()
    key_of(agent)
    refused = endpoint.fetch(
        ALICE, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=None, AWS_CONTAINER_AUTHORIZATION_TOKEN=endpoint.token())
    assert refused.returncode == 1 and f"this socket does not allow uid {ALICE}" in refused.stderr
    assert endpoint.connect(0).ask(endpoint.request())[0] == 403  # root, whom nothing lists
    assert f"decision=deny reason=\"this socket does not allow uid {ALICE}\" uid={ALICE}" in agent.log()


@pytest.mark.parametrize("request_of", [
    lambda endpoint: endpoint.request(token="tokenward-" + "0" * 64),
    lambda endpoint: endpoint.request(host=f"attacker.example:{endpoint.port}"),
    lambda endpoint: endpoint.request("Origin: http://attacker.example"),
    lambda endpoint: endpoint.request("Sec-Fetch-Site: same-origin"),
    lambda endpoint: endpoint.request("X-Forwarded-For: 127.0.0.1"),
], ids=["another token", "rebound name", "page", "browser", "proxy"])
def test_a_request_of_a_page_or_without_the_token_gets_nothing(serve, request_of):
    agent, endpoint = serve()
    key = key_of(agent)
    status, answer = endpoint.connect(MALLORY).ask(request_of(endpoint))
    assert status == 403 and key not in json.dumps(answer)
    assert set(answer) == {"code", "message"}


def test_a_lock_takes_the_credentials_away_and_sdks_say_so(serve):
    agent, endpoint = serve()
    key_of(agent)
    kept = endpoint.connect(MALLORY)
    assert kept.ask(endpoint.request())[0] == 200
    assert agent.cli("lock").returncode == 0
    status, answer = kept.ask(endpoint.request())
    assert (status, answer["code"]) == (503, "locked")
    refused = endpoint.fetch()
    assert refused.returncode == 1 and "tokenward: profile test is locked; run 'tokenward unlock'" in refused.stderr
    assert agent.cli("unlock", "--stored").returncode == 0
    assert endpoint.fetch().returncode == 0


def test_a_token_that_waits_for_its_pin_is_an_error_at_once(start, softhsm, token, service, open_folder):
    endpoint = Endpoint(open_folder)
    agent = start(configuration.module(softhsm), endpoint.table, configuration.profile(service))
    asking = endpoint.connect(MALLORY)
    wait_until(lambda: asking.ask(endpoint.request())[1]["code"] == "pin-needed", "the token was looked at")
    refused = endpoint.fetch()
    assert refused.returncode == 1
    assert "needs its PIN" in refused.stderr and "run 'tokenward unlock'" in refused.stderr


def test_many_callers_of_an_empty_cache_cost_one_session(serve, service):
    agent, endpoint = serve()
    created = service.created()
    connections = [endpoint.connect(MALLORY) for _ in range(100)]
    request = endpoint.request()

    def all_are_served():
        answers = [connection.ask(request) for connection in connections]
        assert {status for status, _ in answers} <= {200, 503}
        return all(status == 200 for status, _ in answers)

    wait_until(all_are_served, "the session is there")
    assert service.created() == created + 1


def test_a_client_is_served_while_the_token_is_replaced(serve):
    """Whoever reads the file at each request, and for one token more who has read it before."""
    agent, endpoint = serve()
    key_of(agent)
    before = endpoint.token()
    os.unlink(endpoint.token_file)
    wait_until(lambda: os.path.exists(endpoint.token_file), "there is a new token")
    assert endpoint.token() != before
    for token in (before, endpoint.token()):
        assert endpoint.connect(MALLORY).ask(endpoint.request(token=token))[0] == 200
    assert endpoint.fetch().returncode == 0


def test_a_port_that_is_taken_is_a_notice_after_a_reload_and_at_start(start, base, service, open_folder):
    endpoint = Endpoint(open_folder)
    rest = base + configuration.profile(service)
    agent = start(rest)
    key = key_of(agent)
    with socket.create_server(("127.0.0.1", endpoint.port)):
        agent.configure(endpoint.table + rest)
        read_again(agent)
        [notice] = [line for line in agent.json("status")["notices"] if endpoint.address in line]
        assert "another program listens on this port" in notice and "tries again" in notice
        assert key_of(agent) == key
        agent.stop()
        agent.start()
        assert notice in agent.json("status")["notices"]
        key_of(agent)
    wait_until(lambda: os.path.exists(endpoint.token_file), "the endpoint listens")
    assert endpoint.fetch().returncode == 0
    agent.configure(rest)
    read_again(agent)
    assert not os.path.exists(endpoint.token_file)
    with pytest.raises(ConnectionRefusedError):
        endpoint.connect()


def test_floods_of_others_leave_it_to_those_who_are_allowed_and_the_owner(serve):
    agent, endpoint = serve()
    key_of(agent)
    request = endpoint.request()
    flood = [owned_by(ALICE, lambda: socket.create_connection((endpoint.host, endpoint.port), 20)) for _ in range(600)]
    for connection in flood:
        with contextlib.suppress(OSError):
            connection.send(request)
    own = [endpoint.connect(MALLORY) for _ in range(128)]
    assert [one.ask(request)[0] for one in own] == [200] * 128
    assert (endpoint.connect(MALLORY).ask(request) or (429,))[0] == 429
    assert agent.cli("status").returncode == 0
    for connection in flood:
        connection.close()


def test_a_connection_that_is_gone_at_the_look_up_belongs_to_nobody(serve):
    """The kernel calls the user of a closed socket 0: an endpoint for root must not take everybody's for root's."""
    agent, endpoint = serve(allow={"users": [0]})
    key = key_of(agent)
    request = endpoint.request()
    stop(agent.process.pid)  # all of them are gone before the first is looked up
    try:
        closed = [endpoint.connect(MALLORY) for _ in range(20)]
        ports = [one.socket.getsockname()[1] for one in closed]
        for number, one in enumerate(closed):
            one.socket.sendall(request)
            one.reset() if number % 2 else one.socket.close()
        # Root's own connections from the ports of those that were reset.
        taken = []
        for port in ports[1::2]:
            again = socket.socket()
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
            again.settimeout(20)
            again.connect((endpoint.host, endpoint.port))
            taken.append(again)
    finally:
        agent.process.send_signal(signal.SIGCONT)
    for again in taken:
        again.sendall(request)
        assert key.encode() in again.recv(65536)
        again.close()
    wait_until(lambda: "the kernel does not say whose connection this is" in agent.log(), "the refusal is in the log")
    handed = sum(int((line.partition("others=")[2] or "0").split()[0]) + 1 for line in agent.log().splitlines()
                 if "decision=allow" in line and endpoint.address in line)
    assert handed <= len(taken)


def test_an_inherited_connection_is_its_makers(serve):
    """As with SO_PEERCRED: whoever hands a connection on hands on what it may do."""
    agent, endpoint = serve()
    key_of(agent)
    for maker, user, status in [(ALICE, MALLORY, b"403"), (MALLORY, ALICE, b"200")]:
        connection = endpoint.connect(maker).socket
        script = "import os, sys; os.set_blocking(0, True); os.write(0, sys.argv[1].encode()); print(os.read(0, 65536).split()[1].decode())"
        result = subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-c", script,
             endpoint.request().decode()], stdin=connection, cwd="/", capture_output=True, timeout=30)
        assert result.stdout.strip() == status, result.stderr
