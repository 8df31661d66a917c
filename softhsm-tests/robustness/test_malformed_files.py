"""Each malformed configuration is refused in its own words, and each malformed certificate is listed with its reason."""

import gzip
import os
import re
import signal
import subprocess

import pytest

from support import authority
from support.answers import refresh
from support.credentials import access_key
from support.malformed_uris import SECRET, URIS
from support.processes import binary
from support.waiting import wait_until


def check(folder, text):
    """Exit code and the lines that a check of the configuration prints, without the file's name."""
    path = f"{folder}/config.toml"
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, 0o600)
    finished = subprocess.run(
        [binary("tokenward-agent"), "--check", "--config", path], env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    assert finished.stdout == b""
    prefix = f"tokenward-agent: error: {path}:"
    lines = finished.stderr.decode().splitlines()
    assert all(line.startswith(prefix) for line in lines), lines
    return finished.returncode, [line.removeprefix(prefix).lstrip() for line in lines]


@pytest.mark.parametrize("uri", [uri for uri in URIS if "pin-value" not in uri.lower()])
def test_a_malformed_uri_in_the_configuration_is_refused(tmp_path, uri):
    assert check(tmp_path, f'\n[[token]]\nuri = "{uri}"\n') == (78, [f"3: uri: {URIS[uri]}"])


# --- the configuration

PIN_VALUE = ("holds a pin-value, which is refused because whoever reads the file learns the PIN; "
             "use pin-source in [[token]], or run 'tokenward unlock'")
NO_VALUE = "a value that no setting takes; give text in quotation marks, an integer, true or false"
TOML = {
    "nothing": ("", []),
    "an unknown table": ("[modul]\n", ['1: unknown key "modul" in the file; did you mean "module"?']),
    "an unknown key": ('[[token]]\nuri = "pkcs11:"\npin-sorce = "prompt"\n',
                       ['3: unknown key "pin-sorce" in [[token]]; did you mean "pin-source"?']),
    "a key twice": ('[[token]]\nuri = "pkcs11:"\nuri = "pkcs11:"\n', ['3: "uri" stands in line 2 already; keep one of them']),
    "a table twice": ("[profile.a]\n[profile.a]\n", ['2: [profile.a] stands in line 1 already; keep one of them']),
    "no equals sign": ("[[token]]\nuri\n", ["2: a key without =; write KEY = VALUE"]),
    "no value": ("[[token]]\nuri =\n", ["2: a value is missing; give one, or remove the key"]),
    "no quotation marks": ("[[token]]\nuri = pkcs11:\n", [f"2: {NO_VALUE}"]),
    "a date": ("[[token]]\nuri = 1979-05-27\n", [f"2: {NO_VALUE}"]),
    "an open string": ('[[token]]\nuri = "pkcs11:\n', ["2: text without its closing quotation mark; add it"]),
    "an open long string": ('[[token]]\nuri = """pkcs11:\n\n', ["2: text without its closing quotation mark; add it"]),
    "an open array": ("[profile.a.allow]\nusers = [1,\n2\n", None),
    "an open header": ("[[token\n", ["1: a table's name without ]]; close it"]),
    "an unknown escape": ('[[token]]\nuri = "\\x"\n', [
        "2: an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks"]),
    "a NUL": ('[[token]]\nuri = "\\u0000"\n', ["2: a NUL character in text; remove it"]),
    "a raw control character": (b'[[token]]\nuri = "\x01"\n', [
        "2: a control character in text; remove it, or write it as an escape"]),
    "no UTF-8": (b'[[token]]\nuri = "\xff"\n', ["2: not UTF-8; save the file as UTF-8"]),
    "two settings in a line": ('[[token]]\nuri = "pkcs11:" pin-source = "prompt"\n', [
        "2: more than one setting in a line; begin a new line"]),
    "deep arrays": ("a = " + "[" * 100_000 + "\n", ["1: nested more than 16 deep; no setting is"]),
    "deep keys": ("a" + ".a" * 100_000 + " = 1\n", ["1: nested more than 16 deep; no setting is"]),
    "an integer too large": ("[[token]]\npin-lifetime-seconds = 99999999999999999999\n", [
        "2: an integer that 64 bits do not hold; give a smaller one"]),
    "a lifetime out of range": ('[[token]]\nuri = "pkcs11:"\npin-lifetime-seconds = -1\n', [
        "3: pin-lifetime-seconds is -1; give 0 to 604800"]),
    "a PIN for its source": (f'[[token]]\nuri = "pkcs11:"\npin-source = "{SECRET}"\n', [
        "3: pin-source is none that we know; give prompt, file:/PATH, credential:NAME or protected"]),
    "a PIN in a URI": (f'[[token]]\nuri = "pkcs11:token=demo?pin-value={SECRET}"\n', [f"2: uri {PIN_VALUE}"]),
    "a PIN in another case": (f'[[token]]\nuri = "pkcs11:token=demo?PIN-VALUE={SECRET}"\n', [f"2: uri {PIN_VALUE}"]),
    "an object's URI": ('[[token]]\nuri = "pkcs11:token=demo;object=client"\n', [
        "2: uri names an object, and a PIN belongs to a token; leave out object, id and type"]),
    "a profile's name": ('[profile."../x"]\n', [
        '1: "../x" is no name for a profile; use 1 to 64 letters, digits and _.-, the first no dot or dash']),
    "two faults": ("[[token]]\n[[module]]\n", None),
    "NULs": (bytes(1000), ["1: a key is missing; write it in letters, digits, - and _, or in quotation marks"]),
}


@pytest.mark.parametrize("name", TOML)
def test_a_malformed_configuration_is_refused(tmp_path, name):
    text, lines = TOML[name]
    exit, got = check(tmp_path, text)
    assert SECRET not in "".join(got)
    if lines is None:
        assert exit == 78 and got
    else:
        assert (exit, got) == (78 if lines else 0, lines)


@pytest.mark.parametrize("size, expected", [(1 << 20, 0), ((1 << 20) + 1, 78)])
def test_a_configuration_has_a_mebibyte_at_most(tmp_path, size, expected):
    assert check(tmp_path, "#" * (size - 1) + "\n")[0] == expected


def test_a_malformed_configuration_changes_nothing_when_it_is_read_again(shared_agent):
    key = access_key(shared_agent.credentials())
    with open(shared_agent.configuration_path) as file:
        good = file.read()
    shared_agent.configure(good + "\n[profile.test\n")
    try:
        shared_agent.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the old one stays in force" in shared_agent.log(), "the agent's word on the new configuration")
        assert access_key(shared_agent.credentials()) == key
    finally:
        shared_agent.configure(good)


# --- certificates on the token

@pytest.fixture(scope="module")
def values(shared_world):
    """Certificate values by their labels, and why each is unusable."""
    good = authority.der(shared_world.certificate)
    no_sequence = "the certificate is not DER: it does not start with a SEQUENCE"
    return {
        "garbage": (bytes(range(256)), no_sequence),
        "a-byte": (b"\x30", "the certificate ends after 1 of 2 bytes"),
        "indefinite": (b"\x30\x80" + good[4:] + b"\0\0", no_sequence),
        "not-minimal": (b"\x30\x83\0" + good[2:], no_sequence),
        "half": (good[: len(good) // 2], f"the certificate ends after {len(good) // 2} of {len(good)} bytes"),
        "four-GiB": (b"\x30\x84\xff\xff\xff\xff" + good[4:], no_sequence),
        "trailing": (good + b"\0\1\2", "3 bytes that are not zero follow the certificate"),
        "gzip": (gzip.compress(good), "the certificate is compressed with gzip, and the PKCS#11 module did not unpack it"),
        "PEM": (authority.pem(shared_world.certificate), "the certificate is PEM text where DER is needed"),
        "65537-bytes": (b"\x30\x83\x00\xff\xfc" + bytes(65_532), 
                        "the certificate is empty, or has more than 65536 bytes"),
        "noise": (b"\x30\x82\1\0" + bytes(range(256)), re.compile(r"the certificate is malformed \(OpenSSL: .+\)")),
        "no-fields": (b"\x30\0", re.compile(r"the certificate is malformed \(OpenSSL: .+\)")),
    }


@pytest.fixture(scope="module")
def listed(shared_world, shared_agent, values, certificate_writer):
    """The agent's list, with every malformed certificate on the token beside the good one."""
    certificate_writer(shared_world.token, {
        (label, ord("a") + number): value for number, (label, (value, _)) in enumerate(values.items())})
    status, identities = shared_agent.get("/v1/identities")
    assert status == 200 and len(identities) == 1 + len(values)
    return {re.search(";object=([^;]+)", identity["uri"])[1]: identity for identity in identities}


def test_every_malformed_certificate_is_listed_with_its_reason(listed, values):
    for label, (_, reason) in values.items():
        identity = listed[label]
        assert not identity["usable"] and identity["profiles"] == [], label
        first = identity["reasons"][0]
        assert reason.fullmatch(first) if isinstance(reason, re.Pattern) else first == reason, label


def test_the_good_certificate_beside_them_works(listed, shared_agent):
    assert listed["client"]["usable"] and listed["client"]["profiles"] == ["test"]
    status, _ = refresh(shared_agent, "test")
    assert status == 200
    access_key(shared_agent.credentials())
