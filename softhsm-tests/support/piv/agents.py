"""Agents that have a card: how they are configured, and what they show."""

import re
import subprocess

from support import configuration
from support.answers import notices
from support.softhsm import write_pin
from support.waiting import wait_until

PIN = "123456"


DEADLINE = 3
"""Seconds that a call into the module may take, a touch among them."""
PROFILES = ("test", "second", "third", "fourth")
"""All the same. A session is forced once in 30 seconds for one profile, so a signature each needs a profile each."""


def configure(pcsc, service, folder, pin=PIN, certificate=None, tables="", **settings):
    """A configuration with OpenSC's module, PROFILES, and a PIN on disk for every card unless it is None."""
    rule = configuration.token(write_pin(folder / "pin", f"{pin}\n")) if pin else ""
    chosen = {"certificate": certificate} if certificate else {}
    for call in ("list", "login", "sign", "touch"):
        settings.setdefault(f"{call}-timeout-seconds", DEADLINE)
    profiles = [configuration.profile(service, name, **chosen) for name in PROFILES]
    return "\n".join([pcsc.module(**settings), rule, *profiles, tables])


def ask(agent, profile="test"):
    """Status and JSON of a request for credentials."""
    return agent.request("GET", f"/v1/profiles/{profile}/credentials")


def sign(agent, profile):
    """Credentials that cost one signature: those of a profile that has not been asked for any."""
    status, answer = ask(agent, profile)
    assert status == 200, answer
    return answer


def uri(card, key=None):
    """The card's URI, or that of one of its certificates by OpenSC's number for it."""
    return f"pkcs11:serial={card.serial}" + (f";id=%{key:02x}" if key else "")


def tokens(agent):
    """The tokens that are present, by serial number."""
    return {token["serial"]: token for token in agent.get("/v1/tokens")[1] if token["present"]}


def wait_for(agent, *cards):
    wanted = {card.serial for card in cards}
    wait_until(lambda: set(tokens(agent)) == wanted, f"the agent shows {len(wanted)} card(s), and those alone")


def wait_for_login(agent, card):
    """Until a look has seen the login: what fails while the tokens change is tried again."""
    wait_until(lambda: tokens(agent).get(card.serial, {}).get("state") == "ready", "the card is logged in")


def insert(pcsc, *pairs):
    """Puts cards into readers, and waits until pcscd has them."""
    for reader, card in pairs:
        reader.insert(card)
    for reader, _ in pairs:
        wait_until(lambda: re.search(rf"Yes +{reader.name}", pcsc.run("opensc-tool", "-l").stdout), "pcscd has the card")


def serials(agent):
    """The serial numbers of the tokens that are there."""
    return {token["serial"] for token in agent.get("/v1/tokens")[1]}


def status(agent):
    answer = agent.get("/v1/status")[1]
    return answer["modules"][0], notices(answer)


def watchers(agent):
    result = subprocess.run(
        ["pgrep", "-P", str(agent.process.pid), "-f", "tokenward-card-watcher"], capture_output=True, text=True)
    return [int(line) for line in result.stdout.split()]
