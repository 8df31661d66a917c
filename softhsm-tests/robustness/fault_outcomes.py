"""Prints what a whole agent makes of the fault table, a line of JSON for each cell, so that two builds can be compared.

    TOKENWARD_BIN=OLD fault_outcomes.py >old; TOKENWARD_BIN=NEW fault_outcomes.py >new; diff old new

A cell is one code at one call of the mock module, failing once or on, while a token is listed, logged in, unlocked by a
typed PIN, locked, or signs. Each has an agent and a module of its own. The line has the answer to that request, to the same
request again, and to an unlock and a refresh once the fault is over; after each of them what the token's state is, and the
calls of the module so far.
"""

import argparse
import concurrent.futures
import functools
import itertools
import json
import pathlib
import re
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from support import configuration, fault_table, mock_module  # noqa: E402
from support.agent import Agent, end  # noqa: E402
from support.authority import Authority  # noqa: E402
from support.emulator import Emulator  # noqa: E402
from support.softhsm import write_pin  # noqa: E402
from support.waiting import wait_until  # noqa: E402

COUNTED = ("C_Initialize", "C_Login", "C_Logout", "C_Sign")
REACHED_BY = {"C_GetSessionInfo": {"rv": 0x101}, "C_CloseSession": {"rv": 0xB0, "next": 1}}
TYPED = json.dumps({"uri": "pkcs11:token=card", "pin": mock_module.PIN}).encode()
STORED = json.dumps({"uri": "pkcs11:token=card"}).encode()


class Cell:
    def __init__(self, shared, folder, scenario, function, code, lasting):
        self.scenario, self.function = scenario, function
        self.when = {"rv": code} | ({} if lasting else {"next": 1})
        self.folder = folder
        with shared.lock:
            service = shared.service(int(folder.name) // 100)
        self.mock = mock_module.MockModule(folder, shared.library)
        with self.mock.batch():
            card = self.mock.card()
            card.identity(shared.root, shared.key)
        source = "prompt" if scenario == "typed" else write_pin(folder / "pin")
        self.agent = Agent(
            folder / "agent", configuration.mock(self.mock) + configuration.token(source)
            + "".join(configuration.profile(service, f"p{n}", certificate="pkcs11:token=card") for n in range(4)))
        self.profiles = itertools.count()  # each asks once: a failure would be remembered, and a session kept

    def run(self):
        if self.scenario == "load":
            rule = self.mock.on(self.function, **self.when)
        self.agent.start()
        try:
            return self.live(rule if self.scenario == "load" else None)
        finally:
            end(self.agent)

    def live(self, rule):
        prepared = []
        if self.scenario in ("login", "typed"):
            self.agent.get("/v1/tokens")
        elif self.scenario in ("logout", "sign"):
            assert self.ask("credentials")["answer"] == 200
        if self.scenario == "sign" and self.function in REACHED_BY:
            prepared.append(self.mock.on("C_Sign", **REACHED_BY[self.function]))
        rule = rule or self.mock.on(self.function, **self.when)
        request = {"typed": "unlock", "logout": "lock"}.get(self.scenario, "credentials")
        steps = [self.ask(request), self.ask(request)]
        fired = self.mock.fired(rule)
        self.mock.clear(rule, *prepared)
        wait_until(lambda: self.agent.get("/v1/tokens")[1], "the module works again")
        return {"fired": fired, "steps": [*steps, self.ask("unlock"), self.ask("credentials")]}

    def ask(self, request):
        if request == "credentials":
            status, answer = self.agent.get(f"/v1/profiles/p{next(self.profiles)}/credentials")
        elif request == "lock":
            status, answer = self.agent.request("POST", "/v1/lock")
        else:
            status, answer = self.agent.request(
                "POST", "/v1/tokens/unlock", TYPED if self.scenario == "typed" else STORED)
        tokens = self.agent.get("/v1/tokens")[1]
        told = {"answer": status}
        if status >= 400:
            told |= {name: self.plain(answer.get(name)) for name in ("code", "exit", "detail", "hint")}
        told["tokens"] = [(token["state"], token["pin_tries"]) for token in tokens]
        return told | dict(zip(COUNTED, self.mock.counts(*COUNTED)))

    def plain(self, value):
        """Without what differs from run to run."""
        if not isinstance(value, str):
            return value
        return re.sub(r"\b\d+ seconds?\b", "N seconds", value.replace(str(self.folder.parent), "FOLDER"))


class Shared:
    def __init__(self, folder):
        self.library = mock_module.build(folder / "mock.so")
        self.root = Authority("Root")
        self.key = mock_module.ec.generate_private_key(mock_module.ec.SECP256R1())
        self.folder, self.lock = folder, threading.Lock()

    @functools.cache
    def service(self, number):
        """One for some cells: it ends by itself after a while."""
        return Emulator.trusting(self.root, self.folder / f"service-{number}")


def cells(wanted):
    lines = list(fault_table.TABLE) + [("typed", call) for scenario, call in fault_table.TABLE if scenario == "login"]
    for (scenario, function), (name, code) in itertools.product(lines, fault_table.codes().items()):
        for lasting in (False, True):
            label = f"{scenario} {function} {name} {'always' if lasting else 'once'}"
            if re.search(wanted, label):
                yield label, (scenario, function, code, lasting)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="PATTERN", help="the cells whose name this regular expression finds")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokenward-faults-") as name:
        folder = pathlib.Path(name)
        shared = Shared(folder)

        def run(numbered):
            number, (label, cell) = numbered
            try:
                found = Cell(shared, folder / str(number), *cell).run()
            except (AssertionError, OSError) as error:
                found = {"failed": f"{error!r}"}
            return json.dumps({"cell": label, **found})

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for line in pool.map(run, enumerate(cells(options.only))):
                print(line, flush=True)


if __name__ == "__main__":
    main()
