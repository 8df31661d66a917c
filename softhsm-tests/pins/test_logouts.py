"""A logout ends the login, or is reported as a failure; no signature that was asked for before it begins after it."""

import pytest

from support.mock_module import CONTEXT, PIN
from support.softhsm import write_pin
from support.waiting import wait_until
from support.worker_process import Failure


def test_a_logout_that_finds_no_session_fails_while_a_lane_keeps_the_login(mock, root, worker):
    card = mock.card("prod")
    card.identity(root)
    assert worker.log_in(card, PIN) == "logged-in"
    assert isinstance(worker.sign(card), bytes)
    failing = mock.on("C_FindObjectsInit", rv=0x6)
    worker.list()  # closes the session that it has failed in
    mock.clear(failing)
    mock.on("C_OpenSession", rv=0x6)
    answer = worker.log_out(card)
    assert isinstance(answer, Failure) and answer.kind == "function", answer
    assert isinstance(worker.sign(card), bytes), "it is logged in"


@pytest.mark.parametrize("code, failure", [(0x6, "function"), (0x30, "broken"), (0x101, None), (0x32, None), (0xB3, None)])
def test_a_logout_that_fails_without_a_known_end_is_a_failure(mock, root, worker, code, failure):
    card = mock.card("prod")
    card.identity(root)
    assert worker.log_in(card, PIN) == "logged-in"
    mock.on("C_Logout", rv=code)
    mock.on("C_GetSessionInfo", rv=0x54)
    answer = worker.log_out(card)
    assert (answer.kind if isinstance(answer, Failure) else None) == failure, answer


def test_a_logout_of_twins_fails_and_of_a_card_that_is_gone_does_not(mock, root, worker):
    card = mock.card("prod", keeps_sessions=True)
    card.identity(root)
    elsewhere = [mock.card("prod", inserted=False, serial="0001") for _ in range(2)]
    assert worker.log_in(card, PIN) == "logged-in"
    assert isinstance(worker.sign(card), bytes)
    card.remove()
    worker.list()
    assert worker.log_out(card) == "logged-out"
    for twin in elsewhere:
        twin.insert()
    answer = worker.log_out(card)
    assert isinstance(answer, Failure) and answer.kind == "token-gone", answer


def test_an_expired_pin_leaves_no_login(mock, root, worker):
    """Some tokens are logged in by it, and refuse everything else."""
    card = mock.card("prod")
    card.identity(root)
    mock.on("C_Login", "after", rv=0xA3)
    assert worker.log_in(card, PIN) == "rejected unjudged"
    assert mock.count("C_Logout") == 1
    assert not worker.list()[0]["is_logged_in"]


@pytest.mark.parametrize("hangs, begun", [("C_Sign", 1), ("C_SignInit", 0)])
@pytest.mark.parametrize("asks", [True, False], ids=["a key that asks for its PIN", "a key that does not"])
@pytest.mark.parametrize("is_of_all", [False, True], ids=["one token", "all"])
def test_no_signature_that_waited_begins_after_a_logout(mock, root, worker, tmp_path, hangs, begun, asks, is_of_all):
    """The first signature hangs while the second waits behind it. The token itself needs no login, so that only the worker
    can keep the key from being used."""
    card = mock.card("prod", no_login=True)
    card.identity(root, private=False, always=asks)
    pin = write_pin(tmp_path / "pin").removeprefix("file:")
    rule = mock.on(hangs, "hang", next=1)
    ask, worker.ask = worker.ask, worker.send
    worker.sign(card, source=pin)
    worker.sign(card, source=pin)
    first, second = worker.number - 1, worker.number
    wait_until(lambda: mock.waiting() == 1, "the first signature hangs")
    worker.log_out(None if is_of_all else card)
    assert worker.answer(second + 1) == "logged-out"
    inits = mock.count("C_SignInit")
    mock.clear(rule)
    answers = worker.answer(first), worker.answer(second)
    if asks:  # one that needs no PIN may end once it is begun
        assert isinstance(answers[0], bytes) == (begun == 1), answers
    assert answers[1].kind == "not-logged-in", answers
    assert mock.count("C_SignInit") == inits
    assert len(mock.logins(CONTEXT)) == (begun if asks else 0)
    worker.ask = ask
    assert isinstance(worker.sign(card, source=pin), bytes), "one that comes later is made"
