"""What providers were seen to do to changes: each ends in one line that says so, and leaves the token as it was."""

import json
import os
import re
import signal
import socket
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
    ({"half": 0x30, "label": 1}, 75, "CKR_DEVICE_ERROR"),
    ({"id": 1}, 77, "says that the key is made, and shows no private key"),
    ({"lost": 1}, 77, "shows its public key alone"),
    ({"session": 1}, 77, "forgets at once"),
])
def test_a_failure_leaves_the_token_as_it_was(trapped_agent, card, switches, code, words):
    refused(generate(trapped_agent(**switches)), code, words)
    assert objects(card) == []


def test_a_pair_that_another_program_has_made_meanwhile_is_kept_and_told(trapped_agent, card):
    refused(generate(trapped_agent(twin=1)), 77, "shows 2 private keys of this name; a private key with the id 4a is left")
    assert objects(card) == [("Private Key", "made"), ("Public Key", "made")]


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


@pytest.mark.parametrize("trap, code, words", [
    ("broken", 75, "CKR_DEVICE_ERROR.*; the private key is gone"),
    ("pulled", 81, "is gone.*; it could not be looked at whether the private key is gone")])
def test_a_deletion_that_fails_and_was_done_is_told(trapped_agent, card, trap, code, words):
    card.generate("made", "4a")
    agent = trapped_agent(destroy=trap)
    serial = agent.json("status")["tokens"][0]["serial"]
    refused(agent.cli("key", "destroy", f"{URI};id=%4A", "--serial", serial), code, words)


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
    refused(result(), 80, "is locked; the change was under way, and may be done all the same")
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
    refused(result(), 75, "worker is gone.*signal 9; the change was under way, and may be done all the same")
    assert agent.json("key", "list") == []


@pytest.mark.parametrize("end", ["killed", "locked"])
def test_a_pin_that_a_keeper_was_sending_at_its_end_is_not_sent_again(trapped_agent, card, tmp_path, end):
    mark = tmp_path / "hangs"
    agent = trapped_agent(login_hangs=mark)
    result = in_background(lambda: generate(agent))
    wait_until(mark.exists, "the login")
    [keeper] = keepers(agent)
    if end == "killed":
        os.kill(keeper, signal.SIGKILL)
    else:
        assert agent.cli("lock", timeout=5).returncode == 0
    assert result().returncode in (75, 80)
    wait_until(lambda: not is_running(keeper), "the keeper's end", seconds=1)
    for options, how in ([], {}), (["--pin-stdin"], {"input": PIN}):
        refused(generate(agent, *options, **how), 80, "did not answer|locked")
    assert mark.stat().st_size == 1


@pytest.mark.parametrize("hangs_up", [True, False])
def test_nothing_is_changed_for_a_command_that_has_ended_before(trapped_agent, card, tmp_path, hangs_up):
    card.generate("kept", "01")
    mark = tmp_path / "login"
    agent = trapped_agent(login_waits=mark)
    serial = agent.json("status")["tokens"][0]["serial"]
    body = json.dumps({"uri": f"{URI};id=%01", "serial": serial})
    with socket.socket(socket.AF_UNIX) as command:
        command.connect(str(agent.socket))
        command.sendall(
            f"POST /v1/keys/destroy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        wait_until(mark.exists, "the login")
        [keeper] = keepers(agent)
        if hangs_up:
            command.close()
            for _ in range(2):  # answered by the thread that sees the other connection's end
                agent.get("/v1/status")
        (tmp_path / "login.go").touch()
        wait_until(lambda: not is_running(keeper), "the keeper's end")
    assert bool(objects(card)) == hangs_up


def test_a_key_is_made_by_one_call_whatever_the_token_answers(trapped_agent, card, tmp_path):
    calls = tmp_path / "calls"
    refused(generate(trapped_agent(generate=0x05, calls=calls)), 75, "CKR_GENERAL_ERROR")
    assert calls.stat().st_size == 1
