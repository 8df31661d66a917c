"""A private SoftHSM, driven by its own tools and OpenSC's: what an administrator would type."""

import glob
import os
import subprocess

from cryptography.hazmat.primitives import serialization

from support import authority

MODULE = next(iter(glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")), None)
PIN = "123456"
SO_PIN = "87654321"


def run(*arguments, **options):
    result = subprocess.run(arguments, capture_output=True, timeout=60, **options)
    assert result.returncode == 0, f"{' '.join(map(str, arguments))}: {result.stdout!r} {result.stderr!r}"
    return result.stdout


def write_pin(path, text=f"{PIN}\n", mode=0o600):
    """Writes a PIN file; gives its path as a pin-source."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return f"file:{path}"


class SoftHSM:
    """Tokens in a folder of their own."""

    def __init__(self, folder):
        assert MODULE, "SoftHSM is not installed: apt-get install softhsm2"
        self.folder = str(folder)
        self.configuration = f"{self.folder}/softhsm2.conf"
        os.makedirs(f"{self.folder}/tokens", mode=0o700, exist_ok=True)
        with open(self.configuration, "w") as file:
            file.write(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": self.configuration}

    def token(self, label, pin=PIN):
        self.run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)
        return Token(self, label, pin)

    def run(self, *arguments):
        return run(*arguments, env={**os.environ, **self.environment})


class Token:
    def __init__(self, softhsm, label, pin):
        self.softhsm, self.label, self.pin = softhsm, label, pin

    def tool(self, *arguments):
        return self.softhsm.run(
            "pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", self.pin, *arguments
        )

    def generate(self, label, identifier, key_type="EC:prime256v1", options=()):
        """Makes a key pair on the token, where the private key stays; `options` are further ones of pkcs11-tool."""
        self.tool("--keypairgen", "--key-type", key_type, "--label", label, "--id", identifier, *options)
        public = self.tool("--read-object", "--type", "pubkey", "--id", identifier)
        return serialization.load_der_public_key(public)

    def import_key(self, key, label, identifier):
        """Puts a key pair of ours on the token: for what pkcs11-tool cannot make or read back."""
        path = f"{self.softhsm.folder}/key.pem"
        with open(path, "wb") as file:
            file.write(authority.key_pem(key))
        self.softhsm.run(
            "softhsm2-util", "--import", path, "--token", self.label, "--label", label, "--id", identifier, "--pin",
            self.pin)
        os.unlink(path)

    def write_certificate(self, certificate, label, identifier):
        self.write(authority.der(certificate), label, identifier)

    def look(self, *arguments):
        """The objects that are seen without a login."""
        return self.softhsm.run("pkcs11-tool", "--module", MODULE, "--token-label", self.label, *arguments)

    def write(self, value, label, identifier):
        path = f"{self.softhsm.folder}/object.der"
        with open(path, "wb") as file:
            file.write(value)
        self.tool("--write-object", path, "--type", "cert", "--label", label, "--id", identifier)

    def add(self, number, value, key=None, label=None):
        """A certificate, and its private key where one is given, under CKA_ID `number`; their label."""
        label = label or f"object-{number:02x}"
        if key:
            self.import_key(key, label, f"{number:02x}")
        self.write(value if isinstance(value, bytes) else authority.der(value), label, f"{number:02x}")
        return label

    def write_secret(self, label, secret):
        """Puts a secret key on the token as SigV4 begins with it: `AWS4` and an access key's secret."""
        value = ("AWS4" + secret).encode().hex()
        run("p11tool", "--provider", MODULE, "--login", "--write", f"--secret-key={value}", "--label", label,
            "--mark-private", f"pkcs11:token={self.label}",
            env={**os.environ, **self.softhsm.environment, "GNUTLS_PIN": self.pin})

    def identity(self, issuer, label="client", identifier="01", key_type="EC:prime256v1", options=(), **fields):
        """A key pair, made with `options`, and its certificate with these `fields`."""
        public_key = self.generate(label, identifier, key_type, options)
        certificate = issuer.issue(fields.pop("common_name", label), public_key, **fields)
        self.write_certificate(certificate, label, identifier)
        return certificate
