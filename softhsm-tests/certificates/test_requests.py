"""Certificate requests that keys on tokens sign, verified by openssl."""

import ipaddress
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from support import configuration
from support.authority import make_key
from support.softhsm import PIN

KEY = "pkcs11:token=card;object=client"


def request(agent, *arguments, key=KEY, subject="CN=build-7,O=Example", **options):
    return agent.cli("csr", "--key", key, "--subject", subject, *arguments, **options)


def refused(result, code, *words):
    assert (result.returncode, result.stdout) == (code, ""), result
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and all(word in result.stderr for word in words), result.stderr


@pytest.mark.parametrize(
    "kind, digest",
    [("p256", hashes.SHA256), ("p384", hashes.SHA384), ("p521", hashes.SHA512), ("rsa2048", hashes.SHA256),
     ("rsa4096", hashes.SHA256)])
def test_a_key_without_a_certificate_signs_a_request_for_itself(private, serve, judged, kind, digest):
    key = make_key(kind)
    private.token("card").import_key(key, "client", "01")
    agent = serve()
    subject, read = judged(request(agent))
    assert (subject, read.public_key()) == ("CN=build-7,O=Example", key.public_key())
    assert isinstance(read.signature_hash_algorithm, digest)


def test_a_request_asks_for_a_client_s_certificate_with_the_names_given(private, serve, judged):
    private.token("card").generate("client", "01")
    agent = serve()
    names = ["DNS:build-7.example", "DNS:*.example", "URI:spiffe://td/build", "email:ci@example.org", "IP:192.0.2.7", "IP:2001:db8::7"]
    _, read = judged(request(agent, *(word for name in names for word in ("--san", name))))
    usage = read.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value == x509.KeyUsage(True, *[False] * 8)
    extended = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    found = list(read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    assert found == [
        x509.DNSName("build-7.example"), x509.DNSName("*.example"),
        x509.UniformResourceIdentifier("spiffe://td/build"), x509.RFC822Name("ci@example.org"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.7")), x509.IPAddress(ipaddress.ip_address("2001:db8::7"))]


def test_openssl_reads_the_subjects_that_were_written(private, serve, judged):
    private.token("card").generate("client", "01")
    agent = serve()
    letters, generator = 'aZ9 äß語🔑,+"\\#;<>=/', random.Random(7)
    for _ in range(12):
        parts = [(kind, "".join(generator.choices(letters, k=generator.randint(1, 9)))) for kind in ("CN", "OU", "O", "L")]
        name = x509.Name([x509.RelativeDistinguishedName([x509.NameAttribute(OIDS[kind], value)])
                          for kind, value in reversed(parts)])
        _, read = judged(request(agent, subject=name.rfc4514_string()))
        assert read.subject == name


OIDS = {"CN": x509.NameOID.COMMON_NAME, "OU": x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "O": x509.NameOID.ORGANIZATION_NAME,
        "L": x509.NameOID.LOCALITY_NAME}


def test_another_key_s_certificate_under_the_same_id_does_not_confuse_it(private, serve, judged, root):
    token = private.token("card")
    public = token.generate("client", "01")
    other = token.generate("other", "02")
    token.tool("--delete-object", "--type", "pubkey", "--id", "01")
    token.write_certificate(root.issue("other", other), "client", "01")
    # All that the token shows for the key is another key's.
    agent = serve()
    refused(request(agent), 70, "fits no public key that the token shows")
    token.write_certificate(root.issue("client", public), "renewed", "01")
    assert judged(request(agent))[1].public_key() == public


def test_the_pin_comes_from_standard_input(private, start, judged):
    private.token("card").generate("client", "01")
    agent = start(configuration.module(private))
    refused(request(agent), 80, "needs its PIN")
    refused(request(agent, "--pin-stdin", input="000000\n"), 80, "refused its PIN")
    assert judged(request(agent, "--pin-stdin", input=f"{PIN}\n"))[0] == "CN=build-7,O=Example"
    # The login is that of any other use.
    assert judged(request(agent))[0] == "CN=build-7,O=Example"


def test_a_locked_token_signs_no_request_whatever_the_pin(private, serve):
    private.token("card").generate("client", "01")
    agent = serve()
    assert agent.cli("lock").returncode == 0
    refused(request(agent), 80, "locked")
    refused(request(agent, "--pin-stdin", input=f"{PIN}\n"), 80, "locked")


def test_a_key_that_is_not_the_only_one_or_not_there_is_66(private, serve):
    for label in ("card", "spare"):
        token = private.token(label)
        token.generate("client", "01")
        token.generate("other", "02")
    agent = serve()
    refused(request(agent, key="pkcs11:object=client"), 66, "2 tokens match", "token=card", "token=spare")
    refused(request(agent, key="pkcs11:token=card"), 66, "2 private keys", "object=client", "object=other")
    refused(request(agent, key="pkcs11:token=card;object=none"), 66, "no private key", "object=client")
    refused(request(agent, key="pkcs11:token=none;object=client"), 66, "no token matches")


def test_a_key_that_the_service_does_not_take_makes_no_request(private, serve):
    private.token("card").import_key(make_key("k256"), "client", "01")
    agent = serve()
    refused(request(agent), 66, "the service takes RSA 2048 to 4096, EC P-256, P-384 and P-521")


@pytest.mark.parametrize(
    "subject, words",
    [("", "missing value"), (" ", "the name is empty"), ("CN=a\x07", "column 5: the value of CN holds U+0007"),
     ("CN=a\\0Ab", "column 5: the value of CN holds U+000A"), ("CN=a\u202eb", "holds U+202E"), ("/CN=a", "column 1"),
     ("CN=" + "a" * 65, "at most 64"), ("CN=" + "a" * 5000, "more than 4096 bytes")])
def test_a_bad_subject_is_64_and_no_token_is_asked(private, serve, subject, words):
    private.token("card").generate("client", "01")
    agent = serve()
    refused(request(agent, f"--subject={subject}", subject="CN=x"), 64, words)
    assert "logged in" not in agent.log()


def test_a_bad_name_is_64_with_its_number(serve):
    agent = serve()
    refused(request(agent, "--san", "DNS:a", "--san", "DNS:a b"), 64, "alternative name 2")
    refused(request(agent, *["--san", "DNS:a"] * 101), 64, "more than 100 alternative names")
    refused(request(agent, key="pkcs11:token=card;type=cert"), 64, "another type than private")


def test_a_pin_in_the_uri_is_not_repeated(serve):
    agent = serve()
    result = request(agent, key="pkcs11:token=card?pin-value=73519246")
    refused(result, 64, "pin-value")
    assert "7351" not in result.stderr
