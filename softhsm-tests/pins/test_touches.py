"""A touch is awaited and told of, and one that does not come costs one request."""

import concurrent.futures

import pytest

from support.answers import gesture_of, refresh_code, token_of
from support.waiting import wait_until

CANCELED, NOT_LOGGED_IN, REJECTED = 0x50, 0x101, 0x200


def test_a_touch_is_awaited_and_told_of(spied_agent, plain, spy, pin_file, tmp_path):
    """The module answers nothing meanwhile, as OpenSC does not, and the agent's own answers do not wait for it."""
    finger = tmp_path / "finger"
    agent = spied_agent(
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
def test_a_touch_that_does_not_come_is_not_asked_for_again_by_itself(spied_agent, plain, spy, pin_file, tmp_path, answer):
    finger = tmp_path / "finger"
    agent = spied_agent(plain, pin_file, {"touch": True}, touch=finger, patience=100, untouched=answer)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        missed = {(status, body["code"]) for status, body in pool.map(
            lambda _: agent.get("/v1/profiles/test/credentials"), range(50))}
    assert missed == {(503, "token-busy")}
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (1, 1, 1)
    assert refresh_code(agent) == (503, "token-busy"), "who asks by name is asked again at once"
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (2, 2, 1)
    finger.touch()
    wait_until(lambda: agent.credentials().returncode == 0, "a touch for who asks again", 10)
    assert spy.counts("C_SignInit", "C_Sign", "C_Login") == (3, 3, 1)


def test_a_touch_that_was_missed_takes_nothing_from_what_is_held(spied_agent, plain, spy, pin_file, tmp_path):
    finger = tmp_path / "finger"
    finger.touch()
    agent = spied_agent(plain, pin_file, {"touch": True}, touch=finger, patience=100)
    first = agent.credentials()
    assert first.returncode == 0
    finger.unlink()
    assert refresh_code(agent) == (503, "token-busy")
    assert agent.credentials().stdout == first.stdout
    assert spy.count("C_Sign") == 2
