"""The emulator's IoT credential provider judges as AWS' does; curl is the client."""

import datetime
import json
import re
import subprocess
import time

import boto3
import pytest

from support.authority import Authority, key_pem, pem
from support.emulator import ACCOUNT, ARNS, REGION, resources

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-roles/edge"
CERTIFICATES = {
    "good": {"roleAliases": ["edge-role", "nowhere"], "things": ["edge-7"]},
    "inactive": {"roleAliases": ["edge-role"], "things": ["edge-7"], "active": False},
    "without-policy": {"things": ["edge-7"]},
    "rsa": {"roleAliases": ["edge-role"]},
}
KINDS = {"rsa": "rsa2048"}


@pytest.fixture(scope="module")
def devices():
    return Authority("Devices")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root, devices):
    """Certificates and keys, and a configuration that knows them."""
    folder = tmp_path_factory.mktemp("iot")
    for name in [*CERTIFICATES, "unregistered"]:
        identity = devices.identity(name, kind=KINDS.get(name, "p256"))
        (folder / f"{name}.pem").write_bytes(pem(identity.certificate))
        (folder / f"{name}.key").write_bytes(key_pem(identity.key))
    stranger = Authority("Others").identity("good")
    (folder / "stranger.pem").write_bytes(pem(stranger.certificate))
    (folder / "stranger.key").write_bytes(key_pem(stranger.key))
    (folder / "devices.pem").write_bytes(pem(devices.certificate))
    configuration = resources(folder, root)
    configuration["roles"].append({"arn": ROLE, "maxSessionDuration": 43200})
    configuration["iot"] = {
        "cas": ["devices.pem"],
        "certificates": [{"file": f"{name}.pem"} | rules for name, rules in CERTIFICATES.items()],
        "roleAliases": [{"name": "edge-role", "roleArn": ROLE, "durationSeconds": 1800},
                        {"name": "nowhere", "roleArn": f"{ROLE}-missing"},
                        {"name": "other", "roleArn": ROLE}]}
    (folder / "emulator.json").write_text(json.dumps(configuration))
    return folder


@pytest.fixture(scope="module")
def provider(start, folder):
    return start("--config", folder / "emulator.json", "--iot-port", "0", arns=ARNS, state=folder / "state")


class Curl:
    def __init__(self, provider, folder, *options, identity="good", thing="edge-7",
                 path="/role-aliases/edge-role/credentials"):
        command = ["curl", "-sS", "--max-time", "10", "-D", folder / "headers", "--cacert", provider.ca, *options]
        if identity:
            command += ["--cert", folder / f"{identity}.pem", "--key", folder / f"{identity}.key"]
        if thing:
            command += ["-H", f"x-amzn-iot-thingname: {thing}"]
        result = subprocess.run([*map(str, command), provider.iot + path], capture_output=True, text=True)
        self.failure, self.body = result.returncode, result.stdout
        self.words = result.stderr
        headers = (folder / "headers").read_text()
        self.status = int(headers.split()[1]) if headers else None

    @property
    def json(self):
        return json.loads(self.body)


@pytest.mark.parametrize("thing", ["edge-7", None])
def test_a_registered_certificate_gets_credentials_that_sts_accepts(provider, folder, thing):
    before = provider.get("counters")
    answer = Curl(provider, folder, thing=thing)
    assert answer.status == 200, answer.body
    credentials = answer.json["credentials"]
    assert list(credentials) == ["accessKeyId", "expiration", "secretAccessKey", "sessionToken"]
    expiration = datetime.datetime.strptime(credentials["expiration"], "%Y-%m-%dT%H:%M:%S%z")
    left = (expiration - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert 1780 < left <= 1800
    caller = boto3.client(
        "sts", region_name=REGION, endpoint_url=provider.url, verify=provider.ca,
        aws_access_key_id=credentials["accessKeyId"], aws_secret_access_key=credentials["secretAccessKey"],
        aws_session_token=credentials["sessionToken"]).get_caller_identity()
    assert re.fullmatch(f"arn:aws:sts::{ACCOUNT}:assumed-role/edge/[0-9a-f]{{64}}", caller["Arn"])
    after = provider.get("counters")
    assert [after[name] - before[name] for name in ("iotRequests", "iotSessions")] == [1, 1]
    assert after["iotHandshakes"]["TLSv1.3"] == before["iotHandshakes"].get("TLSv1.3", 0) + 1


@pytest.mark.parametrize("options, reason", [
    ({"identity": "inactive"}, "the certificate is inactive"),
    ({"identity": "unregistered"}, "the certificate is not registered"),
    ({"identity": "without-policy"},
     "no policy of the certificate allows iot:AssumeRoleWithCertificate for this role alias"),
    ({"path": "/role-aliases/other/credentials"},
     "no policy of the certificate allows iot:AssumeRoleWithCertificate for this role alias"),
    ({"path": "/role-aliases/edge-rolle/credentials"}, "there is no such role alias"),
    ({"path": "/role-aliases/nowhere/credentials"}, "the role alias names no role"),
    ({"thing": "edge-8"}, "the thing is not attached to the certificate"),
])
def test_every_refusal_is_a_403_without_a_reason(provider, folder, options, reason):
    answer = Curl(provider, folder, **options)
    assert (answer.status, answer.json["message"]) == (403, "Access Denied")
    assert re.fullmatch("[0-9a-f-]{36}", answer.json["traceId"])
    assert provider.get("last")["detail"] == reason


@pytest.mark.parametrize("path", ["/", "/role-aliases/edge-role", "/sessions", "/_emulator/counters"])
def test_other_paths_are_not_found(provider, folder, path):
    answer = Curl(provider, folder, path=path)
    assert (answer.status, answer.json["message"]) == (404, "Not Found")


@pytest.mark.parametrize("identity, words", [(None, "certificate required"), ("stranger", "unknown ca")])
def test_the_handshake_ends_without_a_certificate_of_a_registered_authority(provider, folder, identity, words):
    before = provider.get("counters")["iotRequests"]
    answer = Curl(provider, folder, identity=identity)
    assert answer.failure in (35, 56) and words in answer.words
    assert provider.get("counters")["iotRequests"] == before


@pytest.mark.parametrize("version, other", [("1.2", "1.3"), ("1.3", "1.2")])
def test_the_version_of_tls_can_be_limited(start, folder, tmp_path, version, other):
    provider = start("--config", folder / "emulator.json", "--iot-port", "0", "--iot-tls", version, arns=ARNS,
                     state=tmp_path)
    assert Curl(provider, folder).status == 200
    assert provider.get("counters")["iotHandshakes"] == {f"TLSv{version}": 1}
    wanted = ["--tls-max", "1.2"] if other == "1.2" else ["--tlsv1.3"]
    refused = Curl(provider, folder, *wanted)
    assert refused.failure == 35 and "protocol version" in refused.words


@pytest.mark.parametrize("algorithm, version, identity, fits", [
    ("ecdsa_secp256r1_sha256", "1.3", "good", True), ("ecdsa_secp256r1_sha256", "1.2", "good", True),
    ("rsa_pss_rsae_sha256", "1.3", "rsa", True), ("rsa_pkcs1_sha256", "1.2", "rsa", True),
    ("rsa_pss_rsae_sha256", "1.3", "good", False),
])
def test_the_algorithm_of_the_clients_signature_can_be_limited(
        start, folder, tmp_path, algorithm, version, identity, fits):
    provider = start("--config", folder / "emulator.json", "--iot-port", "0", "--iot-tls", version, "--iot-signature",
                     algorithm, arns=ARNS, state=tmp_path)
    assert (Curl(provider, folder, identity=identity, thing=None).status == 200) == fits
    assert provider.get("counters")["iotSignatures"] == ({algorithm: 1} if fits else {})


def test_faults_meet_the_provider_as_well(provider, folder):
    def ask(**fault):
        provider.fault(fault | {"on": "iot", "times": 1})
        return Curl(provider, folder)

    unavailable = ask(fault="status", status=503, message="Service Unavailable", retryAfter=3)
    assert (unavailable.status, unavailable.json["message"]) == (503, "Service Unavailable")
    assert "retry-after: 3" in (folder / "headers").read_text().lower()
    assert ask(fault="html").body.startswith("<!DOCTYPE html>")
    assert ask(fault="garbage").body == '{"credentials":{'
    assert ask(fault="empty-set").json == {}
    assert "secretAccessKey" not in ask(fault="missing-field").json["credentials"]
    assert ask(fault="expired-answer").json["credentials"]["expiration"] < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert ask(fault="truncated").failure == 18
    assert ask(fault="close").failure in (52, 56)
    start = time.monotonic()
    assert ask(fault="delay", seconds=1).status == 200
    assert time.monotonic() - start > 0.9
    assert Curl(provider, folder).status == 200
