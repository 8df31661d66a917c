"""A TLS 1.2 server that has another's certificate without its key, and asks for the client's signature all the same."""

import os
import socket
import threading

from support.authority import Authority, der, make_key, pem

HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20
SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE, CERTIFICATE_VERIFY = 2, 11, 13, 14, 15
SCHEMES = bytes.fromhex("0403 0503 0603 0804 0805 0806 0401")
AES_128_GCM_WITH_RSA_KEY_EXCHANGE = bytes.fromhex("009c")
NO_COMPRESSION, RENEGOTIATION_INFO = b"\x00", bytes.fromhex("0005 ff01 0001 00")
ECDSA_CERTIFICATES = b"\x01\x40"


def sized(content, octets):
    return len(content).to_bytes(octets, "big") + content


def message(kind, content):
    return bytes([kind]) + sized(content, 3)


class Impostor:
    def __init__(self, folder):
        authority, key = Authority("Service Root"), make_key("rsa2048")
        self.certificate = der(authority.issue("service", key.public_key(), server_names=["127.0.0.1"]))
        (folder / "service-ca.pem").write_bytes(pem(authority.certificate))
        self.ca = str(folder / "service-ca.pem")
        self.hellos, self.signatures = 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[peer], daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self, peer):
        with peer, peer.makefile("rb") as stream:
            self.record(stream)
            self.hellos += 1
            hello = (
                b"\x03\x03" + os.urandom(32) + sized(b"", 1) + AES_128_GCM_WITH_RSA_KEY_EXCHANGE + NO_COMPRESSION
                + RENEGOTIATION_INFO)
            wanted = ECDSA_CERTIFICATES + sized(SCHEMES, 2) + sized(b"", 2)
            peer.sendall(bytes([HANDSHAKE]) + b"\x03\x03" + sized(
                message(SERVER_HELLO, hello) + message(CERTIFICATE, sized(sized(self.certificate, 3), 3))
                + message(CERTIFICATE_REQUEST, wanted) + message(SERVER_HELLO_DONE, b""), 2))
            while record := self.record(stream):
                kind, content = record
                self.signatures += kind == HANDSHAKE and content[0] == CERTIFICATE_VERIFY
                if kind == CHANGE_CIPHER_SPEC:
                    return

    @staticmethod
    def record(stream):
        """A record's type and content; nothing at the end."""
        head = stream.read(5)
        return (head[0], stream.read(int.from_bytes(head[3:], "big"))) if len(head) == 5 else None
