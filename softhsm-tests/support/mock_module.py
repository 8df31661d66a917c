"""A PKCS#11 module of our own that does what a script says: cards, readers, keys, and every way to misbehave.

    mock = MockModule(folder, library)
    card = mock.card("prod", tries=3)
    card.identity(root)                               # a key pair and its certificate
    mock.on("C_Sign", rv=0x30, next=1)                # the next call fails, those after it do not
    mock.on("C_Sign", "hang", at=2)
    card.remove(); card.insert()
    agent: configuration.table("[[module]]", mock.settings())

A change is in force at once, in the middle of a call as well: one that hangs goes on when its rule is cleared.
"""

import contextlib
import mmap
import os
import pathlib
import re
import struct
import subprocess
import urllib.parse

from cryptography.hazmat.primitives.asymmetric import ec

from support import authority, c_sources

SOURCES = c_sources.SOURCES / "mock"
PIN = "123456"
USER, CONTEXT = 1, 2
FUNCTIONS = re.findall(r"X\((C_\w+)\)", (SOURCES / "mock.h").read_text())  # in the order of the header's list
CARDS, LOGINS = 1024, 4096
CALLS, TRIES = 0, 96 * 8
LOGIN_COUNT = TRIES + CARDS * 8
LOG = LOGIN_COUNT + 16
FIRED = LOG + LOGINS * 32
SIZE = FIRED + 4096 * 8


def build(output):
    """Compiles the module; its path."""
    flags = subprocess.run(["pkg-config", "--cflags", "p11-kit-1"], capture_output=True, text=True, check=True)
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", *flags.stdout.split(), "-o", output,
         *sorted(SOURCES.glob("*.c")), "-lcrypto", "-lpthread"], check=True, timeout=120)
    os.chmod(output, 0o755)
    return str(output)


def line(kind, words):
    """`words`: True for a bare word; False and None for none."""
    parts = [kind]
    for name, value in words.items():
        name = name.replace("_", "-")
        if value is True:
            parts.append(name)
        elif value is not None and value is not False:
            parts.append(f"{name}={urllib.parse.quote(str(value), safe='/:')}")
    return " ".join(parts)


class MockModule:
    """The module, its cards and its readers. `settings()` is its entry in a configuration."""

    def __init__(self, folder, library):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.path = library
        self.script, self.state = self.folder / "script", self.folder / "state"
        self.environment = {"MOCK_SCRIPT": str(self.script), "MOCK_STATE": str(self.state)}
        self.state.write_bytes(bytes(SIZE))
        self.cards, self.slots, self.rules = [], [], {}
        self.one_lock = False  # a call that waits keeps all others waiting, as in OpenSC
        self.batches, self.last_rule = 0, 0
        with open(self.state, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), SIZE)
        self.write()

    def settings(self, **more):
        return {"path": self.path, "environment": self.environment, "writable": [str(self.folder)], **more}

    # Cards and readers

    def card(self, label="card", inserted=True, **settings):
        """A new card, in a reader of its own. Its settings:

        manufacturer, model, serial, pin, tries, shortest, longest (of its PIN), flags (CKF_ to add), hidden (CKF_ to
        leave out), sessions (its limit), refuse_ro (the answer to a read-only session), reset (another number is a login
        lost), no_login, uninitialized, no_counter (flags tell nothing of tries), keeps_sessions (over a removal, as
        ykcs11), pinpad ("right", "wrong" or "cancel": what the person does)
        """
        number = len(self.cards) + 1
        card = Card(self, number, {"label": label, "serial": f"{number:04}", **settings})
        self.cards.append(card)
        self.slots.append(Slot(len(self.slots), card if inserted else None))
        card.slot = self.slots[-1]
        self.write()
        return card

    def slot(self):
        """A reader without a card."""
        self.slots.append(Slot(len(self.slots), None))
        self.write()
        return self.slots[-1]

    # Misbehaviour

    def on(self, function, *ways, **conditions):
        """Makes calls of a C_ function misbehave; the rule's number, for `clear`. The first rule that fits counts.

        Ways: "hang", "crash", "abort", "overflow" (the stack), "meddle" (signals, folder, umask, locale);
        rv=CODE (with "after": once the work is done), delay=ms, exit=N, flood=BYTES, leak=BYTES, descriptors=N,
        lie=... for C_GetSlotList (huge, over, grow), C_FindObjects (endless, over), C_Sign (small, over, huge, empty,
        odd, wrong) and C_GetAttributeValue with type=CKA (huge, grow, width, empty, absent, stop)
        When: at=N (the Nth call of all), next=N calls, user=CKU, mechanism=CKM, type=1 (C_OpenSession: read-write; CKA
        for lies), "arguments" (C_Initialize with arguments)
        """
        assert function in FUNCTIONS, function
        self.last_rule += 1
        assert self.last_rule < 4096
        words = {"function": function, "number": self.last_rule, **dict.fromkeys(ways, True), **conditions}
        self.rules[self.last_rule] = line("on", words)
        self.write()
        return self.last_rule

    def clear(self, *numbers):
        """Takes rules back; all of them where none is named."""
        for number in numbers or list(self.rules):
            del self.rules[number]
        self.write()

    def fired(self, rule):
        """How many calls fitted a rule, those beyond its `next` included."""
        return self._number(FIRED + rule * 8)

    # The calls so far

    def count(self, function):
        return self._number(CALLS + FUNCTIONS.index(function) * 8)

    def counts(self, *functions):
        return tuple(map(self.count, functions))

    def logins(self, user=None):
        """Each C_Login so far."""
        count = self._number(LOGIN_COUNT)
        assert count <= LOGINS
        entries = [Login(*struct.unpack_from("=IIIIQQ", self.memory, LOG + place * 32)) for place in range(count)]
        return [entry for entry in entries if user in (None, entry.user)]

    def waiting(self):
        """Calls that hang or wait for a touch at this moment; one that was killed while it waited stays."""
        return self._number(LOGIN_COUNT + 8)

    def _number(self, offset):
        return struct.unpack_from("=Q", self.memory, offset)[0]

    # The script

    @contextlib.contextmanager
    def batch(self):
        """Many changes that are written as one."""
        self.batches += 1
        try:
            yield
        finally:
            self.batches -= 1
            self.write()

    def write(self):
        if self.batches:
            return
        lines = ["one-lock"] if self.one_lock else []
        for card in self.cards:
            lines += card.lines()
        lines += [slot.line() for slot in self.slots] + list(self.rules.values())
        new = self.script.with_suffix(".new")
        new.write_text("\n".join([*lines, ""]))
        new.rename(self.script)


class Login:
    """A C_Login: `pin_length` is None where no PIN was sent."""

    def __init__(self, process, card, user, pin_length, answer, milliseconds):
        self.process, self.card, self.user, self.answer, self.milliseconds = process, card, user, answer, milliseconds
        self.pin_length = None if pin_length == 2 ** 32 - 1 else pin_length


class Slot:
    def __init__(self, number, card):
        self.id, self.card, self.insertion = number, card, 0

    def line(self):
        return line("slot", {"id": self.id, "card": self.card and self.card.number, "insertion": self.insertion})


class Card:
    def __init__(self, module, number, settings):
        self.module, self.number, self.settings, self.objects = module, number, settings, []
        self.slot = None

    def set(self, **settings):
        self.settings |= settings
        self.module.write()

    def remove(self):
        """Pulls the card."""
        self.slot.card = None
        self.module.write()

    def insert(self, slot=None):
        """Puts it into its reader, or into another, whose card leaves."""
        self.slot = slot or self.slot
        self.slot.card = self
        self.slot.insertion += 1
        self.module.write()

    def lose_login(self):
        """Another program has reset the card: sessions stay, the login is gone."""
        self.set(reset=self.settings.get("reset", 0) + 1)

    @property
    def wrong_tries(self):
        """Wrong PINs in a row."""
        return struct.unpack_from("=Q", self.module.memory, TRIES + self.number * 8)[0]

    @wrong_tries.setter
    def wrong_tries(self, count):
        struct.pack_into("=Q", self.module.memory, TRIES + self.number * 8, count)

    def add(self, kind, file, **words):
        """An object as the script has it; its words, which `change` may alter later."""
        words = {"card": self.number, "class": kind, "file": file, **words}
        self.objects.append(words)
        self.module.write()
        return words

    def change(self, words, **changes):
        words |= changes
        self.module.write()

    def key(self, key=None, identifier="01", label="client", public=True, **words):
        """A private key (one is made where none is given) and its public half.

        Words: private (seen after login alone; True), always (asks for its PIN each time), claims_always (says so, and
        does not), no_sign, touch (ms until it comes; -1: never), touch_timeout (ms), point (CKA_EC_POINT as well; "bare": without its OCTET STRING)
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        path = self.module.folder / f"key-{self.number}-{len(self.objects)}.pem"
        path.write_bytes(authority.key_pem(key))
        found = self.add("private", path, **{"id": identifier, "label": label, "private": True, **words})
        if public:
            self.add("public", path, id=identifier, label=label)
        return key, found

    def certificate(self, value, identifier="01", label="client", **words):
        """A certificate object of any bytes."""
        path = self.module.folder / f"certificate-{self.number}-{len(self.objects)}.der"
        path.write_bytes(value)
        return self.add("certificate", path, id=identifier, label=label, **words)

    def identity(self, issuer, key=None, identifier="01", label="client", options=None, **words):
        """A key pair and its certificate; the words of the private key's object."""
        key, found = self.key(key, identifier, label, **words)
        certificate = issuer.issue(label, key.public_key(), **(options or {}))
        self.certificate(authority.der(certificate), identifier, label)
        return found

    def lines(self):
        return [line("card", {"number": self.number, **self.settings})] + [line("object", words) for words in self.objects]
