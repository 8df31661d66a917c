"""Each token in use has a worker of its own, so what happens to one token costs the others nothing."""

import os
import signal
import time

import pytest

from support import configuration
from support.answers import refresh
from support.processes import is_running, resident_bytes
from support.softhsm import PIN
from support.waiting import in_background, stop, wait_until

CALLS = ("C_Login", "C_Sign")


@pytest.fixture
def cards(mock, root):
    """Two cards of one module that lets a call that waits keep all others of its process waiting, as OpenSC does."""
    mock.one_lock = True
    pair = mock.card("a"), mock.card("b")
    for card in pair:
        card.identity(root)
    return pair


def profiles(service, *labels, **settings):
    return [configuration.profile(service, label, certificate=f"pkcs11:token={label}", **settings) for label in labels]


def workers(agent):
    return set(agent.workers())


def labels(agent):
    return [token["label"] for token in agent.get("/v1/tokens")[1]]


def test_a_single_token_needs_one_worker_and_keeps_it_and_its_login_when_a_second_one_comes(
    start, mock, root, service
):
    mock.card("a").identity(root)
    second = mock.card("b", inserted=False)
    second.identity(root)
    agent = start(configuration.mock(mock), *profiles(service, "a", "b"))
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    assert agent.credentials("a").returncode == 0
    [worker] = agent.workers()
    second.insert()
    assert labels(agent) == ["a", "b"]
    assert refresh(agent, "a")[0] == 200
    assert worker in wait_until(lambda: len(agent.workers()) == 2 and agent.workers(), "a worker that lists")
    assert mock.count("C_Login") == 1
    second.remove()
    wait_until(lambda: labels(agent) == ["a"], "the second card has gone")
    assert [token["state"] for token in agent.get("/v1/tokens")[1]] == ["ready"]
    wait_until(lambda: agent.workers() == [worker], "one worker is left, the token's")
    assert mock.count("C_Login") == 1


def test_each_token_in_use_has_its_own_worker_and_login(start, mock, cards, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), *profiles(service, "a", "b"))
    assert labels(agent) == ["a", "b"]
    [lister] = agent.workers()
    for profile in ("a", "b"):
        assert agent.credentials(profile).returncode == 0
    assert len(agent.workers()) == 3 and lister in agent.workers()
    assert sorted((login.card, login.answer) for login in mock.logins()) == [(1, 0), (2, 0)]
    assert lister not in {login.process for login in mock.logins()}
    assert [token["state"] for token in agent.get("/v1/tokens")[1]] == ["ready", "ready"]
    assert all(identity["has_key"] and identity["usable"] for identity in agent.get("/v1/identities")[1])


def test_a_token_that_waits_for_its_touch_costs_the_other_nothing(start, mock, root, service, pin_file):
    mock.one_lock = True
    touched, other = mock.card("a"), mock.card("b")
    touched.identity(root, touch=-1)
    other.identity(root)
    agent = start(
        configuration.mock(mock, sign_timeout_seconds=8, list_timeout_seconds=2), configuration.token(pin_file),
        *profiles(service, "a", "b"))
    waiting = in_background(agent.credentials, "a")
    wait_until(mock.waiting, "the touch is awaited")
    begun = time.monotonic()
    assert agent.credentials("b").returncode == 0
    assert agent.get("/v1/status")[0] == 200
    assert refresh(agent, "b")[0] in (200, 429, 503)
    assert time.monotonic() - begun < 6
    assert mock.waiting(), "it still waits"
    failed = waiting()
    assert failed.returncode == 75 and "did not come back within 8 seconds" in failed.stderr, failed
    assert labels(agent) == ["a", "b"]


def test_a_look_does_not_end_the_worker_whose_token_waits_for_its_touch(start, mock, root, service, pin_file):
    """With one worker for both, the look waits behind the touch, longer than a look may take."""
    mock.one_lock = True
    mock.card("a").identity(root, touch=5000)
    agent = start(
        configuration.mock(mock, list_timeout_seconds=2), configuration.token(pin_file), *profiles(service, "a"))
    waiting = in_background(agent.credentials, "a")
    wait_until(mock.waiting, "the touch is awaited")
    begun = time.monotonic()
    while time.monotonic() - begun < 3:
        assert labels(agent) == ["a"]
    wait_until(mock.waiting, "the touch is still awaited", 1)
    assert waiting().returncode == 0
    assert mock.counts(*CALLS) == (1, 1)


def test_a_token_that_hangs_costs_its_own_requests_alone(start, mock, cards, service, pin_file):
    agent = start(
        configuration.mock(mock, list_timeout_seconds=6, sign_timeout_seconds=3), configuration.token(pin_file),
        *profiles(service, "a", "b"))
    for profile in ("a", "b"):
        assert agent.credentials(profile).returncode == 0
    by_card = {login.card: login.process for login in mock.logins()}
    stop(by_card[1])  # what a hang looks like from outside
    begun = time.monotonic()
    assert refresh(agent, "b")[0] == 200
    assert time.monotonic() - begun < 5
    assert by_card[2] in agent.workers()
    wait_until(lambda: not is_running(by_card[1]), "the hung worker's end", 20)
    assert by_card[2] in agent.workers()
    wait_until(lambda: [token["state"] for token in agent.get("/v1/tokens")[1]][1:] == ["ready"], "the other is ready")


def test_a_lock_reaches_every_worker_within_a_second(start, mock, cards, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), *profiles(service, "a", "b"))
    for profile in ("a", "b"):
        assert agent.credentials(profile).returncode == 0
    by_card = {login.card: login.process for login in mock.logins()}
    stop(by_card[1])  # it cannot log out
    begun = time.monotonic()
    assert agent.request("POST", "/v1/lock")[0] == 204
    assert time.monotonic() - begun < 1
    wait_until(lambda: not any(map(is_running, by_card.values())), "the workers' end", 1)
    assert {agent.credentials(profile).returncode for profile in ("a", "b")} == {80}


def test_a_pulled_card_takes_its_worker_with_it_and_no_other(start, mock, cards, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), *profiles(service, "a", "b"))
    for profile in ("a", "b"):
        assert agent.credentials(profile).returncode == 0
    by_card = {login.card: login.process for login in mock.logins()}
    cards[0].remove()
    assert labels(agent) == ["b"]
    wait_until(lambda: not is_running(by_card[1]), "its worker's end")
    assert by_card[2] in agent.workers()
    cards[0].insert(mock.slot())
    assert labels(agent) in (["a", "b"], ["b", "a"])
    assert agent.credentials("a").returncode == 0
    assert mock.counts(*CALLS)[0] <= 3


def test_a_signature_that_waits_for_its_turn_is_not_late(start, mock, root, service, pin_file):
    """Five signatures of 1.5 seconds one after another, of which each may take three."""
    mock.card("a").identity(root)
    mock.on("C_Sign", delay=1500)
    names = [f"p{number}" for number in range(5)]
    agent = start(
        configuration.mock(mock, sessions=1, sign_timeout_seconds=3), configuration.token(pin_file),
        *[configuration.profile(service, name, certificate="pkcs11:token=a") for name in names])
    results = [in_background(agent.credentials, name) for name in names]
    assert [result().returncode for result in results] == [0] * 5
    assert mock.counts(*CALLS) == (1, 5)
    assert len(agent.workers()) == 1


def test_a_signature_that_hangs_after_many_is_given_up_as_soon_as_one_alone(start, mock, root, service, pin_file):
    mock.card("a").identity(root)
    mock.on("C_Sign", "hang", at=9)
    mock.on("C_Sign", delay=200)
    names = [f"p{number}" for number in range(9)]
    agent = start(
        configuration.mock(mock, sessions=1, sign_timeout_seconds=2), configuration.token(pin_file),
        *[configuration.profile(service, name, certificate="pkcs11:token=a") for name in names])
    begun = time.monotonic()
    results = [in_background(agent.credentials, name) for name in names]
    assert sorted(result().returncode for result in results) == [0] * 8 + [75]
    assert time.monotonic() - begun < 9 * 0.2 + 2 * 2 + 2


def test_a_signature_that_is_overtaken_on_its_way_is_not_late(start, mock, root, service, pin_file):
    """The second to come waits for what becomes of the first one's PIN, and two that want none are sent before it."""
    card = mock.card("a", no_login=True)
    names = ["asks", "asks-too", "plain", "plain-too"]
    for number, name in enumerate(names, 1):
        card.identity(root, identifier=f"0{number}", label=name, private=False, always=name.startswith("asks"))
    mock.on("C_Sign", delay=1500)
    agent = start(
        configuration.mock(mock, sessions=2, sign_timeout_seconds=2), configuration.token(pin_file),
        *[configuration.profile(service, name, certificate=f"pkcs11:token=a;object={name}") for name in names])
    results = []
    for number, name in enumerate(names):
        results.append(in_background(agent.credentials, name))
        if number == 0:
            wait_until(lambda: mock.counts("C_Sign") == (1,), "the first signature")
        agent.get("/v1/tokens")  # as the request before does
    assert [result().returncode for result in results] == [0] * 4


def test_who_has_one_profile_is_not_behind_who_has_many(start, mock, root, service, pin_file):
    mock.card("a").identity(root)
    mock.on("C_Sign", delay=600)
    many = [f"p{number}" for number in range(6)]
    agent = start(
        configuration.mock(mock, sessions=1), configuration.token(pin_file),
        *[configuration.profile(service, name, allow={"users": [1001]}, certificate="pkcs11:token=a") for name in many],
        configuration.profile(service, "one", allow={"users": [1002]}, certificate="pkcs11:token=a"))
    begun = [(name, in_background(agent.credentials, name)) for name in many]
    wait_until(lambda: mock.count("C_Sign") >= 1, "the first signature")
    single = in_background(agent.credentials, "one")
    assert single().returncode == 0
    served = mock.count("C_Sign")
    assert served < 6, f"{served} signatures went before"
    assert [result().returncode for _, result in begun] == [0] * 6


def test_a_worker_that_died_with_nothing_to_do_costs_no_request(start, mock, cards, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), *profiles(service, "a", "b"))
    assert agent.credentials("a").returncode == 0
    for ask in (lambda: labels(agent) == ["a", "b"], lambda: agent.credentials("b").returncode == 0,
                lambda: refresh(agent, "a")[0] == 200):
        for worker in agent.workers():
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: not is_running(worker), "the worker's end")
        assert ask()


MEBIBYTE = 1 << 20


def test_a_worker_that_leaks_is_replaced_when_it_is_idle(start, mock, root, service, pin_file):
    mock.card("a").identity(root)
    mock.on("C_Sign", leak=70 * MEBIBYTE)
    agent = start(configuration.mock(mock), configuration.token(pin_file), *[
        configuration.profile(service, name, certificate="pkcs11:token=a") for name in ("p", "q", "r")])
    seen = []
    for name in ("p", "q", "r"):
        assert agent.credentials(name).returncode == 0
        seen += [worker for worker in agent.workers() if worker not in seen]
    [last] = wait_until(agent.workers, "a worker")
    assert len(seen) >= 2 and last != seen[0] and resident_bytes(last) < 128 * MEBIBYTE
    assert "worker recycled" in agent.log() and mock.counts(*CALLS)[1] == 3
    assert [login.answer for login in mock.logins()] == [0] * mock.count("C_Login") and mock.count("C_Login") <= 3


def test_a_typed_pin_is_not_lost_for_a_leak_that_can_be_borne(start, mock, root, service):
    mock.card("a").identity(root)
    mock.on("C_Sign", leak=70 * MEBIBYTE)
    agent = start(configuration.mock(mock), *[
        configuration.profile(service, name, certificate="pkcs11:token=a") for name in ("p", "q", "r")])
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    before = agent.workers()
    for name in ("p", "q", "r"):
        assert agent.credentials(name).returncode == 0
    assert agent.workers() == before and resident_bytes(before[0]) > 200 * MEBIBYTE
    assert mock.counts(*CALLS) == (1, 3)


def test_a_module_that_dies_each_time_is_left_alone_for_longer_and_longer(start, mock, root, service):
    mock.card("a").identity(root)
    rule = mock.on("C_GetSlotList", "crash")
    agent = start(configuration.mock(mock), *profiles(service, "a"))
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        [module] = agent.get("/v1/status")[1]["modules"]
        assert module["state"] == "failed"
    assert mock.fired(rule) < 10, "pauses of 0, 0.1, 0.2, 0.4, 0.8 and 1.6 seconds leave room for seven deaths"
    assert "its worker has died" in module["last_error"]
    mock.clear(rule)
    wait_until(lambda: labels(agent) == ["a"], "the module is back", 30)


def test_so_many_tokens_have_a_worker_and_one_more_is_told_why_it_has_none(start, mock, service, pin_file):
    with mock.batch():
        for number in range(66):
            mock.card(f"card-{number}")
    agent = start(configuration.mock(mock), configuration.token(pin_file))
    unlock = lambda uri: agent.request("POST", "/v1/tokens/unlock", b'{"uri": "%s"}' % uri)
    status, problem = unlock(b"pkcs11:model=Mock")
    assert status == 503 and "64 other tokens of its module are logged in" in problem["detail"], problem
    assert len(agent.workers()) == 65  # one of them lists
    assert len([token for token in agent.get("/v1/tokens")[1] if token["state"] == "ready"]) == 64
    assert unlock(b"pkcs11:token=card-65")[0] == 503
    assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=card-0"}')[0] == 204
    assert unlock(b"pkcs11:token=card-65")[0] == 204
    assert len(agent.workers()) == 65
