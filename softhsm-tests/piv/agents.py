"""Agents that have a card: how they are configured, and what they show."""

import configuration
from softhsm import write_pin
from world import wait_until

PIN = "123456"


def configure(pcsc, service, folder, pin=PIN, certificate=None, tables="", **settings):
    """A configuration with OpenSC's module, the profile `test`, and a PIN on disk for every card unless it is None."""
    rule = configuration.token(write_pin(folder / "pin", f"{pin}\n")) if pin else ""
    chosen = {"certificate": certificate} if certificate else {}
    return "\n".join([pcsc.module(**settings), rule, configuration.profile(service, **chosen), tables])


def uri(card, key=None):
    """The card's URI, or that of one of its certificates by OpenSC's number for it."""
    return f"pkcs11:serial={card.serial}" + (f";id=%{key:02x}" if key else "")


def tokens(agent):
    """The tokens that are present, by serial number."""
    return {token["serial"]: token for token in agent.get("/v1/tokens")[1] if token["present"]}


def wait_for(agent, *cards):
    wanted = {card.serial for card in cards}
    wait_until(lambda: set(tokens(agent)) == wanted, f"the agent shows {len(wanted)} card(s), and those alone")


def wait_for_logins(agent, *cards):
    for card in cards:
        wait_until(lambda: tokens(agent).get(card.serial, {}).get("state") == "ready", "the card is logged in")
