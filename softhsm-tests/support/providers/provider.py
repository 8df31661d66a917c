"""The base of the providers beside SoftHSM: a token that a person would set up with the vendor's tools."""

import glob
import os
import shutil
import subprocess

from cryptography.hazmat.primitives import serialization

from support import authority
from support.configuration import table

LIBRARIES = next(iter(glob.glob("/usr/lib/*-linux-gnu")), "/usr/lib")
PIN = "123456"
WRONG_PIN = "654321"


class Missing(Exception):
    """The parts that this machine lacks for a provider."""


def need_programs(package, *programs):
    for program in programs:
        if not shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin"):
            raise Missing(f"{program} is not installed: apt-get install {package}")


def need_module(package, name):
    path = f"{LIBRARIES}/{name}"
    if not os.path.exists(path):
        raise Missing(f"{path} is not installed: apt-get install {package}")
    return path


class Provider:
    """A token with one identity. Subclasses start what is behind it and say how its module is configured."""

    module = None
    label = "demo"
    environment = {}
    settings = {}
    # The command an agent is started through: into the provider's namespaces.
    prefix = ()
    key_type = "EC:prime256v1"

    def run(self, *arguments, input=None):
        result = subprocess.run(
            [*self.prefix, *map(str, arguments)], input=input, capture_output=True, timeout=60,
            env={"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", **self.environment})
        assert result.returncode == 0, f"{arguments}: {result.stdout!r} {result.stderr!r}"
        return result.stdout

    def tool(self, *arguments):
        return self.run(
            "pkcs11-tool", "--module", self.module, "--token-label", self.label, "--login", "--pin", PIN, *arguments)

    def identity(self, root):
        """A key pair that the token makes, and its certificate."""
        self.tool("--keypairgen", "--key-type", self.key_type, "--label", "client", "--id", "01")
        path = f"{self.folder}/object.der"
        self.tool("--read-object", "--type", "pubkey", "--id", "01", "--output-file", path)
        with open(path, "rb") as file:
            public_key = serialization.load_der_public_key(file.read())
        with open(path, "wb") as file:
            file.write(authority.der(root.issue("client", public_key)))
        self.tool("--write-object", path, "--type", "cert", "--label", "client", "--id", "01")

    def configuration(self, **settings):
        return table(
            "[[module]]", {"path": self.module, "environment": self.environment, **self.settings, **settings})

    def close(self):
        pass
