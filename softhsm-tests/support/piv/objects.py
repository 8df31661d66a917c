"""The data objects of a card (SP 800-73-4 part 1 §3 and appendix A), as GET DATA shows them."""

from .encoding import tlv

AID = bytes.fromhex("A000000308000010000100")
CERTIFICATES = {0x9A: 0x5FC105, 0x9C: 0x5FC10A, 0x9D: 0x5FC10B, 0x9E: 0x5FC101}
CHUID, CCC, DISCOVERY, HISTORY, PRINTED = 0x5FC102, 0x5FC107, 0x7E, 0x5FC10C, 0x5FC109


def select_answer():
    """The application property template (part 2 §3.1.1)."""
    return tlv(0x61, tlv(0x4F, AID[5:]), tlv(0x79, tlv(0x4F, AID[:5])), tlv(0x50, b"Tokenward test card"))


def atr():
    """OpenSC knows a card with the PIV AID in its historical bytes (compact TLV, tag F) for a PIV card."""
    historical = b"\x80" + bytes([0xF0 | len(AID)]) + AID
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3B" + body + bytes([check])


# A YubiKey 5: "YubiKey" in the historical bytes.
YUBIKEY_ATR = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")


# Agency 9999: no federal card. OpenSC then takes the GUID for the serial number.
FASC_N = bytes.fromhex("D4E739DA739CED39CE739D8368582108421084 21C84210C3EB")


def data_objects(guid):
    """The objects that every card has."""
    return {
        CHUID: tlv(0x53, tlv(0x30, FASC_N), tlv(0x34, guid), tlv(0x35, b"20401231"), tlv(0x3E), tlv(0xFE)),
        CCC: tlv(
            0x53, tlv(0xF0, bytes.fromhex("A000000116FF02") + guid[:14]), tlv(0xF1, b"\x21"), tlv(0xF2, b"\x21"),
            tlv(0xF3), tlv(0xF4, b"\0"), tlv(0xF5, b"\x10"), tlv(0xF6), tlv(0xF7), tlv(0xFA), tlv(0xFB), tlv(0xFC),
            tlv(0xFD), tlv(0xFE)),
        # 4000: the application's PIN alone satisfies the access rules.
        DISCOVERY: tlv(0x7E, tlv(0x4F, AID), tlv(0x5F2F, b"\x40\x00")),
        HISTORY: tlv(0x53, tlv(0xC1, b"\0"), tlv(0xC2, b"\0"), tlv(0xFE)),
        PRINTED: tlv(0x53, tlv(0x01, b"TEST CARD"), tlv(0xFE)),
    }


def certificate_object(certificate):
    return tlv(0x53, tlv(0x70, certificate), tlv(0x71, b"\0"), tlv(0xFE))
