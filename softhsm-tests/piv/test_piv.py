"""A PIV card is listed, asked for its PIN as rarely as possible, and signs, through pcscd and OpenSC."""

import concurrent.futures

import pytest

from support.credentials import access_key
from support.piv import YKCS11, Card, PCSC, Touch
from support.piv.agents import PROFILES, ask, configure, sign, tokens, uri, wait_for
from support.waiting import wait_until

WRONG = "654321"


@pytest.mark.parametrize("kind", ["RSA-2048", "P-256", "P-384"])
def test_a_card_is_listed_logged_in_to_and_signs(card_agent, readers, root, kind):
    card = Card().with_identity(root, kind)
    readers[0].insert(card)
    agent = card_agent()
    [identity] = agent.get("/v1/identities")[1]
    assert (identity["has_key"], identity["usable"], identity["reasons"]) == (True, True, [])
    access_key(agent.credentials())
    assert (card.pin_checks, card.signatures) == (1, 1)
    sign(agent, "second")
    assert (card.pin_checks, card.wrong_pins, card.signatures) == (1, 0, 2)


def test_ykcs11_signs_with_a_yubikey(start, pcsc_is_possible, tmp_path, service, root):
    pcsc = PCSC(tmp_path / "yubico", names=("Yubico YubiKey OTP+FIDO+CCID",))
    try:
        card = Card(profile="yubikey").with_identity(root, "RSA-2048")
        pcsc.readers[0].insert(card)
        agent = start(configure(pcsc, service, tmp_path, path=YKCS11), prefix=pcsc.prefix)
        wait_until(lambda: tokens(agent), "the agent shows the card")
        access_key(agent.credentials())
        assert (card.pin_checks, card.wrong_pins, card.signatures) == (1, 0, 1)
    finally:
        pcsc.close()


def test_a_key_that_needs_no_pin_costs_none(card_agent, readers, root):
    card = Card().with_identity(root, slot=0x9E)
    readers[0].insert(card)
    agent = card_agent()
    access_key(agent.credentials())
    assert card.signatures == 1 and card.wrong_pins == 0


# PINs


def test_a_wrong_stored_pin_costs_the_card_one_try_whoever_asks_and_whatever_restarts(card_agent, card):
    agent = card_agent(pin=WRONG)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda _: agent.request("GET", "/v1/profiles/test/credentials"), range(1000)))
    assert {status for status, _ in results} == {422}
    assert (card.pin_checks, card.tries_left) == (1, 2)
    for _ in range(3):
        agent.stop()
        agent.start()
        wait_for(agent, card)
        assert agent.credentials().returncode == 80
    agent.process.kill()
    agent.process.wait()
    agent.start()
    wait_for(agent, card)
    assert agent.credentials().returncode == 80
    assert (card.pin_checks, card.tries_left) == (1, 2)


def test_typed_wrong_pins_cost_a_try_each_and_never_the_last(card_agent, card):
    agent = card_agent(pin=None)
    for pin in ("111111", "222222", "333333", "444444"):
        assert agent.cli("unlock", "--pin-stdin", input=f"{pin}\n").returncode == 80
    assert (card.pin_checks, card.wrong_pins, card.tries_left) == (2, 2, 1)
    assert tokens(agent)[card.serial]["pin_tries"] == "final"


def test_a_blocked_card_is_told_and_left_alone(card_agent, card):
    card.tries_left = 0
    agent = card_agent()
    assert agent.credentials().returncode == 81
    assert tokens(agent)[card.serial]["state"] == "pin-blocked"
    assert card.pin_checks == 0


def test_a_typed_pin_serves_every_session_until_the_card_is_locked(card_agent, card):
    agent = card_agent(pin=None)
    assert agent.credentials().returncode == 80
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    for profile in PROFILES:
        sign(agent, profile)
    assert (card.pin_checks, card.signatures) == (1, len(PROFILES))


# Keys that want a person


def test_a_strict_card_gets_its_pin_right_before_each_signature_of_9c(card_agent, readers, root):
    card = Card(strict_always=True).with_identity(root, slot=0x9C)
    readers[0].insert(card)
    agent = card_agent()
    for count, profile in enumerate(PROFILES, 1):
        sign(agent, profile)
        assert card.signatures == count and card.wrong_pins == 0


def test_9c_signs_beside_9a(card_agent, readers, root):
    card = Card().with_identity(root, "RSA-2048").with_identity(root, "RSA-2048", slot=0x9C)
    readers[0].insert(card)
    agent = card_agent(certificate=uri(card, key=2))
    for profile in PROFILES:
        sign(agent, profile)
    assert (card.slots[0x9A].signatures, card.slots[0x9C].signatures) == (0, len(PROFILES))
    assert card.wrong_pins == 0


def test_a_touch_that_comes_late_is_waited_for(card_agent, card):
    card.slots[0x9A].touch = Touch(after=2)
    agent = card_agent()
    access_key(agent.credentials())
    assert (card.pin_checks, card.signatures) == (1, 1)


def test_a_touch_that_never_comes_costs_no_pin(card_agent, card):
    agent = card_agent(**{"sign-timeout-seconds": 15, "touch-timeout-seconds": 15})
    sign(agent, "test")
    card.slots[0x9A].touch = Touch(after=None, timeout=1)
    status, answer = ask(agent, "second")
    assert answer["code"] == "token-busy", answer
    assert card.signatures == 1
    card.slots[0x9A].touch = None
    sign(agent, "third")
    # OpenSC sends the right PIN that it has kept with each of its own repetitions; ours is the one after its logout.
    assert (card.wrong_pins, card.tries_left) == (0, 3)
