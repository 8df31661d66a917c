"""Cards that come and go, and a pcscd that does: what the agent makes of it without being asked."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from support import configuration
from support.agent import Agent
from support.answers import notices, refresh
from support.piv import OPENSC, Card
from support.processes import binary, end_process, is_running
from support.softhsm import write_pin
from support.waiting import wait_until

PIN = "123456"


@pytest.fixture
def run(start, pcsc, service, tmp_path):
    """Starts an agent that sees the cards in `readers`, and has the stored PIN for those whose serials are given."""

    def run(*serials):
        pin = write_pin(tmp_path / "pin", PIN)
        rules = [configuration.token(pin, f"pkcs11:serial={serial}") for serial in serials] or [configuration.token(pin)]
        # Certificates of two cards that end at the same time are told apart by their token only.
        chosen = {"certificate": f"pkcs11:serial={serials[0]}"} if serials else {}
        return start(
            pcsc.module(), *rules, configuration.profile(service, **chosen),
            configuration.profile(service, "other", **chosen), prefix=pcsc.prefix, arguments=["--log-level", "debug"])

    return run


def insert(pcsc, *pairs):
    """Puts cards into readers, and waits until pcscd has them."""
    for reader, card in pairs:
        reader.insert(card)
    for reader, _ in pairs:
        wait_until(lambda: re.search(rf"Yes +{reader.name}", pcsc.run("opensc-tool", "-l").stdout), "pcscd has the card")


def serials(agent):
    """The serial numbers of the tokens that are there."""
    return {token["serial"] for token in agent.get("/v1/tokens")[1]}


def status(agent):
    answer = agent.get("/v1/status")[1]
    return answer["modules"][0], notices(answer)


def told(agent, line):
    """How often a line is in the log."""
    return len(re.findall(line, agent.log()))


def watchers(agent):
    result = subprocess.run(
        ["pgrep", "-P", str(agent.process.pid), "-f", "tokenward-card-watcher"], capture_output=True, text=True)
    return [int(line) for line in result.stdout.split()]


def seconds_until(condition, what):
    began = time.monotonic()
    wait_until(condition, what)
    return time.monotonic() - began


# MARK: Cards


def test_a_card_is_noticed_within_a_second_of_its_coming_and_of_its_going(run, readers, root):
    agent = run()
    assert agent.credentials().returncode == 66  # nobody looks for a card any more from here on
    card = Card().with_identity(root)
    coming, going = [], []
    for _ in range(3):
        before = told(agent, "tokens have changed .* tokens=1")
        readers[0].insert(card)
        coming.append(seconds_until(
            lambda: told(agent, "tokens have changed .* tokens=1") > before, "the card is noticed"))
        before = told(agent, "tokens have changed .* tokens=0")
        readers[0].eject()
        going.append(seconds_until(
            lambda: told(agent, "tokens have changed .* tokens=0") > before, "the card is missed"))
    # pcscd itself looks every 0.4 s; the best of three, because others use this machine as well.
    assert min(coming) < 1 and min(going) < 1, (coming, going)


def test_a_profile_that_waits_for_a_card_has_it_when_it_comes(run, readers, root, service):
    agent = run()
    first = agent.credentials()
    assert first.returncode == 66 and "no token" in first.stderr
    readers[0].insert(Card().with_identity(root))
    wait_until(lambda: agent.credentials().returncode == 0, "credentials", seconds=5)


def test_the_same_card_in_the_other_reader_is_the_same_token(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run(card.serial)
    assert agent.credentials().returncode == 0
    readers[0].eject()
    readers[1].insert(card)
    wait_until(lambda: serials(agent) == {card.serial}, "the card in the other reader", seconds=5)
    assert refresh(agent, "test")[0] == 200
    assert (card.signatures, card.wrong_pins) == (2, 0)


def test_a_signature_follows_the_card_that_has_just_moved(run, readers, root, pcsc):
    """The agent asks for the slot that it knows: the worker finds the token where it is now."""
    other, card = Card().with_identity(root), Card().with_identity(root)
    insert(pcsc, (readers[0], card), (readers[1], other))
    agent = run(card.serial)
    agent.get("/v1/tokens")
    readers[1].eject()
    readers[0].swap(other)
    readers[1].insert(card)
    refresh(agent, "test")  # in the middle of it: what comes of this one is not said here
    wait_until(lambda: serials(agent) == {card.serial, other.serial}, "both cards", seconds=5)
    assert agent.credentials("other").returncode == 0
    assert (other.pin_checks, other.signatures, card.wrong_pins) == (0, 0, 0)


def test_another_card_in_the_same_reader_is_another_token(run, pcsc, readers, root):
    card, other = Card().with_identity(root), Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run(card.serial)
    assert agent.credentials().returncode == 0
    readers[0].eject()
    # pcscd looks every 0.4 s: of a quicker hand it notices nothing.
    wait_until(lambda: re.search(f"No +{readers[0].name} 00 00", pcsc.run("opensc-tool", "-l").stdout), "pcscd misses the card")
    readers[0].insert(other)
    wait_until(lambda: serials(agent) == {other.serial}, "the other card", seconds=5)
    code, problem = refresh(agent, "test")
    assert (code, problem["code"]) == (404, "no-token"), problem
    assert (other.pin_checks, other.signatures) == (0, 0)


def test_two_cards_are_two_tokens_and_each_has_its_own_key(run, pcsc, readers, root):
    cards = [Card().with_identity(root), Card().with_identity(root)]
    insert(pcsc, *zip(readers, cards))
    agent = run(cards[1].serial)
    wait_until(lambda: serials(agent) == {card.serial for card in cards}, "two tokens")
    identities = [identity for identity in agent.get("/v1/identities")[1] if identity["has_key"]]
    assert len({identity["serial"] for identity in identities}) == 2
    readers[0].eject()
    wait_until(lambda: serials(agent) == {cards[1].serial}, "one token")
    assert refresh(agent, "test")[0] == 200


# MARK: Other programs


HOLDER = """
import ctypes, sys
library = ctypes.CDLL("libpcsclite.so.1")
context, card, protocol = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
open("/proc/self/comm", "w").write(sys.argv[2])
assert library.SCardEstablishContext(2, None, None, ctypes.byref(context)) == 0
code = library.SCardConnect(context, sys.argv[1].encode(), int(sys.argv[3]), 3, ctypes.byref(card), ctypes.byref(protocol))
print(hex(code & 0xFFFFFFFF), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def another_program(pcsc, reader, share):
    """A program that has the card; yields its process and SCardConnect's code."""
    name = re.search(rf"{reader.name}.*", pcsc.run("opensc-tool", "-l").stdout)[0].rstrip()
    process = subprocess.Popen(
        [*pcsc.prefix, sys.executable, "-c", HOLDER, name, "scdaemon", share],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.stdin.close()
        end_process(process)


EXCLUSIVE, SHARED = "1", "2"


def test_who_holds_a_card_exclusively_is_named(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run()
    with another_program(pcsc, readers[0], EXCLUSIVE) as (holder, code):
        assert code == "0x0"
        result = agent.credentials()
        # "one of" several, where others on this machine use PC/SC as well.
        who = rf"the card in reader {readers[0].name} .*is held exclusively by .*scdaemon \(process {holder.pid}\)"
        assert result.returncode == 75 and re.search(who, result.stderr), result.stderr
        module, notices = status(agent)
        assert len(notices) == 1 and re.search(who, notices[0]), notices
        assert card.pin_checks == 0
    wait_until(lambda: status(agent)[1] == [], "nobody holds it")
    wait_until(lambda: serials(agent) == {card.serial}, "the card is there", seconds=5)
    wait_until(lambda: agent.credentials().returncode == 0, "credentials", seconds=10)


def test_other_programs_use_the_card_between_two_signatures(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    agent = run()
    assert agent.credentials().returncode == 0
    with another_program(pcsc, readers[0], SHARED) as (_, code):
        assert code == "0x0"
        began = time.monotonic()
        listed = pcsc.run("pkcs11-tool", "--module", OPENSC, "--list-objects", "--type", "cert")
        assert listed.returncode == 0 and "Certificate Object" in listed.stdout
        assert time.monotonic() - began < 5
        assert refresh(agent, "test")[0] == 200
    assert (card.wrong_pins, card.signatures) == (0, 2)


# MARK: pcscd


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
    for name in ("tokenward-agent", "tokenward-worker", "tokenward-card-watcher"):
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


# MARK: The watcher


def test_without_a_module_that_needs_pcscd_nobody_misses_it(start, softhsm, service, pin_file):
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
