"""The command line, run with a terminal of its own, and the agent that most of its tests have."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios

from support.fake_agent import CREDENTIALS, answer
from support.processes import binary, client_environment


def take_terminal():
    """Makes the terminal on standard input /dev/tty, with the signals of a program that a shell starts: whoever runs the
    tests in the background has these ignored, and a child would inherit that."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


PROD = "pkcs11:token=prod;serial=01"
TOKENS = [
    {"uri": PROD, "label": "prod", "state": "pin-needed", "pin_tries": "ok", "new": {"unknown": []}},
    {"uri": "pkcs11:token=it's;serial=02", "label": "it's\x1b[31m", "state": "ready", "pin_tries": "low"},
]
IDENTITIES = [
    {
        "uri": "pkcs11:token=prod;id=%01", "token": "prod", "subject": "CN=日本,O=Example", "issuer": "CN=Root",
        "serial": "4242", "not_before": "2020-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z",
        "key_type": "P-256", "has_key": True, "usable": True, "reasons": [], "profiles": ["prod", "dev"],
    },
    {
        "uri": "pkcs11:token=prod;id=%02", "token": "prod", "subject": "CN=a\tb\x1b]0;x\x07", "issuer": "CN=Root",
        "serial": "7", "not_before": "2020-01-01T00:00:00Z", "not_after": "2021-01-01T00:00:00Z",
        "key_type": "RSA-2048", "has_key": False, "usable": False, "reasons": ["expired"], "profiles": [],
    },
]  # fmt: skip
PROFILES = [
    {
        "name": "prod", "source": "roles-anywhere", "certificate": {"uri": "pkcs11:id=%01"},
        "session_expiry": "2099-01-01T00:00:00Z",
        "next_gesture": {"kind": "touch", "due": "2098-12-31T23:40:00Z"},
        "last_refusals": [
            {"program": "aws (python3.11)", "uid": 1000, "time": "2026-01-01T00:00:00Z", "code": "pin-needed",
             "detail": "token \"prod\" needs its PIN"},
            {"uid": 1001, "time": "2025-01-01T00:00:00Z", "code": "forbidden", "detail": "not\tallowed"},
        ],
    },
    {"name": "dev", "source": "assume-role", "last_error": "the service\nis down", "stand_in": "spare",
     "source_profile": "prod", "session_cap_seconds": 3600},
]  # fmt: skip
STATUS = {
    "version": "9.9.9", "uptime_seconds": 11520, "pid": 7, "system": False, "tokens": TOKENS, "profiles": PROFILES,
    "modules": [{"module": "/usr/lib/p.so", "state": "running"}],
}  # fmt: skip
ROUTES = {
    "GET /v1/identities": IDENTITIES,
    "GET /v1/tokens": TOKENS,
    "GET /v1/profiles": PROFILES,
    "GET /v1/status": STATUS,
    "GET /v1/profiles/prod/explain": [
        {
            "uri": "pkcs11:id=%01", "subject": "CN=a", "serial": "1", "not_after": "2099-01-01T00:00:00Z",
            "chosen": True, "reasons": [],
        },
        {
            "uri": "pkcs11:id=%02", "subject": "CN=b", "serial": "2", "not_after": "2021-01-01T00:00:00Z",
            "chosen": False, "reasons": ["expired", "is a CA"],
        },
    ],
}  # fmt: skip


def serve(connection, request, routes=ROUTES):
    """The agent of most tests: it answers by route, and takes every change."""
    method, path, _ = request.split(b" ", 2)
    route = f"{method.decode()} {path.decode()}"
    if route in routes:
        connection.sendall(answer(json.dumps(routes[route]).encode()))
    elif route.endswith("/refresh"):
        connection.sendall(answer(CREDENTIALS))
    else:
        connection.sendall(b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n")


def on_terminal(*arguments, path, typed=b"", prompt=None, streams=("tty", "tty")):
    """Runs `tokenward` with a terminal of its own, and types once `prompt` is on it: exit code, and what was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [binary("tokenward"), *arguments],
        env=client_environment(TOKENWARD_SOCKET=str(path), COLUMNS="200"),
        stdin=slave,
        stdout=slave if streams[0] == "tty" else streams[0],
        stderr=slave if streams[1] == "tty" else streams[1],
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(slave)
    shown = b""
    if prompt:
        while prompt not in shown:
            shown += os.read(master, 65536)
        os.write(master, typed)
    try:
        while more := os.read(master, 65536):
            shown += more
    except OSError:
        pass  # the last holder of the other end is gone
    os.close(master)
    return process.wait(30), shown.replace(b"\r\n", b"\n").decode()


def failed(result, code):
    """A failure of the command line, in two lines."""
    assert (result.returncode, result.stdout) == (code, b""), result
    lines = result.stderr.decode().splitlines()
    assert lines[-2].startswith("tokenward: error: ") and lines[-1].startswith("tokenward: hint: ")
    return result.stderr.decode()


def refused(result, code):
    """A failure as the contract has it: nothing on standard output, one line on standard error, this code."""
    assert result.returncode == code, result.stderr
    assert result.stdout == b""
    assert result.stderr.startswith(b"tokenward: ") and result.stderr.endswith(b"\n")
    assert result.stderr.count(b"\n") == 1 and len(result.stderr) <= 1024
    assert b"; " in result.stderr
    return result.stderr.decode()


def body_of(request):
    return json.loads(request.partition(b"\r\n\r\n")[2])
