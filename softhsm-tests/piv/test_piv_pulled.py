"""A card that is pulled, hangs or misbehaves costs one request, whatever the moment."""

import time

import pytest

from support.configuration import profile
from support.credentials import access_key
from support.piv import Card, Fault
from support.piv.agents import DEADLINE, PIN, ask, sign, tokens, uri, wait_for, wait_for_login
from support.waiting import wait_until

def pulled(agent, reader, card, profile="second"):
    """The answer to a request in which the card goes. The next one, with the card back, has credentials."""
    began = time.monotonic()
    answer = ask(agent, profile)
    assert time.monotonic() - began < 2 * DEADLINE  # OpenSC's own repetition, and ours
    reader.eject()
    wait_until(lambda: card.serial not in tokens(agent), "the card is gone")
    reader.insert(card)
    wait_for(agent, card)
    sign(agent, profile if answer[0] != 200 else "third")
    return answer


@pytest.mark.parametrize("kind", ["RSA-2048", "P-256"])
@pytest.mark.parametrize("fault", [Fault.YANK_BEFORE, Fault.YANK_DURING])
def test_a_card_pulled_in_a_signature_costs_that_one_request(card_agent, readers, root, kind, fault):
    card = Card().with_identity(root, kind)
    readers[0].insert(card)
    agent = card_agent()
    access_key(agent.credentials())
    card.fail_signature(fault)
    status, answer = pulled(agent, readers[0], card)
    assert status != 200 and answer["exit"] in (66, 75, 81), answer
    assert (card.pin_checks, card.wrong_pins) == (2, 0)  # it lost its power, so it needs its PIN again


def test_a_card_pulled_right_after_its_signature_costs_nothing_but_its_pin(card_agent, readers, card):
    agent = card_agent()
    access_key(agent.credentials())
    card.fail_signature(Fault.YANK_AFTER)
    pulled(agent, readers[0], card)
    assert (card.pin_checks, card.wrong_pins) == (2, 0)


def test_a_card_that_hangs_is_left_after_the_deadline(card_agent, readers, card):
    agent = card_agent()
    access_key(agent.credentials())
    card.fail_signature(Fault.HANG)
    status, answer = pulled(agent, readers[0], card)
    assert answer["code"] == "module-timeout", answer


def test_a_wrong_signature_is_not_sent(card_agent, card, service):
    agent = card_agent()
    access_key(agent.credentials())
    wait_for_login(agent, card)
    created = service.created()
    card.fail_signature(Fault.BAD_SIGNATURE)
    status, answer = ask(agent, "second")
    assert answer.get("code") == "signature-invalid", answer
    assert service.created() == created
    sign(agent, "third")


@pytest.mark.parametrize("status_word", [0x6A80, 0x6985, 0x6982, 0x6F00, 0x6581], ids=hex)
def test_a_card_that_refuses_once_signs_the_next_time(card_agent, card, status_word):
    agent = card_agent()
    access_key(agent.credentials())
    card.fail_signature(status_word, count=2)  # OpenSC asks twice
    ask(agent, "second")
    card.faults.clear()
    sign(agent, "third")
    assert card.wrong_pins == 0 and card.pin_checks <= 2


def test_a_card_taken_out_is_gone_and_comes_back(card_agent, readers, card):
    agent = card_agent()
    access_key(agent.credentials())
    readers[0].eject()
    wait_until(lambda: not tokens(agent), "the card is gone")
    assert agent.get("/v1/identities")[1] == []
    status, answer = ask(agent, "second")
    assert (status, answer["exit"]) == (404, 66), answer
    readers[1].insert(card)
    wait_for(agent, card)
    sign(agent, "third")
    assert (card.pin_checks, card.wrong_pins) == (2, 0)


def test_another_card_in_the_same_reader_never_gets_the_first_ones_pin(card_agent, readers, root, tmp_path):
    first, other = Card().with_identity(root), Card(pin="246810").with_identity(root)
    readers[0].insert(first)
    rule = f'[[token]]\nuri = "{uri(first)}"\npin-source = "file:{tmp_path}/stored"\n'
    with open(tmp_path / "stored", "w") as file:
        file.write(PIN)
    (tmp_path / "stored").chmod(0o600)
    agent = card_agent(pin=None, tables=rule)
    access_key(agent.credentials())
    readers[0].swap(other)
    wait_for(agent, other)
    status, answer = ask(agent, "second")
    assert answer["exit"] == 80, answer
    assert (other.pin_checks, other.tries_left) == (0, 3)
    readers[0].swap(first)
    wait_for(agent, first)
    sign(agent, "third")
    assert (first.pin_checks, first.wrong_pins, other.pin_checks) == (2, 0, 0)


def test_a_typed_pin_does_not_reach_the_card_that_came_instead(card_agent, readers, root):
    first, other = Card().with_identity(root), Card(pin="246810").with_identity(root)
    readers[0].insert(first)
    agent = card_agent(pin=None)
    assert agent.cli("unlock", "--pin-stdin", uri(first), input=f"{PIN}\n").returncode == 0
    readers[0].swap(other)
    assert agent.cli("unlock", "--pin-stdin", uri(first), input=f"{PIN}\n").returncode in (66, 81)
    assert ask(agent, "second")[1]["exit"] in (66, 80, 81)
    wait_for(agent, other)
    assert ask(agent, "second")[1]["exit"] == 80
    assert other.pin_checks == 0
    readers[0].swap(first)
    wait_for(agent, first)
    assert ask(agent, "second")[1]["exit"] == 80
    assert first.pin_checks == 1


def test_two_cards_at_once_have_their_own_pins(card_agent, readers, root, service, tmp_path):
    cards = [Card(pin=pin).with_identity(root) for pin in ("111222", "333444")]
    rules = ""
    for number, (reader, card) in enumerate(zip(readers, cards)):
        reader.insert(card)
        path = tmp_path / f"pin-{number}"
        path.write_bytes(card.pin.rstrip(b"\xFF"))
        path.chmod(0o600)
        rules += f'[[token]]\nuri = "{uri(card)}"\npin-source = "file:{path}"\n'
    own = profile(service, "own", certificate=uri(cards[1]))
    agent = card_agent(pin=None, tables=rules + own, certificate=uri(cards[0]))
    for name in ("test", "own"):
        access_key(agent.credentials(name))
    assert [(card.pin_checks, card.wrong_pins, card.signatures) for card in cards] == [(1, 0, 1)] * 2


def test_a_daemon_that_dies_and_comes_back(card_agent, pcsc, card):
    agent = card_agent()
    access_key(agent.credentials())
    pcsc.kill()
    status, answer = ask(agent, "second")
    assert status != 200 and answer["exit"] in (66, 75, 81), answer
    pcsc.start()
    wait_for(agent, card)
    sign(agent, "third")
    assert (card.pin_checks, card.wrong_pins) == (2, 0)
