"""moto as a second, independent STS: it reads the requests, verifies their signatures, and answers in XML of its own."""

import itertools
import urllib.request
from types import SimpleNamespace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from support import configuration
from support.world import World

ROLE = "arn:aws:iam::123456789012:role/build"
REGION = "eu-west-2"
URI = "pkcs11:token=demo;object={};type=secret-key"
numbers = itertools.count()


def boto(service, name, **keys):
    return boto3.client(name, region_name=REGION, endpoint_url=service.url, **keys)


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield SimpleNamespace(url=f"http://{host}:{port}", ca=None)
    server.stop()


@pytest.fixture(scope="module")
def user(moto):
    """An IAM user's access key, with all that moto allows."""
    iam = boto(moto, "iam", aws_access_key_id="first", aws_secret_access_key="first")
    iam.create_user(UserName="alice")
    iam.put_user_policy(
        UserName="alice", PolicyName="all",
        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}')
    return iam.create_access_key(UserName="alice")["AccessKey"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, user):
    with World(tmp_path_factory.mktemp("moto")) as world:
        world.token.write_secret("right", user["SecretAccessKey"])
        world.token.write_secret("wrong", "w" * 40)
        yield world


@pytest.fixture
def verifying(moto):
    """moto verifies signatures, from now to the test's end."""
    def set_unverified(count):
        request = urllib.request.Request(f"{moto.url}/moto-api/reset-auth", count, {"Content-Type": "text/plain"})
        urllib.request.urlopen(request).close()

    set_unverified(b"0")
    yield moto
    set_unverified(b"inf")


def test_it_verifies_the_signature_that_a_tokens_date_key_begins(world, verifying, user):
    agent = world.agent(
        *(configuration.access_key(verifying, name, user["AccessKeyId"], URI.format(name), region=REGION)
          for name in ("right", "wrong")), folder=f"a{next(numbers)}")
    status, answer = agent.get("/v1/profiles/right/credentials")
    assert status == 200, answer
    # The session that moto gives to everybody.
    assert answer["AccessKeyId"] == "AKIAIOSFODNN7EXAMPLE"
    status, problem = agent.get("/v1/profiles/wrong/credentials")
    # moto refuses in the XML of EC2, which is no answer of STS.
    assert problem["code"] == "aws-answer-invalid" and "the endpoint answered 403" in problem["detail"], problem


def test_it_gives_a_role_to_a_session(world, moto, user):
    agent = world.agent(
        configuration.access_key(moto, "right", user["AccessKeyId"], URI.format("right"), region=REGION),
        configuration.assumed(moto, "build", "right", ROLE, role_session_name="build-7", region=REGION),
        folder=f"a{next(numbers)}")
    status, answer = agent.get("/v1/profiles/build/credentials")
    assert status == 200, answer
    caller = boto(
        moto, "sts", aws_access_key_id=answer["AccessKeyId"], aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"]).get_caller_identity()
    assert caller["Arn"] == "arn:aws:sts::123456789012:assumed-role/build/build-7"
