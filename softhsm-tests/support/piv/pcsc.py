"""A pcscd of the test's own: its network, its /run and its readers are private to a namespace that ends with the test."""

import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from support.configuration import table
from support.processes import end_process
from support.waiting import wait_until

from .reader import Reader

OPENSC = next(iter(glob.glob("/usr/lib/*/opensc-pkcs11.so")), None)
YKCS11 = next(iter(glob.glob("/usr/lib/*/libykcs11.so")), None)
DRIVER = next(iter(glob.glob("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")), None)
PROGRAM = "/usr/sbin/pcscd"
PORT = 0x8C7B


def missing():
    """Why this machine cannot run it, or None."""
    for path, package in ((PROGRAM, "pcscd"), (DRIVER, "vsmartcard-vpcd"), (OPENSC, "opensc-pkcs11")):
        if not path or not os.path.exists(path):
            return f"{package} is not installed: softhsm-tests/install"
    made = subprocess.run(
        ["unshare", "-n", "-m", "--propagation", "private", "true"], capture_output=True, text=True, timeout=20)
    return f"no private namespaces here: {made.stderr.strip()}" if made.returncode else None


class PCSC:
    """A daemon with a reader for each name. It is started by the constructor."""

    def __init__(self, folder, names=("Tokenward Reader A", "Tokenward Reader B")):
        self.path = pathlib.Path(folder)
        self.folder = str(folder)
        self.run_folder = f"{self.folder}/pcscd"
        self.socket = f"{self.run_folder}/pcscd.comm"
        """For PCSCLITE_CSOCK_NAME, outside the namespace."""
        os.makedirs(self.run_folder)
        self.opensc_configuration = f"{self.folder}/opensc.conf"
        with open(self.opensc_configuration, "w") as file:
            file.write("app default {\n}\n")
        # vpcd binds every address, hence the network; /run/pcscd is compiled in, hence the mounts.
        script = (
            'ip link set lo up && mount -t tmpfs -o mode=755 none /run && mkdir /run/pcscd '
            '&& mount --bind "$1" /run/pcscd && echo ready && exec sleep infinity')
        self.keeper = subprocess.Popen(
            ["unshare", "-n", "-m", "--propagation", "private", "sh", "-ec", script, "sh", self.run_folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.daemon = None
        try:
            assert self.keeper.stdout.readline() == "ready\n", "the namespaces cannot be made"
            self.prefix = ("nsenter", f"--target={self.keeper.pid}", "--mount", "--")
            network = f"/proc/{self.keeper.pid}/ns/net"
            # A reader of vpcd has two slots, at neighbouring ports.
            self.readers = [Reader(name, PORT + 2 * index, network) for index, name in enumerate(names)]
            with open(f"{self.folder}/reader.conf", "w") as file:
                for reader in self.readers:
                    # vpcd knows its lines by the number of the slot alone: a reader each needs a library each.
                    driver = shutil.copy(DRIVER, f"{self.folder}/vpcd-{reader.port}.so")
                    file.write(
                        f'FRIENDLYNAME "{reader.name}"\nDEVICENAME /dev/null:{reader.port:#x}\n'
                        f"LIBPATH {driver}\nCHANNELID {reader.port:#x}\n\n")
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        assert self.daemon is None
        with open(f"{self.folder}/pcscd.log", "ab") as log:
            self.daemon = subprocess.Popen(
                ["nsenter", f"--target={self.keeper.pid}", "--mount", "--net", "--", PROGRAM, "--foreground",
                 "--config", f"{self.folder}/reader.conf"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, "pcscd answers")

    def answers(self):
        assert self.daemon.poll() is None, f"pcscd ended: {open(f'{self.folder}/pcscd.log').read()}"
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.socket) == 0

    def stop(self, with_signal=signal.SIGTERM):
        daemon, self.daemon = self.daemon, None
        daemon.send_signal(with_signal)
        daemon.wait(10)

    def kill(self):
        """Ends it as a crash does; its socket's file stays."""
        self.stop(signal.SIGKILL)

    def module(self, path=OPENSC, **settings):
        """The configuration's table for OpenSC's module."""
        environment = {"OPENSC_CONF": self.opensc_configuration, **settings.pop("environment", {})}
        return table("[[module]]", {"path": path, "environment": environment, **settings})

    def run(self, *command, timeout=30, **options):
        """Runs another PC/SC client."""
        return subprocess.run(
            [*self.prefix, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            env={"PATH": "/usr/bin:/bin", "HOME": self.folder, "OPENSC_CONF": self.opensc_configuration}, **options)

    def close(self):
        for reader in getattr(self, "readers", ()):
            reader.eject()
        for process in (self.daemon, self.keeper):
            if process:
                end_process(process)
