"""Keys that ask for their PIN each time get it for each signature, and a wrong one once."""

import concurrent.futures

import pytest

from support import configuration, scan
from support.answers import gesture_of, refresh_code, token_of
from support.softhsm import MODULE, PIN, SoftHSM, write_pin

WRONG = "654321"
PIN_INCORRECT, PIN_LOCKED = 0xA0, 0xA4
ALREADY_LOGGED_IN, TYPE_INVALID, SESSION_INVALID = 0x100, 0x103, 0xB3
CARD = "pkcs11:token=card"


def unlock(agent, pin=PIN):
    return agent.cli("unlock", CARD, "--pin-stdin", input=f"{pin}\n")


def test_a_stored_pin_is_given_for_each_signature(spied_agent, asking, spy, pin_file):
    agent = spied_agent(asking, pin_file)
    assert agent.credentials().returncode == 0
    assert spy.logins() == (1, 1)
    assert refresh_code(agent) == (200, None)
    assert spy.logins() == (1, 2)
    assert gesture_of(agent) is None
    assert "wrong" not in agent.log() and "refused" not in agent.log()


def test_a_typed_pin_is_given_for_each_signature_until_the_token_is_locked(spied_agent, asking, spy):
    agent = spied_agent(asking, "prompt")
    needed = agent.credentials()
    assert (needed.returncode, spy.logins()) == (80, (0, 0))
    assert gesture_of(agent)[0] == "pin"
    assert unlock(agent).returncode == 0
    for count in (1, 2):
        assert refresh_code(agent)[0] == 200 if count == 2 else agent.credentials().returncode == 0
        assert spy.logins() == (1, count)
    kind, due = gesture_of(agent)
    assert kind == "pin" and 28_000 < due <= 28_800
    assert agent.cli("lock", CARD).returncode == 0
    assert agent.credentials().returncode == 80
    assert unlock(agent).returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.logins() == (2, 3)


def test_a_held_pin_is_in_the_worker_alone_and_gone_with_the_lock(start, asking, service, root, tmp_path):
    canary = "731902846157"
    token = SoftHSM(tmp_path / "hsm").token("card")
    token.identity(root, options=["--always-auth"])
    token.tool("--change-pin", "--new-pin", canary)
    agent = start(configuration.module(token.softhsm), configuration.profile(service), arguments=["--log-level", "debug"])
    assert unlock(agent, canary).returncode == 0
    assert agent.credentials().returncode == 0
    [worker] = agent.workers()
    assert scan.copies(worker, canary) >= 1
    assert scan.copies(agent.process.pid, canary) == 0
    assert agent.cli("lock", CARD).returncode == 0
    assert agent.workers() == [worker]
    assert scan.copies(worker, canary) == 0
    assert canary not in agent.log()


def test_a_pin_is_not_held_for_keys_that_do_not_ask(start, plain, service, tmp_path, root):
    canary = "731902846158"
    token = SoftHSM(tmp_path / "hsm").token("card")
    token.identity(root)
    token.tool("--change-pin", "--new-pin", canary)
    agent = start(configuration.module(token.softhsm), configuration.profile(service))
    assert unlock(agent, canary).returncode == 0
    [worker] = agent.workers()
    before = scan.copies(worker, canary)
    assert agent.credentials().returncode == 0
    assert (before, scan.copies(worker, canary)) == (0, 0)


def test_a_pin_for_one_signature_is_good_for_one(spied_agent, asking, spy):
    agent = spied_agent(asking, "prompt", {"pin_lifetime_seconds": 0})
    assert unlock(agent).returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.logins() == (1, 1)
    assert token_of(agent)["state"] == "pin-needed"
    assert refresh_code(agent) == (423, "pin-needed")
    assert spy.logins() == (1, 1)
    kind, due = gesture_of(agent)
    # 40 minutes of the hour are handed out; then somebody is asked.
    assert kind == "pin" and 2300 < due <= 2400


def test_a_stored_pin_that_has_become_wrong_is_sent_once(spied_agent, asking, spy, tmp_path):
    source = write_pin(tmp_path / "pin")
    agent = spied_agent(asking, source, forget=1)
    assert agent.credentials().returncode == 0
    write_pin(tmp_path / "pin", WRONG)
    assert refresh_code(agent) == (422, "pin-incorrect")
    assert spy.logins() == (1, 2)
    assert token_of(agent)["state"] == "pin-needed"
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(lambda _: refresh_code(agent), range(100)))
    assert answers <= {(422, "pin-incorrect"), (429, "too-many-requests")}
    agent.stop()
    agent.start()
    assert agent.credentials().returncode == 80
    assert spy.logins() == (1, 2)
    write_pin(tmp_path / "pin")
    assert agent.cli("unlock", "--stored").returncode == 0
    assert agent.credentials().returncode == 0


def test_requests_at_the_same_time_send_a_wrong_pin_once(spied_agent, asking, spy, tmp_path):
    """Two lanes of one worker: the second learns of the refusal before the agent does."""
    agent = spied_agent(asking, write_pin(tmp_path / "pin"), profiles=2, forget=1)
    assert agent.credentials().returncode == 0
    assert agent.credentials("other").returncode == 0
    write_pin(tmp_path / "pin", WRONG)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: refresh_code(agent, name), ["test", "other"]))
    assert {code for _, code in answers} == {"pin-incorrect"}
    assert spy.logins() == (1, 3)


@pytest.mark.parametrize("code, status", [
    (PIN_INCORRECT, 422), (PIN_LOCKED, 423), (0x80000001, 422), (SESSION_INVALID, 422)])
def test_a_typed_pin_that_a_key_refuses_is_never_sent_again(spied_agent, plain, spy, code, status):
    agent = spied_agent(plain, "prompt", always=1, context=code)
    assert unlock(agent).returncode == 0
    assert refresh_code(agent)[0] == status
    assert spy.logins() == (1, 1)
    assert token_of(agent)["state"] == ("pin-blocked" if code == PIN_LOCKED else "pin-needed")
    assert refresh_code(agent)[0] in (status, 429)
    again = unlock(agent)
    # The other codes judge no PIN, so the person who types it once more is not told that it is wrong.
    assert again.returncode == (80 if code == PIN_INCORRECT else 0)
    assert spy.logins()[1] == 1


@pytest.mark.parametrize("code", [TYPE_INVALID, ALREADY_LOGGED_IN])
def test_a_token_that_knows_no_such_login_signs_without_it(spied_agent, plain, spy, pin_file, code):
    agent = spied_agent(plain, pin_file, always=1, context=code)
    assert agent.credentials().returncode == 0
    assert spy.logins() == (1, 1)


@pytest.mark.parametrize("flags", [0x20000, 0x40000, 0x80000])
def test_the_flags_are_read_before_each_signature(spied_agent, plain, spy, pin_file, tmp_path, flags):
    """Final try, locked, to be changed: no PIN is sent. COUNT_LOW is SoftHSM's own, after another's mistake."""
    agent = spied_agent(plain, pin_file, always=1, flags=flags)
    assert agent.credentials().returncode in (80, 81)
    assert spy.logins() == (0, 0)


def test_a_try_that_another_has_lost_stops_the_stored_pin(spied_agent, asking, spy, pin_file):
    agent = spied_agent(asking, pin_file)
    assert agent.credentials().returncode == 0
    with pytest.raises(AssertionError, match="CKR_PIN_INCORRECT"):
        asking.run(
            "pkcs11-tool", "--module", MODULE, "--token-label", "card", "--login", "--pin", WRONG, "--list-objects")
    assert refresh_code(agent) == (423, "pin-needed")
    assert spy.logins() == (1, 1)
