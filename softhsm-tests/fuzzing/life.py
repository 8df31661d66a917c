"""One life of the whole agent, and the events in it."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import time

import rules
from client_request import Request
from support import configuration, mock_module
from support.agent import Agent
from support.emulator import Emulator

STEPS = 60
FAULTS = [
    {"fault": "status", "status": 503}, {"fault": "status", "status": 429, "code": "ThrottlingException", "retryAfter": 1},
    {"fault": "status", "status": 403, "code": "AccessDeniedException"}, {"fault": "close"}, {"fault": "hang"},
    {"fault": "truncated"}, {"fault": "garbage"}, {"fault": "huge-body"}, {"fault": "expired-answer"},
    {"fault": "wrong-role"}, {"fault": "missing-field"}, {"fault": "redirect"}]
CODES = [0x30, 0x32, 0x5, 0x101, 0xB3, 0xE0, 0x54]  # CKR_DEVICE_ERROR, _DEVICE_REMOVED, _GENERAL_ERROR, …


class Life:
    """An agent with modules, cards, people, clients and a service of its own."""

    def __init__(self, folder, chance, library, root, prefix):
        self.folder, self.chance = pathlib.Path(folder), chance
        self.service = Emulator.trusting(root, self.folder / "service")
        copies = [shutil.copy(library, self.folder / f"{name}.so") for name in ("first", "second")]
        self.modules = [mock_module.MockModule(self.folder / pathlib.Path(copy).stem, str(copy)) for copy in copies]
        self.stored = self.modules[0].card("stored", tries=1000)
        self.typed = self.modules[0].card("typed", tries=1000)
        self.spare = self.modules[1].card("spare", tries=1000)
        self.cards = [self.stored, self.typed, self.spare]
        for card in self.cards:
            card.identity(root)
        self.lengths = iter(range(8, 250))  # of wrong PINs: each has one of its own, by which the module knows it again
        self.refused = []  # bodies with PINs that a token has refused for certain
        self.has_second = True
        self.write_pin(mock_module.PIN)
        self.requests = []
        self.logins_when_locked = None  # C_Login so far, of each module, when a lock was answered
        self.agent = Agent(self.folder / "agent", self.settings(), prefix=prefix)
        self.agent.start()

    def settings(self):
        parts = [configuration.mock(module) for module in self.modules[:1 + self.has_second]]
        parts.append(configuration.token(f"file:{self.folder}/pin", "pkcs11:token=stored"))
        parts.append(configuration.token("prompt", "pkcs11:", pin_lifetime_seconds=self.chance.choice([0, 1, 3600])))
        for card in self.cards:
            name = card.settings["label"]
            parts.append(configuration.profile(self.service, name, certificate=f"pkcs11:token={name}"))
        return "".join(parts)

    def write_pin(self, pin):
        new = self.folder / "pin.new"
        new.write_text(f"{pin}\n")
        new.chmod(0o600)
        new.rename(self.folder / "pin")

    def wrong_pin(self):
        length = next(self.lengths, None)
        return None if length is None else "7" * length

    def ask(self, method, target, body=b""):
        self.requests.append(Request(self.agent.socket, method, target, body))
        return self.requests[-1]

    def login_counts(self):
        return [module.count("C_Login") for module in self.modules]

    # The events

    def client_asks(self):
        profile = self.chance.choice(["stored", "typed", "spare", "none"])
        self.ask("GET", f"/v1/profiles/{profile}/credentials")

    def client_refreshes(self):
        self.ask("POST", f"/v1/profiles/{self.chance.choice(['stored', 'typed', 'spare'])}/refresh")

    def person_looks(self):
        self.ask("GET", f"/v1/{self.chance.choice(['tokens', 'identities', 'profiles', 'status', 'health'])}")

    def client_hangs_up(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.agent.socket)
            connection.sendall(b"GET /v1/profiles/stored/credentials HTTP/1.1\r\nHost: t\r\n\r\n"[:self.chance.randrange(64)])

    def person_unlocks(self):
        card = self.chance.choice(self.cards)
        body = {"uri": f"pkcs11:token={card.settings['label']}"}
        if card is not self.stored or self.chance.random() < 0.5:
            body["pin"] = mock_module.PIN
        self.unlock(body)

    def person_errs(self):
        card = self.chance.choice(self.cards)
        if (pin := self.wrong_pin()) is None:
            return
        body = {"uri": f"pkcs11:token={card.settings['label']}", "pin": pin}
        request = self.unlock(body).finish()
        if request.status == 422 and request.answer["code"] == "pin-incorrect":
            self.refused.append(body)

    def person_errs_again(self):
        if self.refused:
            self.unlock(self.chance.choice(self.refused))

    def unlock(self, body):
        self.check_lock()
        self.logins_when_locked = None
        return self.ask("POST", "/v1/tokens/unlock", json.dumps(body).encode())

    def person_locks(self):
        for request in self.requests:  # an unlock that is still on its way may come after the lock
            if request.target.endswith("/unlock"):
                request.finish()
        if self.ask("POST", "/v1/lock").finish().status == 204 and self.logins_when_locked is None:
            self.logins_when_locked = self.login_counts()

    def person_locks_one(self):
        card = self.chance.choice(self.cards)
        self.ask("POST", "/v1/lock", json.dumps({"uri": f"pkcs11:token={card.settings['label']}"}).encode())

    def pin_file_changes(self):
        pin = mock_module.PIN if self.chance.random() < 0.5 else self.wrong_pin()
        if pin:
            self.write_pin(pin)

    def settings_change(self):
        self.has_second = self.chance.random() < 0.7
        self.agent.configure(self.settings())
        if self.chance.random() < 0.5:
            self.agent.process.send_signal(signal.SIGHUP)
        else:
            self.ask("POST", "/v1/reload")

    def card_moves(self):
        card = self.chance.choice(self.cards)
        if card.slot.card is card:
            card.remove()
        else:
            card.insert()

    def card_is_reset(self):
        self.chance.choice(self.cards).lose_login()

    def module_misbehaves(self):
        module = self.chance.choice(self.modules)
        function = self.chance.choice([
            "C_Sign", "C_SignInit", "C_GetSlotList", "C_GetTokenInfo", "C_OpenSession", "C_FindObjects", "C_Login",
            "C_GetAttributeValue", "C_GetSessionInfo", "C_Initialize"])
        way = self.chance.choice(["code", "code", "crash", "hang", "delay"])
        calls = self.chance.randint(1, 3)
        if way == "code":
            module.on(function, rv=self.chance.choice(CODES), next=calls)
        elif way == "delay":
            module.on(function, delay=self.chance.randint(10, 2000), next=calls)
        else:
            module.on(function, way, next=1)

    def module_recovers(self):
        for module in self.modules:
            module.clear()

    def worker_dies(self):
        for worker in self.agent.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP]))

    def service_fails(self):
        faults = self.chance.sample(FAULTS, self.chance.randint(0, 2))
        self.service.fault(*[fault | {"times": self.chance.randint(1, 3)} for fault in faults])

    def agent_restarts(self):
        self.agent.stop(self.chance.choice([signal.SIGTERM, signal.SIGKILL]))
        self.settle()  # its requests have ended with it
        self.agent.start()

    def nothing_happens(self):
        time.sleep(self.chance.random())

    EVENTS = {
        client_asks: 10, client_refreshes: 5, person_looks: 5, client_hangs_up: 2, person_unlocks: 6, person_errs: 3,
        person_errs_again: 2, person_locks: 2, person_locks_one: 1, pin_file_changes: 2, settings_change: 2,
        card_moves: 4, card_is_reset: 2, module_misbehaves: 6, module_recovers: 4, worker_dies: 2, service_fails: 3,
        agent_restarts: 1, nothing_happens: 4}

    # The rules

    def check_lock(self):
        rules.no_login_while_locked(self.logins_when_locked, self.login_counts())

    def check(self):
        rules.the_agent_lives_and_is_small(self.agent.process)
        self.check_lock()
        rules.no_refused_pin_is_sent_again(self.modules)

    def settle(self):
        """Waits for the answers to all that was asked."""
        for request in self.requests:
            request.finish()
        self.requests.clear()

    def live(self):
        for step in range(STEPS):
            event = self.chance.choices(list(self.EVENTS), self.EVENTS.values())[0]
            self.story.append(event.__name__)
            event(self)
            self.check()
            time.sleep(self.chance.choice([0, 0, 0.01, 0.1]))
        self.quieten()

    def quieten(self):
        """Cards, modules and service are well again: nothing is left to do, so nothing is done."""
        self.module_recovers()
        self.service.fault()
        self.settle()
        self.check()
        for _ in range(10):
            before = self.processor_seconds()
            time.sleep(1)
            used = self.processor_seconds() - before
            if used < 0.1:
                return
        raise rules.Broken(f"{used} s of processor time in the last of ten quiet seconds")

    def processor_seconds(self):
        return rules.processor_seconds([self.agent.process.pid, *self.agent.workers()])

    def end(self):
        with contextlib.suppress(AssertionError):
            self.agent.stop(signal.SIGKILL)
        self.service.stop()
