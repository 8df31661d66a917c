"""A password that was typed at a workstation's login costs a card one try at most."""

import json
import signal

import pytest

from support import configuration
from support.mock_module import PIN

VENDOR = 0x80000042
WRONG = ["password-1", "password-2", "password-3"]


@pytest.fixture
def agent_on(start, mock, root, service):
    def start_agent(**settings):
        mock.card("prod", **settings).identity(root)
        return start(configuration.mock(mock), configuration.token("prompt"), configuration.profile(service))

    return start_agent


def hand_over(agent, pin, *arguments):
    """As the process that `--pam` leaves behind."""
    result = agent.cli("unlock", "--pin-stdin", "--quiet", *arguments, input=f"{pin}\0")
    assert (result.stdout, result.stderr) == ("", "")
    return result.returncode


def token(agent):
    [token] = agent.get("/v1/tokens")[1]
    return token["state"], token["pin_tries"]


@pytest.mark.parametrize("shows_count", [True, False])
@pytest.mark.parametrize("uri", [[], ["pkcs11:token=prod;slot-id=0"]])
def test_different_passwords_cost_one_try_whether_the_token_shows_its_count_or_not(agent_on, mock, shows_count, uri):
    agent = agent_on(no_counter=not shows_count)
    assert token(agent) == ("pin-needed", "ok")
    assert [hand_over(agent, password, *uri) for password in WRONG] == [80, 80, 80]
    assert token(agent) == ("pin-needed", "low" if shows_count else "unknown")
    agent.stop(signal.SIGKILL)
    agent.start()
    assert [hand_over(agent, password, *uri) for password in [*WRONG, PIN]] == [80] * 4, "not even the right one"
    assert token(agent) == ("pin-needed", "low" if shows_count else "unknown")
    assert len(mock.logins()) == 1


def test_a_person_who_types_the_pin_ends_it(agent_on, mock):
    agent = agent_on(no_counter=True)
    assert hand_over(agent, WRONG[0]) == 80
    assert agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n").returncode == 0
    assert token(agent) == ("ready", "ok")
    assert agent.cli("lock").returncode == 0
    assert hand_over(agent, PIN) == 0
    assert token(agent) == ("ready", "ok")
    assert len(mock.logins()) == 3


def test_a_login_without_an_answer_is_neither_repeated_nor_forgiven_by_another_one(agent_on, mock):
    agent = agent_on(no_counter=True)
    mock.on("C_Login", rv=VENDOR, next=1)
    assert [hand_over(agent, password) for password in WRONG] == [80, 80, 80]
    assert len(mock.logins()) == 1
    assert token(agent) == ("pin-needed", "unknown")
    assert agent.credentials().returncode == 80


def test_a_pin_that_was_refused_in_another_way_is_a_refusal_too(agent_on, mock):
    agent = agent_on(no_counter=True)
    assert agent.cli("unlock", "--pin-stdin", input="000000\n").returncode == 80
    status, answer = agent.request(
        "POST", "/v1/tokens/unlock", json.dumps({"uri": "pkcs11:", "pin": PIN, "origin": "login"}).encode())
    assert (status, answer["code"], answer["exit"]) == (423, "pin-needed", 80)
    assert "one of a login is not sent" in answer["detail"]
    assert len(mock.logins()) == 1


def test_status_says_where_the_count_is_unknown(agent_on):
    agent = agent_on(no_counter=True)
    assert hand_over(agent, WRONG[0]) == 80
    assert token(agent) == ("pin-needed", "unknown")
    result = agent.cli("status")
    assert "\tunknown\t" in result.stdout, result.stdout
