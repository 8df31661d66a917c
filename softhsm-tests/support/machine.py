"""A machine with a systemd of its own, in namespaces: this machine's programs, and the units that this project ships."""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import uuid

import pytest

from support.processes import ROOT, binary
from support.shipped import FOLDER, PROGRAMS
from support.waiting import wait_until

SYSTEMD = "/lib/systemd/systemd"
ALICE, MALLORY = 61001, 61002
"""Two people with a home."""

# The files of this machine's /etc that programs need. Its accounts and its units stay outside.
CONFIGURATION = (
    "alternatives", "dbus-1", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "login.defs", "nsswitch.conf", "pam.d",
    "pkcs11", "polkit-1", "security", "ssl")
# Of what systemd starts by itself; devices, kernel settings, terminals and timers are this machine's own.
WANTED = {
    "dbus.service", "dbus.socket", "systemd-journald-dev-log.socket", "systemd-journald.service",
    "systemd-journald.socket", "systemd-logind.service", "systemd-tmpfiles-setup.service",
    "systemd-user-sessions.service"}
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")

# The steps before systemd runs. $1: the root; $2: the cgroup's name; $3: a folder for its tree; $4: the sources.
ENTER = f"""
set -e
mount --bind "$1" "$1"
mount --bind /usr "$1/usr"
mount -o remount,bind,ro "$1/usr"
mount --bind "$1/programs" "$1{FOLDER}"
mount --bind "$4" "$1/src/Sources"
mount -o remount,bind,ro "$1/src/Sources"
mount -t cgroup2 none "$3"
mkdir "$3/$2"
echo $$ >"$3/$2/cgroup.procs"
exec unshare --pid --cgroup --uts --ipc --fork --kill-child sh -c "$INSIDE" sh "$1"
"""
INSIDE = """
set -e
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
for device in $DEVICES; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . old
cd /
umount -l old
mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin container=test /lib/systemd/systemd --log-target=journal 2>&1
"""


class Machine:
    """Boots, runs commands inside, and ends with all that was started there."""

    def __init__(self, folder):
        require_machine()
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.cgroup = f"tokenward-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.process = self.pid = None
        self.prepare()

    def prepare(self):
        for name in ("dev", "etc/systemd/system", "home", "old", "proc", "programs", "root", "run", "src/Sources", "sys",
                     "tmp", "usr", "var/lib", "var/log", "var/tmp"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib32", "lib64", "libx32", "sbin"):
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), self.root / name)
        for name in CONFIGURATION:
            if os.path.isdir(f"/etc/{name}"):
                shutil.copytree(f"/etc/{name}", self.root / "etc" / name, symlinks=True)
            elif os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", self.root / "etc" / name)
        self.write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", self.root / "etc" / name)
        self.write("etc/shadow", "root:*:19000::::::\n", mode=0o600)
        for name in PROGRAMS:
            shutil.copy(binary(name), self.root / "programs")
            libraries = subprocess.run(["ldd", binary(name)], capture_output=True, text=True, timeout=20).stdout
            for library in re.findall(r"=> (/opt/\S+|/home/\S+)", libraries):  # Swift's own, where they are not linked in
                copy = self.root / library.removeprefix("/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                if not copy.exists():
                    shutil.copy(library, copy)
        for wants in pathlib.Path("/usr/lib/systemd/system").glob("*.wants"):
            for unit in wants.iterdir():
                if unit.name not in WANTED and not unit.name.endswith(".target"):
                    self.mask(unit.name)

    def mask(self, unit):
        path = self.root / "etc/systemd/system" / unit
        if not path.is_symlink():
            path.symlink_to("/dev/null")

    def write(self, name, text, mode=0o644, owner=0):
        """A file of the machine's, before or after it has booted; not in /run and /tmp."""
        path = self.root / name
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                os.chown(folder, owner, owner)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, owner, owner)
        return path

    def add_user(self, name, uid):
        """A person with a home."""
        for file, line in {
            "passwd": f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh", "group": f"{name}:x:{uid}:",
            "shadow": f"{name}:*:19000::::::"
        }.items():
            with open(self.root / "etc" / file, "a") as accounts:
                accounts.write(f"{line}\n")
        home = self.root / "home" / name
        home.mkdir(mode=0o700)
        os.chown(home, uid, uid)

    def boot(self, seconds=60):
        (self.folder / "cgroup").mkdir()
        self.console = open(self.folder / "console", "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh",
             self.root, self.cgroup, self.folder / "cgroup", ROOT / "Sources"],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "INSIDE": INSIDE, "DEVICES": " ".join(DEVICES)},
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)

        def init():
            assert self.process.poll() is None, f"it does not boot: {self.output()}"
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for child in children:
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{child}/exe").endswith("/systemd"):
                        return int(child)

        self.pid = wait_until(init, "systemd runs", seconds)
        wait_until(
            lambda: self.run("systemctl", "is-active", "multi-user.target").stdout == "active\n",
            "the machine has booted", seconds)
        return self

    def output(self):
        return (self.folder / "console").read_text(errors="replace")

    def command(self, *command, user=None, groups=()):
        """The words that run a command inside, as root or another user."""
        become = []
        if user is not None:
            members = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
            become = ["setpriv", f"--reuid={user}", f"--regid={user}", members]
        return ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--wd=/", *become,
                *map(str, command)]

    def run(self, *command, environment=None, input=None, timeout=60, **become):
        """The command when it has ended."""
        return subprocess.run(
            self.command(*command, **become),
            env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8", **(environment or {})},
            stdin=subprocess.DEVNULL if input is None else None, input=input, start_new_session=True,
            capture_output=True, text=True, timeout=timeout)

    def stop(self):
        if self.process is None:
            return
        self.process.kill()  # systemd with it, and with systemd all that it started
        self.process.wait()
        self.console.close()
        _remove_cgroup(self.cgroup)


def _in_cgroups(script, *arguments, timeout=30):
    """Runs a shell's script with the tree of cgroups (version 2) mounted at $0, for itself alone."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'mount -t cgroup2 none "$0" || exit\n{script}',
             folder, *arguments], capture_output=True, text=True, timeout=timeout)


def _remove_cgroup(name):
    """Removes a cgroup with all below it, as soon as its processes have gone."""
    _in_cgroups("""
        for round in $(seq 100); do
            find "$0/$1" -depth -type d -exec rmdir {} + 2>/dev/null
            [ -e "$0/$1" ] || exit 0
            sleep 0.1
        done
        exit 1""", name)


@functools.cache
def _failure():
    if os.geteuid() != 0:
        return "this needs root"
    if not os.path.exists(SYSTEMD):
        return f"{SYSTEMD} is missing: apt-get install systemd"
    name = f"tokenward-try-{os.getpid()}"
    result = _in_cgroups('mkdir "$0/$1" && rmdir "$0/$1"', name)
    if result.returncode != 0:
        return f"no cgroup of one's own: {result.stderr.strip()}"
    result = subprocess.run(
        ["unshare", "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--fork", "mount", "-t", "proc", "proc", "/proc"],
        capture_output=True, text=True, timeout=20)
    return "" if result.returncode == 0 else f"no namespaces of one's own: {result.stderr.strip()}"


def require_machine():
    """Skips where no systemd of one's own can be booted, and says why."""
    if failure := _failure():
        pytest.skip(f"no systemd can be booted here: {failure}")
