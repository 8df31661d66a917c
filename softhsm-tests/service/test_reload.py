"""A reload takes what is new, keeps what did not change, and refuses what is faulty."""

import concurrent.futures
import signal

from support import configuration
from support.agent import read_again
from support.answers import key_of
from support.waiting import wait_until


def test_a_reload_keeps_unchanged_parts(start, base, service):
    names = ("same", "changed", "removed")
    agent = start(base, *[configuration.profile(service, name) for name in names])
    before = {name: key_of(agent, name) for name in names}
    [worker] = agent.workers()

    agent.configure("\n".join([
        base, configuration.profile(service, "same"),
        configuration.profile(service, "changed", session_duration_seconds=1800),
        configuration.profile(service, "added")]))
    read_again(agent)

    assert key_of(agent, "same") == before["same"]
    assert key_of(agent, "changed") != before["changed"]
    assert key_of(agent, "added") not in before.values()
    status, problem = agent.get("/v1/profiles/removed/credentials")
    assert (status, problem["code"], problem["exit"]) == (404, "unknown-profile", 78)
    assert agent.workers() == [worker]


def test_a_reload_that_only_changes_who_may_use_it_keeps_the_session(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service, allow={"users": [61001]}))
    read_again(agent)
    assert key_of(agent) == before


def test_a_faulty_configuration_changes_nothing_and_its_line_is_told(start, base, service):
    text = base + configuration.profile(service)
    agent = start(text)
    before = key_of(agent)
    agent.configure(text + "role-session-nam = \"x\"\n")
    read_again(agent, "the configuration has faults, so the old one stays in force")
    line = text.count("\n") + 1
    assert f"{agent.configuration_path}:{line}: " in agent.log()
    assert "role-session-name" in agent.log()
    assert key_of(agent) == before
    agent.configure(text)
    read_again(agent)
    assert key_of(agent) == before


def test_the_reload_command_has_read_the_configuration_when_it_ends(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service) + configuration.profile(service, "added"))
    result = agent.cli("reload")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["added", "test"]
    assert key_of(agent) == before


def test_the_reload_command_names_every_fault_and_nothing_is_changed(start, base, service):
    text = base + configuration.profile(service)
    agent = start(text)
    before = key_of(agent)
    agent.configure(text + "rle-arn = \"x\"\nsession-duration-seconds = 5\n[profile.added]\n")
    result = agent.cli("reload")
    assert (result.returncode, result.stdout) == (78, "")
    error, hint = result.stderr.splitlines()
    line = text.count("\n") + 1
    for number in (line, line + 1, line + 2):
        assert f"{agent.configuration_path}:{number}: " in error
    assert "role-arn" in error and "'tokenward reload'" in hint
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["test"]
    assert key_of(agent) == before


def test_reloads_at_the_same_time_come_one_after_the_other(start, base, service):
    agent = start(base, configuration.profile(service))
    before = key_of(agent)
    agent.configure(base + configuration.profile(service) + configuration.profile(service, "added"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(agent.request, "POST", "/v1/reload") for _ in range(64)]
        for _ in range(8):
            agent.process.send_signal(signal.SIGHUP)
        assert {answer.result() for answer in answers} == {(204, None)}
    assert [profile["name"] for profile in agent.json("status")["profiles"]] == ["added", "test"]
    assert key_of(agent) == before
    assert agent.stop() == 0


def test_a_lock_does_not_wait_for_a_reload_that_is_slow_to_read(start, base, service, tmp_path):
    """As with a directory of users that does not answer: here one file takes three seconds to open, on one processor."""
    slow = tmp_path / "conf.d" / "slow.toml"
    agent = start(
        base, configuration.profile(service),
        prefix=[
            "taskset", "--cpu-list", "0", "strace", "-D", "-f", "-o", tmp_path / "trace", "-P", slow,
            "-e", "inject=openat:delay_enter=3s"])
    key_of(agent)
    slow.parent.mkdir(mode=0o700)
    slow.touch(mode=0o600)
    agent.process.send_signal(signal.SIGHUP)
    agent.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: agent.get("/v1/profiles/test/credentials")[0] == 423, "the lock")
    assert "configuration read again" not in agent.log()
    wait_until(lambda: "configuration read again" in agent.log(), "the end of the reload")
    assert agent.get("/v1/profiles/test/credentials")[0] == 423
