"""Certificates for the tests, made with pyca/cryptography or openssl: nothing here shares code with what is tested."""

import dataclasses
import datetime
import ipaddress
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "p224": ec.SECP224R1, "k256": ec.SECP256K1}
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
    "crl_sign", "encipher_only", "decipher_only")


def name(common_name, organization="Tokenward Tests"):
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def make_key(kind="p256"):
    """A private key on one of CURVES, or "rsa" with its number of bits."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key(CURVES[kind]())


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def key_pem(key):
    """PKCS #8, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@dataclasses.dataclass
class Identity:
    """A key of ours with its certificate, and the certificates between it and the root."""

    certificate: x509.Certificate
    key: object
    chain: list


class Authority:
    """A certificate authority with a P-256 key: a root, or below its issuer."""

    def __init__(self, common_name="Test Root", issuer=None, **options):
        self.key = make_key()
        signer = issuer or self
        self.name = name(common_name)
        self.certificate = certificate(
            subject=self.name, issuer=signer.name, public_key=self.key.public_key(), signing_key=signer.key,
            authority_key=signer.key.public_key(), is_ca=True, **options)
        self.chain = [self.certificate, *issuer.chain] if issuer else []

    def issue(self, common_name, public_key, **options):
        """A leaf that Roles Anywhere takes, unless `options` spoil it."""
        options.setdefault("subject", name(common_name))
        return certificate(
            issuer=self.name, public_key=public_key, signing_key=self.key, authority_key=self.key.public_key(),
            **options)

    def identity(self, common_name="build", kind="p256", key=None, **options):
        """A leaf for a key of ours."""
        key = key or make_key(kind)
        return Identity(self.issue(common_name, key.public_key(), **options), key, list(self.chain))

    def identity_by_openssl(self, folder, *arguments, extensions=None):
        """A leaf that pyca/cryptography refuses to make: SHA-1, X.509 v1."""
        key = make_key("rsa2048")
        for file, content in {
            "ca.pem": pem(self.certificate), "ca.key": key_pem(self.key), "leaf.key": key_pem(key)
        }.items():
            (folder / file).write_bytes(content)
        subprocess.run(
            ["openssl", "req", "-new", "-key", folder / "leaf.key", "-subj", "/CN=build", "-out", folder / "leaf.csr"],
            check=True, capture_output=True)
        command = ["openssl", "x509", "-req", "-in", folder / "leaf.csr", "-CA", folder / "ca.pem", "-CAkey",
                   folder / "ca.key", "-set_serial", "77", "-days", "2", "-out", folder / "leaf.pem", *arguments]
        if extensions:
            (folder / "ext").write_text(extensions)
            command += ["-extfile", folder / "ext"]
        subprocess.run(command, check=True, capture_output=True)
        return Identity(x509.load_pem_x509_certificate((folder / "leaf.pem").read_bytes()), key, list(self.chain))

    def revocation_list(self, *serials):
        """A list for one day that has these serial numbers; PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW).next_update(NOW + DAY)
        for serial in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def certificate(
    subject,
    issuer,
    public_key,
    signing_key,
    authority_key,
    is_ca=False,
    usage=None,
    not_before=NOW - DAY,
    not_after=NOW + 90 * DAY,
    digest=None,
    serial=None,
    server_names=(),
    key_identifiers=True,
    extensions=(),
):
    """`usage` are names of USAGES, or none for a certificate without that extension.

    Without `key_identifiers` it is its issuer's by name alone.
    """
    if usage is None:
        usage = ("key_cert_sign", "crl_sign") if is_ca else ("digital_signature", "key_encipherment")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if key_identifiers:
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False)
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(**{known: known in usage for known in USAGES}), critical=True)
    if server_names:
        names = []
        for server_name in server_names:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(server_name)))
            except ValueError:
                names.append(x509.DNSName(server_name))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signing_key, digest or hashes.SHA256())
