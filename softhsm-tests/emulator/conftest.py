"""Starts emulators for tests: each ends with the test, whatever happens to the test."""

import json

import pytest

from support.authority import Authority
from support.emulator import ARNS, REGION, Emulator, resources
from support.sts_roles import KEY, ROLES, SEED, SERIAL, USER


@pytest.fixture(scope="session")
def start():
    """Starts emulators that live as long as the session."""
    running = []

    def run(*arguments, **options):
        running.append(Emulator(*arguments, **options))
        return running[-1]

    yield run
    for one in running:
        assert one.stop() == 0


@pytest.fixture(scope="session")
def root():
    return Authority("Example Root")


@pytest.fixture(scope="session")
def identity(root):
    return root.identity("build")


@pytest.fixture(scope="session")
def revoked(root):
    return root.identity("revoked")


@pytest.fixture(scope="session")
def emulator(start, root, revoked, tmp_path_factory):
    """One plain HTTP emulator for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("emulator")
    configuration = resources(folder, root, [revoked.certificate.serial_number])
    (folder / "emulator.json").write_text(json.dumps(configuration))
    return start("--config", folder / "emulator.json", arns=ARNS)


@pytest.fixture(scope="module")
def service(start, root, tmp_path_factory):
    """An emulator with roles to switch between, and two users."""
    folder = tmp_path_factory.mktemp("sts")
    configuration = resources(folder, root)
    configuration["roles"] += ROLES
    configuration["stsRegions"] = [REGION]
    configuration["users"] = [
        {"arn": USER, "accessKeyId": KEY[0], "secretAccessKey": KEY[1], "mfaSerial": SERIAL, "mfaSeed": SEED},
        {"arn": f"{USER}-two", "accessKeyId": "AKIAI44QH8DHBEXAMPLE", "secretAccessKey": "x" * 40}]
    (folder / "emulator.json").write_text(json.dumps(configuration))
    return start("--config", folder / "emulator.json", arns=ARNS)
