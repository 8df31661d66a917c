"""Every certificate that is not chosen is listed with the reasons."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from support import configuration
from support.answers import by_label
from support.authority import DAY, NOW, der, key_pem, make_key, name
from support.softhsm import write_pin

YUBIKEY_FIRMWARE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.3"), bytes([5, 4, 3]))


@pytest.fixture(scope="module")
def weak_folder(tmp_path_factory):
    """An RSA authority for openssl, because ECDSA with MD5 has no name in X.509."""
    folder = tmp_path_factory.mktemp("weak")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=weak",
            folder=folder)
    return folder


def signed_with(digest, key, folder):
    """A certificate over a digest that pyca does not sign with any more: by openssl."""
    (folder / "leaf.key").write_bytes(key_pem(key))
    (folder / "leaf.cnf").write_text(
        "[req]\ndistinguished_name=n\nprompt=no\n[n]\nCN=weak\n[v3]\nkeyUsage=critical,digitalSignature\n")
    openssl("req", "-new", "-key", "leaf.key", "-config", "leaf.cnf", "-out", "leaf.csr", folder=folder)
    openssl(
        "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", f"-{digest}", "-days", "30",
        "-extfile", "leaf.cnf", "-extensions", "v3", "-outform", "DER", "-out", "leaf.der", folder=folder)
    return (folder / "leaf.der").read_bytes()


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=20)


def without_key_usage(root, key):
    return (
        x509.CertificateBuilder().subject_name(name("bare")).issuer_name(root.name).public_key(key.public_key())
        .serial_number(77).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY).sign(root.key, hashes.SHA256()))


@pytest.fixture(scope="module")
def spoilt(softhsm, root, weak_folder, certificate_writer):
    """A token with one good identity among many that are spoilt; what is expected of each, by label."""
    token = softhsm.token("spoilt")
    expected = {}

    def spoil(reasons, value=None, key=None, on_token=True, **options):
        key = key or make_key()
        value = value or root.issue(options.pop("common_name", f"spoilt-{len(expected)}"), key.public_key(), **options)
        expected[token.add(len(expected) + 1, value, key if on_token else None)] = reasons

    day = (NOW - 5 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    spoil([f"expired on {day}"], not_before=NOW - 9 * DAY, not_after=NOW - 5 * DAY)
    day = (NOW + 5 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    spoil([f"not valid before {day}"], not_before=NOW + 5 * DAY)
    spoil(["a CA's certificate (basicConstraints), which the service does not take"], is_ca=True,
          usage=["digital_signature", "key_cert_sign", "crl_sign"])
    spoil(["its key usage lacks digitalSignature"], usage=["key_encipherment"])
    key = make_key()
    spoil(["no key usage extension; the service wants digitalSignature"], without_key_usage(root, key), key)
    for digest in ("sha1", "md5"):
        key = make_key()
        spoil([f"signed with {digest.upper()}; the service wants SHA-256 or stronger"],
              signed_with(digest, key, weak_folder), key)
    spoil(["its subject is empty, which the service does not take"], subject=x509.Name([]))
    spoil(["no private key with its CKA_ID on the token"], on_token=False)
    spoil(["an attestation of a YubiKey, made for proofs and not for signing in"],
          extensions=[(YUBIKEY_FIRMWARE, False)])
    unsupported = "the service takes RSA 2048 to 4096, EC P-256, P-384 and P-521"
    spoil([f"its key is RSA 1024; {unsupported}"], key=rsa.generate_private_key(65537, 1024))
    spoil([f"its key is EC 1.3.132.0.33; {unsupported}"], key=ec.generate_private_key(ec.SECP224R1()))
    edwards = ed25519.Ed25519PrivateKey.generate()
    spoil([f"its key is ED25519; {unsupported}", "no private key with its CKA_ID on the token"], key=edwards,
          on_token=False)
    other = make_key()
    label = token.add(0x60, root.issue("other", other.public_key()), make_key())
    expected[label] = ["the key with this CKA_ID on the token is another one: the public keys differ"]
    key = rsa.generate_private_key(65537, 2048)  # shows its public half
    token.import_key(key, "moved", "61")
    label = token.add(0x62, root.issue("moved", key.public_key()))
    expected[label] = ["its private key is on the token under another CKA_ID; give both the same"]
    whole = der(root.issue("truncated", make_key().public_key()))
    ends = f"the certificate ends after {len(whole) - 10} of {len(whole)} bytes"
    unreadable = {
        ("garbage", 0x70): (b"\x30\x03garbage", ["4 bytes that are not zero follow the certificate"]),
        ("truncated", 0x71): (whole[:-10], [ends]),
        # Cards pad with zeros, which are cut off.
        ("padded", 0x72): (whole + b"\0\0", ["no private key with its CKA_ID on the token"]),
        ("compressed", 0x73): (b"\x1f\x8b" + whole, [
            "the certificate is compressed with gzip, and the PKCS#11 module did not unpack it"]),
    }
    certificate_writer(token, {name: value for name, (value, _) in unreadable.items()})
    expected |= {label: reasons for (label, _), (_, reasons) in unreadable.items()}
    key = make_key()
    expected[token.add(0x80, root.issue("good", key.public_key()), key, "good")] = ["chosen"]
    return expected


@pytest.fixture(scope="module")
def judge(spoilt, softhsm, service, start_once, tmp_path_factory):
    """An agent that is logged in to the token with the spoilt certificates."""
    source = write_pin(tmp_path_factory.mktemp("pin") / "pin")
    uri = "pkcs11:token=spoilt"
    agent = start_once(
        configuration.module(softhsm), configuration.token(source),
        configuration.profile(service, certificate=uri),
        configuration.profile(service, "selected", certificate=f"{uri};object=good"),
        configuration.profile(service, "subject", certificate=uri, certificate_subject="CN=somebody"),
        configuration.profile(service, "issuer", certificate=uri, certificate_issuer="CN=Other Root"),
        configuration.profile(service, "serial", certificate=uri, certificate_serial="12345"),
        configuration.profile(service, "right", certificate=uri,
                              certificate_subject="CN=good,O=Tokenward Tests",
                              certificate_issuer="CN=Example Root,O=Tokenward Tests"))
    assert agent.credentials().returncode == 0
    return agent


def test_every_dropped_certificate_has_its_reasons(judge, spoilt):
    explained = by_label(judge.json("list", "--explain", "test"))
    assert set(explained) == set(spoilt)
    for label, reasons in spoilt.items():
        assert explained[label]["reasons"] == reasons, label
        assert explained[label]["chosen"] == (label == "good")
    assert judge.get("/v1/profiles/test/explain") == (200, judge.json("list", "--explain", "test"))


def test_the_list_has_the_same_reasons_and_names_the_profiles(judge, spoilt):
    identities = by_label(judge.json("list"))
    for label, reasons in spoilt.items():
        one = identities[label]
        assert one["usable"] == (label == "good"), label
        assert one["reasons"] == ([] if label == "good" else reasons), label
    assert identities["good"]["profiles"] == ["right", "selected", "test"]
    assert identities["good"]["key_type"] == "EC P-256"


@pytest.mark.parametrize("profile, reason", [
    ("selected", "the profile's certificate URI does not match it"),
    ("subject", "the profile's certificate-subject does not match it"),
    ("issuer", "the profile's certificate-issuer does not match it"),
    ("serial", "the profile's certificate-serial does not match it"),
])
def test_a_certificate_that_the_profile_leaves_out_says_which_key_did_it(judge, profile, reason):
    explained = by_label(judge.json("list", "--explain", profile))
    label = "object-01" if profile == "selected" else "good"
    assert reason in explained[label]["reasons"]
    result = judge.credentials(profile)
    if profile == "selected":
        assert result.returncode == 0
    else:
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (66, "", 1)
        assert result.stderr.endswith("; 'tokenward list --explain PROFILE' tells why each certificate was dropped\n")


def test_selectors_that_fit_choose(judge):
    assert judge.credentials("right").returncode == 0


def test_the_table_of_a_pipe_has_a_line_a_certificate(judge, spoilt):
    result = judge.cli("list")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == len(spoilt) and all(line.startswith("pkcs11:") for line in lines)
    [good] = [line.split("\t") for line in lines if "object=good" in line]
    assert good[1] == "CN=good,O=Tokenward Tests" and good[4] == "EC P-256" and good[5] == "right,selected,test"
