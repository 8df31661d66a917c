"""The scan for secrets finds them in each of the encodings that it knows."""

import base64
import subprocess

import pytest

from support import scan

PIN = "canary-PIN-c41d9e7b02f85a6633kXq"


@pytest.mark.parametrize("encoding", [name for name in scan.encodings("x" * 40)])
def test_the_scan_finds_each_encoding(encoding):
    needle = scan.encodings(PIN)[encoding]
    with subprocess.Popen(
        ["python3", "-c", "import sys; held = sys.stdin.buffer.readline(); print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"around " + needle + b" it\n")
        process.stdin.flush()
        process.stdout.readline()
        found = {name for _, name in scan.in_memory(process.pid, {"PIN": PIN})}
        process.stdin.close()
    assert f"PIN, {encoding}" in found


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "{\"pin\":\""])
def test_base64_is_found_wherever_the_secret_stands(before):
    text = base64.b64encode(f"{before}{PIN}tail".encode())
    assert any(needle in text for name, needle in scan.encodings(PIN).items() if name.startswith("base64"))
