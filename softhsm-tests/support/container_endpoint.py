"""An endpoint for container credentials as its consumers see it, and connections of other users to it."""

import concurrent.futures
import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys

from support import configuration
from support.machine import MALLORY

FETCH = """
import botocore.session, botocore.exceptions, sys
try:
    credentials = botocore.session.get_session().get_credentials()
except botocore.exceptions.CredentialRetrievalError as error:
    sys.exit(str(error))
print(credentials.method, credentials.access_key, len(credentials.token) > 100)
"""


class Endpoint:
    """An agent's endpoint for the profile test, as its consumers see it."""

    def __init__(self, folder, is_ipv6=False, **settings):
        family, self.host = (socket.AF_INET6, "::1") if is_ipv6 else (socket.AF_INET, "127.0.0.1")
        with socket.socket(family) as free:
            free.bind((self.host, 0))
            self.port = free.getsockname()[1]
        self.address = f"[::1]:{self.port}" if is_ipv6 else f"127.0.0.1:{self.port}"
        self.token_file = f"{folder}/tokens/test.token"
        self.table = configuration.table("[[listener]]", {
            "kind": "container-credentials", "address": self.address, "profiles": ["test"],
            "token-file": self.token_file, "readers": [MALLORY], "allow": {"users": [MALLORY]}, **settings})

    def token(self):
        with open(self.token_file) as file:
            return file.read()

    def fetch(self, user=MALLORY, **environment):
        """botocore's run as this user."""
        environment = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{self.address}/v1/credentials/test",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.token_file, "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "HOME": "/nonexistent", **environment}
        return subprocess.run(
            ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-c", FETCH], cwd="/",
            env={name: value for name, value in environment.items() if value is not None}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def connect(self, user=None):
        """A connection that this user makes."""
        return Connection(self, user)

    def request(self, *more, host=None, token=None):
        lines = ["GET /v1/credentials/test HTTP/1.1", f"Host: {host or self.address}",
                 f"Authorization: {token or self.token()}", *more, "", ""]
        return "\r\n".join(lines).encode()


class Connection:
    """A socket of another user: the kernel remembers who has made it."""

    def __init__(self, endpoint, user):
        self.socket = owned_by(user, lambda: socket.create_connection((endpoint.host, endpoint.port), 20))

    def ask(self, request):
        """Status and body of the answer; None where there is none."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                if not (part := self.socket.recv(65536)):
                    return None
                answer += part
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            while len(body) < length:
                body += self.socket.recv(65536)
            return int(head.split()[1]), json.loads(body)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def owned_by(user, make):
    """What a thread of this user makes; the others go on as root."""

    def run():
        # setresuid(2) of this thread alone: the C library's would change them all.
        number = {"x86_64": 117, "aarch64": 147}[os.uname().machine]
        assert user is None or ctypes.CDLL(None).syscall(number, -1, user, -1) == 0
        return make()

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()
