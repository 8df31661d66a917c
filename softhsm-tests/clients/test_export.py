"""`export` in each format, read back by the programs that it is for."""

import configparser
import io
import json
import os
import subprocess
import sys

import dotenv
import pytest

from support import configuration
from support.command_line import failed, on_terminal
from support.fake_agent import CREDENTIALS, answer
from support.softhsm import write_pin

WHOLE = json.loads(CREDENTIALS)
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "SessionToken",
    "AWS_CREDENTIAL_EXPIRATION": "Expiration", "AWS_ACCOUNT_ID": "AccountId"}
# No secret of AWS' has such characters. What has them must still be one value to each reader, and never a command.
STRANGE = """a'b"c\\d$HOME`touch${IFS}x`$(touch${IFS}x);#!%{}[]&|<>*?~b\\'c"""


@pytest.fixture(params=["secret/+", STRANGE], ids=["usual", "strange"])
def secret(request, agent):
    """A secret that the agent hands out."""
    agent(answer(json.dumps(WHOLE | {"SecretAccessKey": request.param}).encode()))
    return request.param


def expected(secret):
    members = WHOLE | {"SecretAccessKey": secret}
    return {variable: members[member] for variable, member in VARIABLES.items()}


def exported(tokenward, *arguments):
    result = tokenward("export", "prod", *arguments)
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout.decode()


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["bash", "--posix"]], ids=" ".join)
@pytest.mark.parametrize("arguments", [[], ["--format", "env"]], ids=["default", "env"])
def test_shells_have_the_variables_and_run_nothing_else(tokenward, secret, shell, arguments, tmp_path):
    text = exported(tokenward, *arguments)
    shown = subprocess.run(
        [*shell, "-c", 'eval "$1"; exec env -0', "sh", text], env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path,
        capture_output=True, timeout=20)
    assert (shown.returncode, shown.stderr) == (0, b"")
    variables = dict(entry.split("=", 1) for entry in shown.stdout.decode().split("\0") if entry)
    assert {name: variables.get(name) for name in VARIABLES} == expected(secret)
    assert not (tmp_path / "x").exists()


def test_python_reads_dotenv(tokenward, secret):
    text = exported(tokenward, "--format", "dotenv")
    assert dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False) == expected(secret)


def test_docker_and_systemd_read_what_aws_makes_as_it_is(agent, tokenward):
    """Docker's --env-file splits at the first `=` and takes the rest as it is."""
    agent(answer(CREDENTIALS))
    lines = exported(tokenward, "--format", "dotenv").splitlines()
    assert dict(line.split("=", 1) for line in lines) == expected("secret/+")


def test_botocore_reads_ini_as_a_credentials_file(tokenward, secret, tmp_path):
    text = exported(tokenward, "--format", "ini")
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    assert dict(parser["prod"]) == {name.lower(): value for name, value in expected(secret).items()}
    path = tmp_path / "credentials"
    path.write_text(text)
    assert botocore(AWS_SHARED_CREDENTIALS_FILE=str(path), AWS_PROFILE="prod") == used(secret)


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--json"]], ids=" ".join)
def test_botocore_reads_json_as_a_credential_process(tokenward, secret, tmp_path, arguments):
    path = tmp_path / "answer.json"
    path.write_text(exported(tokenward, *arguments))
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {path}\n")
    assert botocore(AWS_CONFIG_FILE=f"{tmp_path}/config") == used(secret)


ASK = """
import json, botocore.session
found = botocore.session.Session().get_credentials().get_frozen_credentials()
print(json.dumps([found.access_key, found.secret_key, found.token, found.account_id]))
"""


def botocore(**variables):
    """What botocore would sign with, that has nothing but these variables."""
    shown = subprocess.run(
        [sys.executable, "-c", ASK], env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def used(secret):
    return [WHOLE["AccessKeyId"], secret, WHOLE["SessionToken"], WHOLE["AccountId"]]


@pytest.mark.parametrize(
    "arguments",
    [["prod", "--format", "xml"], ["prod", "--json", "--format", "ini"], [], ["prod", "--format"], ["../prod"]], ids=" ".join)
def test_a_wrong_command_line_is_64_and_asks_no_agent(agent, tokenward, arguments):
    served = agent(answer(CREDENTIALS))
    failed(tokenward("export", *arguments), 64)
    assert served.requests == []


@pytest.mark.parametrize("form", ["env", "json", "ini", "dotenv", "powershell"])
def test_nothing_is_printed_of_credentials_that_are_not_whole(agent, tokenward, form):
    agent(answer(json.dumps(WHOLE | {"SessionToken": ""}).encode()))
    failed(tokenward("export", "prod", "--format", form), 70)


def test_a_terminal_gets_what_a_pipe_gets(agent, tmp_path):
    """As aws-vault and the AWS CLI do it: people copy it from there."""
    agent(answer(CREDENTIALS))
    code, shown = on_terminal("export", "prod", path=tmp_path / "agent.sock")
    assert code == 0 and "export AWS_ACCESS_KEY_ID='ASIAEXAMPLE'\n" in shown


@pytest.fixture
def real(start, softhsm, root, service, tmp_path):
    """An agent with a session of the emulator's."""
    softhsm.token(tmp_path.name).identity(root)
    return start(
        configuration.module(softhsm), configuration.token(write_pin(tmp_path / "pin")),
        configuration.profile(service, certificate=f"pkcs11:token={tmp_path.name}"))


def test_the_aws_cli_works_with_what_a_real_agent_has(real, service):
    text = real.cli("export", "test").stdout
    aws = os.path.join(os.path.dirname(sys.executable), "aws")
    shown = subprocess.run(
        ["sh", "-c", f'eval "$1"; exec {aws} sts get-caller-identity --query Account --output text', "sh", text],
        env={"PATH": "/usr/bin:/bin", "HOME": real.home, "AWS_CA_BUNDLE": service.ca, "AWS_ENDPOINT_URL": service.url,
             "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True, text=True, timeout=60)
    assert shown.stdout == "111122223333\n", shown.stderr
    unknown = real.cli("export", "unknown")
    assert unknown.returncode == 78 and "unknown" in unknown.stderr


CURL = """
eval "$1"
exec curl --silent --show-error --fail --cacert "$2" --aws-sigv4 aws:amz:us-east-1:sts \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header "X-Amz-Security-Token: $AWS_SESSION_TOKEN" \
    --data 'Action=GetCallerIdentity&Version=2011-06-15' "$3/"
"""


def test_curl_signs_with_what_a_real_agent_has(real, service):
    text = real.cli("export", "test").stdout
    shown = subprocess.run(
        ["sh", "-c", CURL, "sh", text, service.ca, service.url], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        timeout=60)
    assert "<Account>111122223333</Account>" in shown.stdout, shown.stderr
