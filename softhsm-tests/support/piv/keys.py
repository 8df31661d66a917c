"""The private keys of a card: raw operations, as a card does them (SP 800-73-4 part 2 §3.2.4; SP 800-78-4 table 6-2)."""

import dataclasses
import functools

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

ALGORITHMS = {"RSA-1024": 0x06, "RSA-2048": 0x07, "RSA-3072": 0x05, "P-256": 0x11, "P-384": 0x14}


@dataclasses.dataclass
class Touch:
    """A key that wants a finger: `after` seconds it comes, or never, and then the card says 6982 after `timeout`."""

    after: float | None = 0
    timeout: float = 15


@dataclasses.dataclass
class Slot:
    """A key reference of the card, with its key and its certificate (DER)."""

    key: object
    algorithm: int
    certificate: bytes
    needs_pin: bool = True
    always: bool = False
    touch: Touch | None = None
    signatures: int = 0

    def sign(self, data):
        """The answer of GENERAL AUTHENTICATE; ValueError if the data do not fit the key."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return raw_rsa(self.key, data)
        digest = hashes.SHA256() if self.key.curve.name == "secp256r1" else hashes.SHA384()
        if len(data) > digest.digest_size:
            raise ValueError("a hash longer than the curve")
        # Zeros in front change nothing in the number that a hash is to ECDSA.
        padded = data.rjust(digest.digest_size, b"\0")
        return self.key.sign(padded, ec.ECDSA(utils.Prehashed(digest)))

    def public_point(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def generate(kind):
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[kind])


@functools.lru_cache
def private_numbers(key):
    return key.private_numbers()


def raw_rsa(key, data):
    size = key.key_size // 8
    message, numbers = int.from_bytes(data, "big"), private_numbers(key)
    if len(data) != size or message >= numbers.public_numbers.n:
        raise ValueError("a block of another size than the modulus")
    first, second = pow(message, numbers.dmp1, numbers.p), pow(message, numbers.dmq1, numbers.q)
    result = second + (first - second) * numbers.iqmp % numbers.p * numbers.q
    return result.to_bytes(size, "big")
