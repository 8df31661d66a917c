"""A tokenward-worker without an agent: its frames, spoken from here, so that a thousand cases take seconds."""

import fcntl
import hashlib
import os
import socket
import struct
import subprocess

from support.processes import binary

KINDS = {
    1: "function", 2: "not-loaded", 3: "token-gone", 4: "key-not-found", 5: "not-logged-in", 6: "gesture",
    7: "mechanism", 8: "nonsense", 9: "protocol", 10: "broken", 11: "busy", 12: "forbidden",
}
REFUSALS = {
    1: "locked", 2: "final-try", 3: "count-low", 4: "to-be-changed", 5: "not-initialized", 6: "length",
    7: "known-wrong", 8: "unreadable", 9: "no-pinpad", 10: "not-held", 11: "reserved", 12: "control-byte",
}
SIGNATURES = {5, 6}
"""The kinds of requests that go to the threads that sign, each a packet."""
MESSAGE = b"what is to be signed"


class Ended(Exception):
    """The worker has gone, with this status of waitpid."""


class Failure:
    def __init__(self, kind, code, text, in_doubt):
        self.kind, self.code, self.text, self.in_doubt = kind, code, text, in_doubt

    def __repr__(self):
        return f"{self.kind} ({self.text})"


class Worker:
    """Loads the mock at once; `loaded` is the answer to that."""

    def __init__(self, mock, sessions=1, timeout=20):
        self._start(mock.folder, mock.environment, [binary("tokenward-worker")], timeout)
        walls = bytes([False]) + texts([str(mock.folder)])
        self.loaded = self.ask(1, blob(mock.path.encode()) + bytes([sessions]) + texts([]) + walls)

    @classmethod
    def starting(cls, folder, environment, command):
        """A worker that has been asked nothing yet, started by this command."""
        worker = cls.__new__(cls)
        worker._start(folder, environment, command, timeout=20)
        return worker

    def _start(self, folder, environment, command, timeout):
        ours, theirs = socket.socketpair()
        signatures, their_signatures = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.socket, self.signatures, self.number = ours, signatures, 0
        self.output = open(folder / "worker-output", "wb")
        # Numbers that those of the worker do not take.
        control, signing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs, their_signatures))
        try:
            # The descriptors that the agent gives it, whatever numbers they have here.
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", f'exec "$@" 3<&{control} 4<&{signing} {control}<&- {signing}<&-', "bash", *command],
                env=environment, pass_fds=[control, signing], cwd="/", stdin=subprocess.DEVNULL,
                stdout=self.output, stderr=self.output)
        finally:
            for end in (theirs, their_signatures):
                end.close()
            for descriptor in (control, signing):
                os.close(descriptor)
        ours.settimeout(timeout)

    def ask(self, kind, body, pin=b""):
        """The answer: a value that its kind has, or a Failure."""
        try:
            self.send(kind, body, pin)
        except ConnectionError:
            raise Ended(self.process.wait(20)) from None
        return self.answer(self.number)

    def answer(self, to):
        """The next answer, which must be to this request."""
        try:
            _, kind, secret, number, length = struct.unpack(">BBHII", self._read(12))
            answer = Reader(self._read(length))
        except (ConnectionError, EOFError):
            raise Ended(self.process.wait(20)) from None
        assert (secret, number) == (0, to)
        return answer.reply(kind)

    def send(self, kind, body, pin=b""):
        self.number += 1
        socket = self.signatures if kind in SIGNATURES else self.socket
        socket.sendall(struct.pack(">BBHII", 1, kind, len(pin), self.number, len(body)) + body + pin)

    def list(self):
        return self.ask(2, b"\x01" + number(0))  # all tokens, none of them spared

    def log_in(self, card, pin=None, source=1, may_be_reserved=False, from_login=False):
        """`source`: 1 for a typed PIN, 3 for the PIN pad; a path for a stored one."""
        body = reference(card) + pin_source(source) + number(0) + bytes([may_be_reserved, from_login])
        return self.ask(3, body, b"" if isinstance(source, str) else (pin or "").encode())

    def log_out(self, card=None):
        return self.ask(4, number(0) if card is None else number(1) + reference(card))

    def sign(self, card, identifier=b"\x01", source=1, refused=()):
        """`source`: as above, for a key that asks each time; 1 is the PIN that was typed before.

        refused: salt and hash of each PIN that the token does not take.
        """
        digest = hashlib.sha256(MESSAGE).digest()
        ecdsa_with_sha256 = b"\x01\x01"
        body = reference(card) + blob(identifier) + number(0) + number(0) + ecdsa_with_sha256
        body += blob(MESSAGE) + blob(digest) + pin_source(source)
        body += number(len(refused)) + b"".join(blob(salt) + blob(value) for salt, value in refused)
        return self.ask(5, body + b"\x00")

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def close(self):
        self.socket.close()
        self.signatures.close()
        self.process.kill()
        self.process.wait()
        self.output.close()


def number(value):
    return struct.pack(">I", value)


def blob(value):
    return number(len(value)) + value


def texts(values):
    return number(len(values)) + b"".join(blob(value.encode()) for value in values)


def pin_source(source):
    return b"\x02" + blob(source.encode()) if isinstance(source, str) else bytes([source])


def reference(card):
    """A TokenReference: the slot, and who the token is."""
    settings = {"manufacturer": "Tokenward", "model": "Mock", **card.settings}
    fields = [settings[name].encode() for name in ("label", "manufacturer", "model", "serial")]
    return struct.pack(">Q", card.slot.id) + b"".join(map(blob, fields))


class Reader:
    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, count):
        assert self.position + count <= len(self.data)
        self.position += count
        return self.data[self.position - count:self.position]

    def byte(self):
        return self.take(1)[0]

    def number(self, size=4):
        return int.from_bytes(self.take(size))

    def blob(self):
        return self.take(self.number())

    def items(self, read):
        return [read() for _ in range(self.number())]

    def reply(self, kind):
        if kind == 129:
            return ("loaded", self.blob(), self.blob(), self.blob())
        if kind == 130:
            return self.items(self.snapshot)
        if kind == 131:
            return self.login()
        if kind == 132:
            return "logged-out"
        if kind == 133:
            return self.blob()
        if kind == 149:
            texts = lambda: (self.items(lambda: self.blob().decode()) or [None])[0]
            return self.items(lambda: (self.blob().decode(), texts(), texts(), bool(self.byte())))
        assert kind == 134, kind
        failure_kind = KINDS[self.byte()]
        code = (self.items(lambda: self.number(8)) or [None])[0]
        return Failure(failure_kind, code, self.blob().decode(), bool(self.byte()))

    def login(self):
        """The outcome in one word or two."""
        outcome = self.byte()
        if outcome == 3:
            return f"refused {REFUSALS[self.byte()]}"
        if outcome == 4:
            self.number(8)
            self.blob()
            failed = self.items(lambda: (self.blob(), self.blob()))
            self.items(self.byte)
            return "rejected" if failed else "rejected unjudged"
        return {1: "logged-in", 2: "not-needed"}[outcome]

    def snapshot(self):
        token = {"slot": self.number(8), "reader": self.items(lambda: (self.blob(), self.blob()))}
        token |= {"label": self.fields()[0].decode(), "flags": self.number(8)}
        token["is_logged_in"] = bool(self.byte())
        token["lengths"] = self.number(), self.number()
        token["certificates"] = self.items(lambda: (self.blob(), self.blob(), self.blob()))
        token["keys"] = self.items(self.key)
        token["has_pss"] = bool(self.byte())
        token["failure"] = (self.items(lambda: self.blob().decode()) or [None])[0]
        return token

    def fields(self):
        return [self.blob() for _ in range(4)]

    def key(self):
        found = (self.byte(), self.blob(), self.blob())
        kind = self.byte()
        if kind == 3:
            self.number(8)
        else:
            self.blob(), self.blob()
        return (*found, bool(self.byte()), bool(self.byte()))
