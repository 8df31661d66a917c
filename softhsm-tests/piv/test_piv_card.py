"""Other programs take the virtual card for a PIV card; nothing of ours takes part here."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from support.piv import Card, Fault
from support.waiting import wait_until

MESSAGE = b"a message of some length"


def insert(reader, pcsc, card):
    reader.insert(card)
    wait_until(lambda: shows(pcsc, card), "OpenSC shows the card")
    return card


def shows(pcsc, card):
    return card.serial in pcsc.run("pkcs11-tool", "--list-slots").stdout


def sign(pcsc, mechanism, pin="123456"):
    (pcsc.path / "message").write_bytes(MESSAGE)
    form = ["--signature-format", "openssl"] if mechanism.startswith("ECDSA") else []
    result = pcsc.run(
        "pkcs11-tool", "--login", "--pin", pin, "--id", "01", "--sign", "--mechanism", mechanism, *form,
        "--input-file", f"{pcsc.path}/message", "--output-file", f"{pcsc.path}/signature")
    return (pcsc.path / "signature").read_bytes() if result.returncode == 0 else result.stderr


@pytest.mark.parametrize("kind, mechanism, rule", [
    ("RSA-2048", "SHA256-RSA-PKCS", (padding.PKCS1v15(), hashes.SHA256())),
    ("P-256", "ECDSA-SHA256", (ec.ECDSA(hashes.SHA256()),)),
    ("P-384", "ECDSA-SHA384", (ec.ECDSA(hashes.SHA384()),)),
])
def test_opensc_signs_with_it(pcsc, readers, root, kind, mechanism, rule):
    card = insert(readers[0], pcsc, Card().with_identity(root, kind))
    card.slots[0x9A].key.public_key().verify(sign(pcsc, mechanism), MESSAGE, *rule)
    assert (card.pin_checks, card.wrong_pins, card.signatures) == (1, 0, 1)


def test_its_pin_counts_down_blocks_and_is_set_back_by_the_right_one(pcsc, readers, root):
    card = insert(readers[0], pcsc, Card().with_identity(root))
    assert "CKR_PIN_INCORRECT" in sign(pcsc, "ECDSA-SHA256", "000000") and card.tries_left == 2
    assert isinstance(sign(pcsc, "ECDSA-SHA256"), bytes) and card.tries_left == 3
    for left in (2, 1, 0):
        sign(pcsc, "ECDSA-SHA256", "000000")
        assert card.tries_left == left
    assert "CKR_PIN_LOCKED" in sign(pcsc, "ECDSA-SHA256")
    assert (card.wrong_pins, card.signatures) == (4, 1)


def test_a_spoilt_signature_does_not_verify(pcsc, readers, root):
    card = insert(readers[0], pcsc, Card().with_identity(root))
    card.fail_signature(Fault.BAD_SIGNATURE)
    with pytest.raises(InvalidSignature):
        card.slots[0x9A].key.public_key().verify(sign(pcsc, "ECDSA-SHA256"), MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_each_reader_has_its_own_card_and_an_ejected_one_is_gone(pcsc, readers, root):
    first, second = (insert(reader, pcsc, Card().with_identity(root)) for reader in readers)
    assert shows(pcsc, first) and shows(pcsc, second)
    readers[0].eject()
    wait_until(lambda: not shows(pcsc, first), "the card is gone")
    assert shows(pcsc, second)


def test_a_daemon_that_comes_back_finds_the_card_without_its_login(pcsc, readers, root):
    card = insert(readers[0], pcsc, Card().with_identity(root))
    card.is_verified = True
    pcsc.kill()
    pcsc.start()
    wait_until(lambda: shows(pcsc, card), "OpenSC shows the card")
    assert not card.is_verified
