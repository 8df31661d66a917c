"""A session bus of one's own with a mock desktop on it, which shows nothing and notes what it was to show."""

import subprocess
import time

from logind import MOCK, PYTHON, Logind

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"


class Desktop(Logind):
    """The same bus as logind's, with python-dbusmock's template for desktops."""

    def __init__(self, folder):
        super().__init__(folder)
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": self.address}

    def start_mock(self):
        self.mock = subprocess.Popen(
            [PYTHON, "-m", "dbusmock", "--session", "--template", "notification_daemon"],
            env={"PATH": "/usr/bin:/bin", **self.environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while self.busctl("call", NAME, PATH, NAME, "GetServerInformation").returncode != 0:
            assert self.mock.poll() is None and time.monotonic() < deadline, "the mock does not start"
            time.sleep(0.05)
        return self

    def calls(self, method):
        """The arguments of each call, as busctl writes them: the list, then time and values of each."""
        result = self.busctl("call", NAME, PATH, MOCK, "GetMethodCalls", "s", method)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def shown(self):
        return self.calls("Notify")

    def closed(self):
        return self.calls("CloseNotification")
