"""A command of `exec` is a job like any other of the shell on its terminal."""

import fcntl
import json
import struct
import subprocess
import termios

import pytest

from support.command_line import serve, take_terminal
from support.fake_agent import CREDENTIALS
from support.processes import BINARIES, client_environment
from support.terminal import Terminal


@pytest.fixture
def shell(agent, tmp_path):
    """A shell on a terminal of its own, which has shown its prompt."""
    routes = {"GET /v1/profiles/prod/credentials": json.loads(CREDENTIALS)}
    agent(lambda connection, request: serve(connection, request, routes))
    terminal = Terminal()
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave,
        start_new_session=True, preexec_fn=take_terminal, cwd=tmp_path,
        env=client_environment(
            PATH=f"{BINARIES}:/usr/bin:/bin", TOKENWARD_SOCKET=str(tmp_path / "agent.sock"), PS1="[exit $?] ", TERM="dumb"))
    terminal.read_until(rb"\[exit 0\] $")
    yield terminal
    process.kill()
    process.wait(10)
    terminal.close()


def after(terminal, typed, pattern):
    """Types, and waits until what follows on the screen matches."""
    terminal.shown = b""
    terminal.type(typed)
    return terminal.read_until(pattern)


def test_it_stops_goes_on_and_is_interrupted_from_the_keyboard(shell):
    after(shell, b"tokenward exec prod --env -- cat\n", rb"is not renewed\r\n")
    after(shell, b"one\n", rb"one\r\none\r\n")
    after(shell, b"\x1a", rb"Stopped.*\[exit 148\] $")  # 128 + SIGTSTP
    after(shell, b"fg\n", rb"tokenward exec prod --env -- cat\r\n")
    after(shell, b"two\n", rb"two\r\ntwo\r\n")
    after(shell, b"\x03", rb"\[exit 130\] $")  # 128 + SIGINT
    after(shell, b"tokenward exec prod --env -- sleep 60\n", rb"is not renewed\r\n")
    after(shell, b"\x1c", rb"\[exit 131\] $")  # 128 + SIGQUIT


def test_it_hears_that_the_terminal_has_another_size(shell):
    script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"
    after(shell, f'tokenward exec prod --env -- bash -c "{script}"\n'.encode(), rb"\nready\r\n")
    shell.shown = b""
    fcntl.ioctl(shell.master, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 77, 0, 0))
    shell.read_until(rb"11 77\r\n\[exit 5\] $")


def test_it_runs_in_the_background(shell):
    after(shell, b"tokenward exec prod --env -- true & wait $!\n", rb"\[exit 0\] $")
    after(shell, b"tokenward exec prod --env -- cat & wait $!\n", rb"Stopped.*\[exit \d+\] $")  # SIGTTIN
    after(shell, b"kill %%; fg\n", rb"\[exit 143\] $")  # 128 + SIGTERM
