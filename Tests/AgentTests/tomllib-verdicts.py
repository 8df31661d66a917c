"""Reads documents, separated by the byte 0xFE, and prints for each what tomllib makes of it: a line of JSON, or
"refused". Floats, dates, NULs and big integers are TOML that no setting takes, and count as refused."""

import json
import sys
import tomllib


def check(value):
    match value:
        case bool():
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case str() if "\0" not in value:
            return value
        case list():
            return [check(element) for element in value]
        case dict():
            return {check(key): check(element) for key, element in value.items()}
    raise ValueError


for document in sys.stdin.buffer.read().split(b"\xfe"):
    try:
        print(json.dumps(check(tomllib.loads(document.decode())), sort_keys=True))
    except (ValueError, RecursionError):
        print("refused")
