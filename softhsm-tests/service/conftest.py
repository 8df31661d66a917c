"""A token, and the tables of a configuration for it."""

import pytest

from support import configuration
from support.machine import ALICE, MALLORY, Machine


@pytest.fixture
def base(softhsm, token, pin_file):
    return configuration.module(softhsm) + configuration.token(pin_file)


@pytest.fixture(scope="module")
def prod(softhsm, root):
    """A SoftHSM with a token for the shipped units."""
    softhsm.token("prod").identity(root)
    return softhsm


@pytest.fixture
def machine(tmp_path):
    """A machine with a systemd of its own, and two people."""
    machine = Machine(tmp_path / "machine")
    machine.add_user("alice", ALICE)
    machine.add_user("mallory", MALLORY)
    try:
        yield machine.boot()
    finally:
        machine.stop()
