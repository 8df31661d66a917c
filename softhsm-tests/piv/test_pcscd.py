"""The agent names a pcscd that stops or refuses, and goes on when it returns."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from support import configuration
from support.agent import Agent
from support.answers import notices, refresh, told
from support.piv import OPENSC, Card
from support.piv.agents import insert, status, watchers
from support.processes import binary, is_running
from support.waiting import wait_until


def test_a_pcscd_that_stops_is_named_and_its_return_is_enough(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run()
    assert agent.credentials().returncode == 0
    [worker] = agent.workers()
    pcsc.kill()
    wait_until(lambda: told(agent, "pcscd cannot be used"), "the agent notices")
    module, notices = status(agent)
    assert module["state"] == "failed" and module["last_error"].startswith("pcscd has stopped: ")
    assert notices == [module["last_error"]]
    result = agent.credentials("other")
    assert result.returncode == 81 and "pcscd has stopped" in result.stderr, result.stderr
    assert agent.credentials().returncode == 0, "what is valid is served"
    pcsc.start()
    wait_until(lambda: agent.credentials("other").returncode == 0, "credentials", seconds=10)
    wait_until(lambda: not is_running(worker), "OpenSC's old process")
    module, [notice] = status(agent)
    assert module["state"] == "running" and notice.startswith("pcscd was restarted ")


def test_a_pcscd_that_comes_only_later_is_found(run, pcsc, readers, root):
    pcsc.stop()
    for path in ("pcscd.comm", "pcscd.pid"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{pcsc.run_folder}/{path}")
    readers[0].insert(Card().with_identity(root))
    agent = run()
    result = agent.credentials()
    assert result.returncode == 81 and "pcscd is not running" in result.stderr
    assert status(agent)[1] == ["pcscd is not running: start it with 'systemctl enable --now pcscd.socket'"]
    pcsc.start()
    wait_until(lambda: agent.credentials().returncode == 0, "credentials", seconds=10)


@pytest.fixture
def false_pcscd(tmp_path):
    """Does what pcscd does where polkit says no: it takes the connection and ends it (IsClientAuthorized)."""
    path = f"{tmp_path}/pcscd.comm"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def refuse():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_refusal_of_polkit_is_named(start, service, pcsc_is_possible, false_pcscd):
    agent = start(
        configuration.table("[[module]]", {"path": OPENSC, "environment": {"PCSCLITE_CSOCK_NAME": false_pcscd}}),
        configuration.profile(service))
    result = agent.credentials()
    assert result.returncode == 81 and "pcscd refuses user 0: allow org.debian.pcsc-lite.access_pcsc" in result.stderr
    module, notices = status(agent)
    assert module["state"] == "failed" and notices == [module["last_error"]]


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_a_socket_that_is_closed_to_the_user_is_named(open_folder, pcsc_is_possible):
    for name in ("tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher"):
        shutil.copy(binary(name), open_folder / name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{open_folder}/pcscd.comm")
        listener.listen()
        os.chmod(f"{open_folder}/pcscd.comm", 0o600)
        environment = {"PCSCLITE_CSOCK_NAME": f"{open_folder}/pcscd.comm"}
        (open_folder / "agent").mkdir()
        agent = Agent(
            open_folder / "agent", configuration.table("[[module]]", {"path": OPENSC, "environment": environment}),
            program=str(open_folder / "tokenward-agent"), prefix=NOBODY)
        subprocess.run(["chown", "-R", "65534:65534", agent.folder], check=True)
        try:
            agent.start()
            answer = subprocess.run(
                [*NOBODY, "curl", "-s", "--unix-socket", agent.socket, "http://agent/v1/status"], capture_output=True)
            assert notices(json.loads(answer.stdout)) == [
                "pcscd's socket is closed to user 65534: see the mode of /run/pcscd/pcscd.comm"]
        finally:
            agent.stop()


def test_without_a_module_that_needs_pcscd_it_is_not_missed(start, softhsm, service, pin_file):
    agent = start(configuration.module(softhsm), configuration.token(pin_file))
    module, notices = status(agent)
    assert (module["state"], notices, watchers(agent)) == ("running", [], [])


def test_a_watcher_that_is_killed_is_replaced_and_costs_no_login(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run()
    assert agent.credentials().returncode == 0
    workers = agent.workers()
    for _ in range(3):
        [watcher] = wait_until(lambda: watchers(agent), "a watcher")
        os.kill(watcher, 9)
        wait_until(lambda: watchers(agent) not in ([], [watcher]), "another watcher")
    wait_until(lambda: status(agent)[1] == [], "all is well")
    assert refresh(agent, "test")[0] == 200
    assert (agent.workers(), card.pin_checks) == (workers, 1)
    readers[0].eject()
    wait_until(lambda: told(agent, "tokens have changed .* tokens=0"), "the card is missed", seconds=3)


def test_the_watcher_ends_with_its_agent(run, readers):
    agent = run()
    agent.get("/v1/tokens")
    [watcher] = wait_until(lambda: watchers(agent), "a watcher")
    agent.process.kill()
    wait_until(lambda: not is_running(watcher), "the watcher ends", seconds=5)
