"""A card that waits for its touch holds up no other, although OpenSC lets no other call of its process begin."""

import time

import pytest

from support.answers import refresh
from support.configuration import profile
from support.credentials import access_key
from support.piv import Card, Touch
from support.piv.agents import ask, sign, uri
from support.processes import is_running
from support.waiting import in_background, wait_until


@pytest.fixture
def cards(readers, root):
    pair = [Card().with_identity(root) for _ in readers]
    for reader, card in zip(readers, pair):
        reader.insert(card)
    return pair


@pytest.fixture
def agent(card_agent, cards, service):
    """The profiles of `piv.agents` are for the first card; `other` and `another` for the second."""
    own = "".join(profile(service, name, certificate=uri(cards[1])) for name in ("other", "another"))
    return card_agent(tables=own, certificate=uri(cards[0]), **{"sign-timeout-seconds": 8})


def test_a_card_that_waits_for_its_touch_holds_up_no_other(agent, cards):
    touched, other = cards
    access_key(agent.credentials())
    sign(agent, "other")  # a process that begins reads every card, and would wait here
    touched.slots[0x9A].touch = Touch(after=6)
    waiting = in_background(ask, agent, "second")
    assert touched.is_awaiting_touch.wait(5)
    begun = time.monotonic()
    assert refresh(agent, "other")[0] == 200
    sign(agent, "another")
    assert touched.is_awaiting_touch.is_set() and time.monotonic() - begun < 6
    assert waiting()[0] == 200
    assert [(card.pin_checks, card.wrong_pins) for card in cards] == [(1, 0)] * 2
    assert (touched.signatures, other.signatures) == (2, 3)


def test_a_card_pulled_in_its_signature_costs_the_other_nothing(agent, cards, readers):
    pulled, other = cards
    access_key(agent.credentials())
    sign(agent, "other")
    workers = agent.workers()
    pulled.slots[0x9A].touch = Touch(after=None)
    waiting = in_background(ask, agent, "second")
    assert pulled.is_awaiting_touch.wait(5)
    readers[0].eject()
    sign(agent, "another")
    assert waiting()[0] != 200
    assert [(card.pin_checks, card.wrong_pins) for card in cards] == [(1, 0)] * 2
    wait_until(lambda: sum(map(is_running, workers)) < len(workers), "the pulled card's worker has ended")
