"""An import that fails in the middle leaves the token as it was, and no secret in anything that stays."""

import re
import time

import pytest

from support import authority, configuration, scan

OBJECTS = ["the key", "its public key", "its certificate", "the intermediate"]


@pytest.mark.parametrize("stray", ["refused", "left"])
@pytest.mark.parametrize("number", range(1, 5), ids=OBJECTS)
def test_what_was_written_before_a_failure_is_removed(bring, trapped_agent, card, key_files, root, tmp_path, number, stray):
    """And nothing else, such as a certificate that has no id either."""
    (tmp_path / "lonely").write_bytes(authority.der(root.issue("lonely", card.generate("other", "05"))))
    card.tool("--write-object", tmp_path / "lonely", "--type", "cert", "--label", "lonely")
    before = card.tool("--list-objects")
    key_files.identity()
    result = bring(trapped_agent(**{f"create_{stray}": f"{number}:0x30"}), key_files.pfx())
    assert (result.returncode, result.stdout) == (75, ""), result.stderr
    assert "CKR_DEVICE_ERROR" in result.stderr and len(result.stderr.splitlines()) == 2
    assert card.tool("--list-objects") == before


@pytest.mark.parametrize("code, words", [
    (0x31, "has no room for it: .*CKR_DEVICE_MEMORY"), (0x02, "has no room for it: .*CKR_HOST_MEMORY"),
    (0xE2, "cannot be changed: .*CKR_TOKEN_WRITE_PROTECTED"), (0x13, "takes no private keys from outside"),
    (0x10, "takes no private keys from outside"), (0x54, "takes no private keys from outside"),
])
def test_a_token_that_takes_no_private_key_says_so(bring, trapped_agent, card, key_files, code, words):
    key_files.identity()
    result = bring(trapped_agent(no_private=code), key_files.pfx())
    assert (result.returncode, result.stdout) == (77, ""), result.stderr
    assert re.search(words, result.stderr), result.stderr
    assert card.tool("--list-objects") == b""


def test_a_write_protected_token_is_not_tried(bring, trapped_agent, card, key_files):
    key_files.identity()
    result = bring(trapped_agent(protected=1), key_files.pfx())
    assert result.returncode == 77 and "write-protected" in result.stderr


def test_a_token_that_takes_no_prohibitions_gets_the_template_without_them(bring, trapped_agent, card, key_files):
    key_files.identity()
    agent = trapped_agent(plain=1)
    assert bring(agent, key_files.pfx()).returncode == 0
    assert agent.json("key", "verify", "pkcs11:token=card;id=%01")["extractable"] is False


def test_neither_the_key_nor_the_files_password_is_left_anywhere(bring, start, card, key_files, pin_file, tmp_path):
    """A PEM file has the key in clear, and passes through the agent."""
    key_files.identity("first", kind="rsa2048")
    key_files.identity("second", kind="rsa2048")
    password = "canary-file-password-93kd02"
    secrets = {"password": password}
    for name in ("first", "second"):
        lines = (key_files.folder / f"{name}.key").read_text().splitlines()
        secrets |= {f"{name}, line {number}": lines[number] for number in (5, 12, 20)}
    agent = start(
        configuration.module(card.softhsm), configuration.token(pin_file), arguments=["--log-level", "debug"])
    assert bring(agent, key_files.folder / "first.key", password=None, label="first", number="01").returncode == 0
    encrypted = key_files.pfx(name="second", password=password)
    assert bring(agent, encrypted, password="canary-file-password-wrong", label="second", number="02").returncode == 64
    assert bring(agent, encrypted, password=password, label="second", number="02").returncode == 0
    secrets["wrong password"] = "canary-file-password-wrong"
    began = time.monotonic()
    while found := [(pid, *hit) for pid in [agent.process.pid, *agent.workers()] for hit in scan.in_memory(pid, secrets)]:
        assert time.monotonic() < began + 1, found
    for pid in [agent.process.pid, *agent.workers()]:
        assert scan.on_record(pid, secrets) == []
    assert scan.in_files(tmp_path, secrets, apart=[key_files.folder, card.softhsm.folder]) == []
