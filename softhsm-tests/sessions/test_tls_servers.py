"""What TLS servers can do to clients with a certificate: no token acts but for a server that has shown its key, and each
outcome is told as what it is."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support import configuration
from support.c_sources import compile
from support.impostor import Impostor
from support.iot_server import IoTServer
from support.softhsm import MODULE
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import in_background, stop, wait_until

CALLS = ("C_Login", "C_Sign")
CONNECT_SECONDS = 10  # HTTPLimits.connectMilliseconds


class HeldServer(IoTServer):
    """Answers a ClientHello when it is told to."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.got_hello, self.may_answer, self.has_answered = threading.Event(), threading.Event(), threading.Event()

    def serve(self, plain):
        with contextlib.suppress(OSError):
            if plain.recv(1, socket.MSG_PEEK):
                self.got_hello.set()
                self.may_answer.wait()
            with self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as peer:
                peer.setblocking(False)
                with contextlib.suppress(ssl.SSLWantReadError):
                    peer.do_handshake()
                self.has_answered.set()
                peer.settimeout(self.patience)
                peer.do_handshake()


@pytest.fixture
def server(tmp_path, root):
    with IoTServer(tmp_path, root) as server:
        yield server


@pytest.fixture
def begin(softhsm, token, start, tmp_path, pin_file):
    """Starts an agent for a server: the agent, and the spy on its token."""

    def begin(
            server, module=MODULE, module_environment=None, module_settings=None, environment=None, endpoint=None,
            **token_settings):
        spy = Spy(tmp_path, module)
        agent = start(
            configuration.module(
                softhsm, SPY_MODULE, spy.environment | (module_environment or {}), **(module_settings or {})),
            configuration.token(pin_file, **token_settings),
            configuration.table("[profile.edge]", {
                "source": "iot-core", "certificate": "pkcs11:token=card", "endpoint": endpoint or server.url,
                "role-alias": "edge", "ca-bundle": server.ca}), environment=environment)
        return agent, spy

    return begin


def test_a_server_that_has_the_certificate_without_its_key_makes_no_token_act(begin, tmp_path):
    impostor = Impostor(tmp_path)
    agent, spy = begin(impostor)
    answer = agent.credentials("edge")
    impostor.stop()
    assert answer.returncode == 75 and answer.stderr.count("\n") == 1, answer.stderr
    assert impostor.hellos > 0 and impostor.signatures == 0
    assert spy.counts(*CALLS) == (0, 0)


def test_a_handshake_that_goes_on_when_its_connection_is_closed_makes_no_token_act(begin, tmp_path, root):
    library = compile("closing/closing.c", tmp_path / "closing.so", "-shared", "-fPIC")
    with HeldServer(tmp_path, root) as server:
        agent, spy = begin(server, environment={"LD_PRELOAD": str(library)})
        answer = in_background(agent.credentials, "edge")
        wait_until(lambda: "closing begins" in agent.log(), "the connection is given up")
        server.may_answer.set()
        wait_until(lambda: "closing ends" in agent.log(), "the connection is closed")
        assert "took too long" in answer().stderr
    assert spy.counts(*CALLS) == (0, 0)


def test_a_handshake_that_goes_on_when_its_time_has_passed_makes_no_token_act(begin, tmp_path, root):
    with HeldServer(tmp_path, root) as server:
        agent, spy = begin(server, module_settings={"list-timeout-seconds": 60})  # the agent may stop while it lists
        answer = in_background(agent.credentials, "edge")
        assert server.got_hello.wait(20)
        stop(agent.process.pid)
        has_passed = time.monotonic() + CONNECT_SECONDS
        server.may_answer.set()
        assert server.has_answered.wait(20)
        wait_until(lambda: time.monotonic() > has_passed, "the time for connecting has passed")
        os.kill(agent.process.pid, signal.SIGCONT)
        assert "took too long" in answer().stderr
    assert spy.counts(*CALLS) == (0, 0)


def test_a_proxy_of_scheme_https_is_a_clear_problem(begin, server):
    agent, spy = begin(
        server, endpoint="https://service.test", environment={"https_proxy": f"https://127.0.0.1:{server.port}"})
    answer = agent.credentials("edge")
    assert answer.returncode == 78 and "set https_proxy to an http:// proxy" in answer.stderr, answer.stderr
    assert answer.stderr.count("\n") == 1 and server.failures == [] and spy.counts(*CALLS) == (0, 0)


def test_a_refusal_after_a_touch_costs_no_other_touch(begin, server, shim, tmp_path):
    """The login of the attempt itself changes the tokens."""
    server.status, server.body = 403, b'{"message":"Access Denied"}'
    finger = tmp_path / "finger"
    finger.touch()
    touching = {"SHIM_MODULE": MODULE, "SHIM_TOUCH": str(finger)}
    agent, spy = begin(server, module=shim, module_environment=touching, touch=True)
    assert agent.credentials("edge").returncode == 77
    assert spy.counts(*CALLS) == (1, 1) and server.handshakes == 1


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_what_is_no_http_is_told_as_such(begin, tmp_path, root, version):
    class Garbage(IoTServer):
        def serve(self, plain):
            with self.context.wrap_socket(plain, server_side=True) as peer:
                peer.recv(65536)
                peer.sendall(b"garbage\r\n\r\n")

    with Garbage(tmp_path, root, versions=[version]) as server:
        agent, _ = begin(server)
        told = agent.credentials("edge")
    assert told.returncode == 75 and "not valid HTTP" in told.stderr, told.stderr


def test_a_server_that_begins_tls_anew_after_the_request_is_told_as_such(begin, server, tmp_path):
    """`openssl s_server` does on R."""
    other = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-legacy_renegotiation", "-cert", "server.pem", "-key",
         "server.pem", "-CAfile", "clients-ca.pem", "-Verify", "1"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = iter(other.stdout.readline, "")
        port = next(line for line in lines if line.startswith("ACCEPT 127")).rpartition(":")[2].strip()
        agent, spy = begin(server, endpoint=f"https://127.0.0.1:{port}")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(agent.credentials, "edge")
            next(line for line in lines if line.startswith("GET /"))
            while not asked.done():  # it may not look at its input at once
                other.stdin.write("R\n")
                other.stdin.flush()
                concurrent.futures.wait([asked], 0.5)
        assert "ended TLS after the request" in asked.result().stderr
        assert spy.count("C_Sign") == 1
    finally:
        other.kill()
        other.wait()
        other.stdin.close()
        other.stdout.close()
