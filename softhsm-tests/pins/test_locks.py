"""A lock holds until somebody unlocks, also after a restart of the agent."""

import os
import signal

import pytest

from support import configuration
from support.locking import holds_session, settings, signed_in, unlock, unlock_with_stored_pin, wait_until_forgotten

UNLOCK_NEEDED = 80


def test_sigusr1_locks_until_somebody_unlocks(start, hsm, service, pin_file):
    agent = start(settings(hsm, service, [], configuration.token(pin_file)))
    workers = signed_in(agent, needs_pin=False)
    agent.process.send_signal(signal.SIGUSR1)
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode == UNLOCK_NEEDED  # though its PIN is stored
    unlock_with_stored_pin(agent)
    assert agent.credentials().returncode == 0


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_outlives_the_agent_until_somebody_unlocks(start, hsm, service, pin_file, named, end):
    agent = start(settings(hsm, service, [], configuration.token(pin_file)))
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


def test_a_failed_unlock_leaves_the_lock_for_the_next_agent(start, hsm, service, tmp_path):
    agent = start(settings(hsm, service, []))
    signed_in(agent)
    assert agent.cli("lock").returncode == 0
    assert agent.cli("unlock", "pkcs11:token=card", "--pin-stdin", input="654321").returncode == UNLOCK_NEEDED
    agent.stop(signal.SIGKILL)
    agent.start()
    assert "locked" in agent.credentials().stderr
    unlock(agent)
    assert agent.credentials().returncode == 0


@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_that_cannot_be_kept_locks_and_says_so(start, hsm, service, pin_file, named):
    agent = start(settings(hsm, service, [], configuration.token(pin_file)))
    signed_in(agent, needs_pin=False)
    os.mkdir(f"{agent.socket}.locked.new")  # the agent can neither remove nor write it
    result = agent.cli("lock", *["pkcs11:token=card"] * named)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (75, "", 2), result.stderr
    assert f"{agent.socket}.locked" in result.stderr
    assert not holds_session(agent) and agent.credentials().returncode == UNLOCK_NEEDED
    os.rmdir(f"{agent.socket}.locked.new")
    assert agent.cli("lock").returncode == 0
    assert os.path.exists(f"{agent.socket}.locked")


def test_agents_in_one_folder_keep_their_own_locks_and_refused_pins(start, hsm, service, tmp_path):
    agents = []
    for name in ("a", "b"):
        agent = start(
            settings(hsm, service, []), environment={"TOKENWARD_SOCKET": f"{tmp_path}/{name}.sock"})
        agent.socket = f"{tmp_path}/{name}.sock"
        agents.append(agent)
    one, other = agents
    assert one.cli("unlock", "pkcs11:token=card", "--pin-stdin", input="654321").returncode == UNLOCK_NEEDED
    assert one.cli("lock").returncode == 0
    unlock(other)
    assert other.credentials().returncode == 0
    assert sorted(name for name in os.listdir(tmp_path) if ".sock." in name) == [
        "a.sock.lock", "a.sock.locked", "a.sock.refused-pins", "b.sock.lock"]
