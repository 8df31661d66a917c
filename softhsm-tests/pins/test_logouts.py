"""A logout ends the login, or is reported as a failure."""

import pytest

from support.mock_module import PIN
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
