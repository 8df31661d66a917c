"""A system bus of one's own with a mock of systemd-logind on it (python-dbusmock's template)."""

import os
import subprocess
import time

import pytest

PYTHON = "/usr/bin/python3"  # Debian's, which has the modules for D-Bus
NAME, ROOT, MANAGER = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
MOCK = "org.freedesktop.DBus.Mock"


def require():
    """Skips where the machine lacks what the mock is made of."""
    for name, command in {
        "dbus-daemon": ["dbus-daemon", "--version"],
        "busctl": ["busctl", "--version"],
        "python3-dbusmock and python3-gi": [PYTHON, "-c", "import dbusmock, gi"],
        "libsystemd.so.0": [PYTHON, "-c", "import ctypes; ctypes.CDLL('libsystemd.so.0')"],
    }.items():
        try:
            is_there = subprocess.run(command, capture_output=True, timeout=20).returncode == 0
        except FileNotFoundError:
            is_there = False
        if not is_there:
            pytest.skip(f"{name} is not here")


class Logind:
    """The bus and the mock, each of which may be ended and started again."""

    def __init__(self, folder):
        require()
        self.address = f"unix:path={folder}/bus"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        self.path = f"{folder}/bus"
        self.bus = self.mock = None

    def start(self):
        self.start_bus()
        return self.start_mock()

    def start_bus(self):
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self.address}", "--print-address"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.bus.stdout.readline().startswith(b"unix:")
        return self

    def start_mock(self):
        return self.serve("--system", "logind", (NAME, ROOT, MANAGER, "CanSuspend"))

    def serve(self, bus, template, probe):
        """Starts the mock with this template of python-dbusmock's; it serves when the call `probe` is answered."""
        self.mock = subprocess.Popen(
            [PYTHON, "-m", "dbusmock", bus, "--template", template],
            env={"PATH": "/usr/bin:/bin", **self.environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while self.busctl("call", *probe).returncode != 0:
            assert self.mock.poll() is None and time.monotonic() < deadline, "the mock does not start"
            time.sleep(0.05)
        return self

    def busctl(self, *arguments):
        return subprocess.run(
            ["busctl", f"--address={self.address}", *map(str, arguments)], capture_output=True, text=True, timeout=20)

    def call(self, path, interface, method, *arguments):
        result = self.busctl("call", NAME, path, interface, method, *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def inhibitors(self):
        """How many of ours delay the machine's sleep."""
        return self.call(ROOT, MANAGER, "ListInhibitors").count('"sleep" "Tokenward"')

    def refuse_inhibitors(self):
        """Answers Inhibit as logind does without polkit, to all users but root."""
        self.call(
            ROOT, MOCK, "AddMethod", "sssss", MANAGER, "Inhibit", "ssss", "h",
            "raise dbus.exceptions.DBusException('Access denied', name='org.freedesktop.DBus.Error.AccessDenied')")

    def prepare_for_sleep(self, is_about_to):
        self.call(
            ROOT, MOCK, "EmitSignal", "sssav", MANAGER, "PrepareForSleep", "b", 1, "b", str(is_about_to).lower())

    def add_session(self, session, uid=None):
        self.call(ROOT, MOCK, "AddSession", "ssusb", session, "seat0", os.getuid() if uid is None else uid, "me", "true")
        self._tell("SessionNew", session)
        return f"{ROOT}/session/{session}"

    def remove_session(self, session):
        self.call(ROOT, MOCK, "RemoveObject", "s", f"{ROOT}/session/{session}")
        self._tell("SessionRemoved", session)

    def _tell(self, signal, session):
        self.call(
            ROOT, MOCK, "EmitSignal", "sssav", MANAGER, signal, "so", 2, "s", session, "o", f"{ROOT}/session/{session}")

    def lock_screen(self, session, is_locked=True):
        self.call(f"{ROOT}/session/{session}", f"{NAME}.Session", "SetLockedHint", "b", str(is_locked).lower())

    def request_lock(self, session):
        self.call(f"{ROOT}/session/{session}", f"{NAME}.Session", "Lock")

    def stop(self):
        for process in (self.mock, self.bus):
            if process and process.poll() is None:
                process.kill()
            if process:
                process.wait()
        if self.bus:
            self.bus.stdout.close()
