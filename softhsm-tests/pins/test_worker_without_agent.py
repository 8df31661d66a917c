"""A worker whose agent is gone sends no PIN any more."""

import pathlib
import platform

import pytest

from support.mock_module import CONTEXT, PIN, USER
from support.softhsm import write_pin
from support.waiting import wait_until


CALLS = {"x86_64": {"read": 0, "futex": 202}, "aarch64": {"read": 63, "futex": 98}}


@pytest.fixture
def card(mock, root):
    card = mock.card()
    card.identity(root, always=True)
    return card


def main_thread_is_in(worker, call):
    """Whether the thread that hears of the agent's end sleeps in this system call (proc_pid_syscall(5))."""
    try:
        text = pathlib.Path(f"/proc/{worker.process.pid}/syscall").read_text()
    except OSError as error:
        pytest.skip(f"what a worker waits for is not to be seen here: {error}")
    return text.split()[0] == str(CALLS[platform.machine()][call])


def leave(worker, mock, rule):
    """The agent goes while a call hangs, which then goes on. The logout hangs, so that the worker lives as long as it may."""
    wait_until(lambda: mock.waiting() == 1, "the call hangs")
    worker.socket.close()
    wait_until(lambda: mock.waiting() == 2, "the worker sees that and logs out")
    mock.clear(rule)
    assert worker.process.wait(10) == 0


@pytest.mark.parametrize("function, sent", [("C_Sign", 1), ("C_SignInit", 0)])
def test_signatures_that_wait_send_no_stored_pin(mock, card, worker, tmp_path, function, sent):
    """The first hangs behind its own PIN, or before it."""
    pin = write_pin(tmp_path / "pin").removeprefix("file:")
    assert worker.log_in(card, source=pin) == "logged-in"
    mock.on("C_Logout", "hang")
    rule = mock.on(function, "hang")
    worker.ask = worker.send
    for _ in range(3):
        worker.sign(card, source=pin)
    leave(worker, mock, rule)
    assert len(mock.logins(CONTEXT)) == sent


def test_a_login_that_was_begun_sends_no_pin(mock, card, worker):
    rule = mock.on("C_GetSessionInfo", "hang")
    worker.ask = worker.send
    worker.log_in(card, PIN)
    wait_until(lambda: mock.waiting() == 1, "the call hangs")
    wait_until(lambda: main_thread_is_in(worker, "read"), "the worker listens")
    worker.socket.close()
    wait_until(lambda: main_thread_is_in(worker, "futex"), "the worker has seen that, and waits for its end")
    mock.clear(rule)
    assert worker.process.wait(10) == 0
    assert mock.logins(USER) == []


def test_a_worker_ends_within_a_second_of_its_agent_whatever_hangs(mock, card, worker):
    assert worker.log_in(card, PIN) == "logged-in"
    mock.on("C_Logout", "hang")
    mock.on("C_CloseSession", "hang")
    worker.socket.close()
    assert worker.process.wait(1) == 0
