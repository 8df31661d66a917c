"""A server in the place of IoT Core's credential provider, by Python's own ssl: it wants a client certificate and tells
what it was asked."""

import contextlib
import datetime
import json
import socket
import ssl
import subprocess
import threading

from support.authority import Authority, key_pem, make_key, pem

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def issued(number=1, lifetime=3600, **changes):
    """The body of an answer with credentials, as AWS gives it."""
    expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=lifetime)
    credentials = {
        "accessKeyId": f"ASIAIOTCORE{number:09d}", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "sessionToken": "AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c/LTo6",
        "expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return json.dumps({"credentials": credentials | changes}).encode()


class IoTServer:
    """Answers every request with `status` and `body`, one connection each; a context manager.

    `handshakes` counts those that were finished, `requests` has the bytes of each, `peers` the certificate (DER) and the
    version of TLS that each came by.
    """

    def __init__(self, folder, trusted, versions=("1.2", "1.3"), names=("127.0.0.1",), asks=True, patience=30):
        self.status, self.body, self.headers = 200, None, ["Content-Type: application/json"]
        self.handshakes, self.requests, self.peers, self.failures = 0, [], [], []
        self.patience = patience
        self.answers_whole = True
        self.ca = str(folder / "server-ca.pem")
        self.lock = threading.Lock()
        self.number = 0
        authority, key = Authority("Server Root"), make_key()
        certificate = authority.issue("iot", key.public_key(), server_names=names)
        (folder / "server-ca.pem").write_bytes(pem(authority.certificate))
        (folder / "server.pem").write_bytes(pem(certificate) + key_pem(key))
        (folder / "clients-ca.pem").write_bytes(pem(trusted.certificate))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem")
        self.context.minimum_version, self.context.maximum_version = VERSIONS[versions[0]], VERSIONS[versions[-1]]
        if asks:
            self.context.load_verify_locations(folder / "clients-ca.pem")
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[plain], daemon=True).start()

    def serve(self, plain):
        plain.settimeout(self.patience)
        try:
            with self.context.wrap_socket(plain, server_side=True) as peer:
                request = b""
                while b"\r\n\r\n" not in request:
                    part = peer.recv(65536)
                    if not part:
                        return
                    request += part
                with self.lock:
                    self.handshakes += 1
                    self.number += 1
                    self.requests.append(request)
                    self.peers.append((peer.getpeercert(binary_form=True), peer.version()))
                    body = issued(self.number) if self.body is None else self.body
                head = [f"HTTP/1.1 {self.status} X", *self.headers, f"Content-Length: {len(body)}", "", ""]
                peer.sendall("\r\n".join(head).encode() + (body if self.answers_whole else body[: len(body) // 2]))
                if self.answers_whole:
                    peer.unwrap()
        except OSError as error:
            with self.lock:
                self.failures.append(error)
        finally:
            plain.close()


@contextlib.contextmanager
def openssl_server(folder, *options):
    """The URL of `openssl s_server`, which can be told what to take of a client's signatures, with the files that an
    IoTServer has written here. Its page is no credentials, but it comes only after the handshake."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", *options, "-cert", "server.pem", "-key", "server.pem",
               "-CAfile", "clients-ca.pem", "-Verify", "1", "-verify_return_error"]
    with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            lines = iter(server.stdout.readline, "")
            yield "https://" + next(line for line in lines if line.startswith("ACCEPT ")).removeprefix("ACCEPT ").strip()
        finally:
            server.kill()
