"""Certificates for the tests, made with pyca/cryptography: nothing here shares code with what is tested."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def name(common_name, organization="Tokenward Tests"):
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


class Authority:
    """A certificate authority with a P-256 key."""

    def __init__(self, common_name="Test Root", issuer=None, **options):
        self.key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self
        self.name = name(common_name)
        self.certificate = certificate(
            subject=self.name,
            issuer=signer.name,
            public_key=self.key.public_key(),
            signing_key=signer.key,
            authority_key=signer.key.public_key(),
            is_ca=True,
            digital_signature=False,
            **options,
        )

    def issue(self, common_name, public_key, **options):
        """A leaf that Roles Anywhere takes, unless `options` spoil it."""
        options.setdefault("subject", name(common_name))
        return certificate(
            issuer=self.name,
            public_key=public_key,
            signing_key=self.key,
            authority_key=self.key.public_key(),
            **options,
        )


def certificate(
    subject,
    issuer,
    public_key,
    signing_key,
    authority_key,
    is_ca=False,
    digital_signature=True,
    not_before=NOW - DAY,
    not_after=NOW + 90 * DAY,
    digest=None,
    serial=None,
    server_names=(),
    extensions=(),
):
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=digital_signature,
                content_commitment=False,
                key_encipherment=not is_ca,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_ca,
                crl_sign=is_ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False)
    )
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
