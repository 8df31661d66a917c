"""Keys that want a person each time: their PIN, a touch, the reader's keypad."""

import concurrent.futures
import datetime
import re

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

import configuration
from softhsm import MODULE, PIN, SoftHSM, write_pin
from spy import MODULE as SPY_MODULE
from spy import Spy
from test_pins import copies
from world import wait_until

WRONG = "654321"
PIN_INCORRECT, PIN_LOCKED, CANCELED, REJECTED = 0xA0, 0xA4, 0x50, 0x200
NOT_LOGGED_IN, ALREADY_LOGGED_IN, TYPE_INVALID, SESSION_INVALID = 0x101, 0x100, 0x103, 0xB3
CARD = "pkcs11:token=card"


def make_token(softhsm, root, label, key_type, *options):
    token = softhsm.token(label)
    token.tool("--keypairgen", "--key-type", key_type, "--label", "client", "--id", "01", *options)
    public = token.tool("--read-object", "--type", "pubkey", "--id", "01")
    token.write_certificate(root.issue("client", load_der_public_key(public)), "client", "01")
    return token


@pytest.fixture(scope="module", params=["EC:prime256v1", "rsa:2048"])
def asking_token(request, tmp_path_factory, root):
    softhsm = SoftHSM(tmp_path_factory.mktemp("asking"))
    return make_token(softhsm, root, "card", request.param, "--always-auth")


@pytest.fixture
def asking(asking_token):
    """A SoftHSM whose one key wants the PIN each time, and enforces that."""
    yield asking_token.softhsm
    asking_token.tool("--list-objects")  # the right PIN, so that the next test finds no count of wrong ones


@pytest.fixture(scope="module")
def plain(tmp_path_factory, root):
    """A SoftHSM whose one key is like any other."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("plain"))
    make_token(softhsm, root, "card", "EC:prime256v1")
    return softhsm


@pytest.fixture
def spy(tmp_path, shim):
    return Spy(tmp_path, shim)


@pytest.fixture
def agent_on(start, service, spy):
    """Starts an agent on a SoftHSM behind the spy and the shim; `switches` are the shim's."""

    def start_agent(softhsm, pin_source, rule=None, module=None, profiles=1, tables="", environment=None, **switches):
        variables = {"SHIM_MODULE": MODULE, **{f"SHIM_{name.upper()}": str(value) for name, value in switches.items()}}
        return start(
            configuration.module(softhsm, SPY_MODULE, {**spy.environment, **variables}, **(module or {})),
            configuration.token(pin_source, **(rule or {})) if pin_source else "",
            *(configuration.profile(service, name) for name in ["test", "other"][:profiles]),
            tables, environment=environment)

    return start_agent


def logins(spy):
    """How often C_Login was called: for the token, and for one operation."""
    try:
        with open(spy.path, errors="replace") as file:
            users = re.findall(r"^\d+: C_Login\n.*?\[in\] userType = (\w+)", file.read(), re.MULTILINE | re.DOTALL)
    except FileNotFoundError:
        users = []
    return users.count("CKU_USER"), users.count("CKU_CONTEXT_SPECIFIC")


def refresh(agent, profile="test"):
    status, answer = agent.request("POST", f"/v1/profiles/{profile}/refresh")
    return status, answer.get("code")


def token_of(agent):
    [token] = agent.get("/v1/tokens")[1]
    return token


def gesture_of(agent):
    profile = agent.get("/v1/profiles")[1][0]
    gesture = profile.get("next_gesture")
    if gesture is None:
        return None
    due = datetime.datetime.fromisoformat(gesture["due"])
    return gesture["kind"], (due - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def unlock(agent, pin=PIN):
    return agent.cli("unlock", CARD, "--pin-stdin", input=f"{pin}\n")


# --- The PIN each time


def test_a_stored_pin_is_given_for_each_signature(agent_on, asking, spy, pin_file):
    agent = agent_on(asking, pin_file)
    assert agent.credentials().returncode == 0
    assert logins(spy) == (1, 1)
    assert refresh(agent) == (200, None)
    assert logins(spy) == (1, 2)
    assert gesture_of(agent) is None
    assert "wrong" not in agent.log() and "refused" not in agent.log()


def test_a_typed_pin_is_given_for_each_signature_until_the_token_is_locked(agent_on, asking, spy):
    agent = agent_on(asking, "prompt")
    needed = agent.credentials()
    assert (needed.returncode, logins(spy)) == (80, (0, 0))
    assert gesture_of(agent)[0] == "pin"
    assert unlock(agent).returncode == 0
    for count in (1, 2):
        assert refresh(agent)[0] == 200 if count == 2 else agent.credentials().returncode == 0
        assert logins(spy) == (1, count)
    kind, due = gesture_of(agent)
    assert kind == "pin" and 28_000 < due <= 28_800
    assert agent.cli("lock", CARD).returncode == 0
    assert agent.credentials().returncode == 80
    assert unlock(agent).returncode == 0
    assert agent.credentials().returncode == 0
    assert logins(spy) == (2, 3)


def test_a_held_pin_is_in_the_worker_alone_and_gone_with_the_lock(start, asking, service, root, tmp_path):
    canary = "731902846157"
    softhsm = SoftHSM(tmp_path / "hsm")
    make_token(softhsm, root, "card", "EC:prime256v1", "--always-auth").tool("--change-pin", "--new-pin", canary)
    agent = start(configuration.module(softhsm), configuration.profile(service), arguments=["--log-level", "debug"])
    assert unlock(agent, canary).returncode == 0
    assert agent.credentials().returncode == 0
    [worker] = agent.workers()
    assert copies(worker, canary.encode()) >= 1
    assert copies(agent.process.pid, canary.encode()) == 0
    assert agent.cli("lock", CARD).returncode == 0
    assert agent.workers() == [worker]
    assert copies(worker, canary.encode()) == 0
    assert canary not in agent.log()


def test_a_pin_is_not_held_for_keys_that_do_not_ask(start, plain, service, tmp_path, root):
    canary = "731902846158"
    softhsm = SoftHSM(tmp_path / "hsm")
    make_token(softhsm, root, "card", "EC:prime256v1").tool("--change-pin", "--new-pin", canary)
    agent = start(configuration.module(softhsm), configuration.profile(service))
    assert unlock(agent, canary).returncode == 0
    [worker] = agent.workers()
    before = copies(worker, canary.encode())
    assert agent.credentials().returncode == 0
    assert (before, copies(worker, canary.encode())) == (0, 0)


def test_a_pin_for_one_signature_is_good_for_one(agent_on, asking, spy):
    agent = agent_on(asking, "prompt", {"pin_lifetime_seconds": 0})
    assert unlock(agent).returncode == 0
    assert agent.credentials().returncode == 0
    assert logins(spy) == (1, 1)
    assert token_of(agent)["state"] == "pin-needed"
    assert refresh(agent) == (423, "pin-needed")
    assert logins(spy) == (1, 1)
    kind, due = gesture_of(agent)
    # 40 minutes of the hour are handed out; then somebody is asked.
    assert kind == "pin" and 2300 < due <= 2400


def test_a_stored_pin_that_has_become_wrong_is_sent_once(agent_on, asking, spy, tmp_path):
    source = write_pin(tmp_path / "pin")
    agent = agent_on(asking, source, forget=1)
    assert agent.credentials().returncode == 0
    write_pin(tmp_path / "pin", WRONG)
    assert refresh(agent) == (422, "pin-incorrect")
    assert logins(spy) == (1, 2)
    assert token_of(agent)["state"] == "pin-needed"
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(lambda _: refresh(agent), range(100)))
    assert answers <= {(422, "pin-incorrect"), (429, "too-many-requests")}
    agent.stop()
    agent.start()
    assert agent.credentials().returncode == 80
    assert logins(spy) == (1, 2)
    write_pin(tmp_path / "pin")
    assert agent.cli("unlock", "--stored").returncode == 0
    assert agent.credentials().returncode == 0


def test_requests_at_the_same_time_send_a_wrong_pin_once(agent_on, asking, spy, tmp_path):
    """Two lanes of one worker: the second learns of the refusal before the agent does."""
    agent = agent_on(asking, write_pin(tmp_path / "pin"), profiles=2, forget=1)
    assert agent.credentials().returncode == 0
    assert agent.credentials("other").returncode == 0
    write_pin(tmp_path / "pin", WRONG)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: refresh(agent, name), ["test", "other"]))
    assert {code for _, code in answers} == {"pin-incorrect"}
    assert logins(spy) == (1, 3)


@pytest.mark.parametrize("code, status", [
    (PIN_INCORRECT, 422), (PIN_LOCKED, 423), (0x80000001, 422), (SESSION_INVALID, 422)])
def test_a_typed_pin_that_a_key_refuses_is_never_sent_again(agent_on, plain, spy, code, status):
    agent = agent_on(plain, "prompt", always=1, context=code)
    assert unlock(agent).returncode == 0
    assert refresh(agent)[0] == status
    assert logins(spy) == (1, 1)
    assert token_of(agent)["state"] == ("pin-blocked" if code == PIN_LOCKED else "pin-needed")
    assert refresh(agent)[0] in (status, 429)
    again = unlock(agent)
    # The other codes judge no PIN, so the person who types it once more is not told that it is wrong.
    assert again.returncode == (80 if code in (PIN_INCORRECT, PIN_LOCKED) else 0)
    assert logins(spy)[1] == 1


@pytest.mark.parametrize("code", [TYPE_INVALID, ALREADY_LOGGED_IN])
def test_a_token_that_knows_no_such_login_signs_without_it(agent_on, plain, spy, pin_file, code):
    agent = agent_on(plain, pin_file, always=1, context=code)
    assert agent.credentials().returncode == 0
    assert logins(spy) == (1, 1)


@pytest.mark.parametrize("flags", [0x20000, 0x40000, 0x80000])
def test_the_flags_are_read_before_each_signature(agent_on, plain, spy, pin_file, tmp_path, flags):
    """Final try, locked, to be changed: no PIN is sent. COUNT_LOW is SoftHSM's own, after another's mistake."""
    agent = agent_on(plain, pin_file, always=1, flags=flags)
    assert agent.credentials().returncode in (80, 81)
    assert logins(spy) == (0, 0)


def test_a_try_that_another_has_lost_stops_the_stored_pin(agent_on, asking, spy, pin_file):
    agent = agent_on(asking, pin_file)
    assert agent.credentials().returncode == 0
    with pytest.raises(AssertionError, match="CKR_PIN_INCORRECT"):
        asking.run(
            "pkcs11-tool", "--module", MODULE, "--token-label", "card", "--login", "--pin", WRONG, "--list-objects")
    assert refresh(agent) == (423, "pin-needed")
    assert logins(spy) == (1, 1)


# --- Touch


def test_a_touch_is_awaited_and_told_of(agent_on, plain, spy, pin_file, tmp_path):
    """The module answers nothing meanwhile, as OpenSC does not, and the agent's own answers do not wait for it."""
    finger = tmp_path / "finger"
    agent = agent_on(
        plain, pin_file, {"touch": True}, {"sign-timeout-seconds": 1, "list-timeout-seconds": 4},
        touch=finger, patience=60000, global_lock=1)
    agent.get("/v1/tokens")
    [worker] = agent.workers()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.credentials)
        wait_until(lambda: token_of(agent).get("awaiting") == "touch", "the touch is awaited")
        assert token_of(agent)["state"] == "ready"
        status = agent.cli("status")
        assert "ready, waits for a touch" in status.stdout
        assert agent.log().count("if the token blinks, touch it") == 1
        finger.touch()
        assert asked.result().returncode == 0
    assert "awaiting" not in token_of(agent)
    assert agent.workers() == [worker]
    kind, due = gesture_of(agent)
    assert kind == "touch" and 2300 < due <= 2400
    assert "\ttouch 20" in agent.cli("status").stdout


@pytest.mark.parametrize("answer", [NOT_LOGGED_IN, CANCELED, REJECTED])
def test_a_touch_that_does_not_come_is_not_asked_for_again_by_itself(agent_on, plain, spy, pin_file, tmp_path, answer):
    finger = tmp_path / "finger"
    agent = agent_on(plain, pin_file, {"touch": True}, touch=finger, patience=100, untouched=answer)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        missed = {(status, body["code"]) for status, body in pool.map(
            lambda _: agent.get("/v1/profiles/test/credentials"), range(50))}
    assert missed == {(503, "token-busy")}
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (1, 1, 1)
    assert refresh(agent) == (503, "token-busy"), "who asks by name is asked again at once"
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (2, 2, 1)
    finger.touch()
    wait_until(lambda: agent.credentials().returncode == 0, "a touch for who asks again", 10)
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (3, 3, 1)


def test_a_touch_that_was_missed_takes_nothing_from_what_is_held(agent_on, plain, spy, pin_file, tmp_path):
    finger = tmp_path / "finger"
    finger.touch()
    agent = agent_on(plain, pin_file, {"touch": True}, touch=finger, patience=100)
    first = agent.credentials()
    assert first.returncode == 0
    finger.unlink()
    assert refresh(agent) == (503, "token-busy")
    assert agent.credentials().stdout == first.stdout
    assert spy.count("C_Sign") == 2


# --- The reader's keypad


def test_a_keypad_is_switched_on_by_unlock_alone(agent_on, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = agent_on(plain, "protected", keypad=keypad, patience=60000)
    refused = agent.credentials()
    assert (refused.returncode, logins(spy)) == (80, (0, 0))
    assert "wants its PIN on the reader's keypad" in refused.stderr
    assert refresh(agent)[0] == 423
    assert (token_of(agent)["pinpad"], logins(spy)) == (True, (0, 0))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.cli, "unlock")
        wait_until(lambda: token_of(agent).get("awaiting") == "pinpad", "the keypad is awaited")
        write_pin(keypad, PIN)
        result = asked.result()
    assert (result.returncode, result.stdout) == (0, "")
    assert "on the reader's keypad" in result.stderr
    assert agent.credentials().returncode == 0
    assert logins(spy) == (1, 0)
    assert gesture_of(agent)[0] == "pin"


def test_a_keypad_that_nobody_uses_costs_no_try(agent_on, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = agent_on(plain, "protected", keypad=keypad, patience=100)
    assert agent.cli("unlock", CARD).returncode == 75
    write_pin(keypad, "")
    assert agent.cli("unlock", CARD).returncode == 75
    assert logins(spy) == (2, 0)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0


def test_a_wrong_pin_on_the_keypad_is_a_lost_try_and_no_more(agent_on, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = agent_on(plain, "protected", keypad=keypad, patience=100, forget=1)
    write_pin(keypad, WRONG)
    assert agent.cli("unlock", CARD).returncode == 80
    assert agent.credentials().returncode == 80
    assert logins(spy) == (1, 0)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0


def test_a_key_that_asks_each_time_gets_the_keypad_from_who_asks_by_name(agent_on, asking, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = agent_on(asking, "protected", keypad=keypad, patience=60000)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0
    refused = agent.credentials()
    assert (refused.returncode, logins(spy)) == (80, (1, 0))
    assert "tokenward refresh PROFILE" in refused.stderr
    assert token_of(agent)["state"] == "ready"
    write_pin(keypad, PIN)
    asked = agent.cli("refresh", "test")
    assert (asked.returncode, logins(spy)) == (0, (1, 1)), asked.stderr
    assert agent.credentials().returncode == 0
    assert gesture_of(agent)[0] == "pin"
