"""After a login without an answer, only a person can have the same PIN sent again."""

import concurrent.futures
import os
import signal

import pytest

from support import configuration
from support.softhsm import PIN, write_pin
from support.waiting import wait_until

WRONG = "654321"
UNANSWERED = "was sent a PIN and did not answer, so none is sent again by itself"


@pytest.fixture
def logins(tmp_path):
    """How often C_Login was called. The spy's own log is lost when the process is."""
    path = tmp_path / "logins"
    path.touch()
    return path


@pytest.fixture
def once(tmp_path):
    """The module misbehaves while this file is there, once."""
    return tmp_path / "once"


@pytest.mark.parametrize("pin", [PIN, WRONG])
def test_a_login_that_ends_the_worker_is_not_repeated_until_a_person_says_so(agent_with, logins, once, tmp_path, pin):
    once.touch()
    agent = agent_with(write_pin(tmp_path / "pin", pin), forget=1, login="crash", once=once, logins=logins)
    assert agent.credentials().returncode == 75
    assert not once.exists()
    for number in range(6):
        if number % 3 == 0:
            read = agent.log().count("configuration read again")
            agent.process.send_signal(signal.SIGHUP)
            wait_until(lambda: agent.log().count("configuration read again") > read, "it reads its configuration")
        else:
            agent.stop(signal.SIGKILL if number % 3 == 1 else signal.SIGTERM)
            agent.start()
        # The failure that came first is remembered for a moment.
        result = wait_until(lambda: (one := agent.credentials()).returncode != 75 and one, "another answer")
        assert (result.returncode, UNANSWERED in result.stderr) == (80, True), result.stderr
    assert logins.stat().st_size == 1

    write_pin(tmp_path / "pin", PIN)
    assert agent.cli("unlock", "--stored").returncode == 0
    assert agent.credentials().returncode == 0
    assert logins.stat().st_size == 2


def test_an_agent_killed_in_a_login_does_not_repeat_it(agent_with, logins, once, tmp_path):
    once.touch()
    agent = agent_with(write_pin(tmp_path / "pin", WRONG), forget=1, login="hang", once=once, logins=logins)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(agent.credentials)
        wait_until(lambda: not once.exists(), "the login begins")
        agent.stop(signal.SIGKILL)
        assert asking.result().returncode != 0
    for _ in range(3):
        agent.start()
        result = agent.credentials()
        assert (result.returncode, UNANSWERED in result.stderr) == (80, True), result.stderr
        agent.stop(signal.SIGKILL)
    assert logins.stat().st_size == 1


@pytest.mark.parametrize("is_written_anew, code, count", [(False, 0, 3), (True, 80, 2)])
def test_a_crash_costs_no_person_where_the_token_has_taken_the_pin_before(
    agent_with, service, logins, once, tmp_path, is_written_anew, code, count
):
    """A file that was written anew may hold another PIN: the token has not taken that one."""
    others = "".join(configuration.profile(service, name) for name in ["second", "third"])
    agent = agent_with(write_pin(tmp_path / "pin", PIN), others, forget=1, login="crash", once=once, logins=logins)
    assert agent.credentials().returncode == 0
    if is_written_anew:
        write_pin(tmp_path / "pin", PIN)
    [worker] = agent.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: agent.get("/v1/tokens")[1], "another worker shows the token")
    once.touch()
    assert agent.credentials("second").returncode == 75 and not once.exists()
    assert agent.credentials("third").returncode == code
    assert logins.stat().st_size == count
