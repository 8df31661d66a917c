"""Certificates for the emulator's tests, made by the python cryptography package and, where that refuses, by openssl."""

import datetime
import subprocess
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "p224": ec.SECP224R1, "k256": ec.SECP256K1}


def make_key(kind):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key(CURVES[kind]())


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def key_usage(*names):
    fields = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
              "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in names for name in fields})


@dataclass
class Identity:
    certificate: x509.Certificate
    key: object
    chain: list = field(default_factory=list)


class Authority:
    """A CA: a root, or below `parent`."""

    def __init__(self, name, parent=None, kind="p256"):
        self.key = make_key(kind)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = parent or self
        self.certificate = self._sign(
            issuer, self.name, self.key.public_key(), ca=True, usage=("key_cert_sign", "crl_sign"))
        self.chain = [self.certificate] + parent.chain if parent else []

    def _sign(self, issuer, subject, public_key, *, ca, usage, serial=None, start=-1, end=30, extra=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(issuer.name).public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=start))
            .not_valid_after(now + datetime.timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if usage:
            builder = builder.add_extension(key_usage(*usage), critical=True)
        for extension in extra:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(issuer.key, hashes.SHA256())

    def issue(self, common_name="build", *, kind="p256", key=None, subject=None, ca=False,
              usage=("digital_signature",), **options):
        key = key or make_key(kind)
        if subject is None:
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = self._sign(self, subject, key.public_key(), ca=ca, usage=usage, **options)
        return Identity(certificate, key, list(self.chain))

    def issue_with_openssl(self, folder, *arguments, extensions=None):
        """For certificates that python refuses to make: SHA-1, X.509 v1."""
        key = make_key("rsa2048")
        for name, content in {"ca.pem": pem(self.certificate), "ca.key": key_pem(self.key), "leaf.key": key_pem(key)}.items():
            (folder / name).write_bytes(content)
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
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.name)
                   .last_update(now).next_update(now + datetime.timedelta(days=1)))
        for serial in serials:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
