"""An agent starts whatever it inherits, and ends without leaving anything."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from support import configuration
from support.agent import Agent, run_to_end
from support.answers import key_of
from support.processes import binary, is_running
from support.softhsm import MODULE
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import wait_until


def test_a_faulty_configuration_at_the_start_ends_it_with_every_fault(base, service, tmp_path):
    agent = Agent(tmp_path, base + configuration.profile(service) + "rle-arn = \"x\"\nsession-duration-seconds = 5\n")
    result = run_to_end(agent)
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


def test_it_sees_how_a_worker_ended_where_its_parent_ignores_such_ends(start, mock):
    mock.on("C_GetSlotList", "abort")
    agent = start(configuration.mock(mock), prefix=["env", "--ignore-signal=CHLD"])
    [module] = agent.json("status")["modules"]
    assert "it was ended by signal 6" in module["last_error"]


def test_it_serves_where_it_was_given_no_standard_streams(start, base, service):
    """A file that it opens must not become its log."""
    agent = start(
        base, configuration.profile(service), prefix=["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'])
    key_of(agent)
    assert {os.readlink(f"/proc/{agent.process.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}


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
    wait_until(lambda: not any(is_running(pid) for pid in workers), "the end of the workers", seconds=2)
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
    wait_until(lambda: not is_running(worker), "the end of the worker")
    assert spy.count("C_Logout") == 1


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
    """The messages to the manager up to `last`, without the lines for `systemctl status`."""
    heard = []
    while last not in heard:
        heard += [line for line in manager.recv(4096).decode().split("\n") if not line.startswith("STATUS=")]
    return heard
