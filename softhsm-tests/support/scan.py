"""A search for secrets in all that a process has and leaves: memory, arguments, environment, files."""

import array
import base64
import contextlib
import os
import urllib.parse

PIECE = 24
PAGE = os.sysconf("SC_PAGE_SIZE")


def encodings(secret):
    """The bytes that a secret could stand as, by the name of the encoding. Base64 in each of its three alignments."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "reversed": plain[::-1],
        "hexadecimal": plain.hex().encode(),
        "HEXADECIMAL": plain.hex().upper().encode(),
        "UTF-16": secret.encode("utf-16-le"),
        "UTF-16 (big-endian)": secret.encode("utf-16-be"),
        "percent-encoded": urllib.parse.quote(secret, safe="").encode(),
    }
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        found[f"base64, shifted by {shift}"] = text[(shift * 8 + 5) // 6:-1]  # what its neighbours share
    return found


def needles(secrets):
    """What to look for: each of the secrets by its name in each encoding, and its pieces alone: of whatever was copied in
    part, 47 bytes hold a whole piece."""
    wanted = {}
    for name, secret in secrets.items():
        wanted |= {f"{name}, {encoding}": needle for encoding, needle in encodings(secret).items()}
        if len(secret) >= 2 * PIECE:
            wanted |= {
                f"{name}, bytes from {start} on": secret[start:start + PIECE].encode()
                for start in range(0, len(secret) - PIECE + 1, PIECE)}
    return wanted


def memory(pid):
    """A process's writable memory, in runs of pages, with the names of their mappings."""
    with (
        open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as file,
        open(f"/proc/{pid}/pagemap", "rb", 0) as pages,
    ):
        for line in maps:
            parts = line.split(None, 5)
            if not parts[1].startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in parts[0].split("-"))
            for start, length in present(pages, begin, end):
                with contextlib.suppress(OSError, OverflowError):  # a page that is gone
                    file.seek(start)
                    yield parts[5].strip() if len(parts) > 5 else "anonymous", file.read(length)


def present(pages, begin, end):
    """The runs of pages between two addresses that have ever been written to (proc_pid_pagemap(5))."""
    pages.seek(begin // PAGE * 8)
    entries = array.array("Q", pages.read((end - begin) // PAGE * 8))
    start = None
    for index, entry in enumerate(entries):
        if entry >> 62 and start is None:  # in memory, or swapped out
            start = index
        elif not entry >> 62 and start is not None:
            yield begin + start * PAGE, (index - start) * PAGE
            start = None
    if start is not None:
        yield begin + start * PAGE, (len(entries) - start) * PAGE


def in_memory(pid, secrets):
    """The secrets in the process's memory: mapping and needle, once for each copy."""
    wanted = needles(secrets)
    return [
        (place, name)
        for place, content in memory(pid) for name, needle in wanted.items() for _ in range(content.count(needle))]


def copies(pid, secret):
    """How often the bytes of one secret are there as they are."""
    return sum(content.count(secret.encode()) for _, content in memory(pid))


def on_record(pid, secrets):
    """The secrets in the process's arguments and environment."""
    wanted, found = needles(secrets), []
    for record in ("cmdline", "environ"):
        with open(f"/proc/{pid}/{record}", "rb") as file:
            content = file.read()
        found += [(record, name) for name, needle in wanted.items() if needle in content]
    return found


def in_files(folder, secrets, apart=()):
    """The secrets in the files of a folder, those apart whose paths begin so."""
    wanted, found = needles(secrets), []
    for path, _, names in os.walk(folder):
        for name in names:
            file = f"{path}/{name}"
            if not file.startswith(tuple(map(str, apart)) or ("\0",)) and os.path.isfile(file):
                with open(file, "rb") as opened:
                    content = opened.read()
                found += [(file, needle) for needle, bytes in wanted.items() if bytes in content]
    return found
