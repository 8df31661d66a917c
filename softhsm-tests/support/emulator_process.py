"""A running emulator, and what it is configured with."""

import json
import subprocess

from support import emulator_client
from support.emulator_pki import pem
from support.processes import BINARIES as BIN

REGION = "eu-west-2"
ACCOUNT = "123456789012"
SERVICE = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}"


class Emulator:
    """A running `rolesanywhere-emulator`."""

    region = REGION
    anchor = f"{SERVICE}:trust-anchor/root"
    profile = f"{SERVICE}:profile/default"
    role = f"arn:aws:iam::{ACCOUNT}:role/service-roles/build"

    def __init__(self, *arguments, state=None):
        tls = ["--state", str(state)] if state else ["--plain"]
        self.process = subprocess.Popen(
            [BIN / "rolesanywhere-emulator", "--exit-with-stdin", "--lifetime", "600", *tls, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.ca = state / "ca.pem" if state else None

    def get(self, name):
        return emulator_client.send(self, "GET", f"/_emulator/{name}").json

    def fault(self, *faults):
        answer = emulator_client.send(self, "PUT", "/_emulator/faults", body=json.dumps(faults).encode())
        assert answer.status == 204, answer.body

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        assert status == 0


def resources(folder, root, revoked=()):
    """A configuration with one of each kind of resource that a request can stumble over."""
    (folder / "root.pem").write_bytes(pem(root.certificate))
    (folder / "root.crl").write_bytes(root.revocation_list(*revoked))
    anchor = {"certificates": ["root.pem"], "crls": ["root.crl"]}
    role = Emulator.role
    return {
        "region": REGION,
        "trustAnchors": [
            anchor | {"arn": Emulator.anchor, "aliases": [f"{SERVICE}:alias/trust-anchor/production"]},
            anchor | {"arn": f"{SERVICE}:trust-anchor/disabled", "enabled": False},
            anchor | {"arn": f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:trust-anchor/elsewhere"},
        ],
        "profiles": [
            {"arn": Emulator.profile, "aliases": [f"{SERVICE}:alias/profile/production"], "durationSeconds": 7200,
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
