"""The emulator grants sessions as the service does, and AWS's clients accept them."""

import datetime
import json
import os
import re
import signal
import subprocess
import sys

import boto3
import botocore.exceptions
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from support.authority import Authority, pem
from support.emulator import ACCOUNT, ARNS, ROLE, SERVICE, Emulator, resources
from support.emulator_client import SignedRequest, amz_date, create_session, send
from support.waiting import wait_until


def granted(emulator, request):
    answer = create_session(emulator, request)
    assert answer.status == 201, answer.body
    return answer.json


def sts(emulator, answer, **options):
    credentials = answer["credentialSet"][0]["credentials"]
    return boto3.client(
        "sts", region_name=emulator.region, endpoint_url=emulator.url,
        verify=emulator.ca or False,
        aws_access_key_id=credentials["accessKeyId"],
        aws_secret_access_key=options.get("secret", credentials["secretAccessKey"]),
        aws_session_token=options.get("token", credentials["sessionToken"]))


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "p256", "p384", "p521"])
def test_every_key_type_earns_credentials_that_sts_accepts(emulator, root, kind):
    identity = root.identity("build", kind=kind)
    answer = granted(emulator, SignedRequest(emulator, identity))
    caller = sts(emulator, answer).get_caller_identity()
    session = f"{identity.certificate.serial_number:x}"
    session = session.rjust(len(session) + len(session) % 2, "0")
    assert caller["Account"] == ACCOUNT
    assert caller["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/build/{session}"
    assert caller["UserId"] == answer["credentialSet"][0]["assumedRoleUser"]["assumedRoleId"]


def test_the_answer_has_the_documented_shape(emulator, identity):
    answer = granted(emulator, SignedRequest(emulator, identity))
    [entry] = answer["credentialSet"]
    assert re.fullmatch(f"{SERVICE}:subject/[0-9a-f-]{{36}}", answer["subjectArn"])
    assert entry["roleArn"] == ROLE
    assert entry["sourceIdentity"] == "CN=build"
    assert re.fullmatch(r"AROA[A-Z2-7]{17}:[0-9a-f]+", entry["assumedRoleUser"]["assumedRoleId"])
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", entry["credentials"]["accessKeyId"])
    assert len(entry["credentials"]["secretAccessKey"]) == 40
    expiration = datetime.datetime.strptime(entry["credentials"]["expiration"], "%Y-%m-%dT%H:%M:%S%z")
    left = expiration - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=3580) < left <= datetime.timedelta(seconds=3600)


@pytest.mark.parametrize("name, identity_text", [
    ("a" * 61, "CN=" + "a" * 61), ("a" * 62, "a" * 62), ("a" * 64, "a" * 64), (None, "ID=0123")])
def test_the_source_identity_follows_the_common_name(emulator, root, name, identity_text):
    attribute = (x509.NameAttribute(NameOID.COMMON_NAME, name) if name
                 else x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"))
    identity = root.identity(subject=x509.Name([attribute]), serial=291)
    [entry] = granted(emulator, SignedRequest(emulator, identity))["credentialSet"]
    assert entry["sourceIdentity"] == identity_text
    assert entry["assumedRoleUser"]["arn"].endswith("/0123")


@pytest.mark.parametrize("requested, seconds", [(900, 900), (3600, 3600), (43200, 7200), (None, 7200)])
def test_the_duration_is_the_lesser_of_profile_and_request(emulator, identity, requested, seconds):
    request = SignedRequest(emulator, identity)
    request.body = {"durationSeconds": requested} if requested else {}
    [entry] = granted(emulator, request)["credentialSet"]
    expiration = datetime.datetime.strptime(entry["credentials"]["expiration"], "%Y-%m-%dT%H:%M:%S%z")
    left = (expiration - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert seconds - 20 < left <= seconds


def test_aliases_name_the_same_resources(emulator, identity):
    granted(emulator, SignedRequest(
        emulator, identity, trustAnchorArn=f"{SERVICE}:alias/trust-anchor/production",
        profileArn=f"{SERVICE}:alias/profile/production"))


def test_the_arns_may_come_in_the_body(emulator, identity):
    request = SignedRequest(emulator, identity)
    request.body, request.query = request.query | {"durationSeconds": 900}, {}
    granted(emulator, request)


def test_a_role_with_an_equals_sign_is_signed_as_the_guide_says_or_stands_in_the_body(emulator, identity):
    role = f"{ROLE}=7"
    request = SignedRequest(emulator, identity, roleArn=role)
    assert granted(emulator, request)["credentialSet"][0]["roleArn"] == role
    request.equals_sign = "%3D"  # as botocore signs it for other services
    assert create_session(emulator, request).refusal == (403, "AccessDeniedException", "Invalid signature", False)
    request.body, request.query = request.query | {"durationSeconds": 900}, {}
    assert granted(emulator, request)["credentialSet"][0]["roleArn"] == role


def test_the_report_of_cloudtrail_can_be_read(emulator, identity):
    reports = "missingSignedHeaders", "postEmptyBody", "algorithmMismatch"

    def reported(request):
        create_session(emulator, request)
        last = emulator.get("last")
        return [last.get(name) for name in reports]

    request = SignedRequest(emulator, identity)
    assert reported(request) == [[], False, False]
    request.body = b""
    assert reported(request) == [[], True, False]
    request.algorithm = "AWS4-X509-RSA-SHA256"
    assert reported(request) == [[], True, True]
    request.unsigned = {"host", "content-type"}
    assert reported(request) == [["content-type", "host"], True, None]


def test_a_trust_policy_that_fits_is_no_obstacle(emulator, identity):
    granted(emulator, SignedRequest(emulator, identity, roleArn=f"{ROLE}-tagged"))


def test_session_name_and_instance_properties_are_taken_where_the_profile_takes_them(emulator, identity):
    request = SignedRequest(emulator, identity, profileArn=f"{SERVICE}:profile/named")
    request.body["roleSessionName"] = "build-7"
    [entry] = granted(emulator, request)["credentialSet"]
    assert entry["assumedRoleUser"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/build/build-7"
    request = SignedRequest(emulator, identity, profileArn=f"{SERVICE}:profile/properties")
    request.body["instanceProperties"] = {"rack": "7"}
    granted(emulator, request)


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_intermediates_in_the_chain_header_lead_to_the_anchor(emulator, root, depth):
    authority = root
    for level in range(depth):
        authority = Authority(f"Level {level}", issuer=authority)
    granted(emulator, SignedRequest(emulator, authority.identity("build")))


def test_an_intermediate_may_be_the_anchor(start, tmp_path, root):
    intermediate = Authority("Intermediate", issuer=root)
    (tmp_path / "anchor.pem").write_bytes(pem(intermediate.certificate))
    emulator = start("--trust-anchor-pem", tmp_path / "anchor.pem")
    identity = intermediate.identity("build")
    identity.chain = []
    granted(emulator, SignedRequest(emulator, identity))
    assert create_session(emulator, SignedRequest(emulator, root.identity("build"))).status == 403


def test_the_aws_command_line_works_over_https(start, tmp_path, root, identity):
    (tmp_path / "anchor.pem").write_bytes(pem(root.certificate))
    emulator = start("--trust-anchor-pem", tmp_path / "anchor.pem", state=tmp_path / "state")
    [entry] = granted(emulator, SignedRequest(emulator, identity))["credentialSet"]
    credentials = entry["credentials"]
    environment = os.environ | {
        "AWS_CA_BUNDLE": emulator.ca, "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_ACCESS_KEY_ID": credentials["accessKeyId"], "AWS_SECRET_ACCESS_KEY": credentials["secretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["sessionToken"]}
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    result = subprocess.run(
        [program, "sts", "get-caller-identity", "--endpoint-url", emulator.url, "--output", "json"],
        env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["Arn"] == entry["assumedRoleUser"]["arn"]
    counters = emulator.get("counters")
    assert (counters["sessionsCreated"], counters["stsCalls"]) == (1, 1)
    assert counters["tlsHandshakes"] == counters["connections"] == 3


def test_the_server_ca_is_kept_and_a_wrong_name_is_refused_by_clients(start, tmp_path, root):
    (tmp_path / "anchor.pem").write_bytes(pem(root.certificate))
    start("--trust-anchor-pem", tmp_path / "anchor.pem", state=tmp_path / "state")
    before = (tmp_path / "state/ca.pem").read_bytes()
    second = start("--trust-anchor-pem", tmp_path / "anchor.pem", "--tls-name", "other.example", state=tmp_path / "state")
    assert (tmp_path / "state/ca.pem").read_bytes() == before
    assert (tmp_path / "state" / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="(?i)mismatch|not valid for"):
        send(second, "GET", "/_emulator/counters")


@pytest.mark.parametrize("change, code, message", [
    ({"secret": "x" * 40}, "SignatureDoesNotMatch",
     "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
     "and signing method. Consult the service documentation for details."),
    ({"token": "x" * 40}, "InvalidClientTokenId", "The security token included in the request is invalid."),
    ({"token": None}, "InvalidClientTokenId", "The security token included in the request is invalid."),
])
def test_sts_refuses_credentials_that_were_not_issued(emulator, identity, change, code, message):
    answer = granted(emulator, SignedRequest(emulator, identity))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        sts(emulator, answer, **change).get_caller_identity()
    assert error.value.response["Error"] == {"Type": "Sender", "Code": code, "Message": message}
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_sts_refuses_other_actions_and_keeps_the_token_out_of_the_trace(emulator, identity):
    answer = granted(emulator, SignedRequest(emulator, identity))
    client = sts(emulator, answer)
    client.get_caller_identity()
    assert "x-amz-security-token:‹redacted›" in emulator.get("last")["canonicalRequest"]
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidAction"):
        client.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")


def test_sts_tells_a_wrong_clock(start, tmp_path, root, identity):
    (tmp_path / "anchor.pem").write_bytes(pem(root.certificate))
    emulator = start("--trust-anchor-pem", tmp_path / "anchor.pem", "--clock-offset", 1200)
    request = SignedRequest(emulator, identity)
    request.date = amz_date(1200)
    answer = granted(emulator, request)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        sts(emulator, answer).get_caller_identity()
    assert error.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert re.fullmatch(
        r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)",
        error.value.response["Error"]["Message"])


def test_sighup_reads_the_configuration_again_and_keeps_it_when_it_is_broken(start, tmp_path, root, identity):
    configuration = resources(tmp_path, root)
    file = tmp_path / "emulator.json"
    file.write_text(json.dumps(configuration))
    emulator = start("--config", file, arns=ARNS)
    disabled = SignedRequest(emulator, identity, profileArn=f"{SERVICE}:profile/disabled")
    assert create_session(emulator, disabled).status == 403
    configuration["profiles"][2]["enabled"] = True
    file.write_text(json.dumps(configuration))
    emulator.process.send_signal(signal.SIGHUP)
    wait_until(lambda: create_session(emulator, disabled).status == 201, "the profile is enabled")
    file.write_text("{")
    emulator.process.send_signal(signal.SIGHUP)
    assert create_session(emulator, disabled).status == 201


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(tmp_path, root, number):
    (tmp_path / "anchor.pem").write_bytes(pem(root.certificate))
    emulator = Emulator("--trust-anchor-pem", tmp_path / "anchor.pem")
    emulator.process.send_signal(number)
    assert emulator.process.wait(10) == 0
    emulator.stop()


def test_the_last_request_and_its_verdict_can_be_read(emulator, identity):
    request = SignedRequest(emulator, identity)
    target, _, _ = request.finish()
    granted(emulator, request)
    last = emulator.get("last")
    assert (last["verdict"], last["target"]) == ("accepted", target)
    assert last["canonicalRequest"].startswith(f"POST\n/sessions\n{target.partition('?')[2]}\ncontent-type:")
    assert last["stringToSign"].startswith("AWS4-X509-ECDSA-SHA256\n")
