"""Everything that a session needs, in one folder: a certificate authority, a token, emulators and agents."""

import contextlib
import glob
import os
import pathlib
import subprocess

from support import configuration
from support.agent import Agent, end
from support.authority import Authority
from support.emulator import Emulator
from support.processes import end_process
from support.softhsm import MODULE, PIN, SoftHSM, write_pin
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy

CLIENT = next(iter(glob.glob("/usr/lib/*/pkcs11/p11-kit-client.so")), None)


class World:
    """A token with an identity that a trust anchor leads to; emulators and agents on demand, ended by `close`."""

    def __init__(self, folder, spy=False):
        self.folder = str(folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.root = Authority("Root")
        self.hsm = SoftHSM(f"{self.folder}/hsm")
        self.token = self.hsm.token("demo")
        self.certificate = self.token.identity(self.root)
        self.pin_source = self.write_pin(PIN)
        self.module_path, self.module_environment = MODULE, self.hsm.environment
        if spy:
            self.spy = Spy(self.folder, MODULE)
            self.module_path = SPY_MODULE
            self.module_environment = self.hsm.environment | self.spy.environment
        self.ends = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def write_pin(self, pin):
        """Writes the token's PIN file; returns its pin-source."""
        return write_pin(pathlib.Path(self.folder) / "pin", f"{pin}\n")

    def endpoint(self, *arguments, name="endpoint", root=None, roles=(), users=()):
        """An emulator that trusts the authority; `roles` are further ones, as its configuration has them, as are `users`."""
        endpoint = Emulator.trusting(
            root or self.root, f"{self.folder}/{name}", *arguments, roles=roles, users=users)
        self.ends.callback(endpoint.stop)
        return endpoint

    def module(self):
        """The module's table, and that of the token's PIN."""
        settings = {
            "path": self.module_path, "environment": self.module_environment, "writable": configuration.WRITABLE}
        return configuration.table("[[module]]", settings) + configuration.token(self.pin_source, "pkcs11:token=demo")

    def serve_token(self):
        """From now on a process of its own keeps the token, as hardware does, and the worker's module is a line to it.

        SoftHSM truncates and writes its token's file anew at each login: killed in this moment, it has no token any more.
        """
        address = f"{self.folder}/token.sock"
        server = subprocess.Popen(
            ["p11-kit", "server", "--foreground", "--provider", MODULE, "--name", address, "pkcs11:token=demo"],
            env={"PATH": "/usr/bin:/bin", "HOME": self.folder, **self.hsm.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.ends.callback(end_process, server)
        assert server.stdout.readline().startswith("P11_KIT_SERVER_ADDRESS=")
        self.module_path = CLIENT
        self.module_environment = {"P11_KIT_SERVER_ADDRESS": f"unix:path={address}"}

    def profile(self, emulator, name="test", **settings):
        """A profile whose sessions are as short as can be."""
        return configuration.profile(emulator, name, session_duration_seconds=900, **settings)

    def agent(self, *tables, folder="agent", **options):
        """An agent for the token that has started, with further tables, as `profile` gives them."""
        return self.start(f"{self.folder}/{folder}", self.module(), *tables, **options)

    def start(self, folder, *tables, **options):
        """An agent that has started, with these tables alone."""
        agent = Agent(folder, "".join(tables), **options)
        self.ends.callback(end, agent)
        return agent.start()

    def close(self):
        self.ends.close()
