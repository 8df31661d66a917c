"""Everything that a session needs, in one folder: a certificate authority, a token, an endpoint and an agent."""

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import urllib.request

from support.agent import Agent, end
from support.authority import Authority, pem
from support.configuration import WRITABLE
from support.processes import binary, end_process
from support.softhsm import MODULE, PIN, SoftHSM

LIBRARIES = os.path.dirname(os.path.dirname(MODULE or "/"))
SPY = f"{LIBRARIES}/pkcs11-spy.so"
CLIENT = f"{LIBRARIES}/pkcs11/p11-kit-client.so"


class Endpoint:
    """A running emulator of the service."""

    def __init__(self, folder, root, *arguments):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        with open(f"{self.folder}/anchor.pem", "wb") as file:
            file.write(pem(root.certificate))
        tls = () if "--plain" in arguments else ("--state", f"{self.folder}/state")
        self.process = subprocess.Popen(
            [binary("rolesanywhere-emulator"), "--exit-with-stdin", "--lifetime", "600",
             "--trust-anchor-pem", f"{self.folder}/anchor.pem", *tls, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.ca = f"{self.folder}/state/ca.pem" if tls else None

    def call(self, method, path, body=None):
        context = None
        if self.ca:
            context = ssl.create_default_context(cafile=self.ca)
            context.check_hostname = False  # its name may be wrong on purpose
        request = urllib.request.Request(self.url + path, method=method, data=body)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=10) as answer:
            return answer.read()

    def fault(self, *faults):
        self.call("PUT", "/_emulator/faults", json.dumps(faults).encode())

    def counters(self):
        return json.loads(self.call("GET", "/_emulator/counters"))

    @property
    def requests(self):
        """How often CreateSession was asked for."""
        return self.counters()["createSessionRequests"]

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(10)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()


class World:
    """A token with an identity that a trust anchor leads to; endpoints and agents on demand, ended by `close`."""

    def __init__(self, folder, spy=False):
        self.folder = str(folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.root = Authority("Root")
        self.hsm = SoftHSM(f"{self.folder}/hsm")
        self.token = self.hsm.token("demo")
        self.certificate = self.token.identity(self.root, "client", "01")
        self.pin_file = f"{self.folder}/pin"
        self.write_pin(PIN)
        self.arns = json.loads(subprocess.run(
            [binary("rolesanywhere-emulator"), "--print-arns"], capture_output=True, check=True).stdout)
        self.module_path, self.module_environment = MODULE, dict(self.hsm.environment)
        if spy:
            self.trace = f"{self.folder}/spy.log"
            self.module_path = SPY
            self.module_environment |= {"PKCS11SPY": MODULE, "PKCS11SPY_OUTPUT": self.trace}
        self.ends = contextlib.ExitStack()

    def write_pin(self, pin):
        with open(self.pin_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(pin + "\n")

    def endpoint(self, *arguments, name="endpoint", root=None):
        endpoint = Endpoint(f"{self.folder}/{name}", root or self.root, *arguments)
        self.ends.callback(endpoint.stop)
        return endpoint

    def module(self):
        pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.module_environment.items())
        return (
            f'[[module]]\npath = "{self.module_path}"\nenvironment = {{ {pairs} }}\n'
            f'writable = {json.dumps(WRITABLE)}\n'
            f'[[token]]\nuri = "pkcs11:token=demo"\npin-source = "file:{self.pin_file}"\n')

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

    def profile(self, name, url, ca, *more):
        lines = [
            f"[profile.{name}]", 'source = "roles-anywhere"',
            f'trust-anchor-arn = "{self.arns["trustAnchorArn"]}"', f'profile-arn = "{self.arns["profileArn"]}"',
            f'role-arn = "{self.arns["roleArn"]}"', f'endpoint = "{url}"', "session-duration-seconds = 900",
            *([f'ca-bundle = "{ca}"'] if ca else []), *more]
        return "\n".join(lines) + "\n"

    def agent(self, *profiles, folder="agent", **options):
        """An agent that has started. Its profiles are the text of `profile`."""
        agent = Agent(f"{self.folder}/{folder}", self.module() + "".join(profiles), **options)
        self.ends.callback(end, agent)
        return agent.start()

    def calls(self, function):
        """How often the module was asked for a function, by the trace of pkcs11-spy."""
        if not os.path.exists(self.trace):
            return 0
        with open(self.trace, errors="replace") as file:
            return len(re.findall(rf"^\d+: {function}$", file.read(), re.M))

    def close(self):
        self.ends.close()
