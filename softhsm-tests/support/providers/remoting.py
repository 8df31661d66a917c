"""p11-kit remoting: `p11-kit server` before SoftHSM, and p11-kit-client.so as the module."""

import os
import signal
import subprocess

from support.processes import end_process
from support.providers.provider import Provider, need_module, need_programs
from support.softhsm import MODULE, SoftHSM
from support.waiting import wait_until


class Remoting(Provider):
    name = "p11-kit remoting"
    daemon = "p11-kit server"

    def __init__(self, folder):
        need_programs("p11-kit", "p11-kit")
        self.module = need_module("p11-kit-modules", "pkcs11/p11-kit-client.so")
        self.folder = str(folder)
        self.socket = f"{self.folder}/p11.sock"
        self.process = None
        self.token = SoftHSM(f"{self.folder}/softhsm").token(self.label)
        self.environment = {"P11_KIT_SERVER_ADDRESS": f"unix:path={self.socket}"}

    def identity(self, root):
        self.token.identity(root)
        self.revive()

    def revive(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen(
            ["p11-kit", "server", "-f", "--provider", MODULE, "-n", self.socket, f"pkcs11:token={self.label}"],
            env={"PATH": "/usr/bin:/bin", **self.token.softhsm.environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: os.path.exists(self.socket), "p11-kit server listens")

    def kill(self):
        """The server, and the process that it has for each connection."""
        os.killpg(self.process.pid, signal.SIGKILL)
        end_process(self.process)

    def close(self):
        if self.process and self.process.returncode is None:
            self.kill()
