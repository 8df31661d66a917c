"""A tokenward-agent, started as a user would start it and ended by its process id."""

import contextlib
import json
import os
import signal
import socket
import subprocess

from support.processes import binary
from support.waiting import wait_until


class Agent:
    """A tokenward-agent with a home, a runtime folder and a configuration of its own, or none at all."""

    def __init__(self, folder, configuration="", environment=None, arguments=(), prefix=(), program=None):
        self.folder = str(folder)
        self.home = f"{self.folder}/home"
        self.runtime = f"{self.folder}/run"
        for path in (self.home, self.runtime):
            os.makedirs(path, mode=0o700, exist_ok=True)
        self.configuration_path = f"{self.folder}/config.toml"
        self.log_path = f"{self.folder}/agent.log"
        self.socket = f"{self.runtime}/tokenward/agent.sock"
        if configuration is not None:
            self.configure(configuration)
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": self.home,
            "XDG_RUNTIME_DIR": self.runtime,
            "SWIFT_BACKTRACE": "enable=no",
            **(environment or {}),
        }
        self.arguments, self.prefix = list(arguments), list(prefix)
        if configuration is not None:
            self.arguments = ["--config", self.configuration_path, *self.arguments]
        self.program = program or binary("tokenward-agent")
        self.process = None

    def configure(self, text):
        new = f"{self.configuration_path}.new"
        with open(new, "w") as file:
            file.write(text)
        os.chmod(new, 0o600)
        os.rename(new, self.configuration_path)

    def start(self, timeout=20):
        """Starts it and waits for its own word that it serves (sd_notify)."""
        path = f"{self.folder}/notify.sock"
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            os.chmod(path, 0o666)  # an agent of another user tells as well
            notify.settimeout(0.2)
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [*self.prefix, self.program, *self.arguments],
                    env={**self.environment, "NOTIFY_SOCKET": path},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            for _ in range(int(timeout / 0.2)):
                try:
                    if b"READY=1" in notify.recv(4096):
                        return self
                except TimeoutError:
                    pass
                assert self.process.poll() is None, f"the agent ended: {self.log()}"
        raise AssertionError(f"the agent did not become ready: {self.log()}")

    def stop(self, with_signal=signal.SIGTERM, timeout=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"the agent does not end: {self.log()}") from None
        return self.process and self.process.returncode

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def workers(self):
        """Process ids of the workers."""
        result = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "tokenward-worker"], capture_output=True, text=True
        )
        return [int(line) for line in result.stdout.split()]

    def credentials(self, profile="test", *options, timeout=60, prefix=(), environment=None):
        """The finished process of the thin client, with the answer that an SDK gets."""
        return subprocess.run(
            [*prefix, binary("tokenward-credential-process"), "--socket", self.socket, *options, profile],
            env={"PATH": "/usr/bin:/bin", **(environment or {})},
            start_new_session=True,  # without the terminal of the person who runs the tests
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def cli(self, *arguments, input=None, timeout=60, environment=None):
        return subprocess.run(
            [binary("tokenward"), *arguments, "--socket", self.socket],
            env={"PATH": "/usr/bin:/bin", "HOME": self.home, **(environment or {})},
            start_new_session=True,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def json(self, *arguments):
        result = self.cli(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def http(self, request, timeout=60):
        """Sends bytes and returns all that comes back until the agent closes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)  # waits for a place in the queue, which it would not with a timeout
            connection.settimeout(timeout)
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def get(self, path):
        """Status and JSON of a GET."""
        return self.request("GET", path)

    def request(self, method, path, body=b""):
        head = f"{method} {path} HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = self.http(head.encode() + body)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body else None


def end(agent):
    """Ends an agent in whatever state a test has left it."""
    if agent.process is None:
        return
    workers = agent.workers()
    if agent.process.poll() is None:
        agent.process.kill()
        agent.process.wait()
    for pid in workers:  # a stopped one does not see that its agent has gone
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def run_to_end(agent, *arguments, **environment):
    """The finished process of an agent that is expected to end by itself."""
    return subprocess.run(
        [binary("tokenward-agent"), "--config", agent.configuration_path, *arguments],
        env={**agent.environment, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)


def read_again(agent, word="configuration read again"):
    """Has the agent read its configuration again, and waits for its word on that."""
    told = agent.log().count(word)
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: agent.log().count(word) > told, f"'{word}' in the log")
