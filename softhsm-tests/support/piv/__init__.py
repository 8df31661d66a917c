"""A PIV card (NIST SP 800-73-4) made of Python, in a reader that pcscd takes for real, and a pcscd of the test's own.

In a test (fixtures `pcsc`, `readers`, `card` of conftest.py):

    def test_something(pcsc, readers, root):
        card = Card().with_identity(root, "P-256")          # key reference 9A; also "RSA-2048", "P-384", slot=0x9C
        readers[0].insert(card)                             # eject(), swap(other): what a hand does
        pcsc.run("opensc-tool", "-l")                       # a PC/SC client beside the agent
        start(pcsc.module(), ..., prefix=pcsc.prefix)       # the agent and its workers see this pcscd and no other

    card.pin_checks, card.wrong_pins, card.signatures       # what the card itself has counted
    card.tries_left, card.is_verified                       # its PIN state
    card.sign_seconds = 0.25                                # as slow as a real one
    card.slots[0x9A].touch = Touch(after=2)                 # or Touch(after=None, timeout=2): no touch, 6982
    card.fail_signature(Fault.YANK_DURING)                  # see Fault: the next signature meets it
    card.fail_signature(0x6F00, count=2)                    # a status word; OpenSC asks twice
    card.lose_pin()                                         # as if another program had reset it
    Card(strict_always=True)                                # 9C: VERIFY must stand right before each signature
    Card(profile="yubikey")                                 # for ykcs11; the reader's name must begin with "Yubico"
    pcsc.kill(), pcsc.start()                               # the daemon dies and comes back; the cards stay

It is no security model: its keys are in the memory of the test.
"""

from .card import Card, Fault
from .keys import Touch
from .pcsc import OPENSC, PCSC, YKCS11

__all__ = ["OPENSC", "PCSC", "YKCS11", "Card", "Fault", "Touch"]
