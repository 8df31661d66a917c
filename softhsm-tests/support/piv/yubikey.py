"""A YubiKey's PIV application beyond the standard, as far as ykcs11 asks for it (docs.yubico.com, PIV commands)."""

from .encoding import tlv

GET_METADATA, GET_SERIAL, GET_VERSION = 0xF7, 0xF8, 0xFD
VERSION = bytes([5, 4, 3])
ALGORITHM, POLICY, ORIGIN, PUBLIC_KEY = 0x01, 0x02, 0x03, 0x04


def perform(card, command):
    """The answer, or None for an instruction that is not ours."""
    if command.ins == GET_VERSION:
        return VERSION
    if command.ins == GET_SERIAL:
        return bytes([0]) + card.guid[:3]
    if command.ins == GET_METADATA and command.p2 in card.slots:
        slot = card.slots[command.p2]
        policy = bytes([3 if slot.always else 2 if slot.needs_pin else 1, 2 if slot.touch else 1])
        return (tlv(ALGORITHM, bytes([slot.algorithm])) + tlv(POLICY, policy) + tlv(ORIGIN, b"\x02")
                + tlv(PUBLIC_KEY, public_key(slot)))
    return None


def public_key(slot):
    if slot.algorithm in (0x11, 0x14):
        return tlv(0x86, slot.public_point())
    numbers = slot.key.public_key().public_numbers()
    return tlv(0x81, numbers.n.to_bytes(slot.key.key_size // 8, "big")) + tlv(0x82, b"\x01\x00\x01")
