"""CreateSession by hand, from AWS's description of the signing process: it shares nothing with agent or emulator."""

import base64
import datetime
import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from support.authority import der


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def refusal(self):
        """Status, code, message, and whether the emulator says that it made the words up."""
        return (self.status, self.headers["x-amzn-ErrorType"], self.json["message"],
                self.headers["x-emulator-invention"] == "true")


def amz_date(offset=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset)
    return now.strftime("%Y%m%dT%H%M%SZ")


def algorithm_of(key):
    return "AWS4-X509-RSA-SHA256" if isinstance(key, rsa.RSAPrivateKey) else "AWS4-X509-ECDSA-SHA256"


def sign(key, message):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


class SignedRequest:
    """A CreateSession request. Each part can be replaced before it is signed, or the headers tampered with after."""

    def __init__(self, emulator, identity, **arns):
        self.identity = identity
        self.host = f"127.0.0.1:{emulator.port}"
        self.query = emulator.arns | arns
        self.body = {"durationSeconds": 3600}
        self.date = amz_date()
        self.region, self.service, self.terminator = emulator.region, "rolesanywhere", "aws4_request"
        self.scope_date = None
        self.serial = str(identity.certificate.serial_number)
        self.algorithm = algorithm_of(identity.key)
        self.chain = identity.chain
        self.unsigned = set()
        self.headers = {}  # further ones
        self.repeated = ""  # what else the query has
        self.equals_sign = "%253D"  # what is signed for one in a query, as the user guide wants it
        self.key = identity.key

    def finish(self):
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(self.query.items())) + self.repeated
        headers = {
            "content-type": "application/json", "host": self.host, "x-amz-date": self.date,
            "x-amz-x509": base64.b64encode(der(self.identity.certificate)).decode()} | self.headers
        if self.chain:
            headers["x-amz-x509-chain"] = ",".join(base64.b64encode(der(c)).decode() for c in self.chain)
        names = sorted(set(headers) - self.unsigned)
        canonical = "\n".join([
            "POST", "/sessions", query.replace("%3D", self.equals_sign), *(f"{name}:{headers[name]}" for name in names), "", ";".join(names),
            hashlib.sha256(body).hexdigest()])
        scope = f"{self.scope_date or self.date[:8]}/{self.region}/{self.service}/{self.terminator}"
        message = "\n".join(
            [self.algorithm, self.date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        headers["authorization"] = (
            f"{self.algorithm} Credential={self.serial}/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={sign(self.key, message.encode()).hex()}")
        return f"/sessions?{query}", headers, body


def send(emulator, method, target, headers=None, body=b"", timeout=10):
    """One request on a connection of its own; the headers are sent as they stand."""
    if emulator.ca:
        context = ssl.create_default_context(cafile=emulator.ca)
        connection = http.client.HTTPSConnection("127.0.0.1", emulator.port, context=context, timeout=timeout)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=timeout)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in (headers or {"host": f"127.0.0.1:{emulator.port}"}).items():
            for one in value if isinstance(value, list) else [value]:
                connection.putheader(name, one)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def create_session(emulator, request, tamper=None):
    target, headers, body = request.finish()
    if tamper:
        target, headers, body = tamper(target, headers, body) or (target, headers, body)
    return send(emulator, "POST", target, headers, body)
