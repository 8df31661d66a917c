"""A pseudo-terminal that the test types on, and a pinentry that follows a script."""

import contextlib
import fcntl
import os
import pathlib
import re
import select
import shutil
import struct
import termios
import time


class Terminal:
    """The screen's bytes are in `shown`; `path` is for GPG_TTY."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        self.path = os.ttyname(self.slave)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        self.shown = b""

    def read_until(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.shown, re.S):
            assert time.monotonic() < deadline, f"{pattern} is not on the screen: {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536)
        return self.shown

    def drain(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536)
        return self.shown

    def type(self, data):
        os.write(self.master, data)

    def wait_for_silence(self, seconds=20):
        """Until the program before it has turned the echo off: what is typed earlier is shown, or thrown away."""
        deadline = time.monotonic() + seconds
        while self.echoes():
            assert time.monotonic() < deadline, "the echo stays on"
            time.sleep(0.005)

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        for descriptor in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class FakePinentry:
    """A program for `[prompt]` in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.path = folder / "pinentry"
        shutil.copy(pathlib.Path(__file__).parent / "fake_pinentry.py", self.path)
        self.path.chmod(0o755)

    def answer(self, *lines):
        """Sets the answer to GETPIN from now on; until then it waits."""
        new = self.folder / "answer.new"
        new.write_text("\n".join(lines))
        new.rename(self.folder / "answer")

    def hold(self):
        (self.folder / "answer").unlink()

    def text(self, name):
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    @property
    def runs(self):
        return len(self.text("runs").split())

    @property
    def table(self):
        return f'[prompt]\nprogram = "{self.path}"\n'
