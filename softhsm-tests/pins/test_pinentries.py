"""A real pinentry asks on the terminal of the caller who waits."""

import pytest

from support.softhsm import PIN
from support.waiting import wait_until


def at(terminal):
    return {"GPG_TTY": terminal.path, "TERM": "xterm", "LANG": "C.UTF-8"}


def test_pinentry_tty_asks_on_the_terminal_of_the_one_who_waits(prompting, spy, terminal, pool):
    agent = prompting('[prompt]\nprogram = "/usr/bin/pinentry-tty"\n')
    client = pool.submit(agent.credentials, environment=at(terminal))
    screen = terminal.read_until(rb"PIN:").decode()
    assert 'token "card"' in screen and "SoftHSM" in screen and "profile test" in screen
    assert ":role/" in screen and "Asked by python" in screen and "tokenward-cred" not in screen
    terminal.wait_for_silence()
    terminal.type(f"{PIN}\n".encode())
    assert client.result().returncode == 0, client.result().stderr
    assert PIN.encode() not in terminal.drain()
    assert agent.credentials().returncode == 0
    assert spy.counts("C_Login", "C_Sign") == (1, 1)
    assert PIN not in agent.log()


def test_pinentry_curses_asks_on_the_terminal_of_the_one_who_waits(prompting, spy, terminal, pool):
    agent = prompting('[prompt]\nprogram = "/usr/bin/pinentry-curses"\n')
    client = pool.submit(agent.credentials, environment=at(terminal))
    screen = terminal.read_until(rb"PIN:.*<Cancel>").decode()
    assert 'token "card"' in screen and "profile test" in screen
    terminal.type(f"{PIN}\r".encode())
    assert client.result().returncode == 0, client.result().stderr
    assert spy.count("C_Login") == 1


@pytest.mark.parametrize("program, keys", [("tty", b"\x04"), ("curses", b"\t\t\r")])
def test_cancelling_a_real_pinentry_is_told_and_remembered(prompting, spy, terminal, pool, program, keys):
    agent = prompting(f'[prompt]\nprogram = "/usr/bin/pinentry-{program}"\n')
    client = pool.submit(agent.credentials, environment=at(terminal))
    terminal.read_until(rb"PIN:.*<Cancel>" if program == "curses" else rb"PIN:")
    if program == "tty":
        terminal.wait_for_silence()
    terminal.type(keys)
    assert client.result().returncode == 80
    assert "the prompt was cancelled; run 'tokenward unlock'" in client.result().stderr
    assert agent.credentials(environment=at(terminal)).returncode == 80
    assert spy.count("C_Login") == 0
    assert terminal.echoes()


def test_a_real_pinentry_without_an_answer_ends_with_its_time(prompting, spy, terminal):
    agent = prompting('[prompt]\nprogram = "/usr/bin/pinentry-tty"\ntimeout-seconds = 5\n')
    result = agent.credentials(environment=at(terminal))
    assert (result.returncode, "nobody typed it within" in result.stderr) == (80, True), result.stderr
    assert spy.count("C_Login") == 0
    assert terminal.echoes()


def test_the_agents_end_ends_the_prompt_and_leaves_the_terminal_as_it_was(prompting, terminal, pool):
    agent = prompting('[prompt]\nprogram = "/usr/bin/pinentry-tty"\n')
    client = pool.submit(agent.credentials, environment=at(terminal))
    terminal.read_until(rb"PIN:")
    terminal.wait_for_silence()
    assert agent.stop() == 0
    assert client.result().returncode in (69, 75, 80)
    wait_until(terminal.echoes, "the echo is on again")
