"""The system's units start the agent for those whom a profile lists, and start it anew when it fails."""

import json
import os
import re
import shutil

import pytest

from support import configuration
from support.answers import notices
from support.credentials import access_key
from support.machine import ALICE, MALLORY
from support.shipped import README, commands
from support.softhsm import PIN
from support.units import Unit, install, install_token, profile
from support.waiting import wait_until

DEPLOY = 61010
BUILD = 61003


@pytest.fixture
def system(machine, prod, service):
    """The system's agent, installed and not started, with its PIN as a credential."""
    install(machine, commands("systemd/system"))
    owner = int(machine.run("id", "--user", "tokenward").stdout)
    module = install_token(machine, prod, owner, "var/lib/softhsm")
    machine.write("etc/pin", PIN, mode=0o600)
    machine.write("etc/systemd/system/tokenward.service.d/pin.conf", "[Service]\nLoadCredential=pin:/etc/pin\n")
    machine.write("etc/tokenward/config.toml", "\n".join([
        module, configuration.token("credential:pin"),
        profile(machine, service, allow={"users": ["alice"], "groups": [DEPLOY]})]))
    system = Unit(machine)
    system.manage("daemon-reload")
    return system


@pytest.fixture
def running(system):
    """The system's agent, started by its first caller."""
    access_key(system.credentials(ALICE))
    return system


def test_the_systems_socket_starts_the_service_for_whom_the_profile_lists(system):
    assert (system.property("ActiveState"), system.property("ActiveState", "tokenward.socket")) == ("inactive", "active")
    access_key(system.credentials(ALICE))
    assert system.property("ActiveState") == "active"
    modes = system.machine.run("stat", "--format=%a", system.socket, os.path.dirname(system.socket)).stdout
    assert modes.split() == ["666", "755"]
    access_key(system.credentials(MALLORY, groups=[DEPLOY]))
    refused = system.credentials(MALLORY)
    assert (refused.returncode, refused.stdout) == (77, "")
    assert refused.stderr.startswith(f"tokenward: no profile allows uid {MALLORY}; ")
    assert notices(system.status()) == []


def test_workers_have_walls_of_their_own_within_the_units(running):
    processes = running.processes()
    agent, worker = processes["tokenward-agent"], processes["tokenward-worke"]
    for process in (agent, worker):
        assert process["NoNewPrivs"] == "1" and process["Seccomp"] == "2" and int(process["CapBnd"], 16) == 0
        assert set(process["Uid"].split()) == {running.machine.run("id", "--user", "tokenward").stdout.strip()}
    assert int(worker["Seccomp_filters"]) == int(agent["Seccomp_filters"]) + 1


def test_a_filter_that_refuses_the_workers_walls_is_named(running):
    running.machine.write(
        "etc/systemd/system/tokenward.service.d/filter.conf",
        "[Service]\nSystemCallFilter=~landlock_create_ruleset seccomp\n")
    running.manage("daemon-reload")
    running.manage("restart", "tokenward.service")
    access_key(running.credentials(ALICE))
    lines = notices(running.status())
    assert len(lines) == 3 and all("SystemCallFilter=" in line for line in lines)


def test_a_reload_takes_the_new_configuration_and_refuses_a_faulty_one(running):
    agent, path = running.agent(), "etc/tokenward/config.toml"
    text = (running.machine.root / path).read_text()
    running.machine.write(path, text.replace('"alice"', '"mallory"'))
    running.manage("reload", "tokenward.service")
    assert running.credentials(ALICE).returncode == 77
    access_key(running.credentials(MALLORY))
    running.machine.write(path, text + "nonsense = 1\n")
    assert running.control("reload", "tokenward.service").returncode != 0
    assert 'unknown key "nonsense"' in running.log()
    access_key(running.credentials(MALLORY))
    assert running.agent() == agent


def test_a_restart_and_a_stop_leave_the_socket_to_the_callers(running):
    agent = running.agent()
    running.manage("restart", "tokenward.service")
    assert running.agent() not in ("0", agent)
    access_key(running.credentials(ALICE))
    running.manage("stop", "tokenward.service")
    assert (running.agent(), running.property("Result"), running.processes()) == ("0", "success", {})
    access_key(running.credentials(ALICE))


@pytest.mark.parametrize("fault, told", [
    ("nonsense = 1\n", 'unknown key "nonsense"'),
    ('[[listener]]\nkind = "socket"\npath = "/none/there/agent.sock"\nprofiles = ["test"]\n', "/none/there: mkdir failed"),
], ids=["in the file", "of a consumer's socket"])
def test_callers_of_a_service_with_a_faulty_configuration_are_refused_and_its_socket_stays(system, fault, told):
    path = "etc/tokenward/config.toml"
    text = (system.machine.root / path).read_text()
    system.machine.write(path, text + fault)
    for _ in range(30):  # more than systemd would start
        refused = system.credentials(ALICE)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (69, "", 1)
    assert told in system.log()
    assert system.property("ActiveState", "tokenward.socket") == "active"
    # Without a waiting caller it ends at once.
    system.control("restart", "tokenward.service")
    assert (system.property("ExecMainStatus"), system.property("NRestarts")) == ("78", "0")
    system.machine.write(path, text)
    access_key(system.credentials(ALICE))


def test_the_readmes_endpoint_works_within_the_units_walls(running):
    [table] = [block for block in re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL) if "token-file" in block]
    variables = "\n".join(commands("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    running.machine.add_user("build", BUILD)
    path = "etc/tokenward/config.toml"
    text = (running.machine.root / path).read_text()
    running.machine.write(path, text + table.replace('"prod"', '"test"'))
    running.manage("reload", "tokenward.service")
    assert notices(running.status()) == []

    def ask(user):
        return running.machine.run(
            "bash", "-c", f"""{variables.replace("credentials/prod", "credentials/test")}
            curl --silent --show-error --max-time 2 --header "Authorization: $(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")" \\
            "$AWS_CONTAINER_CREDENTIALS_FULL_URI" """, user=user).stdout

    answer = wait_until(lambda: '"AccessKeyId"' in (told := ask(BUILD)) and json.loads(told), "the credentials are there")
    assert {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "AccountId"} == set(answer)
    assert "does not allow uid" in ask(ALICE)
    running.manage("stop", "tokenward.service")
    assert not (running.machine.run("ls", "/run/tokenward").stdout.split().count("prod.token"))


def test_a_lock_outlives_the_service(running):
    result = running.run("tokenward", "lock")
    assert result.returncode == 0, result.stderr
    running.manage("restart", "tokenward.service")
    assert running.credentials(ALICE).returncode == 80
    result = running.run("tokenward", "unlock", "--stored")
    assert result.returncode == 0, result.stderr
    access_key(running.credentials(ALICE))


def test_an_agent_that_is_killed_is_started_anew(running):
    agent = running.agent()
    running.manage("kill", "--signal=KILL", "--kill-whom=main", "tokenward.service")
    running.wait_for_another(agent)
    access_key(running.credentials(ALICE))
    assert running.property("NRestarts") == "1"


def test_an_agent_that_hangs_is_started_anew_and_one_that_works_is_not(running):
    running.machine.write("etc/systemd/system/tokenward.service.d/watchdog.conf", "[Service]\nWatchdogSec=1\n")
    running.manage("daemon-reload")
    running.manage("restart", "tokenward.service")
    agent, seen = running.agent(), set()
    # More than two of its seconds.
    wait_until(
        lambda: seen.add(running.property("WatchdogTimestampMonotonic")) or len(seen) > 5, "the agent tells that it works")
    assert running.agent() == agent
    running.manage("kill", "--signal=STOP", "--kill-whom=main", "tokenward.service")
    running.wait_for_another(agent)
    assert re.search(r"tokenward.service: Watchdog timeout .*\n", running.log())
    access_key(running.credentials(ALICE))


# The policy file of a pcsc-lite that asks polkit (Debian 13), cut to what polkit needs: people at the machine may.
CARD_ACTIONS = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<policyconfig>
  <action id="org.debian.pcsc-lite.access_pcsc">
    <defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active></defaults>
  </action>
  <action id="org.debian.pcsc-lite.access_card">
    <defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active></defaults>
  </action>
  <action id="org.example.other">
    <defaults><allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active></defaults>
  </action>
</policyconfig>
"""


def test_the_shipped_rule_of_polkit_lets_the_systems_agent_use_cards_and_nothing_else(running):
    if not shutil.which("pkcheck"):
        pytest.skip("polkit is not installed: apt-get install polkitd")
    result = running.machine.run(
        "sh", "-c", "mount -t tmpfs tmpfs /usr/share/polkit-1/actions && cat >/usr/share/polkit-1/actions/cards.policy",
        input=CARD_ACTIONS)
    assert result.returncode == 0, result.stderr

    def may(action, user):
        return running.machine.run(
            "sh", "-c", f'pkcheck --action-id {action} --process "$$"', user=user).returncode == 0

    agent = int(running.machine.run("id", "--user", "tokenward").stdout)
    for action in ("org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card"):
        assert may(action, agent) and not may(action, MALLORY)
    assert not may("org.example.other", agent)
