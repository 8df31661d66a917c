"""A SoftHSM of the test's own, and an agent for it."""

import pytest

from support import configuration
from support.softhsm import SoftHSM, write_pin


@pytest.fixture
def private(tmp_path):
    return SoftHSM(tmp_path / "hsm")


@pytest.fixture
def agent_of(start, private, service, tmp_path):
    """An agent for the test's own SoftHSM."""

    def agent_of(**settings):
        source = write_pin(tmp_path / "pin")
        return start(
            configuration.module(private), configuration.token(source), configuration.profile(service, **settings))

    return agent_of
