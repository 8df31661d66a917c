"""Clients with a certificate: a token acts for a server that has shown its key, while there is a transfer that wants it."""

import contextlib
import os
import signal
import socket
import ssl
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
from support.waiting import in_background, wait_until

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
def begin(softhsm, token, start, tmp_path, pin_file):
    """Starts an agent for a server: the agent, and the spy on its token."""

    def begin(server, environment=None):
        spy = Spy(tmp_path, MODULE)
        agent = start(
            configuration.module(softhsm, SPY_MODULE, spy.environment), configuration.token(pin_file),
            configuration.table("[profile.edge]", {
                "source": "iot-core", "certificate": "pkcs11:token=card", "endpoint": server.url, "role-alias": "edge",
                "ca-bundle": server.ca}), environment=environment)
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
        agent, spy = begin(server, {"LD_PRELOAD": str(library)})
        answer = in_background(agent.credentials, "edge")
        wait_until(lambda: "closing begins" in agent.log(), "the connection is given up")
        server.may_answer.set()
        wait_until(lambda: "closing ends" in agent.log(), "the connection is closed")
        assert "took too long" in answer().stderr
    assert spy.counts(*CALLS) == (0, 0)


def test_a_handshake_that_goes_on_when_its_time_has_passed_makes_no_token_act(begin, tmp_path, root):
    with HeldServer(tmp_path, root) as server:
        agent, spy = begin(server)
        answer = in_background(agent.credentials, "edge")
        assert server.got_hello.wait(20)
        os.kill(agent.process.pid, signal.SIGSTOP)
        has_passed = time.monotonic() + CONNECT_SECONDS
        server.may_answer.set()
        assert server.has_answered.wait(20)
        wait_until(lambda: time.monotonic() > has_passed, "the time for connecting has passed")
        os.kill(agent.process.pid, signal.SIGCONT)
        assert "took too long" in answer().stderr
    assert spy.counts(*CALLS) == (0, 0)
