"""A PIN is never on the screen, in a file, in a log or in the agent's memory."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from support import configuration, scan
from support.agent import Agent
from support.processes import binary
from support.softhsm import PIN, SoftHSM, write_pin


def test_the_terminal_shows_nothing_of_a_typed_pin(agent_with):
    agent = agent_with("prompt")
    child, terminal = pty.fork()
    if child == 0:
        os.execve(binary("tokenward"), ["tokenward", "unlock", "--socket", agent.socket], {"PATH": "/usr/bin:/bin"})
    shown, typed, deadline = b"", False, time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            shown += chunk
            if not typed and b"PIN for card (" in shown:
                os.write(terminal, f"{PIN}\n".encode())
                typed = True
    finally:
        if os.waitpid(child, os.WNOHANG)[0] == 0 and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
        os.close(terminal)
    assert typed and PIN.encode() not in shown
    assert b"token card is unlocked" in shown
    assert agent.credentials().returncode == 0


CANARY = "canary-PIN-9f2c71be04d6a"


@pytest.fixture
def canary(tmp_path, root):
    softhsm = SoftHSM(tmp_path / "hsm")
    softhsm.token("canary", pin=CANARY).identity(root)
    return softhsm


def test_a_typed_pin_leaves_no_trace(start, canary, service, tmp_path):
    agent = start(configuration.module(canary), configuration.profile(service), arguments=["--log-level", "debug"])
    agent.get("/v1/tokens")
    [worker] = agent.workers()
    assert agent.cli("unlock", "--pin-stdin", input=f"{CANARY}\n").returncode == 0
    assert agent.credentials().returncode == 0
    assert agent.workers() == [worker]

    needle = CANARY.encode()
    for pid in (agent.process.pid, worker):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert needle not in file.read()
    assert CANARY not in agent.log()
    for path in tmp_path.rglob("*"):
        if path.is_file() and "hsm" not in path.parts:
            assert needle not in path.read_bytes(), path
    assert scan.copies(agent.process.pid, CANARY) == 0
    assert scan.copies(worker, CANARY) <= 1


def test_a_stored_pin_is_never_in_the_agent(start, canary, service, tmp_path):
    agent = start(
        configuration.module(canary), configuration.token(write_pin(tmp_path / "pin", CANARY)),
        configuration.profile(service), arguments=["--log-level", "debug"])
    assert agent.credentials().returncode == 0
    [worker] = agent.workers()
    assert scan.copies(agent.process.pid, CANARY) == 0
    assert scan.copies(worker, CANARY) <= 1
    assert CANARY not in agent.log()


def test_a_scan_finds_what_is_there():
    """The scan's own test: a process that holds the bytes."""
    with subprocess.Popen(
        ["python3", "-c", "import sys; held = sys.stdin.readline(); print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(f"{CANARY}\n".encode())
        process.stdin.flush()
        process.stdout.readline()
        found = scan.copies(process.pid, CANARY)
        process.stdin.close()
    assert found > 0


def test_agent_and_worker_dump_no_core_and_are_closed_to_their_own_user(
    open_folder, root
):
    """As a user of their own, since root may look into everything."""
    uid = 61001
    programs = open_folder / "programs"
    programs.mkdir()
    for name in ("tokenward-agent", "tokenward-worker"):
        shutil.copy(binary(name), programs / name)
    softhsm = SoftHSM(open_folder / "hsm")
    softhsm.token("card").identity(root)
    agent = Agent(open_folder, program=str(programs / "tokenward-agent"), prefix=[
        "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"])
    agent.configure(configuration.module(softhsm))
    subprocess.run(["chown", "-R", f"{uid}:{uid}", open_folder], check=True)
    try:
        agent.start()
        as_user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        listed = subprocess.run(
            [*as_user, "curl", "--silent", "--show-error", "--unix-socket", agent.socket, "http://agent/v1/tokens"],
            capture_output=True, text=True, timeout=20)
        assert '"card"' in listed.stdout, listed.stderr
        [worker] = agent.workers()
        for pid in (agent.process.pid, worker):
            with open(f"/proc/{pid}/status") as status:
                assert f"Uid:\t{uid}\t{uid}" in status.read()
            with open(f"/proc/{pid}/limits") as limits:
                assert re.search(r"^Max core file size +0 +0 ", limits.read(), re.MULTILINE)
            for name in ("mem", "environ", "maps"):
                refused = subprocess.run(
                    [*as_user, "head", "-c", "1", f"/proc/{pid}/{name}"], capture_output=True, text=True, timeout=10)
                assert refused.returncode != 0 and "Permission denied" in refused.stderr, name
    finally:
        if agent.process:
            agent.stop()
