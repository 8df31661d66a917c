"""A login between two calls of another thread of the worker loses no key."""

import pytest

from support.mock_module import PIN
from support.waiting import wait_until


@pytest.fixture
def card(mock, root):
    card = mock.card()
    card.identity(root)
    return card


@pytest.mark.parametrize("hangs", ["C_FindObjectsFinal", "C_GetSessionInfo"])
def test_a_login_between_a_look_for_the_key_and_the_next_question_loses_no_key(mock, card, worker, hangs):
    """The key is hidden without a login. 'Not on the token' would be wrong when there is one: no caller would try again."""
    rule = mock.on(hangs, "hang", next=1)
    ask = worker.ask
    worker.ask = worker.send
    worker.sign(card)
    signature = worker.number
    wait_until(lambda: mock.waiting() == 1, "the look has found nothing")
    worker.log_in(card, PIN)
    assert worker.answer(signature + 1) == "logged-in"
    mock.clear(rule)
    answer = worker.answer(signature)
    assert isinstance(answer, bytes) or answer.kind == "not-logged-in", answer
    worker.ask = ask
    assert isinstance(worker.sign(card), bytes)
