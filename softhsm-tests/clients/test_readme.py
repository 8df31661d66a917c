"""README's "With a token of your own" works as it is written, for a user with an empty home."""

import re
import shutil
import subprocess
import sys

import pytest

from support.mounts import private_mounts
from support.processes import BINARIES, ROOT
from support.shipped import README
from support.softhsm import PIN, SoftHSM
from support.terminal import Terminal

USER = 4242
PROMPT = rb"\[exit (\d+)\] $"

# In the place of the user's service manager: it listens where the installed socket unit says, and starts what the service
# unit says with the first connection.
SYSTEMCTL = """#!/bin/bash
units=/etc/systemd/user
case "$*" in
"--user daemon-reload") exit ;;
"--user enable --now tokenward.socket") ;;
*) echo "systemctl $* is not stood in for" >&2; exit 1 ;;
esac
socket=$(sed -n "s,^ListenStream=%t,$XDG_RUNTIME_DIR,p" $units/tokenward.socket)
program=$(sed -n "s,^ExecStart=,,p" $units/tokenward.service)
mkdir -p -m 700 "${socket%/*}"
setsid systemd-socket-activate -E HOME -E PATH -E XDG_RUNTIME_DIR -l "$socket" $program </dev/null >"$HOME/agent.log" 2>&1 &
for try in $(seq 500); do
    [ -S "$socket" ] && exit
    sleep 0.01
done
exit 1
"""


def commands():
    """The commands of the section, each whole: with the lines of its here-document."""
    section = re.search(r"^### With a token of your own\n(.*?)^\| command", README.read_text(), re.M | re.S)[1]
    found, end = [], None
    for line in "".join(re.findall(r"```sh\n(.*?)```", section, re.S)).splitlines():
        if end:
            found[-1] += f"\n{line}"
            end = None if line == end else end
        else:
            found.append(re.sub(r"\s+# .*", "", line))
            document = re.search(r"<<'(\w+)'", line)
            end = document and document[1]
    return found


class Newcomer:
    """A shell on a terminal, with mounts and processes of its own: whatever it starts ends with it."""

    def __init__(self, folder, as_root, **variables):
        script = folder / "as-root"
        script.write_text(as_root)
        self.terminal = Terminal()
        variables |= {"HOME": folder / "home", "XDG_RUNTIME_DIR": folder / "run"}
        self.process = subprocess.Popen(
            private_mounts(
                'bash -e "$0" && exec "$@"', script, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "setpriv",
                f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "setsid", "--ctty", "bash", "--norc", "--noprofile",
                "-i"),
            cwd=folder / "checkout", stdin=self.terminal.slave, stdout=self.terminal.slave, stderr=self.terminal.slave,
            start_new_session=True,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "dumb", "PS1": "[exit $?] ", "PS2": "",
                 **{name: str(value) for name, value in variables.items()}})
        self.wait_for_prompt()

    def wait_for_prompt(self):
        """Returns the output of the command, which has succeeded."""
        shown = self.terminal.read_until(PROMPT, seconds=60).decode()
        assert re.search(PROMPT, self.terminal.shown)[1] == b"0", shown
        self.terminal.shown = b""
        return shown

    def type(self, text):
        self.terminal.type(text.encode() + b"\n")

    def close(self):
        self.process.kill()
        self.process.wait(10)
        self.terminal.close()


@pytest.fixture
def newcomer(open_folder, root, service):
    token = SoftHSM(open_folder / "hsm").token("prod")
    token.identity(root, "client", "01")
    for name in ("home", "run", "checkout/.build", "python", "etc"):
        (open_folder / name).mkdir(parents=True)
    (open_folder / "checkout/.build/release").symlink_to(BINARIES)
    (open_folder / "checkout/Sources").symlink_to(ROOT / "Sources")
    shutil.copy(service.ca, open_folder / "ca.pem")
    (open_folder / "ca.pem").chmod(0o644)
    for name in ("home", "run", "hsm"):
        subprocess.run(["chown", "-R", f"{USER}:{USER}", open_folder / name], check=True)
    (open_folder / "run").chmod(0o700)
    (open_folder / "etc/softhsm2.conf").write_text("directories.tokendir = /var/lib/softhsm/tokens\n")
    (open_folder / "systemctl").write_text(SYSTEMCTL)
    aws = f'#!/bin/sh\nexec {open_folder}/python/bin/python -m awscli "$@"\n'
    (open_folder / "aws").write_text(aws)
    mounts = f"""
        mount -t tmpfs -o mode=755 tmpfs /usr/local
        mkdir /usr/local/bin
        mount -t tmpfs -o mode=755 tmpfs /etc/systemd
        mount --bind {open_folder}/hsm /var/lib/softhsm
        mount --bind {open_folder}/etc /etc/softhsm
        mount --bind {sys.prefix} {open_folder}/python
        install {open_folder}/systemctl {open_folder}/aws /usr/local/bin/
        sudo() {{ "$@"; }}
    """
    people = []

    def start(sudo):
        people.append(
            Newcomer(open_folder, "\n".join([mounts, *sudo]), AWS_ENDPOINT_URL=service.url,
                     AWS_CA_BUNDLE=open_folder / "ca.pem", AWS_EC2_METADATA_DISABLED="true"))
        return people[-1]

    yield start
    for person in people:
        person.close()


def test_the_section_for_a_token_of_ones_own_works_as_it_is_written(newcomer, open_folder, service):
    install, build, *rest = commands()
    done_before = (ROOT / "softhsm-tests/test").read_text().splitlines()
    assert install in done_before and build in done_before
    person = newcomer([line for line in rest if line.startswith("sudo ")])
    shown = {}
    for command in rest:
        if command.startswith("sudo "):
            continue
        if "config.toml <<" in command:
            command = at_the_emulator(command, open_folder, service)
        person.type(command)
        if command == "tokenward unlock":
            person.terminal.read_until(rb"PIN for prod \(")
            person.type(PIN)
        shown[command] = person.wait_for_prompt()
    assert re.search(r"pkcs11:\S*token=prod;\S*object=client", shown["tokenward list"])
    assert "token prod is unlocked" in shown["tokenward unlock"]
    assert service.arns["roleArn"].rpartition("/")[2] in shown["aws sts get-caller-identity --profile prod"]


def test_the_section_names_the_packages_that_the_build_needs():
    """Without those that only the tests need: the first two lines of what is installed."""
    lines = re.search(r"packages=\(\n(.*?)\n\)", (ROOT / "softhsm-tests/install").read_text(), re.S)[1].splitlines()
    needed = {word for line in lines[:2] for word in line.split("#")[0].split()} - {"procps"}
    sentence = re.search(r"The build alone needs (.*?)\.\n", README.read_text(), re.S)[1]
    assert set(re.findall(r"`(.*?)`", sentence)) == needed


def at_the_emulator(command, folder, service):
    """The profile with the emulator's names and the emulator's address, which are AWS' own otherwise."""
    for name, arn in (("trust-anchor-arn", "trustAnchorArn"), ("profile-arn", "profileArn"), ("role-arn", "roleArn")):
        command, count = re.subn(rf'(?m)^{name} = ".*"$', f'{name} = "{service.arns[arn]}"', command)
        assert count == 1
    address = f'endpoint = "{service.url}"\nca-bundle = "{folder}/ca.pem"\n'
    return re.sub(r"(?m)^END\Z", f"{address}END", command)
