"""A wrong PIN is sent once, and no PIN is sent where it may be the last try."""

import concurrent.futures
import os
import signal
import subprocess

import pytest

from support import configuration
from support.answers import token_of
from support.softhsm import MODULE, PIN, write_pin

COUNT_LOW, FINAL_TRY, LOCKED, TO_BE_CHANGED = 0x10000, 0x20000, 0x40000, 0x80000
WRONG = "654321"


def test_a_wrong_stored_pin_is_sent_once_whoever_asks_and_whatever_restarts(agent_with, spy, tmp_path, service):
    """The token tells nothing of wrong tries here, as many do: it is the agent that must remember."""
    created = service.created()
    agent = agent_with(write_pin(tmp_path / "pin", WRONG), forget=1)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: agent.get("/v1/profiles/test/credentials"), range(1000)))
    assert {(status, answer["code"], answer["exit"]) for status, answer in answers} == {(422, "pin-incorrect", 80)}
    assert spy.count("C_Login") == 1

    for number in range(20):
        agent.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
        agent.start()
        assert agent.credentials().returncode == 80
    assert spy.count("C_Login") == 1

    assert agent.cli("unlock", "--stored").returncode == 80
    assert spy.count("C_Login") == 1, "the same wrong PIN, and a person who asks again"

    write_pin(tmp_path / "pin", PIN)
    unlocked = agent.cli("unlock", "--stored")
    assert (unlocked.returncode, unlocked.stdout) == (0, ""), unlocked.stderr
    assert spy.count("C_Login") == 2
    assert agent.credentials().returncode == 0
    assert (spy.count("C_Login"), service.created()) == (2, created + 1)


def test_no_pin_is_sent_to_a_token_that_counts_wrong_tries(agent_with, spy, token, pin_file):
    failed = subprocess.run(
        ["pkcs11-tool", "--module", MODULE, "--token-label", "card", "--login", "--pin", WRONG, "--list-objects"],
        env={**os.environ, **token.softhsm.environment}, capture_output=True, timeout=20)
    assert b"CKR_PIN_INCORRECT" in failed.stderr
    try:
        agent = agent_with(pin_file)
        result = agent.credentials()
        assert (result.returncode, result.stderr) == (80, (
            'tokenward: token "card" has counted a wrong PIN, so the stored one is not sent; '
            "check it, then run 'tokenward unlock' and type it\n"))
        assert (token_of(agent)["state"], token_of(agent)["pin_tries"]) == ("pin-needed", "low")
        assert spy.count("C_Login") == 0

        assert agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n").returncode == 0
        assert spy.count("C_Login") == 1
        assert agent.credentials().returncode == 0
        assert token_of(agent)["pin_tries"] == "ok"
    finally:
        token.tool("--list-objects")  # the right PIN, so that the next test finds no count


@pytest.mark.parametrize("flags, code, state, tries", [
    (FINAL_TRY | COUNT_LOW, 80, "pin-needed", "final"), (LOCKED, 81, "pin-blocked", "locked"),
    (TO_BE_CHANGED, 80, "pin-needed", "ok")])
def test_the_last_try_is_never_spent(agent_with, spy, pin_file, flags, code, state, tries):
    agent = agent_with(pin_file, flags=flags)
    assert agent.credentials().returncode == code
    assert (token_of(agent)["state"], token_of(agent)["pin_tries"]) == (state, tries)
    assert agent.cli("unlock", token_of(agent)["uri"], "--pin-stdin", input=PIN).returncode == code
    assert spy.count("C_Login") == 0


def test_a_typed_pin_unlocks_and_a_wrong_one_is_not_sent_twice(agent_with, spy):
    agent = agent_with("prompt", forget=1)
    needed = agent.credentials()
    assert needed.returncode == 80
    assert needed.stderr == "tokenward: token \"card\" needs its PIN; run 'tokenward unlock'\n"
    assert spy.count("C_Login") == 0

    wrong = agent.cli("unlock", "--pin-stdin", input=WRONG)
    assert (wrong.returncode, wrong.stdout, spy.count("C_Login")) == (80, "", 1)
    assert "CKR_PIN_INCORRECT" in wrong.stderr
    again = agent.cli("unlock", "--pin-stdin", input=f"{WRONG}\n")
    assert (again.returncode, spy.count("C_Login")) == (80, 1)
    assert "has refused this PIN before, so it was not sent again" in again.stderr

    right = agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n")
    assert (right.returncode, right.stdout, right.stderr) == (0, "", "tokenward: token card is unlocked\n")
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 2


def test_a_token_without_a_user_pin_says_so_and_how_to_set_one(start, mock, service):
    mock.card("new", hidden=0x8)  # CKF_USER_PIN_INITIALIZED
    agent = start(configuration.mock(mock), configuration.token("prompt"), configuration.profile(service))
    [notice] = [line for line in agent.get("/v1/status")[1]["notices"] if "user PIN" in line]
    assert notice.startswith(f'token "new" of {mock.path} has no user PIN yet: set one with') and "--init-pin" in notice
    result = agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n")
    assert (result.returncode, result.stderr.count("\n")) == (80, 2)
    assert 'token "new" has no user PIN yet' in result.stderr and "--init-pin" in result.stderr
    assert mock.logins() == []
