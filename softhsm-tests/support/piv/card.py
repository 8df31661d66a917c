"""The card: its state, its commands, and what can be made to go wrong with it."""

import collections
import enum
import os
import threading

from support import authority

from . import keys, objects, yubikey
from .encoding import Command, parse, tlv
from .keys import Slot

OK, NOT_SATISFIED, BLOCKED, WRONG_DATA = 0x9000, 0x6982, 0x6983, 0x6A80
NOT_FOUND, NO_REFERENCE, NO_INSTRUCTION, NO_CLASS, NOT_SELECTED = 0x6A82, 0x6A88, 0x6D00, 0x6E00, 0x6985
SELECT, GET_DATA, GET_RESPONSE, VERIFY, GENERAL_AUTHENTICATE = 0xA4, 0xCB, 0xC0, 0x20, 0x87


class Fault(enum.Enum):
    """A failure of the card at the next signature."""

    YANK_BEFORE = "the card is pulled when the command begins to arrive"
    YANK_DURING = "the card is pulled while it computes"
    YANK_AFTER = "the card is pulled right after its answer"
    HANG = "the card never answers, until it is pulled"
    BAD_SIGNATURE = "one bit of the signature is wrong"
    LOSE_PIN = "the card has forgotten its PIN, as after another program's reset"


class Yanked(Exception):
    """The card has left its reader; `answer` still got out."""

    def __init__(self, answer=None):
        self.answer = answer


class Status(Exception):
    """A command ends with this status word."""


class Card:
    def __init__(self, pin="123456", tries=3, profile="piv", strict_always=False):
        self.pin, self.tries, self.tries_left = pin.encode().ljust(8, b"\xFF"), tries, tries
        self.profile, self.strict_always = profile, strict_always
        self.guid = os.urandom(16)
        self.objects = objects.data_objects(self.guid)
        self.slots = {}
        self.sign_seconds = 0.0
        self.pin_checks = self.wrong_pins = self.signatures = self.resets = 0
        """VERIFY commands with a PIN, the wrong ones of them, signatures given, and resets by a reader."""
        self.is_awaiting_touch = threading.Event()
        self.commands = collections.deque(maxlen=10_000)
        """(INS, P1, P2, status word) of each command."""
        self.faults = []
        self.power_off()

    # Actions of a person or a test.

    def with_identity(self, issuer, kind="P-256", slot=0x9A, key=None, **options):
        """Puts a key and a certificate for it on the card; for 9C the key asks for the PIN each time, for 9E never."""
        key = key or keys.generate(kind)
        certificate = issuer.issue(options.pop("common_name", f"card {kind}"), key.public_key(), **options)
        return self.put(slot, kind, key, authority.der(certificate))

    def put(self, slot, kind, key, certificate):
        self.slots[slot] = Slot(
            key, keys.ALGORITHMS[kind], certificate, needs_pin=slot != 0x9E, always=slot == 0x9C)
        self.objects[objects.CERTIFICATES[slot]] = objects.certificate_object(certificate)
        return self

    def fail_signature(self, fault, count=1):
        """The next `count` signatures meet a Fault, or end with this status word."""
        self.faults += [fault] * count

    def lose_pin(self):
        self.is_verified = self.is_fresh = False

    @property
    def serial(self):
        """As OpenSC shows it."""
        return self.guid.hex()[-16:]

    # Actions of a reader.

    @property
    def atr(self):
        return objects.YUBIKEY_ATR if self.profile == "yubikey" else objects.atr()

    def power_off(self):
        self.is_selected = False
        self.lose_pin()
        self.chain, self.rest = b"", b""

    def reset(self):
        self.resets += 1
        self.power_off()

    def transmit(self, apdu, pulled):
        """Answers a command. `pulled` ends every wait.

        - Raises: Yanked when the card leaves.
        """
        try:
            command = Command.parse(apdu)
        except ValueError:
            return b"\x67\x00"
        try:
            status, answer = OK, self.perform(command, pulled)
        except Status as word:
            [status], answer = word.args, b""
        except Yanked as yanked:
            if yanked.answer is not None:
                yanked.answer = self.fragment(yanked.answer, OK, command.expected or 256)
            raise
        self.commands.append((command.ins, command.p1, command.p2, status))
        return self.fragment(answer, status, command.expected or 256)

    def fragment(self, answer, status, room):
        """As much as there is room for; the rest waits for GET RESPONSE."""
        self.rest = answer[room:]
        if self.rest:
            status = 0x6100 | (len(self.rest) if len(self.rest) < 256 else 0)
        return answer[:room] + status.to_bytes(2, "big")

    # The commands.

    def perform(self, command, pulled):
        if command.cla & ~0x10:
            raise Status(NO_CLASS)
        if command.ins == GENERAL_AUTHENTICATE and not self.chain:
            self.meet(Fault.YANK_BEFORE)
        if command.is_chained:
            self.chain += command.data
            return b""
        data, self.chain = self.chain + command.data, b""
        if command.ins == GET_RESPONSE:
            return self.rest
        # A strict card takes VERIFY only for the very next command.
        if self.strict_always and command.ins != GENERAL_AUTHENTICATE:
            self.is_fresh = False
        if command.ins == SELECT:
            return self.select(command, data)
        if not self.is_selected:
            raise Status(NOT_SELECTED)
        if command.ins == GET_DATA:
            return self.get_data(command, data)
        if command.ins == VERIFY:
            return self.verify(command, data)
        if command.ins == GENERAL_AUTHENTICATE:
            return self.authenticate(command, data, pulled)
        if self.profile == "yubikey" and (answer := yubikey.perform(self, command)) is not None:
            return answer
        raise Status(NO_INSTRUCTION)

    def select(self, command, data):
        if command.p1 != 0x04 or len(data) < 5 or not objects.AID.startswith(data):
            raise Status(NOT_FOUND)
        self.is_selected = True
        return objects.select_answer()

    def get_data(self, command, data):
        try:
            wanted = int.from_bytes(parse(data)[0x5C], "big")
        except (ValueError, KeyError):
            raise Status(WRONG_DATA) from None
        if wanted == objects.PRINTED and not self.is_verified:
            raise Status(NOT_SATISFIED)
        if (command.p1, command.p2) != (0x3F, 0xFF) or wanted not in self.objects:
            raise Status(NOT_FOUND)
        return self.objects[wanted]

    def verify(self, command, data):
        if command.p2 != 0x80:
            raise Status(NO_REFERENCE)
        if command.p1 == 0xFF:
            self.lose_pin()
            return b""
        if not data:
            if self.is_verified:
                return b""
            raise Status(0x63C0 | self.tries_left if self.tries_left else BLOCKED)
        self.pin_checks += 1
        if self.tries_left == 0:
            raise Status(BLOCKED)
        if data == self.pin:
            self.tries_left, self.is_verified, self.is_fresh = self.tries, True, True
            return b""
        self.lose_pin()
        self.wrong_pins += 1
        self.tries_left -= 1
        raise Status(0x63C0 | self.tries_left if self.tries_left else BLOCKED)

    def authenticate(self, command, data, pulled):
        slot = self.slots.get(command.p2)
        if slot is None or slot.algorithm != command.p1:
            raise Status(NO_REFERENCE)
        try:
            template = parse(parse(data)[0x7C])
            challenge = template[0x81]
        except (ValueError, KeyError):
            raise Status(WRONG_DATA) from None
        self.meet(Fault.LOSE_PIN)
        if slot.needs_pin and not (self.is_fresh if slot.always else self.is_verified):
            raise Status(NOT_SATISFIED)
        self.is_fresh = False
        self.meet(Fault.HANG, pulled)
        self.wait_for_touch(slot, pulled)
        self.wait(self.sign_seconds, pulled)
        if self.faults and isinstance(self.faults[0], int):
            raise Status(self.faults.pop(0))
        try:
            signature = slot.sign(challenge)
        except ValueError:
            raise Status(WRONG_DATA) from None
        self.signatures += 1
        slot.signatures += 1
        self.meet(Fault.YANK_DURING)
        if self.meet(Fault.BAD_SIGNATURE):
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        answer = tlv(0x7C, tlv(0x82, signature))
        self.meet(Fault.YANK_AFTER, answer=answer)
        return answer

    def meet(self, fault, pulled=None, answer=None):
        """Whether the next signature is to meet this fault; then it does."""
        if not self.faults or self.faults[0] is not fault:
            return False
        self.faults.pop(0)
        if fault is Fault.LOSE_PIN:
            self.lose_pin()
        elif fault is Fault.HANG:
            pulled.wait()
            raise Yanked
        elif fault is not Fault.BAD_SIGNATURE:
            raise Yanked(answer)
        return True

    def wait_for_touch(self, slot, pulled):
        if slot.touch is None:
            return
        self.is_awaiting_touch.set()
        try:
            seconds = slot.touch.timeout if slot.touch.after is None else slot.touch.after
            self.wait(min(seconds, slot.touch.timeout), pulled)
            if slot.touch.after is None or slot.touch.after > slot.touch.timeout:
                raise Status(NOT_SATISFIED)
        finally:
            self.is_awaiting_touch.clear()

    def wait(self, seconds, pulled):
        if seconds and pulled.wait(seconds):
            raise Yanked
