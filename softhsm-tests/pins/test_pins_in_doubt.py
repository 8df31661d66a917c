"""A PIN that was sent and not judged is not sent again, for any caller and however often the module fails."""

import concurrent.futures
import json
import os
import pathlib
import signal

import pytest

from support import configuration
from support.mock_module import CONTEXT, PIN
from support.softhsm import write_pin
from support.waiting import wait_until
from support.worker_process import Failure

VENDOR = 0x80000042
UNANSWERED = "was sent a PIN and did not answer, so none is sent again by itself"
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
        with open(f"{agent.socket}.refused-pins") as file:
            return [line for line in file if line.count(" ") == 4]
    except FileNotFoundError:
        return []


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


def test_a_second_crash_in_a_row_ends_what_a_stored_pin_that_was_right_may_do_by_itself(
    agent_on, mock, root, pin_file
):
    """It was changed on the card, whose flags tell nothing of tries."""
    card = mock.card("prod", no_counter=True)
    card.identity(root)
    agent = agent_on(pin_file)
    assert session(agent, PROFILES[0])[0] == 200
    card.set(pin="654321")
    card.lose_login()
    mock.on("C_Login", "crash")
    before = mock.count("C_Login")
    for number, name in enumerate(PROFILES[1:4]):
        status, code, detail = session(agent, name)
        assert (status, UNANSWERED in detail) == ((503, False) if number < 2 else (422, True)), detail
    assert mock.count("C_Login") - before == 2
    agent.stop(signal.SIGKILL)
    mock.clear()
    agent.start()
    assert session(agent, PROFILES[4])[1] == "pin-incorrect"
    assert mock.count("C_Login") - before == 2
    write_pin(pin_path(pin_file), "654321")
    assert agent.cli("unlock", "--stored").returncode == 0
    assert session(agent, PROFILES[5])[0] == 200


def pin_path(source):
    return pathlib.Path(source.removeprefix("file:"))


def test_a_code_that_judges_nothing_ends_it_at_once(agent_on, mock, root, pin_file):
    card = mock.card("prod", no_counter=True)
    card.identity(root)
    agent = agent_on(pin_file)
    assert session(agent, PROFILES[0])[0] == 200
    mock.on("C_Login", rv=VENDOR)
    card.lose_login()
    assert session(agent, PROFILES[1])[1] == "pin-incorrect"
    agent.stop(signal.SIGKILL)
    agent.start()
    assert session(agent, PROFILES[2])[1] == "pin-incorrect"
    assert len(mock.logins()) == 2 and len(unanswered(agent)) == 1


def test_signatures_in_a_line_send_a_pin_once_that_the_token_does_not_judge(agent_on, mock, root, pin_file):
    mock.card("prod").identity(root, always=True)
    agent = agent_on(pin_file, sessions=3)
    assert session(agent, PROFILES[0])[0] == 200
    rule = mock.on("C_Login", rv=VENDOR, user=CONTEXT, delay=700)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda name: session(agent, name)[:2], PROFILES[1:4]))
    assert set(answers) == {(422, "pin-incorrect")}
    assert [login.answer for login in mock.logins(CONTEXT)] == [0, VENDOR]
    mock.clear(rule)
    agent.stop(signal.SIGKILL)
    agent.start()
    assert session(agent, PROFILES[4])[1] == "pin-incorrect"
    assert len(mock.logins(CONTEXT)) == 2, "an agent that starts again does not send it either"
    assert agent.cli("unlock", "--stored").returncode == 0
    assert session(agent, PROFILES[5])[0] == 200


def test_a_token_without_a_login_is_sent_a_pin_once_that_it_does_not_judge(agent_on, mock, root, pin_file):
    mock.card("prod", no_login=True).identity(root, always=True, private=False)
    agent = agent_on(pin_file)
    assert session(agent, PROFILES[0])[0] == 200
    rule = mock.on("C_Login", rv=VENDOR, user=CONTEXT)
    assert session(agent, PROFILES[1])[1] == "pin-incorrect"
    assert session(agent, PROFILES[2])[1] == "pin-incorrect"
    agent.stop(signal.SIGKILL)
    agent.start()
    assert session(agent, PROFILES[3])[1] == "pin-incorrect"
    assert [login.answer for login in mock.logins(CONTEXT)] == [0, VENDOR]
    mock.clear(rule)
    assert unlock(agent)[0] in (200, 204)
    assert session(agent, PROFILES[4])[0] == 200


@pytest.mark.parametrize("code, state", [(0xA4, "pin-blocked"), (0xA3, "pin-needed")], ids=["locked", "expired"])
def test_a_pin_that_was_not_judged_may_be_used_when_a_person_has_seen_to_the_token(
    agent_on, mock, root, pin_file, code, state
):
    mock.card("prod").identity(root)
    rule = mock.on("C_Login", rv=code)
    agent = agent_on(pin_file)
    assert session(agent, PROFILES[0])[0] in (422, 423)
    [token] = agent.get("/v1/tokens")[1]
    assert token["state"] == state
    assert session(agent, PROFILES[1])[0] in (422, 423)
    agent.stop(signal.SIGKILL)
    agent.start()
    assert session(agent, PROFILES[2])[1] == "pin-incorrect"
    assert len(mock.logins()) == 1, "not even by an agent that starts again"
    mock.clear(rule)
    assert agent.cli("unlock", "--stored").returncode == 0
    assert session(agent, PROFILES[3])[0] == 200


def test_a_pin_for_one_signature_is_good_for_one_of_several_at_the_same_time(agent_on, mock, root):
    mock.card("prod").identity(root)
    agent = agent_on("prompt", {"pin_lifetime_seconds": 0}, sessions=3)
    for turn in range(2):
        assert unlock(agent, PIN)[0] in (200, 204)
        signing = mock.count("C_Sign")
        rule = mock.on("C_Sign", delay=500)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = sorted(pool.map(lambda name: session(agent, name)[:2], PROFILES[turn * 3:turn * 3 + 3]))
        assert answers == [(200, None), (423, "pin-needed"), (423, "pin-needed")]
        assert mock.count("C_Sign") - signing == 1
        mock.clear(rule)


def test_a_token_that_cannot_be_unlocked_keeps_no_other_from_it(start, mock, root, service, pin_file):
    """The profile of the good one is served again at once."""
    for label, serial in [("a", "0001"), ("b", "0002"), ("c", "0003")]:
        mock.card(label, serial=serial, pin=PIN if label == "b" else "654321").identity(root, label=label)
    agent = start(
        configuration.mock(mock), configuration.token(pin_file),
        configuration.profile(service, "good", certificate="pkcs11:token=b"))
    assert session(agent, "good")[0] == 200
    assert agent.cli("lock").returncode == 0
    assert session(agent, "good")[:2] == (423, "locked")
    assert unlock(agent) == (422, "pin-incorrect")
    assert len(mock.logins()) == 4, "each was tried"
    assert session(agent, "good")[0] == 200


def test_a_quiet_unlock_leaves_a_token_alone_of_which_the_list_tells_nothing(agent_on, mock, root):
    card = mock.card("prod", flags=0x10000)  # COUNT_LOW
    card.identity(root)
    agent = agent_on("prompt")
    uri = f"pkcs11:slot-id={card.slot.id}"
    assert agent.cli("unlock", uri, "--pin-stdin", "--quiet", input=PIN).returncode == 80
    assert mock.logins() == []
    assert agent.cli("unlock", uri, "--pin-stdin", input=PIN).returncode == 0


def test_the_token_is_looked_at_again_after_a_pin_was_compared(mock, root, worker, pin_file):
    card = mock.card("prod")
    card.identity(root, always=True)
    assert worker.log_in(card, PIN) == "logged-in"
    assert isinstance(worker.sign(card, source=pin_file.removeprefix("file:")), bytes)
    looks = mock.count("C_GetTokenInfo")
    refused = [(bytes(16), bytes(32))]
    assert isinstance(worker.sign(card, source=pin_file.removeprefix("file:"), refused=refused), bytes)
    assert mock.count("C_GetTokenInfo") - looks == 2
    mock.on("C_GetTokenInfo", rv=0x32, at=looks + 4)
    answer = worker.sign(card, source=pin_file.removeprefix("file:"), refused=refused)
    assert isinstance(answer, Failure) and answer.kind == "token-gone", answer
    assert len(mock.logins(CONTEXT)) == 2


def test_another_worker_keeps_the_pace_of_the_one_before(agent_on, mock, root):
    mock.card("prod", no_counter=True).identity(root)
    agent = agent_on("prompt")
    assert unlock(agent, "654321") == (422, "pin-incorrect")
    [process] = agent.workers()
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: agent.get("/v1/tokens")[1], "another worker shows the token")
    assert unlock(agent, PIN)[0] in (200, 204)
    first, second = mock.logins()
    assert first.process != second.process
    assert second.milliseconds - first.milliseconds >= 1900
