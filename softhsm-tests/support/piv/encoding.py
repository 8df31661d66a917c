"""The encodings on the line: BER-TLV (ISO 7816-4 §5.2.2) and command APDUs (§5.1), short and extended."""

import dataclasses


def tlv(tag, *values):
    value = b"".join(values)
    return tag.to_bytes((tag.bit_length() + 7) // 8, "big") + length(len(value)) + value


def length(count):
    if count < 0x80:
        return bytes([count])
    size = (count.bit_length() + 7) // 8
    return bytes([0x80 | size]) + count.to_bytes(size, "big")


def parse(data):
    """Tags and values of one level, in order; ValueError where it ends too early."""
    found, position = {}, 0

    def take(count):
        nonlocal position
        if position + count > len(data):
            raise ValueError("a TLV that ends too early")
        position += count
        return data[position - count:position]

    while position < len(data):
        tag = take(1)
        if tag[0] & 0x1F == 0x1F:
            tag += take(1)
            while tag[-1] & 0x80:
                tag += take(1)
        [size] = take(1)
        if size & 0x80:
            size = int.from_bytes(take(size & 0x7F), "big")
        found[int.from_bytes(tag, "big")] = take(size)
    return found


@dataclasses.dataclass(frozen=True)
class Command:
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    expected: int
    """Le: how many bytes may come back at once. 0 where none are asked for."""

    @property
    def is_chained(self):
        return bool(self.cla & 0x10)

    @classmethod
    def parse(cls, apdu):
        if len(apdu) < 4:
            raise ValueError("an APDU without a header")
        header, body = apdu[:4], apdu[4:]
        if not body:
            return cls(*header, b"", 0)
        if len(body) == 1:
            return cls(*header, b"", body[0] or 256)
        size = 1
        if body[0] == 0:
            if len(body) == 3:
                return cls(*header, b"", int.from_bytes(body[1:], "big") or 65536)
            size = 2
            body = body[1:]
        count = int.from_bytes(body[:size], "big")
        data, rest = body[size:size + count], body[size + count:]
        if len(data) != count or len(rest) not in (0, size):
            raise ValueError("an APDU of another length than it says")
        return cls(*header, data, (int.from_bytes(rest, "big") or 256 ** size) if rest else 0)
