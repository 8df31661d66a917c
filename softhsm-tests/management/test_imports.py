"""`tokenward import` brings keys from files to a token, where they sign and stay; openssl and pkcs11-tool are the judges."""

import json
import re

import pytest
from cryptography.hazmat.primitives import serialization

from support import configuration
from support.authority import der
from support.key_files import PASSWORD



@pytest.fixture
def importer(card, keeping_agent, service):
    """An agent with an empty token, whose PIN is stored, and a profile for what comes to be on it."""
    return keeping_agent(configuration.profile(service))


MECHANISMS = {"p256": "ECDSA", "p384": "ECDSA", "p521": "ECDSA", "rsa2048": "SHA256-RSA-PKCS", "rsa4096": "SHA256-RSA-PKCS"}


def objects(token, kind):
    """What pkcs11-tool lists of this kind, each as its lines."""
    listing = token.tool("--list-objects", "--type", kind).decode()
    return [part for part in re.split(r"(?m)^(?=\S)", listing) if part.strip()]


def check_signature(token, folder, identity, kind):
    """The token signs with the key, and openssl verifies that with the certificate."""
    message, signature, key = (folder / name for name in ("message", "signature", "public.pem"))
    message.write_bytes(bytes(range(32)))
    options = ["--signature-format", "openssl"] if kind.startswith("p") else []
    token.tool(
        "--sign", "--id", "01", "--mechanism", MECHANISMS[kind], "--input-file", message, "--output-file", signature, *options)
    key.write_bytes(identity.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    if kind.startswith("p"):
        command = ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-in", message, "-sigfile", signature]
    else:
        command = ["dgst", "-sha256", "-verify", key, "-signature", signature, message]
    token.softhsm.run("openssl", *map(str, command))


@pytest.mark.parametrize("kind", MECHANISMS)
def test_a_key_from_a_pfx_signs_and_stays(bring, importer, card, key_files, tmp_path, kind):
    identity = key_files.identity(kind=kind)
    result = bring(importer, key_files.pfx("-legacy" if kind == "p256" else "-nomaciter"))
    assert result.returncode == 0, result.stderr
    uri = result.stdout.splitlines()[-1]
    assert uri.startswith("pkcs11:") and "object=client" in uri and "id=%01" in uri
    [private_key] = objects(card, "privkey")
    access = re.search(r"Access: +(.*)", private_key)[1].split(", ")
    assert "sensitive" in access and "extractable" not in access
    assert re.search(r"Usage: +(.*)", private_key)[1].strip() == "sign"
    own, issuer = sorted(objects(card, "cert"), key=len, reverse=True)
    assert "'client'" not in issuer and "client issuer 1" in issuer and "ID:" not in issuer
    assert card.tool("--read-object", "--type", "cert", "--id", "01") == der(identity.certificate)
    assert card.tool("--read-object", "--type", "cert", "--label", "client issuer 1") == der(identity.chain[0])
    check_signature(card, tmp_path, identity, kind)
    answer = importer.credentials()
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["Version"] == 1


def test_the_intermediate_is_sent_to_the_service(bring, importer, key_files, service):
    key_files.identity()
    assert bring(importer, key_files.pfx()).returncode == 0
    # The service trusts the root alone.
    assert importer.credentials().returncode == 0
    status, identities = importer.get("/v1/identities")
    assert status == 200
    assert [each["has_key"] for each in identities if "CN=client" in each["subject"]] == [True]


def test_an_intermediate_that_is_on_the_token_is_not_written_again(bring, importer, card, key_files):
    for name, number in (("first", "01"), ("second", "02")):
        key_files.identity(name)
        result = bring(importer, key_files.pfx(name=name), label=name, number=number)
        assert result.returncode == 0, result.stderr
    labels = {re.search(r"label: +(.*)", each)[1] for each in objects(card, "cert")}
    assert labels == {"first", "first issuer 1", "second"}


PEM = {
    "PKCS#8": ["pkcs8", "-topk8", "-nocrypt"], "PKCS#1": ["rsa", "-traditional"], "encrypted PKCS#8": ["pkcs8", "-topk8"],
    "encrypted PKCS#1": ["rsa", "-traditional", "-aes256"]}


@pytest.mark.parametrize("form", PEM)
def test_a_key_from_pem_comes_with_the_certificates_beside_it(bring, importer, card, key_files, tmp_path, form):
    identity = key_files.identity(kind="rsa2048")
    encrypted = "encrypted" in form
    key = key_files.openssl(*PEM[form], "-in", "client.key", *(["-passout", f"pass:{PASSWORD}"] if encrypted else []))
    path = tmp_path / "client.pem"
    path.write_bytes((key_files.folder / "client.crt").read_bytes() + key + (key_files.folder / "chain.crt").read_bytes())
    result = bring(importer, path, password=PASSWORD if encrypted else None)
    assert result.returncode == 0, result.stderr
    assert len(objects(card, "cert")) == 2
    check_signature(card, tmp_path, identity, "rsa2048")


def test_a_key_without_a_certificate_is_written_and_told(bring, importer, card, key_files):
    key_files.identity()
    result = bring(importer, key_files.folder / "client.key", password=None)
    assert result.returncode == 0, result.stderr
    assert "none in the file; 'tokenward certificate install' adds one" in result.stdout
    assert objects(card, "cert") == []


def test_what_the_token_says_is_told_as_json(bring, importer, key_files):
    key_files.identity()
    result = bring(importer, key_files.pfx(), "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    key = answer["key"]
    assert (key["extractable"], key["sensitive"], key["sign_only"], key["local"]) == (False, True, True, False)
    assert key["never_extractable"] is False, "it was outside, and SoftHSM says so"
    assert "CN=client" in answer["subject"] and ["CN=Middle" in each for each in answer["intermediates"]] == [True]
    assert answer["left_out"] == 1, "the root, which belongs in the trust anchor"
    assert "worth less than one that the token has made" in result.stderr


def test_two_secrets_on_standard_input_are_pin_and_password(keeping_agent, card, key_files):
    agent = keeping_agent(pin="prompt")
    key_files.identity()
    result = agent.cli(
        "import", str(key_files.pfx()), "--token", "pkcs11:token=card", "--label", "client", "--id", "01", "--pin-stdin",
        "--password-stdin", input=f"{card.pin}\n{PASSWORD}\n")
    assert result.returncode == 0, result.stderr
    assert len(objects(card, "privkey")) == 1


def test_shred_removes_the_file_and_says_what_it_proves(bring, importer, key_files):
    key_files.identity()
    path = key_files.pfx()
    other_name = path.with_suffix(".copy")
    other_name.hardlink_to(path)
    size = path.stat().st_size
    result = bring(importer, path, "--shred")
    assert result.returncode == 0, result.stderr
    assert not path.exists()
    assert other_name.read_bytes() == bytes(size), "the content itself is overwritten"
    assert "SSDs" in result.stderr and "proves nothing" in result.stderr


def test_a_file_stays_where_the_import_fails(bring, importer, key_files):
    key_files.identity()
    path = key_files.pfx()
    content = path.read_bytes()
    assert bring(importer, path, "--shred", password="wrong").returncode == 64
    assert path.read_bytes() == content
