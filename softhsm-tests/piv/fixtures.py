"""The fixtures of `piv`; what they give is described in its __init__.py."""

import pytest

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
