"""The agent locks when the machine sleeps, the screen locks or the last session ends."""

import signal

from support import configuration
from support.locking import hears_logind, holds_session, settings, signed_in, unlock_with_stored_pin, wait_until_forgotten
from support.logind import Logind
from support.waiting import wait_until

UNLOCK_NEEDED = 80


def test_sleep_waits_for_the_lock_and_ends_it(start, hsm, service, logind):
    agent = start(settings(hsm, service, ["suspend"]), environment=logind.environment)
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


def test_a_stored_pin_logs_in_again_when_the_machine_is_awake(start, hsm, service, logind, pin_file):
    agent = start(settings(hsm, service, None, configuration.token(pin_file)), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent, needs_pin=False)
    logind.prepare_for_sleep(True)
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    logind.prepare_for_sleep(False)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after sleep")


def test_tokens_that_a_person_locked_stay_locked_after_sleep(start, hsm, service, logind, pin_file):
    agent = start(settings(hsm, service, None, configuration.token(pin_file)), environment=logind.environment)
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


def test_without_polkit_all_events_are_heard_and_polkit_is_named(start, hsm, service, logind, pin_file):
    logind.refuse_inhibitors()
    logind.add_session("c1")
    agent = start(
        settings(hsm, service, ["suspend", "screen-lock", "session-end"], configuration.token(pin_file)),
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


def test_a_locked_screen_locks_as_long_as_it_is_locked(start, hsm, service, logind, pin_file):
    logind.add_session("c1")
    logind.add_session("c2")
    agent = start(
        settings(hsm, service, ["screen-lock"], configuration.token(pin_file)), environment=logind.environment)
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


def test_a_request_to_lock_the_screen_forgets(start, hsm, service, logind):
    logind.add_session("c1")
    agent = start(settings(hsm, service, ["screen-lock"]), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    logind.request_lock("c1")
    wait_until_forgotten(agent, workers)
    signed_in(agent)  # the screen may not lock at all


def test_the_end_of_the_last_session_forgets(start, hsm, service, logind):
    for session in ("c1", "c2"):
        logind.add_session(session)
    agent = start(settings(hsm, service), environment=logind.environment)
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


def test_events_not_in_lock_on_and_of_other_users_lock_nothing(start, hsm, service, logind):
    mine, theirs = "c1", "c2"
    logind.add_session(mine)
    logind.add_session(theirs, uid=61001)
    agent = start(settings(hsm, service, ["screen-lock", "session-end"]), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent)
    logind.lock_screen(theirs)
    logind.request_lock(theirs)
    logind.remove_session(theirs)
    logind.prepare_for_sleep(True)
    # Not asked for, so there is nothing to wait for: the agent lets the machine sleep at once, after all before it.
    wait_until(lambda: logind.inhibitors() == 0, "the machine may sleep")
    assert holds_session(agent) and agent.workers() == workers


def test_signals_of_anybody_else_are_no_news(start, hsm, service, logind):
    agent = start(settings(hsm, service), environment=logind.environment)
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

    def ends_a_session():
        """One that has gone before the agent asks for it was never there."""
        logind.add_session("c1")
        logind.remove_session("c1")
        return not holds_session(agent)

    wait_until(ends_a_session, "the end of a session, heard after them")
    wait_until_forgotten(agent, workers)
    assert logind.inhibitors() == 1  # before the agent has let the machine sleep


def test_status_says_when_nothing_is_heard_and_the_bus_may_come_and_go(start, hsm, service, tmp_path):
    logind = Logind(tmp_path)
    agent = start(settings(hsm, service), environment=logind.environment)
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


def test_without_an_event_to_hear_there_is_no_bus_and_no_notice(start, hsm, service, logind):
    agent = start(settings(hsm, service, ["removal"]), environment=logind.environment)
    assert agent.get("/v1/status")[1]["notices"] == []
    with open(f"/proc/{agent.process.pid}/maps") as maps:
        assert "libsystemd" not in maps.read()
    # Asked for at a reload, it is heard.
    agent.configure(settings(hsm, service, ["suspend"]))
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: logind.inhibitors() == 1, "logind is heard")


def test_a_reload_without_the_event_ends_its_lock(start, hsm, service, logind, pin_file):
    logind.add_session("c1")
    rule = configuration.token(pin_file)
    agent = start(settings(hsm, service, ["screen-lock"], rule), environment=logind.environment)
    hears_logind(agent)
    workers = signed_in(agent, needs_pin=False)
    logind.lock_screen("c1")
    wait_until_forgotten(agent, workers)
    agent.configure(settings(hsm, service, [], rule))
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: agent.credentials().returncode == 0, "a session after the reload")
