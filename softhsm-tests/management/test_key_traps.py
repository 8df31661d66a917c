"""What providers were seen to do to changes: each ends in one line that says so, and leaves the token as it was."""

import os
import re
import signal
import subprocess

import pytest

from support.processes import is_running
from support.softhsm import PIN
from support.waiting import in_background, wait_until

URI = "pkcs11:token=card"


def generate(agent, *options, label="made", type="ec:p256", **how):
    return agent.cli(
        "key", "generate", "--token", URI, "--type", type, "--label", label, "--id", "4a", *options, **how)


def objects(card):
    text = card.tool("--list-objects").decode()
    return sorted(re.findall(r"^(Private Key|Public Key|Certificate) Object.*?^  label: +(.*?)$", text, re.MULTILINE | re.DOTALL))


def refused(result, code, words):
    assert (result.returncode, result.stdout) == (code, ""), result
    assert re.search(words, result.stderr), result.stderr
    assert len(result.stderr.splitlines()) == 2


def keepers(agent):
    result = subprocess.run(
        ["pgrep", "-P", str(agent.process.pid), "-f", "tokenward-keeper"], capture_output=True, text=True)
    return [int(line) for line in result.stdout.split()]


@pytest.mark.parametrize("switches, code, words", [
    ({"protected": 1}, 77, "write-protected"),
    ({"generate": 0xE2}, 77, "cannot be changed: .*CKR_TOKEN_WRITE_PROTECTED"),
    ({"generate": 0xB5}, 77, "cannot be changed: .*CKR_SESSION_READ_ONLY"),
    ({"generate": 0x31}, 77, "has no room for it: .*CKR_DEVICE_MEMORY"),
    ({"generate": 0x02}, 77, "has no room for it: .*CKR_HOST_MEMORY"),
    ({"generate": 0x54}, 77, "cannot do this: .*CKR_FUNCTION_NOT_SUPPORTED"),
    ({"generate": 0x70}, 77, "cannot do this: .*CKR_MECHANISM_INVALID"),
    ({"generate": 0x13}, 77, "cannot do this: .*CKR_ATTRIBUTE_VALUE_INVALID"),
    ({"generate": 0x103}, 77, "only its security officer .*CKR_USER_TYPE_INVALID"),
    ({"generate": 0x05}, 75, "CKR_GENERAL_ERROR"),
    ({"generate": 0x80000123}, 75, r"CKR_VENDOR_DEFINED\+0x123"),
    ({"no_keygen": 1}, 77, "no way to make an EC key"),
    ({"half": 0x30}, 75, "CKR_DEVICE_ERROR"),
    ({"half": 0x31}, 77, "has no room"),
    ({"weak": 1}, 77, "could leave it, which is not kept"),
])
def test_a_failure_leaves_the_token_as_it_was(trapped_agent, card, switches, code, words):
    refused(generate(trapped_agent(**switches)), code, words)
    assert objects(card) == []


def test_half_of_a_pair_is_deleted_and_nothing_else(trapped_agent, card):
    card.generate("other", "01")
    before = objects(card)
    refused(generate(trapped_agent(half=0x30)), 75, "CKR_DEVICE_ERROR")
    assert objects(card) == before


def test_a_token_that_takes_no_prohibitions_gets_the_template_without_them(trapped_agent, card):
    agent = trapped_agent(plain=1)
    assert generate(agent).returncode == 0
    assert objects(card) == [("Private Key", "made"), ("Public Key", "made")]
    assert agent.json("key", "verify", f"{URI};id=%4A")["extractable"] is False


def test_a_token_that_is_pulled_in_the_middle_may_keep_half_of_the_pair_and_the_message_says_so(trapped_agent, card):
    refused(generate(trapped_agent(pulled=1)), 81, "is gone: .*could not be looked at whether half of the pair is left")


def test_a_label_of_the_token_s_own_is_shown_as_it_is(trapped_agent, card):
    result = generate(trapped_agent(label=1))
    assert result.returncode == 0
    assert "label:              Private key for PIV Authentication\n" in result.stdout


@pytest.mark.parametrize("trap, words", [
    ("certificate", "is deleted, and still has it; and has deleted its certificate instead"),
    ("nothing", "is deleted, and still has it")])
def test_a_deletion_that_the_token_only_claims_is_told(trapped_agent, card, root, trap, words):
    card.identity(root, "made", "4a")
    agent = trapped_agent(destroy=trap)
    serial = agent.json("status")["tokens"][0]["serial"]
    refused(agent.cli("key", "destroy", f"{URI};id=%4A", "--serial", serial), 77, words)


def test_a_worker_that_never_sees_a_new_key_is_replaced(trapped_agent, card, tmp_path):
    agent = trapped_agent(stale=tmp_path / "stale", pin="prompt")
    assert agent.cli("unlock", "--pin-stdin", URI, input=PIN).returncode == 0
    assert generate(agent, "--pin-stdin", label="late", input=PIN).returncode == 0
    assert agent.cli("unlock", "--pin-stdin", URI, input=PIN).returncode == 0
    assert [key["label"] for key in agent.json("key", "list")] == ["late"]


def test_a_keeper_that_hangs_is_ended_by_a_lock_and_nothing_is_made(trapped_agent, card, tmp_path):
    mark = tmp_path / "hangs"
    agent = trapped_agent(hang=mark)
    result = in_background(lambda: generate(agent))
    wait_until(mark.exists, "the call")
    [keeper] = keepers(agent)
    assert agent.cli("lock", timeout=5).returncode == 0
    refused(result(), 80, "is locked")
    wait_until(lambda: not is_running(keeper), "the keeper's end", seconds=1)
    assert objects(card) == []


def test_a_keeper_ends_within_a_second_after_its_agent_was_killed(trapped_agent, card, tmp_path):
    mark = tmp_path / "hangs"
    agent = trapped_agent(hang=mark)
    result = in_background(lambda: generate(agent))
    wait_until(mark.exists, "the call")
    [keeper] = keepers(agent)
    agent.process.kill()
    wait_until(lambda: not is_running(keeper), "the keeper's end", seconds=1.5)
    assert result().returncode == 69


def test_an_agent_that_stops_lets_its_keeper_finish_for_as_long_as_other_requests_and_ends_it_then(
        trapped_agent, card, tmp_path):
    mark = tmp_path / "hangs"
    agent = trapped_agent(hang=mark)
    result = in_background(lambda: generate(agent))
    wait_until(mark.exists, "the call")
    [keeper] = keepers(agent)
    assert agent.stop(timeout=30) == 0
    assert not is_running(keeper)
    assert result().returncode != 0 and objects(card) == []


def test_a_keeper_that_dies_costs_its_command_alone(trapped_agent, card, tmp_path):
    mark = tmp_path / "hangs"
    agent = trapped_agent(hang=mark)
    result = in_background(lambda: generate(agent))
    wait_until(mark.exists, "the call")
    [keeper] = keepers(agent)
    os.kill(keeper, signal.SIGKILL)
    refused(result(), 75, "worker is gone.*signal 9")
    assert agent.json("key", "list") == []


def test_a_key_is_made_by_one_call_whatever_the_token_answers(trapped_agent, card, tmp_path):
    calls = tmp_path / "calls"
    refused(generate(trapped_agent(generate=0x05, calls=calls)), 75, "CKR_GENERAL_ERROR")
    assert calls.stat().st_size == 1
