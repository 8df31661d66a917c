"""The agent serves on its own socket or on one that systemd passes, and takes no other process's place."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from support.agent import Agent, run_to_end
from support.processes import binary
from support.waiting import wait_until


def test_a_socket_that_an_agent_left_is_taken_over(start, base):
    agent = start(base)
    agent.stop(signal.SIGKILL)
    assert os.path.exists(agent.socket)
    agent.start()
    assert agent.get("/v1/health")[0] == 200


def test_a_second_agent_leaves_the_first_alone(start, base):
    agent = start(base)
    twin = run_to_end(agent)
    assert twin.returncode == 69
    assert f"tokenward-agent: error: an agent is already running on {agent.socket}; " in twin.stderr
    assert agent.get("/v1/health")[0] == 200


@pytest.mark.parametrize("what, reason", [
    ("link", "a symbolic link is in the socket's place"), ("file", "a regular file is in the socket's place"),
    ("folder", "a directory is in the socket's place")])
def test_a_file_that_is_no_socket_is_left_where_it_is(base, tmp_path, what, reason):
    agent = Agent(tmp_path, base)
    place = pathlib.Path(agent.socket)
    place.parent.mkdir(mode=0o700)
    if what == "link":
        place.symlink_to(tmp_path / "elsewhere.sock")
    elif what == "file":
        place.write_text("precious")
    else:
        place.mkdir()
    result = run_to_end(agent)
    assert result.returncode == 69
    assert f"{agent.socket}: {reason}" in result.stderr
    assert os.path.lexists(place) and not (tmp_path / "elsewhere.sock").exists()


@pytest.mark.parametrize("length, code", [(107, 0), (108, 69)])
def test_a_socket_path_has_at_most_107_bytes(open_folder, length, code):
    agent = Agent(open_folder, "")
    folder = f"{open_folder}/run/"
    path = folder + "s" * (length - len(folder))
    assert len(path) == length
    if code:
        result = run_to_end(agent, "--socket", path)
        assert result.returncode == code
        assert "the path has 108 bytes, and a socket's has at most 107 (unix(7))" in result.stderr
    else:
        agent.arguments += ["--socket", path]
        try:
            agent.start()
            agent.socket = path
            assert agent.get("/v1/health")[0] == 200
        finally:
            agent.stop()


@pytest.mark.parametrize("system, modes", [(False, (0o700, 0o600)), (True, (0o755, 0o666))])
def test_the_socket_and_its_folder_have_the_modes_of_the_contract(start, base, system, modes, tmp_path):
    path = f"{tmp_path}/run/tokenward/agent.sock"
    arguments = ["--system", "--socket", path] if system else []
    agent = start(base, arguments=arguments)
    found = (os.stat(os.path.dirname(agent.socket)).st_mode & 0o777, os.stat(agent.socket).st_mode & 0o777)
    assert found == modes


def test_a_socket_of_systemd_is_served_and_stays(base, tmp_path):
    launcher = shutil.which("systemd-socket-activate")
    assert launcher, "systemd-socket-activate is missing: apt-get install systemd"
    agent = Agent(tmp_path, base)
    path = f"{tmp_path}/activated.sock"
    variables = [f"--setenv={name}={value}" for name, value in agent.environment.items()]
    with open(agent.log_path, "ab") as log:
        process = subprocess.Popen(
            [launcher, f"--listen={path}", *variables, binary("tokenward-agent"), "--config", agent.configuration_path],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: os.path.exists(path), "the socket")
        agent.socket = path
        assert agent.get("/v1/health")[0] == 200  # the first connection starts the agent
        process.send_signal(signal.SIGTERM)  # the launcher has become the agent
        assert process.wait(15) == 0
        assert os.path.exists(path), "the socket is systemd's"
    finally:
        process.kill()
        process.wait(10)


LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("kind, count, reason", [
    ("stream", "2", "there are 2, and one is expected"),
    ("datagram", "1", "it is no stream socket"),
    ("internet", "1", "it is no Unix socket"),
    ("deaf", "1", "it does not listen: Accept=yes is not for us"),
    ("abstract", "1", "it has an abstract name or none"),
])
def test_anything_but_one_listening_socket_is_refused(base, tmp_path, kind, count, reason):
    agent = Agent(tmp_path, base)
    family = socket.AF_INET if kind == "internet" else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as passed:
        addresses = {"internet": ("127.0.0.1", 0), "abstract": f"\0{tmp_path.name}-{os.getpid()}"}
        passed.bind(addresses.get(kind, f"{tmp_path}/passed.sock"))
        if kind not in ("datagram", "deaf"):
            passed.listen()
        result = subprocess.run(
            [sys.executable, "-c", LAUNCHER, str(passed.fileno()), binary("tokenward-agent"), "--config",
             agent.configuration_path],
            env={**agent.environment, "LISTEN_FDS": count}, pass_fds=[passed.fileno()], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=20)
    assert result.returncode == 69
    assert f"the socket passed in LISTEN_FDS: {reason}" in result.stderr
