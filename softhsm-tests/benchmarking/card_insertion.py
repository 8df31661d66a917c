"""From a card's insertion to the first credential, for somebody who waits: a virtual PIV card, real pcscd and OpenSC."""

import statistics
import sys
import time

from support import configuration
from figure import Figure
from support.piv import Card
from support.piv.pcsc import PCSC, missing
from support.waiting import wait_until


def card_insertion(place, rounds):
    if reason := missing():
        print(f"== card insertion is left out: {reason}", file=sys.stderr)
        return []
    pcsc = PCSC(place.path / "pcsc")
    try:
        emulator = place.endpoint()
        seen, served = zip(*(insertion(place, pcsc, emulator, index) for index in range(rounds)))
    finally:
        pcsc.close()
    return [
        Figure("card inserted: pcscd has it", "ms", statistics.median(seen)),
        Figure("card inserted: first credential", "ms", statistics.median(served), reach=1000),
    ]


def insertion(place, pcsc, emulator, index):
    card = Card().with_identity(place.root)
    agent = place.start(
        place.path / f"card-{index}", pcsc.module(), configuration.token(place.pin_source),
        configuration.profile(emulator), prefix=pcsc.prefix)
    assert agent.credentials().returncode == 66
    start = time.monotonic()
    pcsc.readers[0].insert(card)
    wait_until(lambda: "card=present" in agent.log(), "the agent is told of the card")
    seen = time.monotonic() - start
    wait_until(lambda: agent.credentials().returncode == 0, "credentials")
    served = time.monotonic() - start
    agent.stop()
    pcsc.readers[0].eject()
    wait_until(lambda: card.serial not in pcsc.run("pkcs11-tool", "--list-slots").stdout, "pcscd misses the card")
    return seen * 1000, served * 1000
