"""The user's units start an agent of the user's own, which has the user's terminal and logins."""

import os
import subprocess

import pytest

from support import configuration
from support.answers import notices
from support.credentials import access_key, checked_credentials
from support.machine import ALICE, MALLORY
from support.shipped import PAM, commands
from support.softhsm import PIN
from support.terminal import Terminal
from support.units import Unit, install, install_token, profile
from support.waiting import wait_until


@pytest.fixture
def users(machine, prod, service):
    """Alice's agent, installed and not started; her manager runs without a session of hers."""
    module = install_token(machine, prod, ALICE, "home/alice/softhsm")
    machine.write("home/alice/pin", PIN, mode=0o600, owner=ALICE)
    machine.write("home/alice/.config/tokenward/config.toml", "\n".join([
        module, configuration.token("file:/home/alice/pin"), profile(machine, service)]), owner=ALICE)
    users = Unit(machine, ALICE)
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
