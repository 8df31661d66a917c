"""Sockets for consumers: whoever reaches one gets the credentials of its profiles, and nothing else."""

import copy
import os
import shutil
import stat
import subprocess

import pytest

from support import configuration
from support.agent import read_again
from support.answers import key_of
from support.credentials import access_key
from support.machine import ALICE, MALLORY
from support.processes import binary


def listener(path, *profiles, **settings):
    """The table; it comes before those of profiles."""
    lines = {"kind": "socket", "path": str(path), "profiles": list(profiles), **settings}
    return configuration.table("[[listener]]", lines)


def through(agent, path):
    """The same agent, asked on a consumer's socket."""
    consumer = copy.copy(agent)
    consumer.socket = str(path)
    return consumer


def test_a_consumer_gets_the_credentials_of_its_profiles_and_nothing_else(start, base, service, tmp_path):
    path = tmp_path / "consumer" / "agent.sock"
    agent = start(base, listener(path, "ci"), *[configuration.profile(service, name) for name in ("ci", "other")])
    consumer = through(agent, path)
    assert access_key(consumer.credentials("ci")) == key_of(agent, "ci")
    refused = consumer.credentials("other")
    assert (refused.returncode, refused.stdout) == (78, "") and "no profile 'other'" in refused.stderr
    for method, target in [
        ("GET", "/v1/status"), ("GET", "/v1/health"), ("GET", "/v1/profiles"), ("POST", "/v1/lock"),
        ("POST", "/v1/profiles/ci/refresh"), ("POST", "/v1/tokens/unlock")]:
        status, problem = consumer.request(method, target)
        assert (status, problem["code"]) == (403, "forbidden"), target
    assert consumer.cli("status").returncode == 77
    assert f"listener={path}" in agent.log()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    agent.stop()
    assert not path.exists()


def test_a_lock_holds_on_a_consumers_socket(start, base, service, tmp_path):
    path = tmp_path / "agent.sock"
    agent = start(base, listener(path, "test"), configuration.profile(service))
    consumer = through(agent, path)
    access_key(consumer.credentials())
    assert agent.cli("lock").returncode == 0
    assert consumer.credentials().returncode == 80


@pytest.mark.parametrize("settings, code", [
    ({"mode": "0666"}, 0),
    ({"mode": "0666", "allow": {"users": [MALLORY]}}, 0),
    ({"group": MALLORY}, 0),
    ({"mode": "0666", "allow": {"users": [ALICE]}}, 77),
    ({}, 69),
], ids=["open to all", "allowed", "of its group", "not allowed", "not reachable"])
def test_another_user_needs_no_more_than_to_reach_it(start, base, service, open_folder, settings, code):
    path = f"{open_folder}/consumer/agent.sock"  # the agent makes its folder, with the umask of the shipped units
    agent = start(
        base, listener(path, "test", **settings), configuration.profile(service),
        prefix=["sh", "-c", 'umask 077; exec "$0" "$@"'])
    key = key_of(agent)
    shutil.copy(binary("tokenward-credential-process"), open_folder)
    result = subprocess.run(
        ["setpriv", f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups", "./tokenward-credential-process",
         "--socket", path, "test"], cwd=open_folder, env={}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30)
    assert result.returncode == code, result.stderr
    if code == 0:
        assert access_key(result) == key


def test_a_socket_that_cannot_be_made_is_an_error_at_start_and_a_notice_after_a_reload(
        start, base, service, tmp_path):
    good, bad = tmp_path / "good.sock", tmp_path / "bad.sock"
    bad.write_text("")
    rest = base + configuration.profile(service)
    agent = start(listener(good, "test") + rest)
    key = key_of(agent)
    agent.configure(listener(good, "test") + listener(bad, "test") + rest)
    read_again(agent)
    [notice] = [line for line in agent.json("status")["notices"] if str(bad) in line]
    assert "a regular file is in the socket's place" in notice and "'tokenward reload'" in notice
    assert access_key(through(agent, good).credentials()) == key_of(agent) == key
    bad.unlink()
    assert agent.cli("reload").returncode == 0
    assert not [line for line in agent.json("status")["notices"] if str(bad) in line]
    assert access_key(through(agent, bad).credentials()) == key
    agent.configure(rest)
    read_again(agent)
    assert not good.exists() and not bad.exists()
    agent.stop()
    bad.write_text("")
    agent.configure(listener(bad, "test") + rest)
    with pytest.raises(AssertionError, match="a regular file is in the socket's place"):
        agent.start()
    assert agent.process.returncode == 78


def test_a_socket_that_cannot_be_given_to_its_group_leaves_no_file(start, base, service, tmp_path):
    path = tmp_path / "agent.sock"
    rest = base + configuration.profile(service)
    agent = start(rest, prefix=["setpriv", "--bounding-set=-chown"])
    agent.configure(listener(path, "test", group=MALLORY) + rest)
    read_again(agent)
    [notice] = [line for line in agent.json("status")["notices"] if str(path) in line]
    assert f"the agent is no member of group {MALLORY}" in notice
    assert not path.exists()
