"""A change touches what is meant and nothing else, also where names are alike or missing."""

import re

import pytest

from support import configuration
from support.softhsm import PIN, write_pin

URI = "pkcs11:token=card"


def objects(token):
    """Class, label and id of what is on it, as pkcs11-tool sees it."""
    text = token.tool("--list-objects").decode()
    found = re.findall(r"^(Private Key|Public Key|Certificate) Object(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    fields = [(kind, dict(re.findall(r"^  (label|ID): +(\S*)", rest, re.MULTILINE))) for kind, rest in found]
    return sorted((kind, names.get("label", ""), names.get("ID", "")) for kind, names in fields)


@pytest.fixture
def destroy(keeping_agent, card):
    """Deletes by the rest of the card's URI."""
    agent = keeping_agent()
    serial = agent.json("status")["tokens"][0]["serial"]
    return lambda rest: agent.cli("key", "destroy", f"{URI};{rest}", "--serial", serial)


def refused(result, code, words):
    assert (result.returncode, result.stdout) == (code, ""), result
    assert re.search(words, result.stderr), result.stderr


def test_a_public_key_of_another_pair_with_the_same_id_stays(destroy, card):
    card.generate("one", "01")
    card.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "two", "--id", "01")
    assert destroy("id=%01;object=one").returncode == 0
    assert objects(card) == [("Private Key", "two", "01"), ("Public Key", "two", "01")]


def test_a_public_key_that_was_only_written_beside_a_pair_stays(destroy, card):
    card.generate("one", "01")
    card.generate("two", "02")
    card.tool("--delete-object", "--type", "privkey", "--id", "02")
    card.tool("--set-id", "01", "--type", "pubkey", "--id", "02")
    assert destroy("id=%01").returncode == 0
    assert objects(card) == [("Public Key", "two", "01")]


def test_the_public_key_of_a_private_key_with_another_label_is_not_deleted_alone(destroy, card):
    card.generate("one", "01")
    card.tool("--set-id", "02", "--type", "privkey", "--id", "01")
    card.generate("two", "03")
    card.tool("--delete-object", "--type", "pubkey", "--id", "03")
    card.tool("--set-id", "02", "--type", "pubkey", "--id", "01")
    card.tool("--set-id", "02", "--type", "privkey", "--id", "03")
    card.tool("--delete-object", "--type", "privkey", "--label", "one")
    before = objects(card)
    assert before == [("Private Key", "two", "02"), ("Public Key", "one", "02")]
    refused(destroy("id=%02;object=one"), 66, "no private key of this name")
    assert objects(card) == before


@pytest.mark.parametrize("type", ["cert", "public", "secret-key", "data"])
def test_a_uri_of_another_type_does_not_mean_the_private_key_with_its_id(destroy, card, root, type):
    card.identity(root, "client", "01")
    before = objects(card)
    refused(destroy(f"id=%01;type={type}"), 64, "another type than private")
    assert objects(card) == before


def test_another_token_of_the_module_keeps_its_login(keeping_agent, private, card):
    private.token("other").generate("kept", "01")
    agent = keeping_agent(pin="prompt")
    assert agent.cli("unlock", "--pin-stdin", "pkcs11:token=other", input=PIN).returncode == 0
    made = agent.cli(
        "key", "generate", "--token", URI, "--type", "ec:p256", "--label", "made", "--id", "4a", "--pin-stdin", input=PIN)
    assert made.returncode == 0, made.stderr
    states = {token["label"]: token["state"] for token in agent.json("status")["tokens"]}
    assert states["other"] == "ready"


@pytest.mark.parametrize("label", ["a\x1b[31mb", "a\u202eb", "a\nb", "a\u0085b", "x" * 256, "\u200b"])
def test_a_label_that_does_not_show_as_it_is_is_refused(keeping_agent, card, label):
    result = keeping_agent().cli(
        "key", "generate", "--token", URI, "--type", "ec:p256", "--label", label, "--id", "01")
    refused(result, 64, "the label")
    assert objects(card) == []
