"""Sessions of an IAM user, by an access key whose secret a token holds and never shows."""

import hashlib
import hmac
import itertools
import json
import re

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from support import configuration, scan
from support.scripted_sts import refusal, scripted_sts
from support.sts_roles import ADMIN, KEY, ROLES, USER
from support.world import World

numbers = itertools.count()
URI = "pkcs11:token=demo;object=aws-legacy;type=secret-key"
REGION = "eu-west-2"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("keys"), spy=True) as world:
        world.token.write_secret("aws-legacy", KEY[1])
        world.token.write_secret("aws-wrong", "w" * 40)
        for _ in range(2):
            world.token.write_secret("aws-twice", KEY[1])
        world.token.tool("--keygen", "--key-type", "AES:32", "--label", "aes", "--id", "a5")
        yield world


@pytest.fixture(scope="module")
def emulator(world):
    user = {"arn": USER, "accessKeyId": KEY[0], "secretAccessKey": KEY[1]}
    return world.endpoint(roles=ROLES, users=[user])


@pytest.fixture(scope="module")
def sts():
    with scripted_sts() as service:
        yield service


@pytest.fixture
def start(world):
    """Starts an agent with these profiles."""
    return lambda *tables: world.agent(*tables, folder=f"a{next(numbers)}")


def legacy(service, name="legacy", uri=URI, **settings):
    return configuration.access_key(service, name, KEY[0], uri, **settings)


def credentials(agent, profile="legacy"):
    return agent.get(f"/v1/profiles/{profile}/credentials")


def client(emulator, answer, region=REGION):
    return boto3.client(
        "sts", region_name=region, endpoint_url=emulator.url, verify=emulator.ca, config=Config(retries={"max_attempts": 0}),
        aws_access_key_id=answer["AccessKeyId"], aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"])


def test_a_session_is_the_users_own_and_costs_one_login_and_one_hmac(start, world, emulator):
    agent = start(legacy(emulator, region=emulator.region))
    before, logins = world.spy.count("C_Sign"), world.spy.logins()[0]
    status, answer = credentials(agent)
    assert status == 200, answer
    assert set(answer) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert client(emulator, answer, emulator.region).get_caller_identity()["Arn"] == USER
    assert credentials(agent)[1]["AccessKeyId"] == answer["AccessKeyId"]
    assert world.spy.count("C_Sign") == before + 1
    assert world.spy.logins()[0] == logins + 1
    assert agent.request("POST", "/v1/profiles/legacy/refresh")[1]["AccessKeyId"] != answer["AccessKeyId"]
    assert world.spy.count("C_Sign") == before + 2
    assert world.spy.logins()[0] == logins + 1
    with open(world.spy.path, errors="replace") as file:
        assert "CKM_SHA256_HMAC" in file.read()


def test_the_request_is_that_of_boto3_and_signed_as_botocore_signs_it(start, sts, monkeypatch):
    sts.requests.clear()
    assert credentials(start(legacy(sts, region=REGION, session_duration_seconds=7200)))[0] == 200
    boto3.client(
        "sts", region_name=REGION, endpoint_url=sts.url, aws_access_key_id=KEY[0], aws_secret_access_key=KEY[1],
    ).get_session_token(DurationSeconds=7200)
    (headers, body, form), (peers_headers, _, peers_form) = sts.requests
    assert form == peers_form
    assert set(peers_headers) - set(headers) <= {"Accept-Encoding", "User-Agent", "amz-sdk-invocation-id", "amz-sdk-request"}
    request = AWSRequest("POST", sts.url + "/", data=body, headers={
        "Content-Type": headers["Content-Type"], "Host": headers["Host"]})
    request.headers["X-Amz-Date"] = request.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(*KEY), "sts", REGION)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert headers["Authorization"].endswith(f", Signature={signature}")
    assert headers["Authorization"].split("/")[1:3] == [headers["X-Amz-Date"][:8], REGION]


def test_roles_are_assumed_with_the_users_session(start, world, emulator):
    agent = start(
        legacy(emulator, region=emulator.region),
        configuration.assumed(emulator, "admin", "legacy", ADMIN),
        configuration.assumed(emulator, "next", "admin", f"{ADMIN}-next"))
    before = world.spy.count("C_Sign")
    for name in ("next", "admin", "legacy"):
        assert credentials(agent, name)[0] == 200
    assert world.spy.count("C_Sign") == before + 1


REFUSED = {
    "a wrong secret": ("pkcs11:object=aws-wrong", "aws-denied", 77, "not that of access-key-id"),
    "no such key": ("pkcs11:token=demo;object=nothing", "no-identity", 66, "secret-key"),
    "two of that name": ("pkcs11:token=demo;object=aws-twice", "no-identity", 66, "secret-key"),
    "a key of another kind": ("pkcs11:token=demo;id=%A5", "no-identity", 66, "CKK_GENERIC_SECRET"),
    "no such token": ("pkcs11:token=away;object=aws-legacy", "no-token", 66, "tokenward list"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_in_one_line(start, emulator, name):
    uri, code, exit_code, hint = REFUSED[name]
    agent = start(legacy(emulator, uri=uri, region=emulator.region))
    status, problem = credentials(agent)
    assert (problem["code"], problem["exit"]) == (code, exit_code), problem
    assert hint in problem["hint"]
    assert "\n" not in problem["detail"]


def test_an_id_tells_keys_of_one_label_apart(start, world, emulator):
    objects = world.token.tool("--list-objects", "--type", "secrkey").decode()
    identifier = re.search(r"label: +aws-twice\n  ID: +([0-9a-f]+)", objects)[1]
    escaped = "".join(f"%{identifier[at:at + 2]}" for at in range(0, len(identifier), 2))
    agent = start(legacy(emulator, uri=f"pkcs11:object=aws-twice;id={escaped}", region=emulator.region))
    assert credentials(agent)[0] == 200


def test_a_key_that_was_deleted_in_iam_is_told_as_such(start, sts):
    agent = start(legacy(sts))
    sts.script.append(refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid."))
    status, problem = credentials(agent)
    assert (problem["code"], problem["exit"]) == ("aws-denied", 77)
    assert KEY[0] in problem["detail"] and "inactive or deleted" in problem["hint"]


def test_the_token_is_not_asked_while_sts_cannot_be_reached(start, world):
    agent = start(configuration.table("[profile.legacy]", {
        "source": "access-key", "access-key-id": KEY[0], "secret-key": URI, "endpoint": "http://127.0.0.1:9"}))
    before = world.spy.counts("C_Sign", "C_Login")
    assert credentials(agent)[1]["code"] == "aws-unavailable"
    assert world.spy.counts("C_Sign", "C_Login") == before


def test_a_lock_of_the_token_withdraws_the_session(start, emulator):
    agent = start(legacy(emulator, region=emulator.region))
    assert credentials(agent)[0] == 200
    assert agent.cli("lock", "pkcs11:token=demo").returncode == 0
    assert credentials(agent)[1]["code"] == "locked"
    assert agent.cli("unlock", "--stored", "pkcs11:token=demo").returncode == 0
    assert credentials(agent)[0] == 200


def test_a_person_sees_the_key_in_status_and_explain(start, emulator):
    agent = start(legacy(emulator, region=emulator.region))
    [profile] = agent.json("status")["profiles"]
    assert profile["access_key"] == {"id": KEY[0], "uri": URI}
    assert (profile["source"], profile["role_arn"]) == ("access-key", "")
    assert URI in agent.cli("status").stdout
    [candidate] = agent.json("list", "--explain", "legacy")
    assert candidate["chosen"] and candidate["subject"] == f"access key {KEY[0]}"
    assert "object=aws-legacy" in candidate["uri"] and "token=demo" in candidate["uri"]


def test_neither_the_secret_nor_the_key_of_the_day_is_in_log_status_or_the_agents_memory(start, emulator):
    agent = start(legacy(emulator, region=emulator.region))
    status, answer = credentials(agent)
    assert status == 200
    day = re.search(r"x-amz-date:(\d{8})", emulator.get("last")["canonicalRequest"])[1]
    date_key = hmac.new(f"AWS4{KEY[1]}".encode(), day.encode(), hashlib.sha256).digest()
    seen = (agent.log() + json.dumps(agent.get("/v1/status")[1])).encode()
    for secret in (KEY[1].encode(), date_key, date_key.hex().encode()):
        assert secret not in seen
    contents = [content for _, content in scan.memory(agent.process.pid)]
    assert any(answer["AccessKeyId"].encode() in content for content in contents)
    for secret in (KEY[1].encode(), date_key):
        assert not any(secret in content for content in contents)
