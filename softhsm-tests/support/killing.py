"""Load on an agent whose workers are killed, with callers that check whatever they get."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

from support.credentials import checked_credentials
from support.processes import is_running
from support.waiting import wait_until

# Each is asked for a session once: a second call would get what the cache remembers of the first.
PROFILES = 300


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


def kill_workers(agent, kills, chance):
    """Kills a worker so many times, at moments that `chance` chooses; the load on its token, and the one beside it."""
    token_caller = TokenCaller()
    with Load(agent, token_caller) as load, Load(agent, cached) as others:
        for kill in range(kills):
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
    return load, others
