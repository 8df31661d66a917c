"""A worker makes an HMAC of a day, and of nothing else."""

import pytest

from support.mock_module import PIN
from support.worker_process import blob, number, reference

DATE_KEY = 6


@pytest.fixture
def card(mock, root):
    card = mock.card()
    card.identity(root)
    return card


def body(card, day, label=b"aws-legacy"):
    any_id, this_label = number(0), number(1) + blob(label)
    return reference(card) + any_id + this_label + blob(day)


def test_a_key_that_is_not_there_is_told_as_such(worker, card):
    worker.list()
    worker.log_in(card, PIN)
    failure = worker.ask(DATE_KEY, body(card, b"20261127"))
    assert failure.kind == "key-not-found" and "the secret key" in failure.text


@pytest.mark.parametrize("day", [
    b"", b"2026112", b"202611270", b"20261327", b"20261100", b"2026112\0", b"AWS4HMAC", b"what is to be signed",
    b"20261127\n", "２０２６１１２７".encode()])
def test_bytes_that_are_no_day_reach_no_token(worker, card, mock, day):
    worker.list()
    worker.log_in(card, PIN)
    before = mock.count("C_SignInit")
    worker.send(DATE_KEY, body(card, day))
    # The next answer is to this: there is none to what was no request.
    assert [token["is_logged_in"] for token in worker.list()] == [True]
    assert mock.count("C_SignInit") == before
