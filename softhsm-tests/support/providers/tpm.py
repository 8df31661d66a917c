"""TPM 2.0: swtpm and tpm2-pkcs11, over a Unix socket and without a resource manager."""

import os
import socket
import struct
import subprocess

from support.processes import end_process
from support.providers.provider import PIN, Provider, need_module, need_programs
from support.waiting import wait_until

SO_PIN = "sopin"


class TPM(Provider):
    name = "tpm2-pkcs11 over swtpm"
    daemon = "swtpm"

    def __init__(self, folder):
        need_programs("swtpm", "swtpm")
        self.module = need_module("libtpm2-pkcs11-1", "pkcs11/libtpm2_pkcs11.so")
        self.folder = str(folder)
        self.socket = f"{self.folder}/tpm.sock"
        for name in ("state", "store"):
            os.makedirs(f"{self.folder}/{name}", mode=0o700)
        self.environment = {
            "TPM2_PKCS11_TCTI": f"swtpm:path={self.socket}", "TPM2_PKCS11_STORE": f"{self.folder}/store",
            "TPM2_PKCS11_LOG_LEVEL": "0", "TSS2_LOG": "all+none"}
        self.process = None
        self.revive()
        tool = ("pkcs11-tool", "--module", self.module)
        self.run(*tool, "--slot-index", "0", "--init-token", "--label", self.label, "--so-pin", SO_PIN)
        self.run(
            *tool, "--token-label", self.label, "--init-pin", "--so-pin", SO_PIN, "--login", "--login-type", "so",
            "--new-pin", PIN)

    def revive(self):
        for path in (self.socket, f"{self.socket}.ctrl"):
            if os.path.exists(path):
                os.unlink(path)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}/state",
             "--server", f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={self.socket}.ctrl",
             "--flags", "not-need-init,startup-clear"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.socket) and os.path.exists(f"{self.socket}.ctrl"), "swtpm listens")

    def kill(self):
        end_process(self.process)

    def lockout_counter(self):
        """TPM_PT_LOCKOUT_COUNTER, by TPM2_GetCapability (TPM 2.0 Library, part 3, 30.2); needs to be the only connection."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(self.socket)
            connection.sendall(struct.pack(">HIIIII", 0x8001, 22, 0x17A, 6, 0x20E, 1))
            answer = connection.recv(4096)
        _, _, code, _, _, count, name, value = struct.unpack(">HIIBIIII", answer)
        assert (code, count, name) == (0, 1, 0x20E)
        return value

    def close(self):
        if self.process:
            end_process(self.process)
