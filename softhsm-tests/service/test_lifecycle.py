"""An agent's beginning, its reload and its end."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from support import configuration
from support.agent import Agent
from support.processes import binary
from support.softhsm import MODULE
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy


@pytest.fixture(scope="module")
def token(softhsm, root):
    token = softhsm.token("card")
    token.identity(root)
    return token


def wait_for(condition, what, seconds=15):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def key_of(agent, profile="test"):
    status, answer = agent.get(f"/v1/profiles/{profile}/credentials")
    assert status == 200, answer
    return answer["AccessKeyId"]


def reload(agent, word="configuration read again"):
    told = agent.log().count(word)
    agent.process.send_signal(signal.SIGHUP)
    wait_for(lambda: agent.log().count(word) > told, f"no '{word}' in the log")


@pytest.fixture
def base(softhsm, token, pin_file):
    return configuration.module(softhsm) + configuration.token(pin_file)


# MARK: Reload


def test_a_reload_keeps_what_did_not_change(start, base, service):
    names = ("same", "changed", "removed")
    agent = start(base, *[configuration.profile(service, name) for name in names])
    before = {name: key_of(agent, name) for name in names}
    [worker] = agent.workers()

    agent.configure("\n".join([
        base, configuration.profile(service, "same"),
        configuration.profile(service, "changed", session_duration_seconds=1800),
        configuration.profile(service, "added")]))
    reload(agent)

    assert key_of(agent, "same") == before["same"]
    assert key_of(agent, "changed") != before["changed"]
    assert key_of(agent, "added") not in before.values()
    status, problem = agent.get("/v1/profiles/removed/credentials")
    assert (status, problem["code"], problem["exit"]) == (404, "unknown-profile", 78)
    assert agent.workers() == [worker]


def test_a_reload_that_only_changes_who_may_use_it_keeps_the_session(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service, allow={"users": [61001]}))
    reload(agent)
    assert key_of(agent) == before


def test_a_faulty_configuration_changes_nothing_and_its_line_is_told(start, base, service):
    text = base + configuration.profile(service)
    agent = start(text)
    before = key_of(agent)
    agent.configure(text + "role-session-nam = \"x\"\n")
    reload(agent, "the configuration has faults, so the old one stays in force")
    line = text.count("\n") + 1
    assert f"{agent.configuration_path}:{line}: " in agent.log()
    assert "role-session-name" in agent.log()
    assert key_of(agent) == before
    agent.configure(text)
    reload(agent)
    assert key_of(agent) == before


def test_the_reload_command_has_read_the_configuration_when_it_ends(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service) + configuration.profile(service, "added"))
    result = agent.cli("reload")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["added", "test"]
    assert key_of(agent) == before


def test_the_reload_command_names_every_fault_and_nothing_is_changed(start, base, service):
    text = base + configuration.profile(service)
    agent = start(text)
    before = key_of(agent)
    agent.configure(text + "rle-arn = \"x\"\nsession-duration-seconds = 5\n[profile.added]\n")
    result = agent.cli("reload")
    assert (result.returncode, result.stdout) == (78, "")
    error, hint = result.stderr.splitlines()
    line = text.count("\n") + 1
    for number in (line, line + 1, line + 2):
        assert f"{agent.configuration_path}:{number}: " in error
    assert "role-arn" in error and "'tokenward reload'" in hint
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["test"]
    assert key_of(agent) == before


def test_reloads_at_the_same_time_come_one_after_the_other(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service) + configuration.profile(service, "added"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(agent.request, "POST", "/v1/reload") for _ in range(64)]
        for _ in range(8):
            agent.process.send_signal(signal.SIGHUP)
        assert {answer.result() for answer in answers} == {(204, None)}
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["added", "test"]
    assert key_of(agent) == before
    assert agent.stop() == 0


def test_a_lock_does_not_wait_for_a_reload_that_is_slow_to_read(start, base, service, tmp_path):
    """As with a directory of users that does not answer: here one file takes three seconds to open, on one processor."""
    slow = tmp_path / "conf.d" / "slow.toml"
    agent = start(
        base, configuration.profile(service),
        prefix=[
            "taskset", "--cpu-list", "0", "strace", "-D", "-f", "-o", tmp_path / "trace", "-P", slow,
            "-e", "inject=openat:delay_enter=3s"])
    key_of(agent)
    slow.parent.mkdir(mode=0o700)
    slow.touch(mode=0o600)
    agent.process.send_signal(signal.SIGHUP)
    agent.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: agent.get("/v1/profiles/test/credentials")[0] == 423, "it is not locked")
    assert "configuration read again" not in agent.log()
    wait_for(lambda: "configuration read again" in agent.log(), "the reload does not end")
    assert agent.get("/v1/profiles/test/credentials")[0] == 423


def test_a_faulty_configuration_at_the_start_ends_it_with_every_fault(base, service, tmp_path):
    agent = Agent(tmp_path, base + configuration.profile(service) + "rle-arn = \"x\"\nsession-duration-seconds = 5\n")
    result = run(agent)
    assert result.returncode == 78
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and all(f"{agent.configuration_path}:" in line for line in lines)


@pytest.mark.parametrize("argument, suggestion", [
    ("--chek", "did you mean '--check'? "), ("--scoket=/x", "did you mean '--socket'? "), ("check", "did you mean '--check'? "),
    ("--xyzzy", "")])
def test_an_unknown_argument_ends_it_with_the_option_that_was_meant(argument, suggestion):
    result = subprocess.run([binary("tokenward-agent"), argument], capture_output=True, text=True, timeout=20)
    assert result.returncode == 64
    assert result.stderr == (
        f"tokenward-agent: error: unknown argument '{argument}'; {suggestion}see tokenward-agent --help\n")


# MARK: What it inherits


def test_it_sees_how_a_worker_ended_where_its_parent_ignores_such_ends(start, mock):
    mock.on("C_GetSlotList", "abort")
    agent = start(configuration.mock(mock), prefix=["env", "--ignore-signal=CHLD"])
    [module] = agent.json("status")["modules"]
    assert "it was ended by signal 6" in module["last_error"]


def test_it_serves_where_it_was_given_no_standard_streams(start, base, service):
    """What it opens must not become its log."""
    agent = start(
        base, configuration.profile(service), prefix=["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'])
    key_of(agent)
    assert {os.readlink(f"/proc/{agent.process.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}


# MARK: The end


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_end_logs_out_and_leaves_nothing(start, softhsm, token, pin_file, service, tmp_path, ending):
    spy = Spy(tmp_path, MODULE)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, spy.environment), configuration.token(pin_file),
        configuration.profile(service))
    key_of(agent)
    workers = agent.workers()
    assert len(workers) == 1
    assert agent.stop(ending) == 0
    assert spy.counts("C_Login", "C_Logout") == (1, 1)
    assert not os.path.exists(agent.socket)
    wait_for(lambda: not any(is_running(pid) for pid in workers), "a worker outlives its agent", seconds=2)
    left = [path.name for path in pathlib.Path(agent.runtime).rglob("*") if not path.is_dir()]
    assert [name for name in left if not name.endswith(".lock")] == []


def test_a_worker_ends_with_its_killed_agent_and_logs_out(start, softhsm, token, pin_file, service, tmp_path):
    spy = Spy(tmp_path, MODULE)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, spy.environment), configuration.token(pin_file),
        configuration.profile(service))
    key_of(agent)
    [worker] = agent.workers()
    agent.stop(signal.SIGKILL)
    wait_for(lambda: not is_running(worker), "the worker outlives its agent")
    assert spy.count("C_Logout") == 1


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# MARK: The socket


def run(agent, *arguments, **environment):
    """An agent that is expected to end by itself."""
    return subprocess.run(
        [binary("tokenward-agent"), "--config", agent.configuration_path, *arguments],
        env={**agent.environment, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)


def test_a_socket_that_an_agent_left_is_taken_over(start, base):
    agent = start(base)
    agent.stop(signal.SIGKILL)
    assert os.path.exists(agent.socket)
    agent.start()
    assert agent.get("/v1/health")[0] == 200


def test_a_second_agent_leaves_the_first_alone(start, base):
    agent = start(base)
    twin = run(agent)
    assert twin.returncode == 69
    assert f"tokenward-agent: error: an agent is already running on {agent.socket}; " in twin.stderr
    assert agent.get("/v1/health")[0] == 200


@pytest.mark.parametrize("what, reason", [
    ("link", "a symbolic link is in the socket's place"), ("file", "a regular file is in the socket's place"),
    ("folder", "a directory is in the socket's place")])
def test_what_is_no_socket_is_left_where_it_is(base, tmp_path, what, reason):
    agent = Agent(tmp_path, base)
    place = pathlib.Path(agent.socket)
    place.parent.mkdir(mode=0o700)
    if what == "link":
        place.symlink_to(tmp_path / "elsewhere.sock")
    elif what == "file":
        place.write_text("precious")
    else:
        place.mkdir()
    result = run(agent)
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
        result = run(agent, "--socket", path)
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


# MARK: systemd


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
        wait_for(lambda: os.path.exists(path), "no socket")
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
def test_what_is_not_one_listening_socket_is_refused(base, tmp_path, kind, count, reason):
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


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_the_service_manager_is_told_of_each_state(base, tmp_path, abstract):
    agent = Agent(tmp_path, base)
    name = f"@tokenward-{os.getpid()}-{tmp_path.name}" if abstract else f"{tmp_path}/manager.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, open(agent.log_path, "ab") as log:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(20)
        process = subprocess.Popen(
            [agent.program, *agent.arguments], env={**agent.environment, "NOTIFY_SOCKET": name},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            assert states(manager, "READY=1") == ["READY=1"]
            process.send_signal(signal.SIGHUP)
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            reloading = states(manager, "READY=1")
            assert reloading[0] == "RELOADING=1" and reloading[-1] == "READY=1"
            moment = int(reloading[1].removeprefix("MONOTONIC_USEC="))
            assert abs(moment - before) < 20_000_000
            process.send_signal(signal.SIGTERM)
            assert states(manager, "STOPPING=1") == ["STOPPING=1"]
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait(10)


def states(manager, last):
    """What the manager hears up to `last`, without the lines for `systemctl status`."""
    heard = []
    while last not in heard:
        heard += [line for line in manager.recv(4096).decode().split("\n") if not line.startswith("STATUS=")]
    return heard
