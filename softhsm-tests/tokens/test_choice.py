"""Of several certificates the one that expires last is chosen, and two of equal standing are an error."""

import pytest
from cryptography import x509

from support import configuration
from support.answers import by_label
from support.authority import DAY, NOW, make_key, name, pem


def test_the_latest_to_expire_is_chosen(private, agent_of, root, service):
    token = private.token("card")
    for number, days in enumerate((20, 80, 40), 1):
        key = make_key()
        token.add(number, root.issue(f"days-{days}", key.public_key(), not_after=NOW + days * DAY), key)
    agent = agent_of()
    assert agent.credentials().returncode == 0
    explained = by_label(agent.json("list", "--explain", "test"))
    assert explained["object-02"]["reasons"] == ["chosen"]
    assert explained["object-01"]["reasons"] == explained["object-03"]["reasons"] == ["expires earlier than the chosen one"]
    [leaf] = service.header("x-amz-x509")
    assert x509.load_der_x509_certificate(leaf).subject == name("days-80")


def test_a_tie_with_different_keys_lists_both_uris(private, agent_of, root):
    for label in ("one", "two"):
        key = make_key()
        private.token(label).add(1, root.issue(label, key.public_key()), key, "client")
    agent = agent_of()
    result = agent.credentials()
    assert result.returncode == 66
    uris = [one["uri"] for one in agent.json("list")]
    assert len(uris) == 2 and all(uri in result.stderr for uri in uris)
    assert result.stderr.startswith("tokenward: several certificates expire last and have different keys: ")
    assert result.stderr.endswith("; name one of them as 'certificate' in the profile\n")


def test_the_same_certificate_on_two_tokens_is_no_tie(private, agent_of, root):
    key = make_key()
    leaf = root.issue("twice", key.public_key())
    for label in ("one", "two"):
        private.token(label).add(1, leaf, key, "client")
    agent = agent_of()
    assert agent.credentials().returncode == 0
    reasons = sorted(one["reasons"][0] for one in agent.json("list", "--explain", "test"))
    assert reasons == ["a spare, used where the chosen one fails", "chosen"]


@pytest.mark.parametrize("slot, exit_code", [
    ("slot-description=Mock%20reader", 0), ("slot-manufacturer=Tokenward;slot-id=0", 0),
    ("slot-description=Other%20reader", 66), ("slot-description=Mock%20reader;slot-manufacturer=Other", 66),
    ("slot-id=1", 66),
])
def test_a_slot_s_attributes_choose_as_a_token_s_do(start, mock, root, service, pin_file, slot, exit_code):
    mock.card("prod").identity(root)
    uri = f"pkcs11:{slot}"
    agent = start(
        configuration.mock(mock), configuration.token(pin_file, uri=uri),
        configuration.profile(service, certificate=uri))
    assert agent.credentials().returncode == exit_code
    assert agent.cli("lock", uri).returncode == exit_code
    assert mock.count("C_Login") == (1 if exit_code == 0 else 0)


@pytest.mark.parametrize("settings", [
    {"certificate": "pkcs11:token=card;id=01"},
    {"certificate": "FILE", "private_key": "pkcs11:token=card;id=01"},
])
def test_a_ckaid_without_its_percent_sign_gets_a_hint(private, agent_of, root, tmp_path, settings):
    token, key = private.token("card"), make_key()
    leaf = root.issue("client", key.public_key())
    token.add(1, leaf, key)
    (tmp_path / "client.pem").write_bytes(pem(leaf))
    agent = agent_of(**{name: value.replace("FILE", f"{tmp_path}/client.pem") for name, value in settings.items()})
    agent.cli("unlock", "pkcs11:token=card", "--stored")
    result = agent.credentials()
    assert result.returncode == 66
    assert "escape each byte of it: write pkcs11:token=card;id=%01" in result.stderr, result.stderr
