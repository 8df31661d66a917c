"""What makes the agent forget PINs and credentials: people, signals, the machine's sleep, screens, sessions, a hand."""

import json
import os
import signal

import pytest

from support import configuration
from support.logind import Logind
from support.softhsm import PIN, SoftHSM
from support.waiting import wait_until

UNLOCK_NEEDED = 80


@pytest.fixture
def logind(tmp_path):
    mock = Logind(tmp_path)
    try:
        yield mock.start()
    finally:
        mock.stop()


@pytest.fixture(scope="module")
def card(softhsm, root):
    softhsm.token("card").identity(root)
    return softhsm


def settings(card, service, events=None, *rules):
    text = "" if events is None else f"lock-on = {json.dumps(events)}\n"
    return text + configuration.module(card) + "".join(rules) + configuration.profile(service)


def unlock(agent):
    result = agent.cli("unlock", "pkcs11:token=card", "--pin-stdin", input=PIN)
    assert result.returncode == 0, result.stderr


def unlock_with_stored_pin(agent):
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri": "pkcs11:token=card"}')[0] == 204


def holds_session(agent):
    """What is in the cache; asking for credentials would obtain some."""
    return agent.get("/v1/status")[1]["profiles"][0].get("session_expiry") is not None


def signed_in(agent, needs_pin=True):
    if needs_pin:
        unlock(agent)
    assert agent.credentials().returncode == 0
    assert holds_session(agent)
    return agent.workers()


def wait_until_forgotten(agent, workers, seconds=1):
    """The cache is empty, and the workers that had the PIN are gone. Within the second that is promised."""
    wait_until(
        lambda: not set(workers) & set(agent.workers()) and not holds_session(agent), "PIN and session forgotten",
        seconds)


def hears_logind(agent):
    wait_until(lambda: not agent.get("/v1/status")[1]["notices"], "logind is heard")


# MARK: Signals


def test_sigusr1_locks_until_somebody_unlocks(start, card, service, pin_file):
    agent = start(settings(card, service, [], configuration.token(pin_file)))
    workers = signed_in(agent, needs_pin=False)
    agent.process.send_signal(signal.SIGUSR1)
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED  # though its PIN is stored
    unlock_with_stored_pin(agent)
    assert agent.credentials().returncode == 0


# MARK: Restarts


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_outlives_the_agent_until_somebody_unlocks(start, card, service, pin_file, named, end):
    agent = start(settings(card, service, [], configuration.token(pin_file)))
    signed_in(agent, needs_pin=False)
    result = agent.cli("lock", *["pkcs11:token=card"] * named)
    assert result.returncode == 0, result.stderr
    for _ in range(2):
        agent.stop(end)
        agent.start()
        refused = agent.credentials()
        assert (refused.returncode, refused.stdout) == (UNLOCK_NEEDED, "") and "locked" in refused.stderr
        assert agent.get("/v1/tokens")[1][0]["state"] == "pin-needed"
    unlock_with_stored_pin(agent)
    assert agent.credentials().returncode == 0
    agent.stop(end)
    agent.start()
    assert agent.credentials().returncode == 0
    # A lock of all holds for other tokens, which the unlocked one is an exception of.
    assert os.path.exists(f"{agent.socket}.locked") != named


def test_a_failed_unlock_leaves_the_lock_for_the_next_agent(start, card, service, tmp_path):
    agent = start(settings(card, service, []))
    signed_in(agent)
    assert agent.cli("lock").returncode == 0
    assert agent.cli("unlock", "pkcs11:token=card", "--pin-stdin", input="654321").returncode == UNLOCK_NEEDED
    agent.stop(signal.SIGKILL)
    agent.start()
    assert "locked" in agent.credentials().stderr
    unlock(agent)
    assert agent.credentials().returncode == 0


@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_that_cannot_be_kept_locks_and_says_so(start, card, service, pin_file, named):
    agent = start(settings(card, service, [], configuration.token(pin_file)))
    signed_in(agent, needs_pin=False)
    os.mkdir(f"{agent.socket}.locked.new")  # the agent can neither remove nor write it
    result = agent.cli("lock", *["pkcs11:token=card"] * named)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (75, "", 2), result.stderr
    assert f"{agent.socket}.locked" in result.stderr
    assert not holds_session(agent) and agent.credentials().returncode == UNLOCK_NEEDED
    os.rmdir(f"{agent.socket}.locked.new")
    assert agent.cli("lock").returncode == 0
    assert os.path.exists(f"{agent.socket}.locked")


def test_agents_in_one_folder_keep_their_own_locks_and_refused_pins(start, card, service, tmp_path):
    agents = []
    for name in ("a", "b"):
        agent = start(
            settings(card, service, []), environment={"TOKENWARD_SOCKET": f"{tmp_path}/{name}.sock"})
        agent.socket = f"{tmp_path}/{name}.sock"
        agents.append(agent)
    one, other = agents
    assert one.cli("unlock", "pkcs11:token=card", "--pin-stdin", input="654321").returncode == UNLOCK_NEEDED
    assert one.cli("lock").returncode == 0
    unlock(other)
    assert other.credentials().returncode == 0
    assert sorted(name for name in os.listdir(tmp_path) if ".sock." in name) == [
        "a.sock.lock", "a.sock.locked", "a.sock.refused-pins", "b.sock.lock"]


# MARK: Suspend


def test_sleep_waits_for_the_lock_and_ends_it(start, card, service, logind):
    agent = start(settings(card, service, ["suspend"]), environment=logind.environment)
    hears_logind(agent)
    assert logind.inhibitors() == 1
    workers = signed_in(agent)

    logind.prepare_for_sleep(True)
    wait_until(lambda: logind.inhibitors() == 0, "the machine may sleep")
    # Before it may, all is done.
    assert not holds_session(agent) and not set(workers) & set(agent.workers())
    assert agent.credentials().returncode == UNLOCK_NEEDED

    logind.prepare_for_sleep(False)
    wait_until(lambda: logind.inhibitors() == 1, "the next sleep is waited for as well")
    assert agent.credentials().returncode == UNLOCK_NEEDED  # a typed PIN has to be typed again
    signed_in(agent)


def test_a_stored_pin_logs_in_again_when_the_machine_is_awake(start, card, service, logind, pin_file):
    agent = start(settings(card, service, None, configuration.token(pin_file)), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent, needs_pin=False)
    logind.prepare_for_sleep(True)
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    logind.prepare_for_sleep(False)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after sleep")


def test_what_a_person_locked_stays_locked_after_sleep(start, card, service, logind, pin_file):
    agent = start(settings(card, service, None, configuration.token(pin_file)), environment=logind.environment)
    hears_logind(agent)
    signed_in(agent, needs_pin=False)
    assert agent.cli("lock").returncode == 0
    logind.prepare_for_sleep(True)
    wait_until(lambda: logind.inhibitors() == 0, "the machine may sleep")
    logind.prepare_for_sleep(False)
    wait_until(lambda: logind.inhibitors() == 1, "awake")
    assert agent.credentials().returncode == UNLOCK_NEEDED
    unlock_with_stored_pin(agent)
    assert agent.credentials().returncode == 0


def test_without_polkit_all_events_are_heard_and_polkit_is_named(start, card, service, logind, pin_file):
    logind.refuse_inhibitors()
    logind.add_session("c1")
    agent = start(
        settings(card, service, ["suspend", "screen-lock", "session-end"], configuration.token(pin_file)),
        environment=logind.environment)
    expected = [
        "lock-on: suspend: the machine may sleep before PINs and credentials are forgotten: polkit does not run, or refuses "
        "org.freedesktop.login1.inhibit-delay-sleep: install polkitd"]
    wait_until(lambda: agent.get("/v1/status")[1]["notices"] == expected, "polkit is named")
    workers = signed_in(agent, needs_pin=False)
    logind.lock_screen("c1")
    wait_until_forgotten(agent, workers)
    logind.lock_screen("c1", False)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after the screen's lock")
    workers = agent.workers()
    logind.prepare_for_sleep(True)
    wait_until_forgotten(agent, workers)
    logind.prepare_for_sleep(False)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after sleep")
    workers = agent.workers()
    logind.remove_session("c1")
    wait_until_forgotten(agent, workers)
    assert agent.get("/v1/status")[1]["notices"] == expected


# MARK: Sessions


def test_a_locked_screen_locks_as_long_as_it_is_locked(start, card, service, logind, pin_file):
    logind.add_session("c1")
    logind.add_session("c2")
    agent = start(
        settings(card, service, ["screen-lock"], configuration.token(pin_file)), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent, needs_pin=False)
    logind.lock_screen("c1")
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    logind.lock_screen("c2")
    logind.lock_screen("c1", False)  # c2 still is
    assert agent.credentials().returncode == UNLOCK_NEEDED
    logind.lock_screen("c2", False)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after the screen's lock")


def test_a_request_to_lock_the_screen_forgets(start, card, service, logind):
    logind.add_session("c1")
    agent = start(settings(card, service, ["screen-lock"]), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    logind.request_lock("c1")
    wait_until_forgotten(agent, workers)
    signed_in(agent)  # the screen may not lock at all


def test_the_end_of_the_last_session_forgets(start, card, service, logind):
    for session in ("c1", "c2"):
        logind.add_session(session)
    agent = start(settings(card, service), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    logind.remove_session("c1")
    # Told in order: once the agent knows of this one, it has passed the other by.
    logind.prepare_for_sleep(False)
    assert holds_session(agent) and set(workers) <= set(agent.workers())
    logind.remove_session("c2")
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    signed_in(agent)


def test_what_is_not_asked_for_and_what_others_do_locks_nothing(start, card, service, logind):
    mine, theirs = "c1", "c2"
    logind.add_session(mine)
    logind.add_session(theirs, uid=61001)
    agent = start(settings(card, service, ["screen-lock", "session-end"]), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    logind.lock_screen(theirs)
    logind.request_lock(theirs)
    logind.remove_session(theirs)
    logind.prepare_for_sleep(True)
    # Not asked for, so there is nothing to wait for: the agent lets the machine sleep at once, after all before it.
    wait_until(lambda: logind.inhibitors() == 0, "the machine may sleep")
    assert holds_session(agent) and agent.workers() == workers


def test_signals_of_anybody_else_are_no_news(start, card, service, logind):
    agent = start(settings(card, service), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    names = [line.split()[0] for line in logind.busctl("list", "--unique", "--no-legend").stdout.splitlines()]
    # Where busctl(1) lists no process numbers, the bus still tells them.
    bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s")
    peers = [name for name in names if logind.busctl("call", *bus, name).stdout == f"u {agent.process.pid}\n"]
    assert len(peers) == 1
    for destination in (peers[0], None):
        arguments = ["--destination", destination] if destination else []
        sent = logind.busctl(
            "emit", *arguments, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b",
            "true")
        assert sent.returncode == 0, sent.stderr
    logind.add_session("c1")  # heard after them
    logind.remove_session("c1")
    wait_until_forgotten(agent, workers)  # by the end of the session
    assert logind.inhibitors() == 1  # while nobody has let the machine sleep


# MARK: The bus


def test_status_says_when_nothing_is_heard_and_the_bus_may_come_and_go(start, card, service, tmp_path):
    logind = Logind(tmp_path)
    agent = start(settings(card, service), environment=logind.environment)
    try:
        [notice] = wait_until(
            lambda: [text for text in agent.get("/v1/status")[1]["notices"] if "No such file" in text], "a notice")
        assert notice == (
            "lock-on: session-end, suspend: these events are not heard: "
            f"the system bus at {logind.address}: No such file or directory")
        logind.start_bus()
        wait_until(
            lambda: any("no logind" in text for text in agent.get("/v1/status")[1]["notices"]), "a bus without logind")
        logind.start_mock()
        hears_logind(agent)
        workers = signed_in(agent)

        logind.stop()
        wait_until(lambda: agent.get("/v1/status")[1]["notices"], "the bus is gone")
        assert holds_session(agent)
        logind.start()
        hears_logind(agent)
        logind.prepare_for_sleep(True)
        wait_until_forgotten(agent, workers)
    finally:
        logind.stop()


def test_without_an_event_to_hear_there_is_no_bus_and_no_notice(start, card, service, logind):
    agent = start(settings(card, service, ["removal"]), environment=logind.environment)
    assert agent.get("/v1/status")[1]["notices"] == []
    with open(f"/proc/{agent.process.pid}/maps") as maps:
        assert "libsystemd" not in maps.read()
    # Asked for at a reload, it is heard.
    agent.configure(settings(card, service, ["suspend"]))
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: logind.inhibitors() == 1, "logind is heard")


def test_a_reload_without_the_event_ends_its_lock(start, card, service, logind, pin_file):
    logind.add_session("c1")
    rule = configuration.token(pin_file)
    agent = start(settings(card, service, ["screen-lock"], rule), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent, needs_pin=False)
    logind.lock_screen("c1")
    wait_until_forgotten(agent, workers)
    agent.configure(settings(card, service, [], rule))
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after the reload")


# MARK: Removal


@pytest.fixture
def loose_card(tmp_path, root):
    """A token that can be taken out: by its folder."""
    softhsm = SoftHSM(tmp_path / "loose")
    softhsm.token("card").identity(root)
    return softhsm


def take_out(card):
    os.rename(f"{card.folder}/tokens", f"{card.folder}/elsewhere")
    os.mkdir(f"{card.folder}/tokens")


def put_in(card, agent):
    os.rmdir(f"{card.folder}/tokens")
    os.rename(f"{card.folder}/elsewhere", f"{card.folder}/tokens")
    for worker in agent.workers():  # SoftHSM sees a new folder only when it starts
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: agent.get("/v1/tokens")[1], "the token is back")


@pytest.mark.parametrize("events, is_forgotten", [(None, True), (["removal"], True), (["suspend"], False)])
def test_a_token_that_is_taken_out_takes_its_sessions_along(
    start, loose_card, service, logind, events, is_forgotten
):
    agent = start(settings(loose_card, service, events), environment=logind.environment)
    workers = signed_in(agent)
    take_out(loose_card)
    assert agent.get("/v1/tokens")[1] == []  # a look; PC/SC's events cause one, where there are any
    if not is_forgotten:
        assert holds_session(agent)
        return
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode != 0
    put_in(loose_card, agent)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    signed_in(agent)


def test_a_stored_pin_logs_in_again_when_its_token_is_back(start, loose_card, service, logind, pin_file):
    agent = start(
        settings(loose_card, service, ["removal"], configuration.token(pin_file)), environment=logind.environment)
    workers = signed_in(agent, needs_pin=False)
    take_out(loose_card)
    assert agent.get("/v1/tokens")[1] == []
    wait_until_forgotten(agent, workers)
    put_in(loose_card, agent)
    wait_until(lambda: agent.credentials().returncode == 0, "a session with the token that is back")


def test_a_worker_that_dies_is_no_removal(start, card, service):
    agent = start(settings(card, service, ["removal"]))
    [worker] = signed_in(agent)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in agent.workers(), "the worker is gone")
    agent.get("/v1/tokens")
    agent.get("/v1/tokens")
    assert holds_session(agent)
