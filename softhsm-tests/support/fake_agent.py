"""An agent that follows a script: it accepts on a Unix socket and does to each connection what it was told."""

import contextlib
import os
import signal
import socket
import threading

from support.waiting import stop

CREDENTIALS = (
    b'{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret/+","SessionToken":"'
    + b"t" * 1000
    + b'","Expiration":"2030-01-01T00:00:00Z","AccountId":"111122223333"}'
)


def answer(body, status="200 OK", length=None, headers=()):
    """A whole HTTP answer; `length` overrides what Content-Length says."""
    lines = [f"HTTP/1.1 {status}", "Cache-Control: no-store", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def receive_request(connection):
    """Everything up to the end of the request's head, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def effective_user(user):
    """This process has the rights of `user` for the length of the block; its own where that is None."""
    own = os.geteuid()
    if user is not None:
        os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(own)


class FakeAgent:
    """Serves one connection after another. `script` is a function of (connection, request), or bytes to send.

    `user` is the user whose process listens, as the kernel tells clients; only root can be another one."""

    def __init__(self, path, script, user=None):
        self.path, self.script, self.requests = path, script, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.fspath(path))
        os.chmod(path, 0o777)
        with effective_user(user):
            self.listener.listen(16)
        self.released = threading.Event()  # for scripts that hold a connection until the test is over
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                request = receive_request(connection)
                if not request:
                    continue
                self.requests.append(request)
                if isinstance(self.script, bytes):
                    connection.sendall(self.script)
                else:
                    self.script(connection, request)

    def close(self):
        self.released.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


@contextlib.contextmanager
def stopped(pid):
    """The process is stopped for the length of the block."""
    stop(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
