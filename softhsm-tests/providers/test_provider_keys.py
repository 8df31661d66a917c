"""Keys that other providers make and delete for a keeper, as far as their modules can.

Providers that this machine lacks are skipped by name.
"""

import json
import re

import pytest
from cryptography import x509

from support.authority import DAY, NOW, pem
from support.configuration import profile, token
from support.piv import YKCS11, Card, PCSC
from support.piv.agents import configure
from support.providers.nss import NSS
from support.providers.opencryptoki import OpenCryptoki
from support.providers.provider import Missing
from support.providers.remoting import Remoting
from support.providers.tpm import TPM
from support.softhsm import write_pin
from support.waiting import wait_until

TYPES = {TPM: ("ec:p256", "ec:p384", "rsa:2048"), OpenCryptoki: ("rsa:2048",), NSS: ("ec:p256", "ec:p384", "rsa:2048"),
         Remoting: ("ec:p256", "ec:p384", "rsa:2048")}


@pytest.fixture(params=TYPES, ids=lambda kind: kind.__name__)
def provider(request, tmp_path, root):
    """A provider with one identity, CKA_ID 01."""
    try:
        provider = request.param(tmp_path / "provider")
    except Missing as missing:
        pytest.skip(f"{request.param.name}: {missing}")
    try:
        provider.identity(root)
        yield provider
    finally:
        provider.close()


@pytest.fixture
def agent(start, provider, tmp_path):
    pin = write_pin(tmp_path / "pin")
    return start("lock-on = []\n", provider.configuration(), token(pin), prefix=provider.prefix)


def generate(agent, type, label, id, name):
    return agent.cli(
        "key", "generate", "--token", f"pkcs11:token={name}", "--type", type, "--label", label, "--id", id, timeout=200)


def test_it_makes_keys_beside_those_that_it_has_and_deletes_them(agent, provider):
    before = {key["id"] for key in agent.json("key", "list")}
    serial = agent.json("status")["tokens"][0]["serial"]
    for number, type in enumerate(TYPES[provider.__class__], 0xA0):
        made = generate(agent, type, f"made {number}", f"{number:02x}", provider.label)
        assert made.returncode == 0, made.stderr
        key = agent.json("key", "verify", made.stdout.splitlines()[-1])
        assert (key["extractable"], key["sensitive"], key["label"]) == (False, True, f"made {number}")
        assert key["key_type"].replace("-", ":").lower() in type.replace("p256", "p:256").replace("p384", "p:384")
        taken = generate(agent, type, "another", f"{number:02x}", provider.label)
        assert taken.returncode == 64 and "nothing is overwritten" in taken.stderr
        deleted = agent.cli("key", "destroy", key["uri"], "--serial", serial)
        assert deleted.returncode == 0, deleted.stderr
        assert f"{number:02x}" not in {key["id"] for key in agent.json("key", "list")}
    assert before <= {key["id"] for key in agent.json("key", "list")}


def test_a_renewed_certificate_replaces_the_old_one_when_it_has_fetched_a_session(
        start, provider, service, root, tmp_path):
    name = f"pkcs11:token={provider.label}"
    agent = start(
        "lock-on = []\n", provider.configuration(), token(write_pin(tmp_path / "pin")),
        profile(service, certificate=name), prefix=provider.prefix)
    assert agent.credentials().returncode == 0
    old = x509.load_pem_x509_certificate(agent.cli("certificate", "export", name).stdout.encode())
    new = root.issue("client", old.public_key(), not_after=NOW + 180 * DAY)
    (tmp_path / "new.pem").write_bytes(pem(new))
    result = agent.cli("certificate", "install", str(tmp_path / "new.pem"), "--json")
    if isinstance(provider, TPM):
        # It has no resource manager here, and then serves one login at a time: the worker has it, the keeper gets none.
        assert result.returncode == 75 and "C_Login answered CKR_GENERAL_ERROR" in result.stderr
        assert agent.cli("certificate", "export", name).stdout.encode() == pem(old)
        return
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["proven_by"], report["retired"]) == ("test", [str(old.serial_number)])
    assert agent.cli("certificate", "export", name).stdout.encode() == pem(new)
    assert agent.cli("refresh", "test").returncode == 0


def test_what_its_words_on_a_key_are_worth_is_said(agent, provider):
    words = {NSS: "not local", OpenCryptoki: "imported keys", TPM: "set extractable again"}.get(provider.__class__)
    key = agent.json("key", "verify", f"pkcs11:token={provider.label}")
    assert any("no signature of the maker proves" in remark for remark in key["remarks"])
    assert words is None or any(words in remark for remark in key["remarks"]), key


def test_a_yubikey_is_changed_by_its_vendor_s_program_alone(start, pcsc_is_possible, tmp_path, service, root):
    pcsc = PCSC(tmp_path / "yubico", names=("Yubico YubiKey OTP+FIDO+CCID",))
    try:
        card = Card(profile="yubikey").with_identity(root, "RSA-2048")
        pcsc.readers[0].insert(card)
        agent = start(configure(pcsc, service, tmp_path, path=YKCS11), prefix=pcsc.prefix)
        [token] = wait_until(lambda: agent.get("/v1/tokens")[1], "the card")
        result = agent.cli(
            "key", "generate", "--token", token["uri"], "--type", "ec:p256", "--label", "x", "--id", "02")
        assert result.returncode == 77 and "yubico-piv-tool -a generate -s SLOT -A ECCP256 -k" in result.stderr
        result = agent.cli("key", "destroy", f"{token['uri']};id=%01", "--serial", token["serial"])
        assert result.returncode == 77 and "yubico-piv-tool -a delete-key" in result.stderr
        shown = agent.cli("certificate", "export", f"{token['uri']};id=%01")
        (tmp_path / "same.pem").write_text(shown.stdout)
        result = agent.cli("certificate", "install", str(tmp_path / "same.pem"))
        assert result.returncode == 77 and "yubico-piv-tool -a import-certificate -i FILE -s SLOT -k" in result.stderr
        result = agent.cli("certificate", "remove", f"{token['uri']};id=%01", "--yes")
        assert result.returncode == 77 and "yubico-piv-tool -a delete-certificate -s SLOT -k" in result.stderr
        assert (card.pin_checks, card.wrong_pins) == (0, 0), "no person is asked in vain"
    finally:
        pcsc.close()


def test_opensc_makes_no_key_on_a_piv_card_and_says_so(card_agent, card):
    agent = card_agent()
    [token] = agent.get("/v1/tokens")[1]
    result = agent.cli(
        "key", "generate", "--token", token["uri"], "--type", "ec:p256", "--label", "x", "--id", "09")
    assert (result.returncode, result.stdout) == (77, "")
    assert re.search(r"cannot do this: .*; |cannot do this: ", result.stderr) and "yubico-piv-tool" in result.stderr
