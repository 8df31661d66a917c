"""A PIN that was sent and not judged: whoever asks meanwhile, and however often the module fails, it is not sent again."""

import concurrent.futures
import json
import os
import signal

import pytest

import configuration
from mock_module import CONTEXT, PIN
from softhsm import write_pin
from test_unanswered_logins import UNANSWERED
from worker_process import Failure, Worker
from world import wait_until

VENDOR = 0x80000042
PROFILES = [f"profile-{number}" for number in range(6)]


@pytest.fixture
def agent_on(start, mock, service):
    def start_agent(pin_source, rule=None, **settings):
        return start(
            configuration.mock(mock, **settings), configuration.token(pin_source, **(rule or {})),
            *(configuration.profile(service, name) for name in PROFILES))

    return start_agent


def session(agent, name):
    status, answer = agent.get(f"/v1/profiles/{name}/credentials")
    return status, answer.get("code"), answer.get("detail", "")


def unlock(agent, pin=None, uri="pkcs11:"):
    body = {"uri": uri} if pin is None else {"uri": uri, "pin": pin}
    status, answer = agent.request("POST", "/v1/tokens/unlock", json.dumps(body).encode())
    return status, (answer or {}).get("code")


def unanswered(agent):
    """The tokens that owe an answer, as a restart would know them."""
    try:
        with open(f"{agent.runtime}/tokenward/refused-pins") as file:
            return [line for line in file if line.count(" ") == 4]
    except FileNotFoundError:
        return []


# --- An unlock beside a login


@pytest.mark.parametrize("pin, expected, logins, owed", [(PIN, (200, None), 2, 0), (None, (422, "pin-incorrect"), 1, 1)])
def test_an_unlock_forgives_no_login_that_is_still_under_way(agent_on, mock, root, pin, expected, logins, owed):
    """On a keypad, because its token is shown from memory meanwhile."""
    mock.card("prod", pinpad="right").identity(root)
    agent = agent_on("protected")
    agent.get("/v1/tokens")
    rule = mock.on("C_Login", "hang", rv=VENDOR, next=1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(unlock, agent)
        wait_until(lambda: mock.waiting() == 1, "the login is under way")
        second = pool.submit(unlock, agent, pin)
        for _ in range(5):
            agent.get("/v1/tokens")  # by now the second is where it waits
        assert len(unanswered(agent)) == 1
        mock.clear(rule)
        assert first.result() == (422, "pin-incorrect")
        status, code = second.result()
    assert (200 if status in (200, 204) else status, code) == expected
    assert (len(mock.logins()), len(unanswered(agent))) == (logins, owed)
    assert [login.pin_length for login in mock.logins()] == [None, len(PIN)][:logins]
