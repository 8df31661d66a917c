"""README's "Switching roles" works as it is written."""

import json
import re
import subprocess
import sys

import pytest

from support import configuration
from support.emulator import Emulator, write_anchor
from support.processes import BINARIES
from support.shipped import README

SERVICE = "arn:aws:rolesanywhere:eu-central-1:111122223333"
ARNS = {"trustAnchorArn": f"{SERVICE}:trust-anchor/00000000-0000-4000-8000-000000000001",
        "profileArn": f"{SERVICE}:profile/00000000-0000-4000-8000-000000000002",
        "roleArn": "arn:aws:iam::111122223333:role/prod"}
ADMIN = "arn:aws:iam::444455556666:role/admin"

# The AWS CLI, but for the role that it makes: what its trust policy says is the emulator's to judge.
AWS = """#!/bin/sh
if [ "$1" != iam ]; then exec {python} -m awscli "$@"; fi
[ "$2 $3 $4 $5" = "create-role --role-name admin --assume-role-policy-document" ] && cp "${{6#file://}}" {folder}/policy
"""


@pytest.fixture
def blocks():
    """The section's shell lines, block by block."""
    section = re.search(r"^### Switching roles\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture
def shell(tmp_path):
    """Runs lines of the section, with these variables beside what a user has."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aws").write_text(AWS.format(python=sys.executable, folder=tmp_path))
    (programs / "aws").chmod(0o755)
    (tmp_path / "home/.aws").mkdir(parents=True)

    def run(lines, **variables):
        environment = {"PATH": f"{programs}:{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), **variables}
        done = subprocess.run(
            ["bash", "-e", "-c", lines.replace("/usr/local/bin/", f"{BINARIES}/")], env=environment, cwd=tmp_path,
            capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def endpoint(tmp_path, root):
    """Starts an emulator that has the role with the policy that the section gave it."""
    running = []

    def begin():
        folder = tmp_path / "endpoint"
        folder.mkdir()
        write_anchor(folder, root)
        policy = json.loads((tmp_path / "policy").read_text())
        (folder / "emulator.json").write_text(json.dumps({
            "trustAnchors": [{"arn": ARNS["trustAnchorArn"], "certificates": ["root.pem"]}],
            "profiles": [{"arn": ARNS["profileArn"], "roleArns": [ARNS["roleArn"]]}],
            "roles": [{"arn": ARNS["roleArn"]}, {"arn": ADMIN, "trustPolicy": policy}]}))
        running.append(Emulator("--config", folder / "emulator.json", state=folder / "state", arns=ARNS))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


def test_the_section_works_as_it_is_written(start, softhsm, pin_file, tmp_path, root, blocks, shell, endpoint):
    softhsm.token("prod").identity(root, "client", "01")
    make_role, switch = blocks
    shell(make_role)
    emulator = endpoint()
    agent = start(configuration.module(softhsm), configuration.token(pin_file), configuration.profile(emulator, "prod"))
    settings = tmp_path / "home/.config/tokenward"
    settings.mkdir(parents=True)
    (settings / "config.toml").symlink_to(agent.configuration_path)
    # The emulator stands in for AWS.
    address = f'endpoint = "{emulator.url}"\nca-bundle = "{emulator.ca}"\n'
    switch = switch.replace(f'role-arn = "{ADMIN}"\n', f'role-arn = "{ADMIN}"\n{address}')
    shown = json.loads(shell(
        switch, TOKENWARD_SOCKET=agent.socket, AWS_ENDPOINT_URL=emulator.url, AWS_CA_BUNDLE=emulator.ca))
    assert shown["Arn"].startswith("arn:aws:sts::444455556666:assumed-role/admin/")
    counters = emulator.get("counters")
    assert (counters["sessionsCreated"], counters["assumeRoleRequests"]) == (1, 1)
