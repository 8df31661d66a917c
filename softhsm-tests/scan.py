"""A search for secrets in all that a process has and leaves: memory, arguments, environment, files."""

import base64
import contextlib
import os
import urllib.parse


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
        found[f"base64, shifted by {shift}"] = text[(shift * 8 + 5) // 6 + (shift > 0):-1]
    return found


def needles(secrets):
    """What to look for: each of the secrets by its name in each encoding, and its beginning and end alone."""
    wanted = {}
    for name, secret in secrets.items():
        wanted |= {f"{name}, {encoding}": needle for encoding, needle in encodings(secret).items()}
        if len(secret) >= 40:
            wanted |= {f"{name}, its first half": secret[:len(secret) // 2].encode()[:32]}
            wanted |= {f"{name}, its second half": secret[len(secret) // 2:].encode()[:32]}
    return wanted


def memory(pid):
    """The writable memory of a process, one piece after the other, with the names of their mappings."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as file:
        for line in maps:
            parts = line.split(None, 5)
            if not parts[1].startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in parts[0].split("-"))
            with contextlib.suppress(OSError, OverflowError):  # vvar, or a page that is gone
                file.seek(begin)
                yield parts[5].strip() if len(parts) > 5 else "anonymous", file.read(end - begin)


def in_memory(pid, secrets):
    """What of the secrets is in the process's memory: mapping and needle, once for each copy."""
    wanted = needles(secrets)
    return [
        (place, name)
        for place, content in memory(pid) for name, needle in wanted.items() for _ in range(content.count(needle))]


def copies(pid, secret):
    """How often the bytes of one secret are there as they are."""
    return sum(content.count(secret.encode()) for _, content in memory(pid))


def on_record(pid, secrets):
    """What of the secrets is in the process's arguments and environment."""
    wanted, found = needles(secrets), []
    for record in ("cmdline", "environ"):
        with open(f"/proc/{pid}/{record}", "rb") as file:
            content = file.read()
        found += [(record, name) for name, needle in wanted.items() if needle in content]
    return found


def in_files(folder, secrets, apart=()):
    """What of the secrets is in the files of a folder, those apart whose paths begin so."""
    wanted, found = needles(secrets), []
    for path, _, names in os.walk(folder):
        for name in names:
            file = f"{path}/{name}"
            if not file.startswith(tuple(map(str, apart)) or ("\0",)) and os.path.isfile(file):
                with open(file, "rb") as opened:
                    content = opened.read()
                found += [(file, needle) for needle, bytes in wanted.items() if bytes in content]
    return found
