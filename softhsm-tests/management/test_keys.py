"""Keys that are made, listed, verified and deleted on a token, by what pkcs11-tool sees of them."""

import json
import re
import subprocess
import time

import pytest

from support import configuration
from support.processes import is_running
from support.softhsm import PIN, write_pin
from support.waiting import in_background, wait_until

# The names that people see, and what pkcs11-tool lists: the curve's name in DER (RFC 5480 §2.1.1.1), or the modulus' size.
TYPES = {
    "ec:p256": ("P-256", "EC_PARAMS:  06082a8648ce3d030107"), "ec:p384": ("P-384", "EC_PARAMS:  06052b81040022"),
    "ec:p521": ("P-521", "EC_PARAMS:  06052b81040023"), "rsa:2048": ("RSA-2048", "RSA 2048 bits"),
    "rsa:3072": ("RSA-3072", "RSA 3072 bits"), "rsa:4096": ("RSA-4096", "RSA 4096 bits")}
URI = "pkcs11:token=card"


def generate(agent, *options, label="made", id="4a", type="ec:p256", token=URI, **how):
    return agent.cli(
        "key", "generate", "--token", token, "--type", type, "--label", label, "--id", id, *options, **how)


def objects(card):
    """The objects of the token: class, label, id, usage and access, as pkcs11-tool prints them."""
    text = card.tool("--list-objects").decode()
    blocks = re.split(r"\n(?=\S)", text)
    found = []
    for block in blocks:
        kind = block.split(" Object", 1)[0].strip()
        fields = dict(re.findall(r"^  (\w+): +(.*?) *$", block, re.MULTILINE))
        if kind in ("Private Key", "Public Key", "Certificate"):
            found.append((kind, fields.get("label"), fields.get("ID"), fields.get("Usage"), fields.get("Access")))
    return sorted(found)


def keepers(agent):
    result = subprocess.run(
        ["pgrep", "-P", str(agent.process.pid), "-f", "tokenward-keeper"], capture_output=True, text=True)
    return [int(line) for line in result.stdout.split()]


def refused(result, code, words):
    """A failure in two lines, with nothing on standard output."""
    assert (result.returncode, result.stdout) == (code, ""), result
    assert re.search(words, result.stderr), result.stderr
    assert len(result.stderr.splitlines()) == 2
    return result


@pytest.mark.parametrize("type", TYPES)
def test_a_key_is_made_that_signs_and_cannot_leave_the_token(keeping_agent, card, type):
    agent = keeping_agent()
    result = generate(agent, type=type)
    assert result.returncode == 0, result.stderr
    uri = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"pkcs11:token=card;.*;id=%4A;object=made;type=private|pkcs11:.*", uri)
    made = [found for found in objects(card) if found[0] == "Private Key"]
    assert [found[:3] for found in made] == [("Private Key", "made", "4a")]
    assert made[0][3] == "sign"
    assert {"sensitive", "always sensitive", "never extractable", "local"} <= set(made[0][4].split(", "))
    assert TYPES[type][1] in card.tool("--list-objects", "--type", "pubkey").decode()
    assert f"type:               {TYPES[type][0]}\n" in result.stdout


def test_what_the_token_says_is_told_to_people_and_auditors(keeping_agent, card):
    agent = keeping_agent()
    uri = generate(agent).stdout.splitlines()[-1]
    told = agent.cli("key", "verify", uri)
    for word in ("local", "sensitive", "always sensitive", "never extractable", "sign only"):
        assert re.search(rf"^{word}: +yes$", told.stdout, re.MULTILINE), told
    assert re.search(r"^extractable: +no$", told.stdout, re.MULTILINE)
    key = agent.json("key", "verify", uri)
    assert {name: key[name] for name in (
        "local", "sensitive", "always_sensitive", "extractable", "never_extractable", "sign_only")} == {
            "local": True, "sensitive": True, "always_sensitive": True, "extractable": False,
            "never_extractable": True, "sign_only": True}
    assert (key["key_type"], key["id"], key["label"], key["token"], key["uri"]) == ("P-256", "4a", "made", "card", uri)
    assert any("no signature of the maker proves" in remark for remark in key["remarks"])


def test_an_imported_key_is_told_from_one_that_the_token_has_made(keeping_agent, card, root):
    card.generate("loose", "07", options=("--extractable",))
    key = keeping_agent().json("key", "verify", f"{URI};id=%07")
    assert (key["extractable"], key["never_extractable"], key["sign_only"]) == (True, False, False)
    assert any("can leave the token" in remark for remark in key["remarks"])


@pytest.mark.parametrize("label, id, words", [
    ("other", "01", "a private key with the id 01"), ("taken", "4a", "a private key with this label"),
    ("other", "02", "a certificate with the id 02")])
def test_an_id_or_label_that_is_taken_is_refused_before_anything_is_made(keeping_agent, card, root, label, id, words):
    public = card.generate("taken", "01")
    card.write_certificate(root.issue("lonely", public), "lonely", "02")
    before = objects(card)
    result = refused(generate(keeping_agent(), label=label, id=id), 64, words)
    assert "nothing is overwritten" in result.stderr and objects(card) == before


def test_the_new_key_is_listed_at_once_and_keeps_its_worker_logged_in(keeping_agent, card):
    agent = keeping_agent(pin="prompt")
    assert agent.cli("unlock", "--pin-stdin", URI, input=PIN).returncode == 0
    workers = agent.workers()
    assert generate(agent, "--pin-stdin", input=PIN).returncode == 0
    [key] = agent.json("key", "list")
    assert (key["id"], key["has_private_key"], key["has_public_key"]) == ("4a", True, True)
    assert agent.workers() == workers, "SoftHSM shows what another process has made"
    assert agent.json("status")["tokens"][0]["state"] == "ready"


def test_the_keeper_is_gone_a_second_after_its_command(keeping_agent, card):
    agent = keeping_agent()
    result = in_background(lambda: generate(agent, type="rsa:4096"))
    seen = wait_until(lambda: keepers(agent), "a keeper")
    assert result().returncode == 0
    end = time.monotonic()
    wait_until(lambda: not any(map(is_running, seen)), "its end", seconds=1)
    assert time.monotonic() - end <= 1


def test_a_key_is_deleted_with_its_public_key_and_its_certificate_stays(keeping_agent, card, root):
    card.identity(root, "gone", "01")
    card.identity(root, "kept", "02")
    agent = keeping_agent()
    serial = agent.json("status")["tokens"][0]["serial"]
    result = agent.cli("key", "destroy", f"{URI};id=%01", "--serial", serial)
    assert result.returncode == 0, result.stderr
    assert [found[:3] for found in objects(card)] == [
        ("Certificate", "gone", "01"), ("Certificate", "kept", "02"), ("Private Key", "kept", "02"),
        ("Public Key", "kept", "02")]


@pytest.mark.parametrize("uri, serial, code, words", [
    (f"{URI};id=%01", "0000", 64, "not the serial number"), (f"{URI};id=%09", None, 66, "no private key of this name"),
    (URI, None, 64, "names no key"), (f"{URI};object=twin", None, 66, "2 private keys"),
    ("pkcs11:token=none;id=%01", None, 66, "no token matches")])
def test_a_deletion_that_does_not_mean_one_key_of_one_token_deletes_nothing(
        keeping_agent, card, uri, serial, code, words):
    card.generate("one", "01")
    card.generate("twin", "02")
    card.generate("twin", "03")
    before = objects(card)  # before the worker loads SoftHSM, which shows no token where another process is logging in
    agent = keeping_agent()
    serial = serial or agent.json("status")["tokens"][0]["serial"]
    refused(agent.cli("key", "destroy", uri, "--serial", serial), code, words)
    assert objects(card) == before


def test_without_a_terminal_the_serial_number_must_be_given(keeping_agent, card):
    card.generate("one", "01")
    refused(keeping_agent().cli("key", "destroy", f"{URI};id=%01"), 64, "nobody can type")


def test_a_change_is_for_one_token(keeping_agent, private, card):
    private.token("card two")
    agent = keeping_agent()
    result = refused(generate(agent, token="pkcs11:"), 64, "2 tokens match")
    assert result.stderr.count("pkcs11:token=card") == 2
    refused(generate(agent, token=f"{URI};object=x"), 64, "names an object")
    refused(generate(agent, type="rsa:1024"), 64, "the type is none")
    refused(generate(agent, id="4"), 64, "hexadecimal")
    refused(generate(agent, label=""), 64, "label")
    assert objects(card) == []


def test_a_locked_token_stays_locked_and_a_refused_pin_is_not_sent_again(keeping_agent, card):
    agent = keeping_agent(pin="prompt")
    assert agent.cli("lock", URI).returncode == 0
    refused(generate(agent, "--pin-stdin", input=PIN), 80, "locked")
    assert agent.cli("unlock", "--pin-stdin", URI, input=PIN).returncode == 0
    refused(generate(agent, "--pin-stdin", input="999999"), 80, "refused its PIN")
    refused(generate(agent, "--pin-stdin", input="999999"), 80, "refused this PIN before")
    refused(generate(agent), 80, "needs its PIN|refused")
    assert generate(agent, "--pin-stdin", input=PIN).returncode == 0


def test_no_other_command_goes_at_a_token_that_one_is_at_work_on(keeping_agent, card):
    agent = keeping_agent()
    first = in_background(lambda: generate(agent, type="rsa:4096"))
    wait_until(lambda: keepers(agent), "a keeper")
    refused(generate(agent, label="second", id="02"), 75, "another management command")
    assert first().returncode == 0


def test_the_decision_is_audited_with_a_word_of_its_own(keeping_agent, card):
    agent = keeping_agent()
    generate(agent)
    line = r"audit decision=allow .*route=generateKey permission=management status=200"
    wait_until(lambda: re.search(line, agent.log()), "its line")


def test_no_session_credentials_listener_manages_keys(start, private, card, service, tmp_path):
    path = tmp_path / "consumer.sock"
    agent = start(
        configuration.module(private), configuration.token(write_pin(tmp_path / "pin")),
        configuration.profile(service),
        configuration.table("[[listener]]", {"kind": "socket", "path": str(path), "profiles": ["test"]}))
    body = json.dumps({"uri": URI, "type": "ec:p256", "label": "x", "id": "01"})
    result = subprocess.run(
        ["curl", "-sS", "--unix-socket", path, "-d", body, "http://tokenward/v1/keys/generate"],
        capture_output=True, text=True, timeout=30)
    assert json.loads(result.stdout)["code"] == "forbidden"
    assert objects(card) == [] and agent.process.poll() is None
