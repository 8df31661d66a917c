"""Sessions from the emulator's IoT credential provider, which judges certificate, alias and thing as AWS does."""

import json
import subprocess
import sys

import pytest

from support import configuration
from support.authority import Authority, pem
from support.emulator import ACCOUNT, ARNS, Emulator, resources
from support.processes import binary
from support.softhsm import write_pin

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-roles/edge"
RULES = {
    "good": {"roleAliases": ["edge-role"], "things": ["edge-7"]},
    "inactive": {"roleAliases": ["edge-role"], "things": ["edge-7"], "active": False},
    "without-policy": {"things": ["edge-7"]},
}
BOTO3 = "import boto3; print(boto3.session.Session().client('sts').get_caller_identity()['Arn'])"


@pytest.fixture(scope="module")
def provider(tmp_path_factory, softhsm, root):
    """The emulator, which knows the certificates of three tokens."""
    folder = tmp_path_factory.mktemp("iot")
    devices = Authority("Devices")
    for name in RULES:
        token = softhsm.token(name)
        certificate = devices.issue(name, token.generate("device", "01"))
        token.write_certificate(certificate, "device", "01")
        (folder / f"{name}.pem").write_bytes(pem(certificate))
    (folder / "devices.pem").write_bytes(pem(devices.certificate))
    known = resources(folder, root)
    known["roles"].append({"arn": ROLE, "maxSessionDuration": 43200})
    known["iot"] = {
        "cas": ["devices.pem"], "certificates": [{"file": f"{name}.pem"} | rules for name, rules in RULES.items()],
        "roleAliases": [{"name": "edge-role", "roleArn": ROLE, "durationSeconds": 1800}]}
    (folder / "emulator.json").write_text(json.dumps(known))
    emulator = Emulator("--config", folder / "emulator.json", "--iot-port", "0", arns=ARNS, state=folder / "state")
    yield emulator
    emulator.stop()


@pytest.fixture
def agent(start, softhsm, provider, tmp_path):
    def profile(name, token, **settings):
        return configuration.table(f"[profile.{name}]", {
            "source": "iot-core", "certificate": f"pkcs11:token={token}", "endpoint": provider.iot,
            "role-alias": "edge-role", "thing-name": "edge-7", "ca-bundle": provider.ca,
            **configuration.underlined(settings)})

    return start(
        configuration.module(softhsm), configuration.token(write_pin(tmp_path / "pin")),
        *(profile(name, name) for name in RULES), profile("alias", "good", role_alias="edge-rule"),
        profile("thing", "good", thing_name="edge-8"))


def test_sts_takes_what_boto3_gets_by_the_thin_client(agent, provider, tmp_path):
    client = f"{binary('tokenward-credential-process')} --socket {agent.socket} good"
    (tmp_path / "aws.ini").write_text(f"[default]\nregion = us-east-1\ncredential_process = {client}\n")
    told = subprocess.run(
        [sys.executable, "-c", BOTO3], capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "AWS_CONFIG_FILE": f"{tmp_path}/aws.ini", "AWS_EC2_METADATA_DISABLED": "true",
             "AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/none", "AWS_CA_BUNDLE": provider.ca,
             "AWS_ENDPOINT_URL": provider.url})
    assert f":sts::{ACCOUNT}:assumed-role/edge/" in told.stdout, told.stderr


@pytest.mark.parametrize("name, part", [
    ("inactive", "ACTIVE"), ("without-policy", "iot:AssumeRoleWithCertificate"), ("alias", "role alias edge-rule"),
    ("thing", "thing-name edge-8")])
def test_a_refusal_names_what_it_may_be_about(agent, name, part):
    answer = agent.credentials(name)
    assert answer.returncode == 77 and answer.stdout == "", answer
    assert "refused with 403" in answer.stderr and part in answer.stderr
