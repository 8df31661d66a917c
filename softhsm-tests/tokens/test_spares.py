"""The second of two tokens signs when the first is gone or fails, in the order that was declared."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import authority, configuration
from support.answers import refresh
from support.waiting import in_background, wait_until


@pytest.fixture
def pair(mock, root):
    """Two tokens with one key and certificates of one key that end together."""
    key = ec.generate_private_key(ec.SECP256R1())
    cards = mock.card("first"), mock.card("second")
    certificate = root.issue("client", key.public_key())
    for card in cards:
        card.key(key)
        card.certificate(authority.der(certificate))
    return cards


DECLARED = ["pkcs11:token=second", "pkcs11:token=first"]


def signed_on(mock):
    """The labels of the cards that were logged in to, in order."""
    return [mock.cards[login.card - 1].settings["label"] for login in mock.logins()]


def spare_notices(agent):
    return [notice for notice in agent.get("/v1/status")[1].get("notices", []) if "spare" in notice]


def chosen(agent):
    [profile] = agent.get("/v1/profiles")[1]
    return profile["certificate"]["uri"].split(";")[0]


@pytest.mark.parametrize("certificate, first, second", [
    (None, "first", "second"), (DECLARED, "second", "first")], ids=["by slot", "declared"])
def test_the_second_is_used_when_the_first_is_gone(
    start, mock, pair, service, pin_file, certificate, first, second
):
    settings = {"certificate": certificate} if certificate else {}
    agent = start(configuration.mock(mock), configuration.token(pin_file), *[
        configuration.profile(service, **settings)])
    assert agent.credentials().returncode == 0
    assert signed_on(mock) == [first] and chosen(agent) == f"pkcs11:token={first}"
    assert spare_notices(agent) == []
    next(card for card in pair if card.settings["label"] == first).remove()
    assert refresh(agent, "test")[0] == 200
    assert signed_on(mock) == [first, second] and chosen(agent) == f"pkcs11:token={second}"
    [notice] = spare_notices(agent)
    assert notice.startswith(f"profile test signs with its spare pkcs11:token={second}") and first in notice


def test_the_second_is_used_when_the_first_fails(start, mock, pair, service, pin_file):
    agent = start(configuration.mock(mock, sign_timeout_seconds=2), configuration.token(pin_file), *[
        configuration.profile(service, certificate=DECLARED[::-1])])
    rule = mock.on("C_Sign", "hang", next=1)
    waiting = in_background(agent.credentials)
    wait_until(lambda: mock.fired(rule), "the signature that hangs")
    result = waiting()
    assert result.returncode == 0, result.stderr
    assert signed_on(mock) == ["first", "second"]
    [notice] = spare_notices(agent)
    assert notice.startswith("profile test signs with its spare pkcs11:token=second")
    assert "did not come back within 2 seconds" in notice


def test_different_keys_can_be_spares_where_they_are_declared(start, mock, root, service, pin_file):
    for label in ("first", "second"):
        mock.card(label).identity(root)
    settings = {"certificate": DECLARED}
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service, **settings))
    assert agent.credentials().returncode == 0
    assert signed_on(mock) == ["second"]


def test_what_is_not_the_tokens_fault_is_not_tried_elsewhere(start, mock, pair, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(
        service, certificate=DECLARED, endpoint="https://127.0.0.1:1"))
    assert agent.credentials().returncode == 75
    assert mock.counts("C_Login", "C_Sign") == (0, 0)
