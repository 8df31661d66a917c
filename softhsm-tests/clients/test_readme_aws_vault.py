"""README's "Coming from aws-vault" works as it is written."""

import json
import re
import subprocess
import sys

import dotenv
import pytest

from support import configuration
from support.processes import BINARIES
from support.shipped import README


@pytest.fixture
def section():
    return re.search(r"^### Coming from aws-vault\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]


@pytest.fixture
def shell(start, softhsm, root, service, pin_file, tmp_path):
    """Runs lines as a user whose profile `prod` is set up as in "With a token of your own"."""
    softhsm.token(tmp_path.name).identity(root)
    profile = configuration.profile(service, "prod", certificate=f"pkcs11:token={tmp_path.name}")
    agent = start(configuration.module(softhsm), configuration.token(pin_file), profile)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aws").write_text(f'#!/bin/sh\nexec {sys.executable} -m awscli "$@"\n')
    (programs / "aws").chmod(0o755)
    (tmp_path / "home/.aws").mkdir(parents=True)
    (tmp_path / "home/.aws/config").write_text(
        f"[profile prod]\nregion = eu-central-1\ncredential_process = {BINARIES}/tokenward-credential-process prod\n")
    environment = {
        "PATH": f"{programs}:{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), "TOKENWARD_SOCKET": agent.socket,
        "AWS_ENDPOINT_URL": service.url, "AWS_CA_BUNDLE": service.ca, "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_PROFILE": "another", "SHELL": "/bin/sh"}

    def run(lines):
        done = subprocess.run(
            ["bash", "-e", "-c", lines], env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_the_section_works_as_it_is_written(section, shell, service, tmp_path):
    once, renewed, here = re.findall(r"```sh\n(.*?)```", section, re.S)
    calls = service.get("counters")["stsCalls"]
    done = shell(once)
    assert done.stdout.startswith("prod\troles-anywhere\tpkcs11:")
    role = service.arns["roleArn"]
    assert re.search(rf"^tokenward: prod is {role} until .*; it is not renewed$", done.stderr, re.M)
    for shown in (done.stdout[done.stdout.index("{"):], shell(renewed).stdout, shell("unset AWS_PROFILE\n" + here).stdout):
        assert json.loads(shown)["Account"] == "111122223333"
    assert service.get("counters")["stsCalls"] == calls + 3
    assert dotenv.dotenv_values(tmp_path / ".env")["AWS_ACCESS_KEY_ID"].startswith("ASIA")


def test_each_command_of_the_table_is_one(section, shell):
    column = [row.split("|")[2] for row in section.splitlines() if row.startswith("| `")]
    commands = re.findall(r"`(tokenward .*?)`", " ".join(column))
    assert len(commands) == 7
    for command in commands:
        shell(command.replace("COMMAND", "true"))
