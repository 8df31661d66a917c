"""Only `unlock` switches on the reader's keypad, and a PIN that is not typed costs no try."""

import concurrent.futures

from support.answers import gesture_of, refresh_code, token_of
from support.softhsm import PIN, write_pin
from support.waiting import wait_until

WRONG = "654321"
CARD = "pkcs11:token=card"


def test_a_keypad_is_switched_on_by_unlock_alone(spied_agent, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = spied_agent(plain, "protected", keypad=keypad, patience=60000)
    refused = agent.credentials()
    assert (refused.returncode, spy.logins()) == (80, (0, 0))
    assert "wants its PIN on the reader's keypad" in refused.stderr
    assert refresh_code(agent)[0] == 423
    assert (token_of(agent)["pinpad"], spy.logins()) == (True, (0, 0))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.cli, "unlock")
        wait_until(lambda: token_of(agent).get("awaiting") == "pinpad", "the keypad is awaited")
        write_pin(keypad, PIN)
        result = asked.result()
    assert (result.returncode, result.stdout) == (0, "")
    assert "on the reader's keypad" in result.stderr
    assert agent.credentials().returncode == 0
    assert spy.logins() == (1, 0)
    assert gesture_of(agent)[0] == "pin"


def test_a_keypad_that_is_not_used_costs_no_try(spied_agent, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = spied_agent(plain, "protected", keypad=keypad, patience=100)
    assert agent.cli("unlock", CARD).returncode == 75
    write_pin(keypad, "")
    assert agent.cli("unlock", CARD).returncode == 75
    assert spy.logins() == (2, 0)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0


def test_a_wrong_pin_on_the_keypad_is_a_lost_try_and_no_more(spied_agent, plain, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = spied_agent(plain, "protected", keypad=keypad, patience=100, forget=1)
    write_pin(keypad, WRONG)
    assert agent.cli("unlock", CARD).returncode == 80
    assert agent.credentials().returncode == 80
    assert spy.logins() == (1, 0)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0


def test_a_key_that_asks_each_time_gets_the_keypad_for_a_request_by_name(spied_agent, asking, spy, tmp_path):
    keypad = tmp_path / "keypad"
    agent = spied_agent(asking, "protected", keypad=keypad, patience=60000)
    write_pin(keypad, PIN)
    assert agent.cli("unlock", CARD).returncode == 0
    refused = agent.credentials()
    assert (refused.returncode, spy.logins()) == (80, (1, 0))
    assert "tokenward refresh PROFILE" in refused.stderr
    assert token_of(agent)["state"] == "ready"
    write_pin(keypad, PIN)
    asked = agent.cli("refresh", "test")
    assert (asked.returncode, spy.logins()) == (0, (1, 1)), asked.stderr
    assert agent.credentials().returncode == 0
    assert gesture_of(agent)[0] == "pin"
