"""Other programs can use the card meanwhile, and find no login of the agent's on it afterwards."""

import os
import signal
import subprocess

import pytest

from support.piv.agents import PROFILES, ask, sign, uri, wait_for_login
from support.processes import ROOT, end_process
from support.waiting import wait_until

HOLDER = ROOT / "softhsm-tests/support/piv/holder.py"


@pytest.fixture
def other_client(pcsc, readers, card):
    """Keeps the card connected, so that it keeps its power and what it knows."""
    wait_until(lambda: "Yes" in pcsc.run("opensc-tool", "--list-readers").stdout, "the daemon sees the card")
    process = subprocess.Popen(
        [*pcsc.prefix, "/usr/bin/python3", HOLDER, f"{readers[0].name} 00 00"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "connected\n"
        yield process
    finally:
        process.stdin.close()
        end_process(process)


def sign_with_opensc(pcsc, message):
    return pcsc.run(
        "pkcs11-tool", "--login", "--pin", "123456", "--id", "01", "--sign", "--mechanism", "ECDSA-SHA256",
        "--input-file", str(message), "--output-file", f"{pcsc.path}/signature")


def test_others_use_the_card_while_the_agent_is_logged_in(card_agent, pcsc, card, tmp_path):
    agent = card_agent()
    (tmp_path / "message").write_bytes(b"a message")
    for count, profile in enumerate(PROFILES, 1):
        sign(agent, profile)
        result = sign_with_opensc(pcsc, tmp_path / "message")
        assert result.returncode == 0, result.stderr
        assert card.signatures == 2 * count
    # The other program ends its login each time; the agent's is good for all its signatures or made good with one PIN.
    assert card.wrong_pins == 0


def test_the_agent_holds_nothing_between_its_operations(card_agent, card, other_client):
    agent = card_agent()
    for profile in PROFILES:
        sign(agent, profile)
        other_client.stdin.write("are you there\n")
        other_client.stdin.flush()
        assert other_client.stdout.readline() == "True\n"


@pytest.mark.parametrize("way", ["lock", "lock one", "stop", "kill the agent"])
def test_nothing_on_the_card_outlives_a_lock(card_agent, card, other_client, way):
    agent = card_agent()
    sign(agent, "test")
    wait_for_login(agent, card)
    assert card.is_verified
    if way == "lock":
        assert agent.cli("lock").returncode == 0
    elif way == "lock one":
        assert agent.cli("lock", uri(card)).returncode == 0
    elif way == "stop":
        agent.stop()
    else:
        agent.process.kill()
        agent.process.wait()
    wait_until(lambda: not card.is_verified, "the card has forgotten its PIN", seconds=2)
    assert card.pin_checks == 1


def sign_again(agent, profile):
    """The same where a worker was killed, which costs one request."""
    wait_until(lambda: ask(agent, profile)[0] == 200, "a signature by a new worker")


def test_nothing_on_the_card_outlives_a_worker_that_is_killed(card_agent, card, other_client):
    agent = card_agent()
    sign(agent, "test")
    wait_for_login(agent, card)
    assert card.is_verified
    for worker in agent.workers():
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not card.is_verified, "the card has forgotten its PIN", seconds=2)
    assert card.pin_checks == 1
    sign_again(agent, "second")
    sign(agent, "third")
    assert (card.pin_checks, card.wrong_pins) == (2, 0)


def test_a_reset_comes_before_the_next_login(card_agent, card, other_client):
    agent = card_agent()
    sign(agent, "test")
    wait_for_login(agent, card)
    for count, profile in enumerate(PROFILES[1:], 2):
        for worker in agent.workers():
            os.kill(worker, signal.SIGKILL)
        sign_again(agent, profile)
        assert card.is_verified, "the reset took the new login away"
        assert (card.pin_checks, card.wrong_pins) == (count, 0)


def test_a_pin_for_one_signature_leaves_no_login_on_the_card(card_agent, card, other_client, tmp_path):
    rule = f'[[token]]\nuri = "{uri(card)}"\npin-source = "prompt"\npin-lifetime-seconds = 0\n'
    agent = card_agent(pin=None, tables=rule)
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    sign(agent, "test")
    wait_until(lambda: not card.is_verified, "the card has forgotten its PIN", seconds=2)
    assert ask(agent, "second")[1]["exit"] == 80
    assert (card.pin_checks, card.signatures) == (1, 1)


def test_a_lifetime_that_ends_leaves_no_login_on_the_card(card_agent, card, other_client):
    rule = f'[[token]]\nuri = "{uri(card)}"\npin-source = "prompt"\npin-lifetime-seconds = 1\n'
    agent = card_agent(pin=None, tables=rule)
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    assert card.pin_checks == 1
    wait_until(lambda: not card.is_verified, "the card has forgotten its PIN", seconds=4)
    assert ask(agent, "second")[1]["exit"] == 80


def test_a_reset_by_another_program_costs_a_stored_pin_once(card_agent, pcsc, card):
    agent = card_agent()
    sign(agent, "test")
    assert pcsc.run("opensc-tool", "--reset").returncode == 0
    assert not card.is_verified
    sign(agent, "second")
    assert (card.pin_checks, card.wrong_pins) == (2, 0)


def test_a_reset_by_another_program_ends_a_typed_pin(card_agent, pcsc, card):
    agent = card_agent(pin=None)
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    sign(agent, "test")
    assert pcsc.run("opensc-tool", "--reset").returncode == 0
    assert ask(agent, "second")[1]["exit"] == 80
    assert card.pin_checks == 1
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    sign(agent, "third")
    assert (card.pin_checks, card.wrong_pins) == (2, 0)
