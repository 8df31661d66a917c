"""The emulator refuses each wrong certificate, chain and configuration with its exact words."""

import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from support.authority import DAY, NOW, Authority, make_key, pem
from support.emulator import ARNS, ROLE, resources
from support.emulator_client import SignedRequest, algorithm_of, create_session
from support.processes import binary
from support.refusals import DENIED, check, invalid, made_up

UNTRUSTED = (403, DENIED, "Untrusted Signing Certificate", False)


def test_a_leaf_that_may_not_sign(emulator, root):
    expected = (403, DENIED, "Untrusted certificate. Insufficient certificate", False)
    check(emulator, SignedRequest(emulator, root.identity(usage=("key_encipherment",))), expected)
    check(emulator, SignedRequest(emulator, root.identity(usage=())), expected)


def test_a_leaf_that_is_a_ca(emulator, root):
    check(emulator, SignedRequest(emulator, root.identity(is_ca=True, usage=("digital_signature", "key_cert_sign"))),
          made_up("The certificate is a CA certificate"))


def test_a_leaf_without_subject(emulator, root):
    san = x509.SubjectAlternativeName([x509.DNSName("build.example")])
    check(emulator, SignedRequest(emulator, root.identity(subject=x509.Name([]), extensions=[(san, False)])),
          made_up("The certificate has an empty subject"))


def test_a_leaf_out_of_its_time(emulator, root):
    expired = root.identity(not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    at = expired.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    check(emulator, SignedRequest(emulator, expired), made_up(f"The certificate expired at {at}"))
    early = root.identity(not_before=NOW + DAY, not_after=NOW + 3 * DAY)
    at = early.certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    check(emulator, SignedRequest(emulator, early), made_up(f"The certificate is not valid before {at}"))


def test_a_leaf_signed_with_sha1(emulator, root, tmp_path):
    identity = root.identity_by_openssl(tmp_path, "-sha1", extensions="keyUsage=critical,digitalSignature\n")
    check(emulator, SignedRequest(emulator, identity), made_up("The certificate is not signed with SHA-256 or stronger"))


def test_a_leaf_of_version_1(emulator, root, tmp_path):
    identity = root.identity_by_openssl(tmp_path, "-sha256")
    assert identity.certificate.version is x509.Version.v1
    check(emulator, SignedRequest(emulator, identity), made_up("The certificate is not an X.509 v3 certificate"))


def test_a_key_that_the_service_does_not_take(emulator, root):
    identity = root.identity(key=ed25519.Ed25519PrivateKey.generate())
    request = SignedRequest(emulator, identity)
    request.key = make_key("p256")
    assert algorithm_of(identity.key) == "AWS4-X509-ECDSA-SHA256"
    check(emulator, request, made_up("The certificate's key type is not one that this emulator can verify"))


@pytest.mark.parametrize("kind", ["rsa1024", "rsa4608", "p224", "k256"])
def test_a_key_of_another_size_or_curve_than_the_service_takes(emulator, root, kind):
    check(emulator, SignedRequest(emulator, root.identity(kind=kind)), made_up(
        "The certificate's key is neither RSA of 2048 to 4096 bits nor on P-256, P-384 or P-521"))


def test_a_revoked_leaf(emulator, revoked):
    check(emulator, SignedRequest(emulator, revoked), made_up("The certificate is revoked"))


def test_a_revoked_intermediate(start, tmp_path, root):
    intermediate = Authority("Revoked Intermediate", issuer=root)
    configuration = resources(tmp_path, root, [intermediate.certificate.serial_number])
    (tmp_path / "emulator.json").write_text(json.dumps(configuration))
    emulator = start("--config", tmp_path / "emulator.json", arns=ARNS)
    check(emulator, SignedRequest(emulator, intermediate.identity("build")), made_up("The certificate is revoked"))


def test_a_leaf_of_a_stranger(emulator):
    check(emulator, SignedRequest(emulator, Authority("Stranger").identity("build")), UNTRUSTED)
    assert emulator.get("last")["detail"] == "unable to get local issuer certificate"


def test_a_stranger_with_the_name_of_the_root(emulator):
    check(emulator, SignedRequest(emulator, Authority("Example Root").identity("build", key_identifiers=False)), UNTRUSTED)


def test_an_intermediate_that_was_not_sent(emulator, root):
    request = SignedRequest(emulator, Authority("Intermediate", issuer=root).identity("build"))
    request.chain = []
    check(emulator, request, UNTRUSTED)


def test_an_issuer_that_is_no_ca(emulator, root):
    leaf = root.identity("not a CA")
    pretender = Authority("unused", issuer=root)
    pretender.name, pretender.key, pretender.certificate = leaf.certificate.subject, leaf.key, leaf.certificate
    request = SignedRequest(emulator, pretender.identity("build"))
    request.chain = [leaf.certificate]
    check(emulator, request, UNTRUSTED)


def test_a_chain_of_six(emulator, identity, root):
    request = SignedRequest(emulator, identity)
    request.chain = [Authority(f"Unrelated {n}", issuer=root).certificate for n in range(6)]
    check(emulator, request, invalid(6, "x509Chain", "have length less than or equal to 5"))


def test_a_chain_that_holds_no_certificates(emulator, identity):
    class NoCertificate:
        def public_bytes(self, _):
            return b"intermediate-cert-1"

    request = SignedRequest(emulator, identity)
    request.chain = [NoCertificate()]
    check(emulator, request, made_up(
        "The X-Amz-X509-Chain header does not hold certificates in base64 DER, joined by commas"))


def test_unrelated_certificates_in_the_chain_do_no_harm(emulator, identity, root):
    request = SignedRequest(emulator, identity)
    request.chain = [Authority("Unrelated").certificate, identity.certificate, root.certificate]
    assert create_session(emulator, request).status == 201


@pytest.mark.parametrize("file, content, reason", [
    ("root.pem", "", "it holds no PEM certificate"),
    ("root.pem", "leaf", "Incorrect basic constraints for CA certificate"),
    ("root.pem", "three", "a trust anchor has one or two certificates"),
    ("root.pem", "no usage", "a trust anchor needs the keyCertSign key usage"),
])
def test_a_trust_anchor_that_the_service_would_not_take(tmp_path, root, file, content, reason):
    texts = {
        "": b"", "leaf": pem(root.identity().certificate), "three": pem(root.certificate) * 3,
        "no usage": pem(root.identity(is_ca=True, usage=("crl_sign",)).certificate)}
    (tmp_path / file).write_bytes(texts[content])
    result = subprocess.run(
        [binary("rolesanywhere-emulator"), "--plain", "--trust-anchor-pem", tmp_path / file], capture_output=True, text=True)
    assert result.returncode != 0
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == f"Error: {tmp_path / file}: {reason}"


@pytest.mark.parametrize("change, reason", [
    ({"rolez": []}, "unknown key 'rolez'; known here: region, skewSeconds, trustAnchors, profiles, roles, users, stsRegions, iot"),
    ({"roles": [{"arn": ROLE, "max": 1}]},
     "unknown key 'max'; known here: arn, maxSessionDuration, principalTags, sourceArn, trustPolicy"),
    ({"roles": [{}]}, "roles.0 has no 'arn'"),
    ({"roles": [{"arn": 7}]}, "roles.0.arn has the wrong type"),
    ({"roles": [{"arn": "build"}]}, "'build' is no ARN of iam"),
    ({"trustAnchors": []}, "it has neither a region nor a trust anchor"),
])
def test_a_configuration_that_is_wrong(tmp_path, root, change, reason):
    configuration = resources(tmp_path, root) | change
    del configuration["region"]
    file = tmp_path / "emulator.json"
    file.write_text(json.dumps(configuration))
    result = subprocess.run([binary("rolesanywhere-emulator"), "--plain", "--config", file], capture_output=True, text=True)
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == f"Error: {file}: {reason}"
