"""SIGKILL at each step of an exchange with IoT Core, and a token that is taken out of it: nothing needs repair."""

import contextlib
import os
import select
import signal
import socket
import ssl
import threading

import pytest

from support import configuration
from support.iot_server import IoTServer, issued
from support.iot_tokens import profile
from support.processes import is_running
from support.waiting import in_background, wait_until

CALLS = ("C_Login", "C_Sign")
PATH = "/v1/profiles/edge/credentials"


class HeldServer(IoTServer):
    """Stops at one step of its first exchange, until it may go on."""

    def __init__(self, *arguments, step, **options):
        super().__init__(*arguments, **options)
        self.step, self.reached, self.may_go_on = step, threading.Event(), threading.Event()

    def hold(self, step):
        if step == self.step and not self.reached.is_set():
            self.reached.set()
            self.may_go_on.wait(60)

    def serve(self, plain):
        plain.settimeout(self.patience)
        with contextlib.suppress(OSError), plain:
            self.hold("connected")
            plain.recv(1, socket.MSG_PEEK)
            self.hold("hello")
            with self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as peer:
                peer.setblocking(False)
                with contextlib.suppress(ssl.SSLWantReadError):
                    peer.do_handshake()
                peer.settimeout(self.patience)
                select.select([peer], [], [], self.patience)
                self.hold("signed")
                peer.do_handshake()
                request = b""
                while b"\r\n\r\n" not in request:
                    request += peer.recv(65536)
                self.requests.append(request)
                self.hold("sent")
                body = issued()
                peer.sendall(
                    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body[:50])
                self.hold("half answered")
                peer.sendall(body[50:])
                peer.unwrap()


@pytest.mark.parametrize("step, asked", [
    ("connected", (0, 0)), ("hello", (0, 0)), ("signed", (1, 1)), ("sent", (1, 1)), ("half answered", (1, 1))])
def test_an_agent_that_is_killed_begins_anew_with_one_login(spied, tmp_path, root, step, asked):
    with HeldServer(tmp_path, root, step=step) as server:
        agent, spy = spied(profile(server, "EC-prime256v1"))
        caller = in_background(agent.credentials, "edge")
        assert server.reached.wait(20)
        assert spy.counts(*CALLS) == asked
        workers = agent.workers()
        agent.process.kill()
        agent.process.wait()
        wait_until(lambda: not any(map(is_running, workers)), "no orphan", 1)
        server.may_go_on.set()
        answer = caller()
        assert (answer.returncode, answer.stdout) == (69, ""), answer
        agent.start()
        status, answer = agent.get(PATH)
        assert status == 200, answer
        assert spy.counts(*CALLS) == (asked[0] + 1, asked[1] + 1)


@pytest.mark.parametrize("step", ["signed", "sent", "half answered"])
def test_a_worker_that_is_killed_after_its_signature_costs_nothing(spied, tmp_path, root, step):
    with HeldServer(tmp_path, root, step=step) as server:
        agent, spy = spied(profile(server, "EC-prime256v1"))
        caller = in_background(agent.get, PATH)
        assert server.reached.wait(20)
        for worker in agent.workers():
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: not is_running(worker), "the worker's end")
        server.may_go_on.set()
        status, answer = caller()
        assert status == 200, answer
        assert len(server.requests) == 1 and spy.counts(*CALLS) == (1, 1)


def test_a_token_that_is_taken_out_while_tls_waits_for_it_is_told_and_is_back_with_one_login(
        start, mock, root, tmp_path, pin_file):
    card = mock.card("card")
    card.identity(root)
    rule = mock.on("C_Sign", "hang", next=1)
    with IoTServer(tmp_path, root) as server:
        agent = start(configuration.mock(mock), configuration.token(pin_file), profile(server, "card"))
        caller = in_background(agent.credentials, "edge")
        wait_until(lambda: mock.waiting() == 1, "the token is asked")
        card.remove()
        mock.clear(rule)
        answer = caller()
        assert answer.returncode in (66, 75) and answer.stdout == "", answer
        assert server.requests == []
        card.insert()
        status, answer = wait_until(
            lambda: (got := agent.get(PATH)) and got[0] == 200 and got, "the token is found again")
        assert len(server.requests) == 1
        assert len(mock.logins()) == 2  # one for each time that the card was put in
