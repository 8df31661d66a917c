"""`lock` with a URI is done within a second and asks no module."""

import time

import pytest

from support import configuration
from support.waiting import wait_until

UNLOCK_NEEDED = 80
PROD = "pkcs11:token=prod"


@pytest.fixture
def agent(start, mock, other, root, service, pin_file):
    mock.card("prod").identity(root)
    return start(
        configuration.mock(mock), configuration.mock(other), configuration.token(pin_file), configuration.profile(service))


def locks_in_time(agent):
    """By the agent's own answer: what starting a program takes is not the agent's."""
    begun = time.monotonic()
    assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=prod"}') == (204, None)
    return time.monotonic() - begun < 1


@pytest.mark.parametrize("way", [{"ways": ["hang"]}, {"rv": 0x30}, {"ways": ["crash"]}], ids=str)
@pytest.mark.parametrize("place", ["its own", "another"])
def test_a_module_that_gives_no_answer_does_not_delay_a_lock(agent, mock, other, way, place):
    assert agent.credentials().returncode == 0
    module = mock if place == "its own" else other
    module.on("C_GetSlotList", *way.get("ways", []), **{"rv": way["rv"]} if "rv" in way else {})
    assert locks_in_time(agent)
    module.clear()
    signed = mock.count("C_Sign")
    assert agent.credentials().returncode == UNLOCK_NEEDED
    assert mock.count("C_Sign") == signed


def test_a_lock_holds_for_a_token_that_is_away(agent, mock):
    """Its session was signed before it was taken out, and its PIN is stored."""
    assert agent.credentials().returncode == 0
    mock.cards[0].remove()
    assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=prod"}')[0] == 204
    mock.cards[0].insert()
    assert agent.credentials().returncode == UNLOCK_NEEDED


def test_a_locked_token_is_not_read_again_and_again(agent, mock, root):
    """Whether it is still there is asked every two seconds, as before the lock; another one that comes is used."""
    assert agent.credentials().returncode == 0
    assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=prod"}')[0] == 204
    assert agent.credentials().returncode == UNLOCK_NEEDED
    asked, read = mock.count("C_GetSlotList"), mock.count("C_FindObjectsInit")
    wait_until(lambda: mock.count("C_GetSlotList") >= asked + 3, "its module is asked three times")
    assert mock.count("C_FindObjectsInit") == read
    mock.cards[0].remove()
    mock.card("spare").identity(root)
    wait_until(lambda: agent.credentials().returncode == 0, "the other token is used")


def test_a_token_that_was_never_looked_at_is_looked_for(agent, mock):
    assert agent.cli("lock", PROD).returncode == 0
    assert agent.credentials().returncode == UNLOCK_NEEDED
    assert len(mock.logins()) == 0


def test_a_uri_that_matches_nothing_is_told_so(agent):
    status, problem = agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=nobody"}')
    assert (status, problem["code"]) == (404, "no-token")
    assert agent.credentials().returncode == 0


def test_a_former_card_that_is_gone_keeps_no_profile_locked(start, mock, root, service, pin_file):
    """Everything is locked, and of the profile's two cards the one that is there is unlocked."""
    former = mock.card("former")
    former.identity(root)
    agent = start(
        'lock-on = ["suspend"]\n', configuration.mock(mock), configuration.token(pin_file), configuration.profile(service))
    assert agent.credentials().returncode == 0
    former.remove()
    mock.card("present").identity(root)
    assert agent.request("POST", "/v1/profiles/test/refresh")[0] == 200
    assert agent.cli("lock").returncode == 0
    assert agent.credentials().returncode == UNLOCK_NEEDED
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri": "pkcs11:token=present"}')[0] == 204
    assert agent.credentials().returncode == 0
