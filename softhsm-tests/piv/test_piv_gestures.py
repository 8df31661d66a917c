"""Key 9C of a PIV card asks for its PIN each time, and other keys for a touch."""

import concurrent.futures

from support import configuration
from support.answers import refresh
from support.piv import Card, Touch
from support.piv.agents import sign, tokens, uri
from support.waiting import wait_until


def test_a_strict_9c_gets_a_typed_pin_right_before_each_signature(card_agent, readers, root, service):
    card = Card(strict_always=True).with_identity(root, slot=0x9C)
    readers[0].insert(card)
    agent = card_agent(pin=None, tables=configuration.profile(service, "other"))
    assert agent.credentials().returncode == 80
    assert agent.cli("unlock", "--pin-stdin", input="123456\n").returncode == 0
    assert agent.credentials().returncode == 0
    assert refresh(agent, "other")[0] == 200
    assert (card.slots[0x9C].signatures, card.wrong_pins) == (2, 0)
    assert card.pin_checks >= 3, "one for the login, and one for each signature"
    assert agent.cli("lock").returncode == 0
    assert refresh(agent, "other")[0] == 423
    assert card.slots[0x9C].signatures == 2


def test_a_wrong_pin_for_9c_costs_one_try(card_agent, readers, root, service, tmp_path):
    """The PIN file changes between the login and a signature; OpenSC loses all its sessions over the refusal."""
    card = Card(strict_always=True).with_identity(root, slot=0x9C)
    readers[0].insert(card)
    agent = card_agent(tables=configuration.profile(service, "other"))
    assert agent.credentials().returncode == 0
    (tmp_path / "pin").write_text("654321\n")
    for _ in range(5):
        assert agent.credentials("other").returncode in (75, 80)
    assert (card.wrong_pins, card.tries_left) == (1, 2)
    (tmp_path / "pin").write_text("123456\n")
    assert agent.cli("unlock", uri(card), "--pin-stdin", input="123456\n").returncode == 0
    assert refresh(agent, "other")[0] == 200
    assert (card.wrong_pins, card.tries_left) == (1, 3)


def test_a_touch_that_never_comes_is_no_lost_login(card_agent, readers, root, service):
    """OpenSC asks the card twice and forgets the login; the agent asks no person again by itself."""
    card = Card().with_identity(root)
    readers[0].insert(card)
    agent = card_agent(tables=configuration.profile(service, "other"))
    assert agent.credentials().returncode == 0
    card.slots[0x9A].touch = Touch(after=None, timeout=0.5)
    missed = agent.credentials("other")
    assert (missed.returncode, "nobody confirmed on the token in time" in missed.stderr) == (75, True), missed.stderr
    assert (card.signatures, card.wrong_pins) == (1, 0)
    card.slots[0x9A].touch = None
    assert refresh(agent, "other")[0] == 200
    assert (card.signatures, card.wrong_pins) == (2, 0)
    assert tokens(agent)[card.serial]["state"] == "ready"


def test_another_card_that_is_pulled_takes_no_touch_away(card_agent, readers, root, pin_file):
    """OpenSC answers nothing while a card waits, which must not be taken for a process that hangs over the removal."""
    card, other = Card().with_identity(root), Card().with_identity(root)
    readers[0].insert(card)
    readers[1].insert(other)
    agent = card_agent(
        pin=None, certificate=uri(card), tables=configuration.token(pin_file, touch=True), **{"touch-timeout-seconds": 20})
    assert agent.credentials().returncode == 0
    workers = agent.workers()
    card.slots[0x9A].touch = Touch(after=5)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        signing = pool.submit(sign, agent, "second")
        wait_until(lambda: tokens(agent)[card.serial].get("awaiting") == "touch", "the touch is awaited")
        readers[1].eject()
        signing.result()
    assert agent.workers() == workers
    assert (card.signatures, card.pin_checks, card.wrong_pins) == (2, 1, 0)
