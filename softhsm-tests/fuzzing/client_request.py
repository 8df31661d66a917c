"""A client's request, and the time within which it must have its answer."""

import contextlib
import json
import socket
import threading
import time

from rules import require

LONGEST_ANSWER = 60


class Request(threading.Thread):
    """A client's request, on its way until `join`."""

    def __init__(self, path, method, target, body=b""):
        super().__init__(daemon=True)
        self.path, self.method, self.target, self.body = path, method, target, body
        self.status = self.answer = None
        self.began = time.monotonic()
        self.start()

    def run(self):
        head = (f"{self.method} {self.target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
                f"Content-Length: {len(self.body)}\r\n\r\n")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            connection.settimeout(LONGEST_ANSWER)
            connection.sendall(head.encode() + self.body)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            head, separator, body = answer.partition(b"\r\n\r\n")
            if separator:
                self.answer = json.loads(body) if body else None
                self.status = int(head.split()[1])
        self.seconds = time.monotonic() - self.began

    def finish(self):
        self.join(LONGEST_ANSWER + 5)
        require(not self.is_alive() and self.seconds < LONGEST_ANSWER, f"{self.method} {self.target} is not answered")
        return self
