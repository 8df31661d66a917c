"""NSS softokn: the key database of Firefox and Thunderbird. It has no daemon, and wants an init string."""

import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from support.providers.provider import PIN, Provider, need_module, need_programs


class NSS(Provider):
    name = "NSS softokn"
    daemon = None

    def __init__(self, folder, has_pin=True):
        need_programs("libnss3-tools", "certutil", "pk12util")
        self.module = need_module("libnss3", "libsoftokn3.so")
        self.folder = str(folder)
        self.database = f"sql:{self.folder}/db"
        os.makedirs(f"{self.folder}/db")
        self.pin_file = f"{self.folder}/password"
        with open(self.pin_file, "w") as file:
            file.write(PIN if has_pin else "")
        protection = ("-f", self.pin_file) if has_pin else ("--empty-password",)
        self.run("certutil", "-N", "-d", self.database, *protection)
        self.settings = {
            "init-arguments": f"configdir='{self.database}' certPrefix='' keyPrefix='' secmod='secmod.db' flags= "
            f"dbTokenDescription='{self.label}'"}

    def identity(self, root):
        key = ec.generate_private_key(ec.SECP256R1())
        path = f"{self.folder}/key.p12"
        with open(path, "wb") as file:
            file.write(pkcs12.serialize_key_and_certificates(
                b"client", key, root.issue("client", key.public_key()), None,
                serialization.BestAvailableEncryption(b"x")))
        self.run("pk12util", "-i", path, "-d", self.database, "-k", self.pin_file, "-W", "x")
