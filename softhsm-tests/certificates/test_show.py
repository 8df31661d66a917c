"""`certificate show` and `certificate export`: what Roles Anywhere makes of a certificate, by pyca's and openssl's reading."""

import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from support.authority import DAY, NOW, Authority, key_pem, make_key, pem
from support.processes import binary, client_environment

SUBJECT = x509.Name([
    x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "a"), x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "b"),
    x509.NameAttribute(NameOID.COMMON_NAME, "build-7"), x509.NameAttribute(NameOID.TITLE, "t"),
    x509.NameAttribute(NameOID.LOCALITY_NAME, "a;b")])
NAMES = x509.SubjectAlternativeName([
    x509.DNSName("one.example"), x509.DNSName("two.example"), x509.UniformResourceIdentifier("spiffe://td/build"),
    x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dir")]))])


@pytest.fixture
def certificate(root):
    return root.issue("build-7", make_key().public_key(), subject=SUBJECT, extensions=[(NAMES, False)], serial=0x291)


@pytest.fixture
def alone(tmp_path):
    """Runs `tokenward certificate …` where no agent listens."""

    def run(*arguments):
        return subprocess.run(
            [binary("tokenward"), "certificate", *arguments], capture_output=True, text=True, timeout=60,
            env=client_environment(TOKENWARD_SOCKET=str(tmp_path / "none.sock")))

    return run


def shown(result):
    assert result.returncode == 0, result.stderr
    [report] = json.loads(result.stdout)
    return report


def tags(report):
    return {tag["key"]: (tag["value"], tag.get("remark", "")[:3]) for tag in report["tags"]}


def time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_file_is_shown_without_an_agent(alone, tmp_path, certificate, encoding):
    path = tmp_path / "certificate"
    path.write_bytes(certificate.public_bytes(encoding))
    report = shown(alone("show", path, "--json"))
    assert (report["serial"], report["serial_hexadecimal"]) == ("657", "0291")
    assert (report["not_before"], report["not_after"]) == (
        time(certificate.not_valid_before_utc), time(certificate.not_valid_after_utc))
    assert (report["key_type"], report.get("key_uri")) == ("EC P-256", None)
    assert (report["source_identity"], report["session_name"]) == ("CN=build-7", "0291")
    name = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253,utf8"], capture_output=True, text=True)
    assert f"subject={report['subject']}" == name.stdout.strip()
    assert tags(report) == {
        "x509Subject/C": ("DE", ""), "x509Subject/O": ("Tests", ""), "x509Subject/OU": ("a/b", ""),
        "x509Subject/CN": ("build-7", ""), "x509Subject/title": ("t", "AWS"), "x509Subject/L": ("a;b", "lef"),
        "x509Issuer/O": ("Tokenward Tests", ""), "x509Issuer/CN": ("Example Root", ""),
        "x509SAN/DNS": ("one.example", ""), "x509SAN/URI": ("spiffe://td/build", ""), "x509SAN/Name/CN": ("dir", "")}
    assert all(rule["met"] for rule in report["rules"]) and len(report["rules"]) == 10


@pytest.mark.parametrize(
    "common_name, expected",
    [("a" * 61, "CN=" + "a" * 61), ("a" * 62, "a" * 62), ("a" * 64, "a" * 64), (None, "ID=0291")])
def test_the_source_identity_is_that_of_the_service(alone, tmp_path, root, common_name, expected):
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "o")]
    names += [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem(root.issue("", make_key().public_key(), subject=x509.Name(names), serial=0x291)))
    assert shown(alone("show", path, "--json"))["source_identity"] == expected


def test_each_rule_that_is_broken_has_its_reason(alone, tmp_path, root):
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem(root.issue(
        "", make_key("k256").public_key(), subject=x509.Name([]), is_ca=True, usage=("key_encipherment",),
        not_before=NOW - 3 * DAY, not_after=NOW - DAY)))
    broken = {rule["rule"]: rule["reason"] for rule in shown(alone("show", path, "--json"))["rules"] if not rule["met"]}
    assert broken.keys() == {"validity", "leaf", "key-usage", "subject", "key"}
    assert broken["validity"] == f"expired on {time(NOW - DAY)}"
    lines = alone("show", path).stdout
    assert f"rule validity\tbroken: expired on {time(NOW - DAY)}\n" in lines
    assert "rule serial\tmet: its serial number is positive, with at most 64 digits\n" in lines


def test_the_first_certificate_of_a_file_is_the_one(alone, tmp_path, certificate, root):
    path = tmp_path / "certificate.pem"
    path.write_bytes(pem(certificate, root.certificate))
    assert shown(alone("show", path, "--json"))["serial"] == "657"


@pytest.mark.parametrize(
    "content, words",
    [(b"", "no certificate"), (b"hello\n", "no certificate"), (b"\x30\x03\x02\x01\x01", "malformed"),
     (b"-----BEGIN CERTIFICATE-----\n" + b"A" * (10 << 20), "more than 1048576"),
     (b"\x30" * (10 << 20), "certificate 1 of the file"), ("key", "a private key"), (None, "No such file")],
    ids=["empty", "text", "no-certificate", "large-pem", "large-der", "key", "none"])
def test_a_file_without_a_certificate_is_66(alone, tmp_path, content, words):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(key_pem(make_key()) if content == "key" else content)
    result = alone("show", path)
    assert (result.returncode, result.stdout) == (66, "")
    assert words in result.stderr and len(result.stderr.splitlines()) == 2


def test_a_certificate_on_a_token_is_shown_with_its_key(private, serve, root):
    token = private.token("card")
    expected = token.identity(root, "client", "01")
    token.write_certificate(root.issue("lone", make_key().public_key()), "lone", "02")
    agent = serve()
    assert agent.cli("unlock", "--stored", "pkcs11:token=card").returncode == 0
    report = shown(agent.cli("certificate", "show", "pkcs11:token=card;object=client", "--json"))
    assert report["serial"] == str(expected.serial_number) and "type=cert" in report["uri"]
    assert "object=client" in report["key_uri"] and "type=private" in report["key_uri"] and "key_reason" not in report
    report = shown(agent.cli("--json", "certificate", "show", "pkcs11:object=lone"))
    assert "key_uri" not in report and report["key_reason"] == "no private key with its CKA_ID on the token"
    result = agent.cli("certificate", "show", "pkcs11:object=none")
    assert result.returncode == 66 and "no certificate on a token matches" in result.stderr
    assert agent.cli("certificate", "show", "pkcs11:object=a?pin-value=1").returncode == 64


def test_a_certificate_is_exported_with_its_chain(private, serve):
    root = Authority("Root")
    middle = Authority("Middle", issuer=root)
    token = private.token("card")
    leaf = token.identity(middle, "client", "01")
    for number, authority in enumerate((middle, root)):
        token.write_certificate(authority.certificate, f"ca-{number}", f"1{number}")
    token.write_certificate(Authority("Other").certificate, "other", "20")
    agent = serve()
    exported = agent.cli("certificate", "export", "pkcs11:object=client")
    assert (exported.returncode, exported.stdout.encode()) == (0, pem(leaf))
    exported = agent.cli("certificate", "export", "pkcs11:object=client", "--chain")
    assert exported.stdout.encode() == pem(leaf, middle.certificate)
    result = agent.cli("certificate", "export", "pkcs11:token=card")
    assert result.returncode == 66 and "4 certificates match" in result.stderr and "object=ca-0" in result.stderr
