"""The shipped units on a machine of the test's own, installed as the README says."""

import json
import os
import shutil

from support import configuration
from support.waiting import wait_until


class Unit:
    """The checks of tokenward.service under both managers; `control` is systemctl as its manager's user runs it."""

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
