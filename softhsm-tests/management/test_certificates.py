"""`certificate install` and `certificate remove`: pkcs11-tool and pyca tell what the token has, the emulator what signs in."""

import json
import re

import pytest

from support import configuration
from support.authority import DAY, NOW, Authority, make_key, pem
from support.softhsm import PIN

URI = "pkcs11:token=card"


@pytest.fixture
def public_key(card):
    """That of a key pair on the token, without a certificate."""
    return card.generate("client", "0a")


@pytest.fixture
def write(tmp_path):
    """Writes certificates to a file."""

    def write(*certificates):
        path = tmp_path / "new.pem"
        path.write_bytes(pem(*certificates))
        return path

    return write


def stored(card):
    """The certificates on the token, as pkcs11-tool lists and reads them: (label, id, serial number)."""
    text = card.tool("--list-objects", "--type", "cert").decode()
    return sorted(
        (re.search(r"label: +(.*)", part)[1], (re.search(r"ID: +(\w+)", part) or [None, ""])[1], int(re.search(r"serial: +(\w+)", part)[1], 16))
        for part in text.split("Certificate Object")[1:])


def install(agent, path, *options, **how):
    return agent.cli("certificate", "install", str(path), *options, **how)


def refused(result, code, words):
    assert (result.returncode, result.stdout) == (code, ""), result
    assert re.search(words, result.stderr), result.stderr
    assert len(result.stderr.splitlines()) == 2


def renewed(root, public_key, days=180, **options):
    """One that ends later than those of `root.issue`, so that profiles choose it."""
    return root.issue("client", public_key, not_after=NOW + days * DAY, **options)


def test_a_certificate_comes_to_its_key_and_signs_in(keeping_agent, card, public_key, root, service, write):
    agent = keeping_agent(configuration.profile(service))
    new = root.issue("client", public_key)
    result = install(agent, write(new))
    assert result.returncode == 0, result.stderr
    assert stored(card) == [("client", "0a", new.serial_number)]
    uri = result.stdout.splitlines()[-1]
    assert "object=client" in uri and "id=%0A" in uri and "type=cert" in uri
    assert agent.cli("certificate", "export", uri).stdout.encode() == pem(new)
    assert json.loads(agent.credentials().stdout)["AccessKeyId"].startswith("ASIA")


def test_intermediates_of_the_file_come_with_it_and_roots_do_not(keeping_agent, card, public_key, write):
    top = Authority("Root")
    middle = Authority("Middle", issuer=top)
    leaf = middle.issue("client", public_key)
    report = json.loads(install(keeping_agent(), write(leaf, top.certificate, middle.certificate), "--json").stdout)
    assert report["serial"] == str(leaf.serial_number) and "Middle" in report["intermediates"][0]
    assert stored(card) == [
        ("client", "0a", leaf.serial_number), ("client issuer 1", "", middle.certificate.serial_number)]


def test_the_old_certificate_goes_when_the_new_one_has_fetched_a_session(
        keeping_agent, card, root, service, write):
    old = card.identity(root, "client", "0a")
    agent = keeping_agent(configuration.profile(service, certificate=f"{URI};object=client"))
    before = service.created()
    new = renewed(root, old.public_key())
    report = json.loads(install(agent, write(new), "--json").stdout)
    assert (report["proven_by"], report["retired"]) == ("test", [str(old.serial_number)]) and "remark" not in report
    assert stored(card) == [("client", "0a", new.serial_number)]
    assert service.created() != before
    assert agent.credentials().returncode == 0


def test_without_a_session_the_new_certificate_goes_and_the_old_one_stays(keeping_agent, card, root, service, write):
    old = card.identity(root, "client", "0a")
    agent = keeping_agent(configuration.profile(service, certificate=f"{URI};object=client"))
    refused(
        install(agent, write(renewed(Authority("Stranger"), old.public_key()))), 77,
        "got no session and is removed, and the old one stays in use")
    assert stored(card) == [("client", "0a", old.serial_number)]
    assert agent.cli("refresh", "test").returncode == 0


@pytest.mark.parametrize("days, serial, words", [
    (180, None, "no profile uses this key"), (5, 0, "profile test chooses it still"), (180, 0, "profile test chooses it still")])
def test_an_old_certificate_that_is_still_needed_stays(keeping_agent, card, root, service, write, days, serial, words):
    old = card.identity(root, "client", "0a")
    profile = [] if serial is None else [configuration.profile(
        service, certificate=f"{URI};object=client", certificate_serial=str(old.serial_number) if days == 180 else None)]
    agent = keeping_agent(*profile)
    result = install(agent, write(renewed(root, old.public_key(), days)))
    assert result.returncode == 0 and words in result.stderr, result.stderr
    assert len(stored(card)) == 2


def test_a_run_after_one_that_was_killed_adopts_what_it_has_written(keeping_agent, card, root, service, write):
    old = card.identity(root, "client", "0a")
    new = renewed(root, old.public_key())
    card.write_certificate(new, "client", "0a")
    agent = keeping_agent(configuration.profile(service, certificate=f"{URI};object=client"))
    assert install(agent, write(new)).returncode == 0
    assert stored(card) == [("client", "0a", new.serial_number)]


def test_a_certificate_of_another_key_is_refused(keeping_agent, card, public_key, root, write):
    agent = keeping_agent()
    stranger = write(root.issue("client", make_key().public_key()))
    refused(install(agent, stranger), 66, "no token shows the private key of this certificate")
    refused(install(agent, stranger, "--key", f"{URI};object=client"), 66, "is for another key than pkcs11:")
    assert stored(card) == []


def test_a_certificate_that_breaks_a_rule_is_refused(keeping_agent, card, public_key, root, write):
    agent = keeping_agent()
    broken = root.issue("client", public_key, is_ca=True, not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    refused(install(agent, write(broken)), 66, "no certificate for Roles Anywhere: expired on .*; ")
    assert stored(card) == []


def test_a_key_on_two_tokens_must_be_named(keeping_agent, private, card, root, write):
    key, other = make_key(), private.token("other")
    for token in (card, other):
        token.import_key(key, "client", "0a")
    agent = keeping_agent()
    new = write(root.issue("client", key.public_key()))
    refused(install(agent, new), 66, "2 tokens have the key of this certificate")
    assert install(agent, new, "--key", f"{URI};object=client").returncode == 0
    assert (len(stored(card)), stored(other)) == (1, [])


def test_the_pin_may_come_with_the_command(keeping_agent, card, root, service, write):
    old = card.identity(root, "client", "0a")
    agent = keeping_agent(configuration.profile(service, certificate=f"{URI};object=client"), pin="prompt")
    new = write(renewed(root, old.public_key()))
    refused(install(agent, new), 80, "needs its PIN")
    result = install(agent, new, "--pin-stdin", input=PIN)
    assert result.returncode == 0 and f"serial {old.serial_number}" in result.stdout, result.stderr
    assert len(stored(card)) == 1


@pytest.mark.parametrize("switches, code, words", [
    ({"protected": 1}, 77, "write-protected"),
    ({"no_certificate": 0x54}, 77, "takes no certificate .*CKR_FUNCTION_NOT_SUPPORTED"),
    ({"no_certificate": 0x31}, 77, "has no room"),
    ({"create_left": "1:0x30"}, 75, "CKR_DEVICE_ERROR"),
    ({"overwrite": 1}, 77, "has overwritten a certificate that it had"),
])
def test_a_failure_leaves_the_certificates_as_they_were(trapped_agent, card, root, write, switches, code, words):
    old = card.identity(root, "client", "0a")
    result = install(trapped_agent(**switches), write(renewed(root, old.public_key())))
    refused(result, code, words)
    assert "left on it" not in result.stderr and "lost" not in result.stderr
    assert stored(card) == [("client", "0a", old.serial_number)]


def test_a_certificate_is_removed_and_its_key_stays(keeping_agent, card, root):
    card.identity(root, "client", "0a")
    other = card.identity(root, "other", "0b")
    agent = keeping_agent()
    refused(agent.cli("certificate", "remove", f"{URI};object=client", input=""), 64, "nobody can be asked")
    result = agent.cli("certificate", "remove", f"{URI};object=client", "--yes")
    assert result.returncode == 0, result.stderr
    assert stored(card) == [("other", "0b", other.serial_number)]
    assert card.tool("--list-objects", "--type", "privkey").decode().count("Private Key Object") == 2


def test_of_two_certificates_with_one_name_the_serial_number_tells(keeping_agent, card, root):
    old = card.identity(root, "client", "0a")
    new = renewed(root, old.public_key())
    card.write_certificate(new, "client", "0a")
    agent = keeping_agent()
    refused(agent.cli("certificate", "remove", f"{URI};object=client", "--yes"), 66, "2 certificates match")
    assert agent.cli(
        "certificate", "remove", f"{URI};object=client", "--serial", str(old.serial_number), "--yes").returncode == 0
    assert stored(card) == [("client", "0a", new.serial_number)]


def test_a_deletion_that_the_token_only_claims_is_told(trapped_agent, card, root):
    card.identity(root, "client", "0a")
    refused(
        trapped_agent(keep_certificate=1).cli("certificate", "remove", f"{URI};object=client", "--yes"), 77,
        "says that the certificate is deleted, and still has it")
