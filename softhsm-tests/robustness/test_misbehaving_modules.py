"""A module that misbehaves costs one request with a clear error, and the next one succeeds."""

import concurrent.futures
import time

import pytest

from support import configuration
from support.answers import refresh
from support.mock_module import CONTEXT, PIN
from support.processes import is_running
from support.waiting import wait_until
from support.worker_process import Failure, Worker

SHORT = {"list-timeout-seconds": 2, "login-timeout-seconds": 2, "sign-timeout-seconds": 2}


PROFILES = [f"profile-{number}" for number in range(6)]


@pytest.fixture
def agent(start, mock, root, service, pin_file):
    """Its profiles are one for each request: a profile that has failed is left alone for a while."""
    mock.card("prod").identity(root)
    agent = start(
        configuration.mock(mock, **SHORT), configuration.token(pin_file),
        *(configuration.profile(service, name) for name in PROFILES))
    agent.unused = iter(PROFILES)
    return agent


def session(agent):
    """Status and answer of a request that needs a signature."""
    return agent.get(f"/v1/profiles/{next(agent.unused)}/credentials")


def recovers(agent):
    assert session(agent)[0] == 200


ENDS = pytest.mark.parametrize("way, words", [
    ({"ways": ["crash"]}, "it was ended by signal 11"), ({"ways": ["abort"]}, "it was ended by signal 6"),
    ({"ways": ["overflow"]}, "it was ended by signal 11"), ({"exit": 3}, "it exited with status 3"),
    ({"exit": 0}, "it exited with status 0")], ids=str)


def end_in(mock, function, way, times=1):
    mock.on(function, *way.get("ways", []), next=times, **{k: v for k, v in way.items() if k != "ways"})


@ENDS
def test_a_module_that_ends_its_process_costs_one_request(agent, mock, way, words):
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    end_in(mock, "C_Sign", way)
    status, answer = session(agent)
    assert status != 200 and words in answer["detail"], answer
    recovers(agent)
    assert not is_running(worker)


@ENDS
def test_a_module_that_ends_its_process_in_a_look_costs_a_request_when_it_does_so_twice(agent, mock, way, words):
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    end_in(mock, "C_FindObjectsInit", way)
    recovers(agent)
    assert not is_running(worker) and words in agent.log()
    end_in(mock, "C_FindObjectsInit", way, times=2)
    status, answer = session(agent)
    assert status != 200 and words in answer["detail"], answer
    wait_until(lambda: agent.get("/v1/tokens")[1], "the pause after two deaths is over")
    recovers(agent)


@pytest.mark.parametrize("function", ["C_Sign", "C_GetSlotList"])
def test_a_call_that_does_not_come_back_costs_one_request_and_its_deadline(agent, mock, function):
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    mock.on(function, "hang", next=1)
    begun = time.monotonic()
    status, answer = session(agent)
    assert status != 200 and "did not come back within 2 seconds" in answer["detail"], answer
    assert time.monotonic() - begun < 6
    recovers(agent)
    assert not is_running(worker)


@pytest.mark.parametrize("code, name", [
    (0x5, "CKR_GENERAL_ERROR"), (0x30, "CKR_DEVICE_ERROR"), (0x190, "CKR_CRYPTOKI_NOT_INITIALIZED")])
def test_a_module_that_says_it_is_broken_is_replaced(agent, mock, code, name):
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    mock.on("C_Sign", rv=code, next=1)
    status, answer = session(agent)
    assert status != 200 and name in answer["detail"]
    recovers(agent)
    assert not is_running(worker) and [entry.answer for entry in mock.logins()] == [0, 0]


def test_a_list_that_fails_is_asked_for_again_in_a_new_process(agent, mock):
    mock.on("C_GetSlotList", rv=0x30, next=1)
    assert session(agent)[0] == 200


@pytest.mark.parametrize("code", [0xB3, 0x82, 0x60, 0x65, 0x80000001])
def test_a_stale_session_costs_no_caller_anything(agent, mock, code):
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    mock.on("C_Sign", rv=code, next=1)
    assert session(agent)[0] == 200
    assert agent.workers() == [worker] and len(mock.logins()) == 1


@pytest.mark.parametrize("lie", ["over", "huge", "empty", "odd"])
def test_a_lie_about_a_signature_costs_one_request(agent, mock, lie):
    assert session(agent)[0] == 200
    mock.on("C_Sign", lie=lie, next=1)
    assert session(agent)[0] != 200
    recovers(agent)


def test_a_wrong_signature_is_not_sent(agent, mock, service):
    assert session(agent)[0] == 200
    asked, signed = service.asked(), mock.count("C_Sign")
    mock.on("C_Sign", lie="wrong", next=1)
    status, answer = session(agent)
    assert (status, answer["code"]) == (500, "signature-invalid"), answer
    assert (service.asked(), mock.count("C_Sign")) == (asked, signed + 1)
    recovers(agent)


def test_a_signature_that_needs_more_room_gets_it(agent, mock):
    mock.on("C_Sign", lie="small", next=1)
    assert session(agent)[0] == 200


@pytest.mark.parametrize("function, lie", [
    ("C_GetSlotList", "huge"), ("C_GetSlotList", "over"), ("C_GetSlotList", "grow"), ("C_FindObjects", "endless"),
    ("C_FindObjects", "over")])
def test_a_list_that_lies_is_given_up(agent, mock, function, lie):
    rule = mock.on(function, lie=lie)
    begun = time.monotonic()
    assert session(agent)[0] != 200
    assert time.monotonic() - begun < 5
    assert agent.get("/v1/health")[0] == 200
    mock.clear(rule)
    wait_until(lambda: [token["state"] for token in agent.get("/v1/tokens")[1]] == ["pin-needed"], "the token is back")
    recovers(agent)


def test_a_flood_of_output_and_changed_signals_folder_umask_and_locale_cost_nothing(agent, mock):
    mock.on("C_GetSlotList", "meddle", flood=8 << 20, leak=8 << 20, descriptors=100, next=1)
    assert session(agent)[0] == 200
    [worker] = agent.workers()
    with open(f"/proc/{worker}/status") as file:
        assert "SigBlk:\t" in file.read()
    mock.on("C_Sign", "meddle", next=1)
    assert session(agent)[0] == 200 and session(agent)[0] == 200
    assert agent.log().count("module output") <= 101
    # A worker whose signals are blocked and whose handlers are the module's is ended all the same.
    assert agent.stop() == 0
    wait_until(lambda: not is_running(worker), "the worker ends with its agent", 5)


def test_a_module_without_locks_signs_for_many_at_once(mock, root):
    card = mock.card()
    card.identity(root)
    mock.on("C_Initialize", "arguments", rv=0x7)
    worker = Worker(mock, sessions=3)
    try:
        assert worker.loaded[0] == "loaded"
        assert worker.log_in(card, PIN) == "logged-in"
        assert isinstance(worker.sign(card), bytes)
    finally:
        worker.close()


def test_a_module_that_refuses_read_only_sessions_is_asked_once(mock, root):
    card = mock.card(refuse_ro=0x6)
    card.identity(root)
    worker = Worker(mock)
    try:
        [token] = worker.list()
        assert (token["failure"], mock.count("C_OpenSession")) == (None, 2)
        assert worker.log_in(card, PIN) == "logged-in"
        assert isinstance(worker.sign(card), bytes)
        assert mock.count("C_OpenSession") == 3
    finally:
        worker.close()


def test_a_token_without_a_session_to_spare_is_waited_for_and_then_called_busy(mock, root):
    card = mock.card(sessions=1)
    card.identity(root)
    worker = Worker(mock)
    try:
        assert worker.log_in(card, PIN) == "logged-in"  # in the one session
        begun = time.monotonic()
        answer = worker.sign(card)
        assert isinstance(answer, Failure) and answer.kind == "busy"
        assert 1 <= time.monotonic() - begun < 5
        card.set(sessions=2)
        assert isinstance(worker.sign(card), bytes)
        assert len(mock.logins()) == 1
    finally:
        worker.close()


@pytest.mark.parametrize("sizes, told", [
    ([300], [False]), ([1, 300, 1], [True, False, True]), ([70, 70, 1], [True, False, True])], ids=str)
def test_a_token_with_more_certificates_than_can_be_told_costs_the_others_nothing(mock, root, sizes, told):
    """Of 64 KiB each; more than 16 MiB in all would be the end of the worker."""
    with mock.batch():
        for size in sizes:
            card = mock.card(no_login=True)
            if size == 1:
                card.identity(root)
            for number in range(size if size > 1 else 0):
                card.certificate(bytes(65536), f"{number:04x}")
    worker = Worker(mock, timeout=60)
    try:
        for _ in range(2):  # and again, with the same room
            tokens = worker.list()
            assert [token["failure"] is None for token in tokens] == told
            counts = [len(token["certificates"]) for token in tokens]
            assert counts == [size if is_told else 0 for size, is_told in zip(sizes, told)]
            assert all("over the limit of" in token["failure"] for token in tokens if token["failure"])
    finally:
        worker.close()


def test_a_token_beside_one_with_too_many_certificates_signs(agent, mock):
    with mock.batch():
        large = mock.card("large", no_login=True)
        for number in range(300):
            large.certificate(bytes(65536), f"{number:04x}")
    assert session(agent)[0] == 200
    assert {token["label"]: token["state"] for token in agent.get("/v1/tokens")[1]} == {"prod": "ready", "large": "failed"}


def test_a_slow_login_is_not_cut_short_by_a_look_at_who_is_there(start, mock, root, service, pin_file):
    """Every two seconds, where somebody has a session; that is answered by the thread that logs in."""
    card = mock.card("prod")
    card.identity(root)
    agent = start(
        configuration.mock(mock, **{"list-timeout-seconds": 1}), configuration.token(pin_file),
        configuration.profile(service))
    assert agent.credentials().returncode == 0
    workers = agent.workers()
    card.lose_login()
    mock.on("C_Login", delay=4000, next=1)
    assert refresh(agent, "test")[0] == 200
    assert agent.workers() == workers and [login.answer for login in mock.logins()] == [0, 0]


def test_a_keypad_that_was_given_up_over_a_lock_is_not_switched_on_again(start, mock, root, service):
    """The lock's logout hangs, so that its deadline ends the worker; other signatures have another go then."""
    mock.card("prod", pinpad="right", no_login=True).identity(root, always=True, private=False)
    agent = start(
        configuration.mock(mock), configuration.token("protected"), configuration.profile(service))
    agent.get("/v1/tokens")
    keypad = mock.on("C_Login", "hang", user=CONTEXT)
    logout = mock.on("C_Logout", "hang")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        signing = pool.submit(refresh, agent, "test")
        wait_until(lambda: mock.fired(keypad) == 1, "the keypad is on")
        assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=prod"}')[0] == 204
        assert mock.fired(logout) == 1
        assert signing.result()[0] != 200
    assert mock.fired(keypad) == 1
