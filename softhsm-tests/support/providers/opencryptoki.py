"""openCryptoki's software token. Its paths and its shared memory's key are compiled in: it lives in namespaces of its own."""

import os
import subprocess

from support.processes import end_process
from support.providers.provider import PIN, Missing, Provider, need_module, need_programs
from support.waiting import wait_until

CONFIGURATION = """version opencryptoki-3.8
slot 0
{
stdll = libpkcs11_sw.so
}
"""
SO_PIN = "76543210"
MOUNTS = """
mount --bind "$0/etc" /etc/opencryptoki
mount --bind "$0/lib" /var/lib/opencryptoki
mount -t tmpfs none /run
mkdir -p /run/lock/opencryptoki/swtok
chgrp -R pkcs11 /run/lock/opencryptoki
chmod -R 770 /run/lock/opencryptoki
echo ready
exec cat
"""


class OpenCryptoki(Provider):
    name = "openCryptoki's software token"
    daemon = "pkcsslotd"
    key_type = "RSA:2048"

    def __init__(self, folder):
        need_programs("opencryptoki", "pkcsslotd", "pkcsconf")
        self.module = need_module("opencryptoki", "pkcs11/libopencryptoki.so")
        self.folder = str(folder)
        self.process = None
        for name in ("etc", "lib/swtok/TOK_OBJ"):
            os.makedirs(f"{self.folder}/{name}")
        with open(f"{self.folder}/etc/opencryptoki.conf", "w") as file:
            file.write(CONFIGURATION)
        self.holder = subprocess.Popen(
            ["unshare", "-m", "-i", "--propagation", "private", "sh", "-ec", MOUNTS, self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            self.holder.stdin.close()
            raise Missing(f"no namespaces here: {self.holder.stderr.read().strip()}")
        self.prefix = ("nsenter", "-t", str(self.holder.pid), "-m", "-i")
        self.run("chgrp", "-R", "pkcs11", self.folder)
        self.run("chmod", "-R", "770", f"{self.folder}/etc", f"{self.folder}/lib")
        self.revive()
        self.run("pkcsconf", "-I", "-c", "0", input=b"87654321\ndemo\n")
        for arguments in (("-P", "-S", "87654321", "-n", SO_PIN), ("-u", "-S", SO_PIN, "-n", "11111111"),
                          ("-p", "-U", "11111111", "-n", PIN)):
            self.run("pkcsconf", arguments[0], "-c", "0", *arguments[1:])

    def revive(self):
        self.run("rm", "-f", "/run/pkcsslotd.pid")
        self.process = subprocess.Popen(
            [*self.prefix, "pkcsslotd", "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run(
            [*self.prefix, "pkcsconf", "-t"], capture_output=True).returncode == 0, "pkcsslotd answers")

    def kill(self):
        end_process(self.process)

    def unlock(self):
        """The SO sets the user's PIN anew."""
        self.run("pkcsconf", "-u", "-c", "0", "-S", SO_PIN, "-n", "11111111")
        self.run("pkcsconf", "-p", "-c", "0", "-U", "11111111", "-n", PIN)

    def close(self):
        if self.process:
            end_process(self.process)
        self.holder.stdin.close()
        try:
            self.holder.wait(5)
        finally:
            end_process(self.holder)
