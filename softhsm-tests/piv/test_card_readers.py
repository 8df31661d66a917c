"""The agent notices cards that come and go, without being asked."""

import contextlib
import re
import subprocess
import sys
import time

from support.answers import refresh, told
from support.piv import OPENSC, Card
from support.piv.agents import insert, serials, status
from support.processes import end_process
from support.waiting import wait_until


def seconds_until(condition, what):
    began = time.monotonic()
    wait_until(condition, what)
    return time.monotonic() - began


def test_a_card_is_noticed_within_a_second_of_its_coming_and_of_its_going(run, readers, root):
    agent = run()
    assert agent.credentials().returncode == 66  # from here on the agent looks for no card any more
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


def test_the_program_that_holds_a_card_exclusively_is_named(run, pcsc, readers, root):
    card = Card().with_identity(root)
    insert(pcsc, (readers[0], card))
    # Before the agent: OpenSC keeps its connection to a card that it has listed.
    with another_program(pcsc, readers[0], EXCLUSIVE) as (holder, code):
        assert code == "0x0"
        agent = run()
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
