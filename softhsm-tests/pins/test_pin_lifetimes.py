"""A PIN is good until its lifetime ends or somebody locks."""

import concurrent.futures

import pytest

from support import configuration, mock_module
from support.agent import read_again
from support.answers import refresh_code, token_of
from support.softhsm import PIN
from support.waiting import wait_until


def test_a_lifetime_of_zero_is_one_signature(agent_with, spy, service):
    other = configuration.profile(service, "other")
    agent = agent_with("prompt", other, pin_settings={"pin_lifetime_seconds": 0})
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.counts("C_Login", "C_Sign", "C_Logout") == (1, 1, 1)
    assert agent.credentials("other").returncode == 80
    assert refresh_code(agent) == (423, "pin-needed")
    assert agent.credentials().returncode == 0, "what is valid is served"
    assert spy.counts("C_Login", "C_Sign") == (1, 1)


def test_an_unlock_while_the_one_signature_is_made_serves_the_next_one(start, mock, root, service):
    mock.card("card").identity(root)
    agent = start(
        configuration.mock(mock), configuration.token("prompt", pin_lifetime_seconds=0), configuration.profile(service),
        configuration.profile(service, "other"))
    assert agent.cli("unlock", "--pin-stdin", input=mock_module.PIN).returncode == 0
    slow = mock.on("C_Sign", delay=2000, next=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(agent.credentials)
        wait_until(lambda: mock.fired(slow) == 1, "the signature")
        assert token_of(agent)["state"] == "pin-needed"
        unlocked = agent.cli("unlock", "--pin-stdin", input=mock_module.PIN)
        assert (unlocked.returncode, unlocked.stderr) == (0, "tokenward: token card is unlocked\n")
        assert first.result().returncode == 0
    assert agent.credentials("other").returncode == 0
    assert mock.counts("C_Login", "C_Sign", "C_Logout") == (2, 2, 2)


def test_a_lifetime_ends_with_a_logout(agent_with, spy):
    agent = agent_with("prompt", pin_settings={"pin_lifetime_seconds": 1})
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    wait_until(lambda: spy.count("C_Logout") > 0, "the logout", 10)
    assert spy.count("C_Logout") == 1
    assert token_of(agent)["state"] == "pin-needed"
    assert refresh_code(agent) == (423, "pin-needed")
    assert spy.count("C_Login") == 1


@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_holds_until_somebody_unlocks(agent_with, spy, pin_file, named):
    agent = agent_with(pin_file)
    assert agent.credentials().returncode == 0
    uri = token_of(agent)["uri"]
    locked = agent.cli("lock", *[uri] * named)
    assert (locked.returncode, locked.stdout) == (0, ""), locked.stderr
    for _ in range(3):
        result = agent.credentials()
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (80, "", 1)
    assert refresh_code(agent) == (423, "locked")
    assert token_of(agent)["state"] == "pin-needed"
    assert spy.counts("C_Login", "C_Logout", "C_Sign") == (1, 1, 1)

    assert agent.cli("unlock", uri, "--stored").returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.counts("C_Login", "C_Sign") == (2, 2)


def test_a_lock_outlives_a_stored_pin_in_the_configuration(agent_with, spy, pin_file):
    agent = agent_with(pin_file)
    assert agent.credentials().returncode == 0
    assert agent.cli("lock").returncode == 0
    read_again(agent)
    assert agent.credentials().returncode == 80
    assert spy.count("C_Login") == 1
