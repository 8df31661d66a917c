"""Key files as other programs write them."""

import subprocess

from support.authority import Authority, key_pem, pem

PASSWORD = "correct horse"


class KeyFiles:
    """Writes key files with openssl."""

    def __init__(self, folder, root):
        self.folder, self.root = folder, root
        self.middle = Authority("Middle", issuer=root)

    def identity(self, name="client", kind="p256", **options):
        """An identity below an intermediate authority, as PEM files."""
        identity = self.middle.identity(name, kind=kind, **options)
        (self.folder / f"{name}.key").write_bytes(key_pem(identity.key))
        (self.folder / f"{name}.crt").write_bytes(pem(identity.certificate))
        (self.folder / "chain.crt").write_bytes(pem(self.middle.certificate, self.root.certificate))
        return identity

    def openssl(self, *arguments):
        result = subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, capture_output=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def pfx(self, *options, name="client", password=PASSWORD, chain=True):
        path = self.folder / f"{name}.pfx"
        self.openssl(
            "pkcs12", "-export", "-inkey", f"{name}.key", "-in", f"{name}.crt", *(["-certfile", "chain.crt"] if chain else []),
            "-passout", f"pass:{password}", "-out", path, *options)
        return path
