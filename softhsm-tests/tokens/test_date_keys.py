"""A worker makes an HMAC of a day, and of nothing else."""

import struct

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
def test_bytes_that_are_no_day_reach_no_token_and_end_the_worker(worker, card, mock, day):
    worker.list()
    worker.log_in(card, PIN)
    worker.send(DATE_KEY, body(card, day))
    assert worker.process.wait(20) == 0
    assert (mock.count("C_SignInit"), mock.count("C_Logout")) == (0, 1)


@pytest.mark.parametrize("packet", [
    b"\x01", struct.pack(">BBHII", 1, DATE_KEY, 0, 9, 5) + b"four", struct.pack(">BBHII", 2, DATE_KEY, 0, 9, 0),
    struct.pack(">BBHII", 1, 99, 0, 9, 0), struct.pack(">BBHII", 1, DATE_KEY, 4, 9, 0) + b"1234"],
    ids=["a header's part", "a body's part", "another version", "another kind", "a secret"])
def test_a_packet_that_is_no_request_ends_the_worker_and_its_login(worker, card, mock, packet):
    worker.list()
    worker.log_in(card, PIN)
    worker.signatures.sendall(packet)
    assert worker.process.wait(20) == 0
    assert mock.count("C_Logout") == 1
