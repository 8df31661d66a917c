"""The shipped units under a real systemd: what they start, whom it serves, and what becomes of it when it fails."""

import json
import os
import re
import shutil
import subprocess

import pytest

from support import configuration
from support.answers import notices
from support.credentials import access_key, checked_credentials
from support.machine import Machine
from support.shipped import PAM, commands
from support.softhsm import PIN
from support.terminal import Terminal
from support.waiting import wait_until

ALICE, MALLORY, DEPLOY = 61001, 61002, 61010


@pytest.fixture(scope="module")
def token(softhsm, root):
    softhsm.token("prod").identity(root)
    return softhsm


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "machine")
    machine.add_user("alice", ALICE)
    machine.add_user("mallory", MALLORY)
    try:
        yield machine.boot()
    finally:
        machine.stop()


class Service:
    """What both managers' tests ask of tokenward.service; `control` is systemctl as its manager's user runs it."""

    def __init__(self, machine, user=None):
        self.machine, self.user = machine, user
        runtime = f"/run/user/{user}"
        self.environment = {} if user is None else {
            "XDG_RUNTIME_DIR": runtime, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}
        self.socket = "/run/tokenward/agent.sock" if user is None else f"{runtime}/tokenward/agent.sock"

    def run(self, *command):
        return self.machine.run(*command, user=self.user, environment=self.environment)

    def control(self, *arguments):
        return self.run("systemctl", *["--user"] * (self.user is not None), *arguments)

    def manage(self, *arguments):
        result = self.control(*arguments)
        assert result.returncode == 0, (result.stderr, self.log())

    def property(self, name, unit="tokenward.service"):
        return self.control("show", "--value", f"--property={name}", unit).stdout.strip()

    def log(self):
        unit = "--unit=tokenward.service" if self.user is None else "_SYSTEMD_USER_UNIT=tokenward.service"
        return self.machine.run("journalctl", "--no-pager", "--output=cat", unit).stdout

    def credentials(self, user=None, groups=()):
        user = self.user if user is None else user
        return self.machine.run(
            "tokenward-credential-process", "test", user=user, groups=groups, environment=self.environment)

    def status(self):
        result = self.run("tokenward", "status", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def agent(self):
        """The agent's process, as the machine numbers it."""
        return self.property("MainPID")

    def processes(self):
        """The agent's process and those that it has started: the fields of each one's status, by its name."""
        found = {}
        for pid in self.machine.run("pgrep", "-u", self.user or "tokenward", "tokenward-").stdout.split():
            status = self.machine.run("cat", f"/proc/{pid}/status").stdout
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            found[fields["Name"]] = fields
        return found

    def wait_for_another(self, agent, seconds=20):
        wait_until(
            lambda: self.agent() not in ("0", agent) and self.property("ActiveState") == "active",
            "the agent was started anew", seconds)


def install(machine, lines, user=None, environment=None):
    """Does what the README's lines say, as the user whose manager it is."""
    for line in lines:
        who, what = (None, line.removeprefix("sudo ")) if line.startswith("sudo ") else (user, line)
        result = machine.run("bash", "-c", f"cd /src && {what}", user=who, environment=environment if who else None)
        assert result.returncode == 0, (line, result.stderr)


def install_token(machine, token, owner, folder):
    """The token's files, and a module that finds them."""
    path = machine.root / folder
    shutil.copytree(f"{token.folder}/tokens", path / "tokens")
    for place, folders, files in os.walk(path):
        for name in (".", *folders, *files):
            os.chown(os.path.join(place, name), owner, owner)
    machine.write(
        "etc/softhsm2.conf", f"directories.tokendir = /{folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    return configuration.module(token, environment={"SOFTHSM2_CONF": "/etc/softhsm2.conf"}, writable=None)


def profile(machine, service, **settings):
    with open(service.ca) as file:
        machine.write("etc/emulator.pem", file.read())
    return configuration.profile(service, ca_bundle="/etc/emulator.pem", **settings)


@pytest.fixture
def system(machine, token, service):
    """The system's agent, installed and not started, with its PIN as a credential."""
    install(machine, commands("systemd/system"))
    owner = int(machine.run("id", "--user", "tokenward").stdout)
    module = install_token(machine, token, owner, "var/lib/softhsm")
    machine.write("etc/pin", PIN, mode=0o600)
    machine.write("etc/systemd/system/tokenward.service.d/pin.conf", "[Service]\nLoadCredential=pin:/etc/pin\n")
    machine.write("etc/tokenward/config.toml", "\n".join([
        module, configuration.token("credential:pin"),
        profile(machine, service, allow={"users": ["alice"], "groups": [DEPLOY]})]))
    system = Service(machine)
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


def test_callers_of_a_service_with_a_faulty_configuration_are_refused_and_its_socket_stays(system):
    path = "etc/tokenward/config.toml"
    text = (system.machine.root / path).read_text()
    system.machine.write(path, text + "nonsense = 1\n")
    for _ in range(30):  # more than systemd would start
        refused = system.credentials(ALICE)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (69, "", 1)
    assert 'unknown key "nonsense"' in system.log()
    assert system.property("ActiveState", "tokenward.socket") == "active"
    # With nobody waiting it ends at once.
    system.control("restart", "tokenward.service")
    assert (system.property("ExecMainStatus"), system.property("NRestarts")) == ("78", "0")
    system.machine.write(path, text)
    access_key(system.credentials(ALICE))


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


@pytest.fixture
def users(machine, token, service):
    """Alice's agent, installed and not started; her manager runs without a session of hers."""
    module = install_token(machine, token, ALICE, "home/alice/softhsm")
    machine.write("home/alice/pin", PIN, mode=0o600, owner=ALICE)
    machine.write("home/alice/.config/tokenward/config.toml", "\n".join([
        module, configuration.token("file:/home/alice/pin"), profile(machine, service)]), owner=ALICE)
    users = Service(machine, ALICE)
    machine.run("loginctl", "enable-linger", "alice")
    wait_until(
        lambda: machine.run("systemctl", "is-active", f"user@{ALICE}.service").stdout == "active\n",
        "alice's manager runs")
    install(machine, commands("systemd/user"), ALICE, users.environment)
    return users


def test_a_users_socket_starts_an_agent_of_the_users_own(users):
    assert (users.property("ActiveState"), users.property("ActiveState", "tokenward.socket")) == ("inactive", "active")
    access_key(users.credentials())
    modes = users.machine.run("stat", "--format=%a %u", users.socket, os.path.dirname(users.socket)).stdout
    assert modes.splitlines() == [f"600 {ALICE}", f"700 {ALICE}"]
    assert users.machine.run(
        "tokenward-credential-process", "--socket", users.socket, "test", user=MALLORY).returncode == 69
    assert notices(users.status()) == []
    processes = users.processes()
    agent, worker = processes["tokenward-agent"], processes["tokenward-worke"]
    assert agent["NoNewPrivs"] == "1" and int(worker["Seccomp_filters"]) == int(agent["Seccomp_filters"]) + 1

    users.manage("reload", "tokenward.service")
    agent = users.agent()
    users.manage("kill", "--signal=KILL", "--kill-whom=main", "tokenward.service")
    users.wait_for_another(agent)
    access_key(users.credentials())


def test_without_polkit_a_users_agent_hears_logind_and_names_polkit(users):
    users.machine.mask("polkit.service")
    assert users.machine.run("systemctl", "daemon-reload").returncode == 0
    access_key(users.credentials())
    wait_until(lambda: "polkit" in str(users.status()["notices"]), "polkit is named")
    [line] = [line for line in users.status()["notices"] if line.startswith("lock-on: ")]
    assert line.startswith("lock-on: suspend: ") and "polkit does not run" in line

    def locks_after_a_session():
        with subprocess.Popen(
            users.machine.command("runuser", "--login", "alice", "--command", "read line"), stdin=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin", "XDG_SESSION_CLASS": "user"}) as session:
            wait_until(lambda: "alice" in users.machine.run("loginctl", "list-sessions").stdout, "a session")
            users.status()
            session.stdin.close()
        wait_until(lambda: "alice" not in users.machine.run("loginctl", "list-sessions").stdout, "no session")
        return "locking because-of=session-end" in users.log()

    wait_until(locks_after_a_session, "the end of the user's last session locks")


def test_in_a_namespace_that_hides_root_the_namespace_is_named(users):
    def run_agent(*arguments):
        return users.run(
            "systemd-run", "--user", "--wait", "--pipe", "--quiet", "--property=PrivateUsers=yes",
            "/usr/local/bin/tokenward-agent", *arguments)

    result = run_agent("--socket", f"/run/user/{ALICE}/other.sock")
    assert (result.returncode, result.stderr) == (
        69, "tokenward-agent: error: /run/user: its owner is hidden by the user namespace that the agent runs in; "
        "take PrivateUsers= out of the unit\n")
    users.machine.write("etc/tokenward/config.toml", "")
    result = run_agent("--check", "--config", "/etc/tokenward/config.toml")
    assert (result.returncode, result.stderr) == (
        78, "tokenward-agent: error: /etc/tokenward/config.toml: its owner is hidden by the user namespace that the agent "
        "runs in; take PrivateUsers= out of the unit\n")


def prompted(users):
    """The PIN is a person's from now on."""
    path = "home/alice/.config/tokenward/config.toml"
    text = (users.machine.root / path).read_text()
    users.machine.write(path, text.replace("file:/home/alice/pin", "prompt"), owner=ALICE)
    return users


def test_pinentry_works_within_the_users_unit(users):
    terminal = Terminal()
    try:
        with subprocess.Popen(
            prompted(users).machine.command(
                "script", "--quiet", "--return", "--command", "tokenward-credential-process test >/home/alice/answer",
                "/dev/null", user=ALICE),
            env={"PATH": "/usr/local/bin:/usr/bin", "TERM": "xterm", **users.environment}, stdin=terminal.slave,
            stdout=terminal.slave, stderr=terminal.slave, start_new_session=True) as client:
            terminal.read_until(b'PIN of token "prod"')
            terminal.type(f"{PIN}\r".encode())
            assert client.wait(20) == 0, terminal.drain()
    finally:
        terminal.close()
    checked_credentials((users.machine.root / "home/alice/answer").read_text())


def test_the_shipped_line_for_pam_unlocks_the_users_agent_at_login(users):
    prompted(users)
    users.machine.write("etc/pam.d/tokenward-test", (
        f"auth required pam_exec.so expose_authtok quiet /bin/true\n{PAM.read_text()}account required pam_permit.so\n"))
    assert users.credentials().returncode == 80
    result = users.machine.run("pamtester", "tokenward-test", "alice", "authenticate", input=f"{PIN}\n")
    assert result.returncode == 0, result.stderr
    wait_until(lambda: users.credentials().returncode == 0, "the token is unlocked")


# What pcsc-lite installs where it asks polkit (Debian 13), cut to what polkit needs: people at the machine may.
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
