"""AWS's own clients get their credentials from the thin client through `credential_process`."""

import json
import os
import re
import subprocess
import sys

import pytest

from support import configuration
from support.processes import binary
from support.softhsm import write_pin

CALLER = re.compile(r"arn:aws:sts::111122223333:assumed-role/tokenward-demo/[0-9a-f]+")


@pytest.fixture
def aws(start, softhsm, root, service, tmp_path):
    """An agent, and the variables of a user whose AWS configuration names it."""
    softhsm.token(tmp_path.name).identity(root)
    agent = start(
        configuration.module(softhsm), configuration.token(write_pin(tmp_path / "pin")),
        configuration.profile(service, certificate=f"pkcs11:token={tmp_path.name}"))
    client = f"{binary('tokenward-credential-process')} --socket {agent.socket} --profile test"
    (tmp_path / "aws.ini").write_text(f"[default]\nregion = us-east-1\ncredential_process = {client}\n")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": agent.home,
        "AWS_CONFIG_FILE": f"{tmp_path}/aws.ini",
        "AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": service.ca,
        "AWS_ENDPOINT_URL": service.url,
    }


def test_the_aws_cli_learns_who_it_is(aws, service):
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    created, calls = service.created(), service.get("counters")["stsCalls"]
    for _ in range(2):
        result = subprocess.run(
            [program, "sts", "get-caller-identity", "--output", "json"], env=aws, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        caller = json.loads(result.stdout)
        assert caller["Account"] == "111122223333" and CALLER.fullmatch(caller["Arn"])
    counters = service.get("counters")
    assert (counters["sessionsCreated"], counters["stsCalls"]) == (created + 1, calls + 2)


THREADS = """
import concurrent.futures, threading, boto3
barrier = threading.Barrier(20)
def caller(_):
    session = boto3.session.Session()
    barrier.wait()
    return session.client("sts").get_caller_identity()["Arn"]
with concurrent.futures.ThreadPoolExecutor(20) as pool:
    for arn in pool.map(caller, range(20)):
        print(arn)
"""


def test_twenty_boto3_threads_at_once_cost_one_session(aws, service):
    created, calls = service.created(), service.get("counters")["stsCalls"]
    result = subprocess.run(
        [sys.executable, "-c", THREADS], env=aws, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    arns = result.stdout.split()
    assert len(arns) == 20 and len(set(arns)) == 1 and CALLER.fullmatch(arns[0])
    counters = service.get("counters")
    assert (counters["sessionsCreated"], counters["stsCalls"]) == (created + 1, calls + 20)


def test_the_aws_cli_shows_the_one_line_of_a_failure(aws, service, tmp_path):
    path = tmp_path / "aws.ini"
    path.write_text(path.read_text().replace("--profile test", "--profile unknown"))
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    result = subprocess.run(
        [program, "sts", "get-caller-identity"], env=aws, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)
    assert result.returncode != 0 and result.stdout == ""
    assert "tokenward: " in result.stderr and "unknown" in result.stderr


def test_the_whole_command_line_serves_as_a_credential_process_too(aws, service, tmp_path):
    path = tmp_path / "aws.ini"
    text = path.read_text()
    client = text.rpartition("credential_process = ")[2].split()
    path.write_text(text.replace(client[0], f"{binary('tokenward')} credential-process"))
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    result = subprocess.run(
        [program, "sts", "get-caller-identity"], env=aws, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60)
    assert result.returncode == 0, result.stderr
