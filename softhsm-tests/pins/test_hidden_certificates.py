"""A person is asked for the PIN of a hidden certificate only where a profile names its token."""

import pytest

from support import configuration
from support.authority import der
from support.softhsm import MODULE, PIN, SoftHSM
from support.spy import MODULE as SPY_MODULE

DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def shy_token(tmp_path_factory, root, certificate_writer):
    """Shows nothing before a login."""
    token = SoftHSM(tmp_path_factory.mktemp("shy")).token("shy")
    certificate = root.issue("client", token.generate("client", "01"))
    certificate_writer(token, {("client", 1): der(certificate)}, is_private=True)
    token.tool("--delete-object", "--type", "pubkey", "--id", "01")
    assert token.look("--list-objects") == b""
    return token


@pytest.fixture
def shy_agent(start, shy_token, service, spy, pinentry):
    def start_agent(certificate, token=shy_token):
        return start(
            configuration.module(token.softhsm, SPY_MODULE, {**spy.environment, "SHIM_MODULE": MODULE}),
            configuration.profile(service, certificate=certificate), pinentry.table)

    return start_agent


def test_a_certificate_that_hides_is_asked_for(shy_agent, spy, pinentry):
    agent = shy_agent("pkcs11:token=shy;object=client")
    assert agent.get("/v1/identities")[1] == []
    assert agent.get("/v1/profiles/test/explain")[1] == []
    assert agent.json("list") == []
    result = agent.credentials()
    assert (result.returncode, result.stderr) == (
        80, "tokenward: token \"shy\" needs its PIN; run 'tokenward unlock'\n")
    assert (pinentry.runs, spy.count("C_Login")) == (0, 0), "nobody is there, and listings ask nobody"
    pinentry.answer(f"D {PIN}", "OK")
    result = agent.credentials(environment=DISPLAY)
    assert result.returncode == 0, result.stderr
    assert 'token "shy"' in pinentry.text("told") and "%0AFor profile test" in pinentry.text("told")
    assert (pinentry.runs, spy.count("C_Login"), spy.count("C_Sign")) == (1, 1, 1)


def test_a_person_who_does_not_give_the_pin_is_not_asked_again_for_a_hidden_certificate(shy_agent, spy, pinentry):
    agent = shy_agent("pkcs11:token=shy")
    pinentry.answer(CANCELLED)
    for _ in range(3):
        result = agent.credentials(environment=DISPLAY)
        assert result.returncode == 80 and "the prompt was cancelled" in result.stderr
    assert (pinentry.runs, spy.count("C_Login")) == (1, 0)


@pytest.mark.parametrize("certificate, hides", [("pkcs11:object=client", True), ("pkcs11:token=card;object=other", False)])
def test_no_person_is_asked_for_a_token_that_is_not_named_or_hides_nothing(
    shy_agent, shy_token, token, spy, pinentry, certificate, hides
):
    agent = shy_agent(certificate, shy_token if hides else token)
    pinentry.answer(f"D {PIN}", "OK")
    result = agent.credentials(environment=DISPLAY)
    assert (result.returncode, pinentry.runs, spy.count("C_Login")) == (66, 0, 0), result.stderr


CANCELLED = "ERR 83886179 Operation cancelled <Pinentry>"
