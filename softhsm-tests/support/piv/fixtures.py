"""The fixtures of `piv`; what they give is described in its __init__.py."""

import pytest

from . import agents
from .card import Card
from .pcsc import PCSC, missing


@pytest.fixture(scope="session")
def pcsc_is_possible():
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture
def pcsc(pcsc_is_possible, tmp_path):
    """A pcscd with two readers, both empty."""
    running = PCSC(tmp_path / "pcsc")
    yield running
    running.close()


@pytest.fixture
def readers(pcsc):
    return pcsc.readers


@pytest.fixture
def card(readers, root):
    """A card with a P-256 identity at 9A, in the first reader."""
    card = Card().with_identity(root)
    readers[0].insert(card)
    return card


@pytest.fixture
def card_agent(start, pcsc, service, tmp_path):
    """Starts an agent that sees the private pcscd, with what `agents.configure` takes; it has seen the cards."""

    def start_agent(**settings):
        agent = start(agents.configure(pcsc, service, tmp_path, **settings), prefix=pcsc.prefix)
        agents.wait_for(agent, *(reader.card for reader in pcsc.readers if reader.card))
        return agent

    return start_agent
