"""The desktop shows that a token waits for a touch, until the touch has come."""

import concurrent.futures

import pytest

from support.answers import notices, token_of
from support.desktop import Desktop
from support.softhsm import PIN
from support.waiting import wait_until

NONE = "a(tav) 0"  # no call, as busctl writes it
UNTOLD = "nobody is told on the desktop that a token waits for a touch: "


@pytest.fixture
def desktop(tmp_path):
    desktop = Desktop(tmp_path)
    try:
        yield desktop.start()
    finally:
        desktop.stop()


@pytest.fixture
def waiting(spied_agent, plain, pin_file, tmp_path):
    """Starts an agent whose token waits for a touch, and gives what makes it come."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        finger = tmp_path / "finger"

        def start(environment, rule={"touch": True}, tables=""):
            agent = spied_agent(
                plain, pin_file, rule, touch=finger, patience=60000, environment=environment, tables=tables)
            asked = pool.submit(agent.credentials)
            wait_until(lambda: token_of(agent).get("awaiting") == "touch", "the touch is awaited")

            def touch():
                finger.touch()
                assert asked.result().returncode == 0

            return agent, touch

        yield start
        finger.touch()


def test_a_touch_is_told_of_until_it_has_come(waiting, desktop):
    agent, touch = waiting(desktop.environment)
    wait_until(lambda: desktop.shown() != NONE, "a text on the desktop")
    text = desktop.shown()
    assert text.startswith("a(tav) 1 ") and r's "Touch token \"card\""' in text and PIN not in text
    assert '"urgency" y 2' in text and text.endswith("i 0")  # above all else, and without an end of its own
    assert desktop.closed() == NONE
    touch()
    wait_until(lambda: desktop.closed() != NONE, "the text is taken back")
    assert desktop.closed().split()[-1] == "1"  # what the first Notify gave
    assert agent.credentials().returncode == 0
    assert desktop.shown() == text
    assert notices(agent.json("status")) == []


@pytest.mark.parametrize("rule, tables", [({"touch": True}, "[prompt]\nnotify = false\n"), ({}, "")])
def test_nothing_is_told_of_where_that_is_not_wanted_or_perhaps_no_touch(waiting, desktop, rule, tables):
    agent, touch = waiting(desktop.environment, rule, tables)
    touch()
    assert desktop.shown() == NONE
    assert notices(agent.json("status")) == []


@pytest.mark.parametrize("rule, expected", [({"touch": True}, [f"{UNTOLD}there is no session bus"]), ({}, [])])
def test_without_a_session_bus_status_says_so_where_touches_are_configured(
    spied_agent, plain, pin_file, rule, expected
):
    assert notices(spied_agent(plain, pin_file, rule).json("status")) == expected


def test_a_bus_without_a_desktop_costs_nothing_but_the_text(waiting, desktop):
    desktop.mock.kill()
    desktop.mock.wait()
    agent, touch = waiting(desktop.environment)
    expected = [f"{UNTOLD}no program on the session bus shows notifications"]
    wait_until(lambda: notices(agent.json("status")) == expected, "a notice")
    touch()
