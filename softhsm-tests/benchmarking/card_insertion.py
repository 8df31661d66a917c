"""From a card's insertion to the first credential, for somebody who waits: a virtual PIV card, real pcscd and OpenSC."""

import sys
import time

from figure import Figure, alternate
from place import CREDENTIALS, PROFILE
from support import configuration
from support.piv import Card
from support.piv.pcsc import PCSC, missing
from support.waiting import wait_until


def card_insertion(place, rounds):
    """Beside what pcscd alone takes until it tells a program of a card."""
    if reason := missing():
        print(f"== card insertion is left out: {reason}", file=sys.stderr)
        return []
    pcsc = PCSC(place.path / "pcsc")
    try:
        emulator = place.endpoint()
        served, told = alternate(rounds, lambda: first_credential(place, pcsc, emulator), lambda: presence(place, pcsc))
    finally:
        pcsc.close()
    return [Figure("card inserted: first credential", "ms", served, told, "pcscd alone", 1.1)]


def presence(place, pcsc):
    """Without an agent."""
    watcher = place.begin(*pcsc.prefix, place.program("card_present"))
    assert watcher.stdout.readline() == "waiting\n"
    card = Card().with_identity(place.root)
    began = time.monotonic()
    pcsc.readers[0].insert(card)
    assert watcher.stdout.readline() == "present\n"
    seconds = time.monotonic() - began
    eject(pcsc, card)
    return seconds * 1000


def first_credential(place, pcsc, emulator):
    agent = place.start(
        place.path / "card", pcsc.module(), configuration.token(place.pin_source),
        configuration.profile(emulator, PROFILE), prefix=pcsc.prefix)
    assert agent.get(CREDENTIALS)[0] == 404
    card = Card().with_identity(place.root)
    began = time.monotonic()
    pcsc.readers[0].insert(card)
    wait_until(lambda: agent.get(CREDENTIALS)[0] == 200, "credentials")
    seconds = time.monotonic() - began
    agent.stop()
    eject(pcsc, card)
    return seconds * 1000


def eject(pcsc, card):
    pcsc.readers[0].eject()
    wait_until(lambda: card.serial not in pcsc.run("pkcs11-tool", "--list-slots").stdout, "pcscd misses the card")
