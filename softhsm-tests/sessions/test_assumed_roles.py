"""Profiles whose sessions are made of another profile's, over STS as a script has it."""

import concurrent.futures
import itertools
import json
import os
import re
import subprocess
import sys

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import configuration
from support.scripted_sts import refusal, scripted_sts
from support.waiting import wait_until
from support.world import World

numbers = itertools.count()
ROLE = "arn:aws:iam::444455556666:role/team/admin"
EXTERNAL = {"role_session_name": "build-7", "external_id": "id:1/2", "session_duration_seconds": 900}


@pytest.fixture(scope="module")
def sts():
    with scripted_sts() as service:
        yield service


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("chains"), spy=True) as world:
        yield world


@pytest.fixture(scope="module")
def emulator(world):
    return world.endpoint()


def assumed(sts, name, base, **settings):
    return configuration.assumed(sts, name, base, ROLE, **settings)


@pytest.fixture
def agent(world, emulator, sts, request):
    sts.script.clear()
    sts.requests.clear()
    return world.agent(
        world.profile(emulator, "root"), assumed(sts, "middle", "root"), assumed(sts, "top", "middle", **EXTERNAL),
        folder=f"a{next(numbers)}")


def credentials(agent, profile):
    return agent.get(f"/v1/profiles/{profile}/credentials")


def test_a_hundred_cold_callers_of_three_hops_cost_one_signature_and_one_call_for_each_hop(agent, world, emulator, sts):
    before, created = world.spy.counts("C_Sign"), emulator.created()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: credentials(agent, "top"), range(100)))
    assert {status for status, _ in answers} == {200}
    assert len({answer["AccessKeyId"] for _, answer in answers}) == 1
    assert world.spy.counts("C_Sign")[0] == before[0] + 1
    assert emulator.created() == created + 1
    assert len(sts.requests) == 2
    assert answers[0][1]["AccountId"] == "444455556666"
    names = r"audit .*\bprofile=top\b.* source-profiles=middle,root "
    wait_until(lambda: re.search(names, agent.log()), "the names of all hops in the audit log")
    # Each hop is cached: asked for, it costs nothing more.
    assert credentials(agent, "middle")[0] == credentials(agent, "root")[0] == 200
    assert len(sts.requests) == 2 and emulator.created() == created + 1


def test_the_request_is_signed_by_the_base_and_is_that_of_boto3(agent, sts, tmp_path):
    assert credentials(agent, "top")[0] == 200
    base = credentials(agent, "middle")[1]
    headers, body, form = sts.requests[-1]
    # The peer: the AssumeRole provider of boto3, with the same settings and the base's session.
    (tmp_path / "config").write_text(
        f"[profile base]\naws_access_key_id = {base['AccessKeyId']}\naws_secret_access_key = {base['SecretAccessKey']}\n"
        f"aws_session_token = {base['SessionToken']}\n"
        f"[profile top]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = build-7\nexternal_id = id:1/2\n"
        f"duration_seconds = 900\nregion = {form_region(headers)}\n")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_ENDPOINT_URL_STS": sts.url}
    program = "import boto3; print(boto3.Session(profile_name='top').get_credentials().get_frozen_credentials().access_key)"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, stdout=subprocess.DEVNULL)
    peer = sts.requests[-1]
    assert peer is not (headers, body, form) and peer[2] == form
    assert peer[0]["X-Amz-Security-Token"] == headers["X-Amz-Security-Token"] == base["SessionToken"]
    # Signed as botocore signs it.
    request = AWSRequest("POST", f"{sts.url}/", data=body, headers={
        "Content-Type": headers["Content-Type"], "Host": headers["Host"], "X-Amz-Date": headers["X-Amz-Date"]})
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(
        Credentials(base["AccessKeyId"], base["SecretAccessKey"], base["SessionToken"]), "sts", form_region(headers))
    request.headers["X-Amz-Security-Token"] = base["SessionToken"]
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert headers["Authorization"].rpartition("Signature=")[2] == signature


def form_region(headers):
    return headers["Authorization"].split("/")[2]


def test_a_lock_withdraws_what_was_made_of_the_token_and_a_refresh_of_the_top_asks_for_the_top_alone(agent, sts):
    first = credentials(agent, "top")[1]
    status, second = agent.request("POST", "/v1/profiles/top/refresh")
    assert status == 200 and second["AccessKeyId"] != first["AccessKeyId"]
    assert [form["RoleSessionName"] for _, _, form in sts.requests] == ["tokenward-middle", "build-7", "build-7"]
    assert agent.request("POST", "/v1/lock")[0] == 204
    for profile in ("root", "middle", "top"):
        status, problem = credentials(agent, profile)
        assert (status, problem["code"], problem["exit"]) == (423, "locked", 80)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_a_session_that_sts_does_not_take_stays_its_own_profiles_and_the_way_to_another_is_named(
        agent, world, emulator, sts, code):
    held = credentials(agent, "root")[1]
    before, created = world.spy.counts("C_Sign"), emulator.created()
    sts.script += [refusal(403, code, "The security token included in the request is not taken")] * 2
    status, problem = credentials(agent, "middle")
    assert (problem["code"], problem["exit"]) == ("aws-denied", 77)
    assert "tokenward refresh root" in problem["hint"]
    assert agent.request("POST", "/v1/profiles/middle/refresh")[0] == 502
    assert credentials(agent, "root")[1]["AccessKeyId"] == held["AccessKeyId"]
    assert world.spy.counts("C_Sign") == before and emulator.created() == created
    # As the hint has it.
    assert agent.request("POST", "/v1/profiles/root/refresh")[0] == 200
    assert credentials(agent, "middle")[0] == 200


def test_words_of_sts_bring_nothing_of_the_session_that_asks_into_log_answer_and_status(agent, sts):
    secrets = [credentials(agent, "root")[1][name] for name in ("SessionToken", "SecretAccessKey")]
    sts.script.append(refusal(403, "AccessDenied", f"denied for {secrets[0]}, {secrets[1]}"))
    status, problem = credentials(agent, "middle")
    assert "denied for …" in problem["detail"]
    seen = json.dumps([problem, agent.get("/v1/status")[1]]) + agent.log()
    assert not any(secret[start:start + 16] in seen for secret in secrets for start in range(len(secret) - 15))


FAULTS = {
    "denied": (refusal(403, "AccessDenied", "is not authorized to perform: sts:AssumeRole"), "aws-denied", 77),
    "source-identity": (refusal(403, "AccessDenied", "not authorized to perform: sts:SetSourceIdentity"), "aws-denied", 77),
    "packed": (refusal(400, "PackedPolicyTooLarge", "Packed size is 120%"), "aws-rejected", 78),
    "hour": (
        refusal(400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
                "by role chaining"), "aws-rejected", 78),
    "throttled": (refusal(400, "Throttling", "Rate exceeded"), "aws-throttled", 75),
    "down": (refusal(503, "ServiceUnavailable"), "aws-unavailable", 75),
    "page": ((200, "text/html", "<html><body>hello</body></html>"), "aws-answer-invalid", 75),
    "cut": ((200, "text/xml", "<AssumeRoleResponse><AssumeRoleResult>"), "aws-answer-invalid", 75),
    "empty": ((200, "text/xml", ""), "aws-answer-invalid", 75),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_refusal_has_its_code_and_says_which_hop(agent, sts, name):
    answer, code, exit_code = FAULTS[name]
    sts.script.append(answer)
    status, problem = credentials(agent, "top")
    assert (problem["code"], problem["exit"]) == (code, exit_code), problem
    assert problem["parameters"]["source_profile"] == "middle"
    assert problem.get("hint")
    # The root has its session, and nothing was asked for of the top.
    assert credentials(agent, "root")[0] == 200
    assert len(sts.requests) == 1
