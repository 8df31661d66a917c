"""README's "An access key held by the token" works as it is written."""

import json
import re
import subprocess

import pytest

from support import configuration
from support.emulator import Emulator, trusted_role, write_anchor
from support.processes import BINARIES
from support.shipped import README
from support.softhsm import MODULE, PIN
from support.sts_roles import KEY, SEED, code

ADMIN = "arn:aws:iam::444455556666:role/admin"
SERVICE = "arn:aws:rolesanywhere:eu-central-1:111122223333"
USER = {
    "arn": "arn:aws:iam::111122223333:user/alice", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": KEY[1],
    "mfaSerial": "arn:aws:iam::111122223333:mfa/alice", "mfaSeed": SEED}


def blocks():
    """The section's shell lines, block by block."""
    section = re.search(r"^### An access key held by the token\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture
def emulator(tmp_path, root):
    """One that knows the user of the section, and a role that asks for MFA."""
    folder = tmp_path / "endpoint"
    folder.mkdir()
    write_anchor(folder, root)
    role = trusted_role(ADMIN, "111122223333", Bool={"aws:MultiFactorAuthPresent": "true"})
    (folder / "emulator.json").write_text(json.dumps({
        "trustAnchors": [{"arn": f"{SERVICE}:trust-anchor/1", "certificates": ["root.pem"]}],
        "profiles": [], "roles": [role], "users": [USER]}))
    running = Emulator("--config", folder / "emulator.json", state=folder / "state")
    yield running
    running.stop()


def test_the_section_works_as_it_is_written(start, softhsm, pin_file, tmp_path, emulator):
    softhsm.token("prod")
    agent = start(configuration.module(softhsm), configuration.token(pin_file))
    settings = tmp_path / "home/.config/tokenward"
    settings.mkdir(parents=True)
    (settings / "config.toml").symlink_to(agent.configuration_path)
    environment = {
        "PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), "TOKENWARD_SOCKET": agent.socket,
        "GNUTLS_PIN": PIN, **softhsm.environment}

    def shell(lines, typed=""):
        done = subprocess.run(
            ["bash", "-e", "-c", lines], env=environment, cwd=tmp_path, input=typed, capture_output=True, text=True,
            timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    write, profiles, pass_on = blocks()
    # p11-kit knows no SoftHSM of a folder of its own.
    shell(write.replace("p11tool ", f"p11tool --provider={MODULE} "), f"{KEY[1]}\n")
    # The emulator stands in for AWS.
    address = f'endpoint = "{emulator.url}"\nca-bundle = "{emulator.ca}"\n'
    shell(re.sub(r"(?m)^(source = .*\n)", rf"\1{address}", profiles))
    shell(pass_on, code())
    for name in ("alice", "alice-admin"):
        result = agent.credentials(name)
        assert result.returncode == 0, result.stderr
    counters = emulator.get("counters")
    assert (counters["stsCalls"], counters["stsSessions"]) == (2, 2)
