"""A session bus of one's own with a mock desktop on it, which shows nothing and notes what it was to show."""

from support.logind import MOCK, Logind

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"


class Desktop(Logind):
    """The same bus as logind's, with python-dbusmock's template for desktops."""

    def __init__(self, folder):
        super().__init__(folder)
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": self.address}

    def start_mock(self):
        return self.serve("--session", "notification_daemon", (NAME, PATH, NAME, "GetServerInformation"))

    def calls(self, method):
        """The arguments of each call, as busctl writes them: the list, then time and values of each."""
        result = self.busctl("call", NAME, PATH, MOCK, "GetMethodCalls", "s", method)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def shown(self):
        return self.calls("Notify")

    def closed(self):
        return self.calls("CloseNotification")
