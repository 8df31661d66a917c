"""Agents for the cards in the virtual readers."""

import pytest

from support import configuration
from support.piv.agents import PIN
from support.softhsm import write_pin


@pytest.fixture
def run(start, pcsc, service, tmp_path):
    """Starts an agent that sees the cards in `readers`, and has the stored PIN for those whose serials are given."""

    def run(*serials):
        pin = write_pin(tmp_path / "pin", PIN)
        rules = [configuration.token(pin, f"pkcs11:serial={serial}") for serial in serials] or [configuration.token(pin)]
        # Certificates of two cards that end at the same time are told apart by their token only.
        chosen = {"certificate": f"pkcs11:serial={serials[0]}"} if serials else {}
        return start(
            pcsc.module(), *rules, configuration.profile(service, **chosen),
            configuration.profile(service, "other", **chosen), prefix=pcsc.prefix, arguments=["--log-level", "debug"])

    return run
