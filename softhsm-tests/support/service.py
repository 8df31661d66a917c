"""The emulator as an agent's service: a trust anchor, a profile and a role of fixed names, over TLS."""

import base64
import json
import os
import signal
import ssl
import subprocess
import urllib.request

from support.authority import pem
from support.processes import binary


class Service:
    """A running rolesanywhere-emulator that trusts one authority.

    `role` is the name of a role in the place of the usual one.
    """

    def __init__(self, folder, root, *options, role=None):
        self.folder = str(folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self._write(root)
        program = binary("rolesanywhere-emulator")
        names = subprocess.run([program, "--print-arns"], capture_output=True, check=True, timeout=20).stdout
        self.arns = json.loads(names)
        resources = ["--trust-anchor-pem", f"{self.folder}/root.pem"]
        if role:
            account, _, _ = self.arns["roleArn"].rpartition("/")
            self.arns["roleArn"] = f"{account}/{role}"
            resources = ["--config", self._configure()]
        self.process = subprocess.Popen(
            [program, "--exit-with-stdin", "--lifetime", "900", *resources, "--state", f"{self.folder}/state",
             *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()
        self.ca = f"{self.folder}/state/ca.pem"

    def _write(self, root):
        with open(f"{self.folder}/root.pem", "wb") as file:
            file.write(pem(root.certificate))

    def _configure(self):
        with open(f"{self.folder}/emulator.json", "w") as file:
            json.dump({
                "trustAnchors": [{"arn": self.arns["trustAnchorArn"], "certificates": ["root.pem"]}],
                "profiles": [{"arn": self.arns["profileArn"], "roleArns": [self.arns["roleArn"]]}],
                "roles": [{"arn": self.arns["roleArn"]}]}, file)
        return file.name

    def trust(self, root):
        """From soon on it trusts another authority."""
        self._write(root)
        self.process.send_signal(signal.SIGHUP)

    def get(self, name):
        """What the emulator tells of itself: `counters` or `last`."""
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(f"{self.url}/_emulator/{name}", context=context, timeout=10) as answer:
            return json.load(answer)

    def created(self):
        return self.get("counters")["sessionsCreated"]

    def header(self, name):
        """The certificates (DER) in a header of the last request, as they were signed."""
        for line in self.get("last")["canonicalRequest"].split("\n"):
            if line.startswith(f"{name}:"):
                return [base64.b64decode(part, validate=True) for part in line.partition(":")[2].split(",")]
        return []

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.stdout.close()
