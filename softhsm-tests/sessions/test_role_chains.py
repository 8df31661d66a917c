"""Chains of roles before the emulator's STS, which judges signatures and trust policies; boto3 says whose the sessions are."""

import datetime
import itertools

import boto3
import pytest
from botocore.config import Config

from support.agent import run_to_end
from support.configuration import assumed
from support.emulator import fixed_arns, trusted_role
from support.waiting import wait_until
from support.world import World

numbers = itertools.count()
FIRST = fixed_arns()["roleArn"]
ACCOUNT = "444455556666"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/team/admin"
DEPLOY = "arn:aws:iam::777788889999:role/deploy"
ROLES = [
    trusted_role(ADMIN, FIRST), trusted_role(DEPLOY, ADMIN, StringEquals={"sts:ExternalId": "agreed:7"}),
    trusted_role(f"{ADMIN}-closed"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("chains")) as world:
        yield world


@pytest.fixture(scope="module")
def emulator(world):
    return world.endpoint(roles=ROLES)


@pytest.fixture
def start(world, emulator):
    """Starts an agent with the profile `root` and what is made of it."""

    def start(*tables, **options):
        return world.agent(world.profile(emulator, "root"), *tables, folder=f"a{next(numbers)}", **options)

    return start


def identity(emulator, answer):
    """Who STS takes the session for."""
    sts = boto3.client(
        "sts", region_name=emulator.region, endpoint_url=emulator.url, verify=emulator.ca,
        aws_access_key_id=answer["AccessKeyId"], aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"], config=Config(retries={"max_attempts": 0}))
    return sts.get_caller_identity()["Arn"]


def test_each_session_of_a_chain_is_that_of_its_role(start, emulator):
    agent = start(
        assumed(emulator, "admin", "root", ADMIN),
        assumed(emulator, "deploy", "admin", DEPLOY, external_id="agreed:7", role_session_name="release"))
    status, deploy = agent.get("/v1/profiles/deploy/credentials")
    assert status == 200, deploy
    assert identity(emulator, deploy) == "arn:aws:sts::777788889999:assumed-role/deploy/release"
    admin = agent.get("/v1/profiles/admin/credentials")[1]
    assert identity(emulator, admin) == f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/tokenward-admin"
    root = agent.get("/v1/profiles/root/credentials")[1]
    assert identity(emulator, root).startswith(f"arn:aws:sts::{FIRST.split(':')[4]}:assumed-role/")
    # The role would give twelve hours.
    left = datetime.datetime.fromisoformat(deploy["Expiration"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=3590) < left <= datetime.timedelta(seconds=3600)


@pytest.mark.parametrize("role", [f"{ADMIN}-closed", f"{ADMIN}-missing", DEPLOY], ids=["closed", "missing", "not for it"])
def test_a_trust_policy_that_refuses_is_told_with_the_hop(start, emulator, role):
    agent = start(assumed(emulator, "admin", "root", role), assumed(emulator, "deploy", "admin", DEPLOY))
    for profile, hop in [("admin", None), ("deploy", "admin")]:
        status, problem = agent.get(f"/v1/profiles/{profile}/credentials")
        assert (status, problem["code"], problem["exit"]) == (502, "aws-denied", 77), problem
        assert problem["parameters"].get("source_profile") == hop
        result = agent.credentials(profile)
        assert (result.returncode, result.stdout) == (77, "")
        assert f"is not authorized to perform: sts:AssumeRole on resource: {role}" in result.stderr
        assert ("(source profile admin)" in result.stderr) == (hop is not None)
    assert agent.get("/v1/profiles/root/credentials")[0] == 200


def test_the_condition_of_the_last_role_is_not_that_of_the_hop_before(start, emulator):
    agent = start(assumed(emulator, "admin", "root", ADMIN), assumed(emulator, "deploy", "admin", DEPLOY, external_id="other"))
    result = agent.credentials("deploy")
    assert result.returncode == 77 and "source profile" not in result.stderr, result.stderr
    assert agent.credentials("admin").returncode == 0


def test_more_than_an_hour_is_a_fault_of_the_configuration(start, emulator):
    agent = start(assumed(emulator, "admin", "root", ADMIN, session_duration_seconds=3600))
    status, admin = agent.get("/v1/profiles/admin/credentials")
    assert status == 200 and identity(emulator, admin)
    notice = "profile admin: AWS limits its sessions to one hour, because a session of root assumes the role"
    assert notice in agent.get("/v1/status")[1]["notices"]
    told = {profile["name"]: (profile.get("source_profile"), profile.get("session_cap_seconds"))
            for profile in agent.get("/v1/profiles")[1]}
    assert told == {"admin": ("root", 3600), "root": (None, None)}
    lines = [line.split("\t") for line in agent.cli("status").stdout.splitlines() if line.startswith("profile\t")]
    assert [line[8:] for line in lines] == [["root", "3600 s"], ["", ""]]
    assert agent.stop() == 0
    with open(agent.configuration_path) as file:
        agent.configure(file.read().replace("session-duration-seconds = 3600", "session-duration-seconds = 3601"))
    result = run_to_end(agent)
    assert result.returncode == 78
    assert "session-duration-seconds" in result.stderr and "give 900 to 3600" in result.stderr


def test_the_certificate_of_a_chain_is_explained_by_the_name_of_its_source_profile(start, emulator):
    agent = start(assumed(emulator, "admin", "root", ADMIN), assumed(emulator, "deploy", "admin", DEPLOY))
    [own] = agent.get("/v1/profiles/root/explain")[1]
    assert own["chosen"] and "source_profile" not in own
    for hop in ["admin", "deploy"]:
        assert agent.get(f"/v1/profiles/{hop}/explain")[1] == [own | {"source_profile": "root"}]
        result = agent.cli("list", "--explain", hop)
        assert result.stdout == agent.cli("list", "--explain", "root").stdout
        assert result.stderr == (
            f"tokenward: profile {hop} takes no certificate or key: its sessions are made of those of root, which takes one\n")


def test_sts_that_is_down_takes_no_session_from_the_hop_before(start, emulator):
    agent = start(assumed(emulator, "admin", "root", ADMIN), assumed(emulator, "deploy", "admin", DEPLOY, external_id="agreed:7"))
    emulator.fault({"fault": "status", "status": 503, "code": "ServiceUnavailable", "on": "sts", "times": 1})
    result = agent.credentials("deploy")
    assert result.returncode == 75 and "(source profile admin)" in result.stderr, result.stderr
    assert agent.credentials("root").returncode == 0
    wait_until(lambda: agent.credentials("deploy").returncode == 0, "the pause is over", 20)
