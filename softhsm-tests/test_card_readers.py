"""Cards and tokens that come and go, and a pcscd that does: what the agent makes of it without being asked."""

import time

import pytest

import configuration
from piv import Card
from softhsm import write_pin
from world import refresh, wait_until

PIN = "123456"


@pytest.fixture
def cards(start, pcsc, service, tmp_path):
    """An agent for the cards in `readers`, with the stored PIN of each."""

    def run(*profiles, **options):
        return start(
            pcsc.module(), configuration.token(write_pin(tmp_path / "pin", PIN)),
            *(profiles or [configuration.profile(service)]), prefix=pcsc.prefix,
            arguments=["--log-level", "debug"], **options)

    return run


def test_a_card_that_a_profile_waits_for_is_used_as_soon_as_it_comes(cards, readers, root):
    agent = cards()
    assert agent.credentials().returncode == 66
    card = Card().with_identity(root)
    readers[0].insert(card)
    began = time.monotonic()
    wait_until(lambda: agent.credentials().returncode == 0, "credentials")
    print("took", time.monotonic() - began)
    print(agent.log())
    assert 0
