"""The running emulator of the service, and what it is configured with."""

import base64
import functools
import json
import os
import signal
import ssl
import subprocess
import urllib.request

from support.authority import pem
from support.processes import binary

REGION = "eu-west-2"
ACCOUNT = "123456789012"
SERVICE = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-roles/build"
ARNS = {
    "trustAnchorArn": f"{SERVICE}:trust-anchor/root", "profileArn": f"{SERVICE}:profile/default", "roleArn": ROLE}
"""The names of `resources`."""


@functools.cache
def fixed_arns():
    """The names that an emulator without a configuration has."""
    names = subprocess.run(
        [binary("rolesanywhere-emulator"), "--print-arns"], capture_output=True, check=True, timeout=20).stdout
    return json.loads(names)


class Emulator:
    """A running `rolesanywhere-emulator`: over TLS where it has a folder for its state, else over plain HTTP.

    `arns` are the names of one trust anchor, profile and role that it knows. `iot` is the address of IoT's credential
    provider, where there is one.
    """

    def __init__(self, *arguments, state=None, arns=None):
        self.arns = dict(arns or fixed_arns())
        self.ca = f"{state}/ca.pem" if state else None
        self.folder = None
        tls = ["--state", state] if state else ["--plain"]
        command = [binary("rolesanywhere-emulator"), "--exit-with-stdin", "--lifetime", "900", *tls, *arguments]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.iot = None
        if "--iot-port" in arguments:
            self.iot = self.process.stdout.readline().removeprefix("iot listening on ").strip()

    @classmethod
    def trusting(cls, root, folder, *arguments, role=None, roles=(), users=()):
        """One over TLS that trusts this authority and has its files in a folder of its own.

        `role` is the name of a role in the place of the usual one; `roles` are further ones, as its configuration has them, and
        `users` those of IAM.
        """
        os.makedirs(folder, mode=0o700, exist_ok=True)
        write_anchor(folder, root)
        arns = dict(fixed_arns())
        resources = ["--trust-anchor-pem", f"{folder}/root.pem"]
        if role:
            arns["roleArn"] = f"{arns['roleArn'].rpartition('/')[0]}/{role}"
        if role or roles or users:
            resources = ["--config", write_configuration(folder, arns, roles, users)]
        emulator = cls(*resources, *arguments, state=f"{folder}/state", arns=arns)
        emulator.folder = folder
        return emulator

    @property
    def region(self):
        return self.arns["trustAnchorArn"].split(":")[3]

    def trust(self, root):
        """From soon on one that was made by `trusting` trusts another authority."""
        write_anchor(self.folder, root)
        self.process.send_signal(signal.SIGHUP)

    def call(self, method, path, body=None):
        """The body of its answer."""
        context = None
        if self.ca:
            context = ssl.create_default_context(cafile=self.ca)
            context.check_hostname = False  # its name may be wrong on purpose
        request = urllib.request.Request(self.url + path, method=method, data=body)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=10) as answer:
            return answer.read()

    def get(self, name):
        """One of the emulator's reports: `counters` or `last`."""
        return json.loads(self.call("GET", f"/_emulator/{name}"))

    def fault(self, *faults):
        """The next requests meet these, in this order."""
        self.call("PUT", "/_emulator/faults", json.dumps(faults).encode())

    def asked(self):
        """How often CreateSession was asked for."""
        return self.get("counters")["createSessionRequests"]

    def created(self):
        """How many sessions it has granted."""
        return self.get("counters")["sessionsCreated"]

    def header(self, name):
        """The certificates (DER) in a header of the last request, as they were signed."""
        for line in self.get("last")["canonicalRequest"].split("\n"):
            if line.startswith(f"{name}:"):
                return [base64.b64decode(part, validate=True) for part in line.partition(":")[2].split(",")]
        return []

    def stop(self):
        """Its exit status."""
        self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
        self.process.stdin.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        return self.process.returncode


def trusted_role(arn, *principals, **condition):
    """A role, as an emulator's configuration has it, that these may assume: ARNs, or accounts."""
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": actions, "Condition": condition}
    return {"arn": arn, "maxSessionDuration": 43200,
            "trustPolicy": {"Version": "2012-10-17", "Statement": [statement] if principals else []}}


def write_anchor(folder, root):
    with open(f"{folder}/root.pem", "wb") as file:
        file.write(pem(root.certificate))


def write_configuration(folder, arns, roles=(), users=()):
    """A file with one trust anchor, one profile, its role and further ones, and users; its path."""
    with open(f"{folder}/emulator.json", "w") as file:
        json.dump({
            "trustAnchors": [{"arn": arns["trustAnchorArn"], "certificates": ["root.pem"]}],
            "profiles": [{"arn": arns["profileArn"], "roleArns": [arns["roleArn"]]}],
            "roles": [{"arn": arns["roleArn"]}, *roles], "users": list(users)}, file)
    return file.name


def resources(folder, root, revoked=()):
    """A configuration with one of each kind of resource that a request can stumble over."""
    (folder / "root.pem").write_bytes(pem(root.certificate))
    (folder / "root.crl").write_bytes(root.revocation_list(*revoked))
    anchor = {"certificates": ["root.pem"], "crls": ["root.crl"]}
    role = ROLE
    return {
        "region": REGION,
        "trustAnchors": [
            anchor | {"arn": ARNS["trustAnchorArn"], "aliases": [f"{SERVICE}:alias/trust-anchor/production"]},
            anchor | {"arn": f"{SERVICE}:trust-anchor/disabled", "enabled": False},
            anchor | {"arn": f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:trust-anchor/elsewhere"},
        ],
        "profiles": [
            {"arn": ARNS["profileArn"], "aliases": [f"{SERVICE}:alias/profile/production"], "durationSeconds": 7200,
             "roleArns": [role, f"{role}-tagged", f"{role}-sourced", f"{role}-missing",
                          "arn:aws:iam::999999999999:role/abroad", f"{role}-short", f"{role}=7"]},
            {"arn": f"{SERVICE}:profile/named", "roleArns": [role], "acceptRoleSessionName": True},
            {"arn": f"{SERVICE}:profile/disabled", "roleArns": [role], "enabled": False},
            {"arn": f"{SERVICE}:profile/properties", "roleArns": [role], "requireInstanceProperties": True},
        ],
        "roles": [
            {"arn": role, "maxSessionDuration": 43200},
            {"arn": f"{role}-tagged", "principalTags": {"x509Subject/CN": "build", "x509Issuer/CN": "Example Root"}},
            {"arn": f"{role}-sourced", "sourceArn": f"{SERVICE}:trust-anchor/another"},
            {"arn": f"{role}-short", "maxSessionDuration": 3600},
            {"arn": f"{role}-unlisted"},
            {"arn": f"{role}=7"},
            {"arn": "arn:aws:iam::999999999999:role/abroad"},
        ],
    }
