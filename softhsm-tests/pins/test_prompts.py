"""The agent asks people for PINs through pinentry, and remembers their refusals."""

import concurrent.futures
import os
import signal
import subprocess
import time
import urllib.parse

import pytest

from support import configuration
from support.answers import notices
from support.softhsm import PIN
from support.waiting import wait_until

WRONG = "654321"
DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}


def test_a_thousand_callers_make_one_prompt_and_one_login(prompting, spy, pinentry):
    agent = prompting(pinentry.table)
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        clients = [pool.submit(agent.credentials, environment=DISPLAY) for _ in range(40)]
        wait_until(lambda: pinentry.runs, "pinentry is started")
        with concurrent.futures.ThreadPoolExecutor(960) as others:
            request = (
                b"GET /v1/profiles/test/credentials HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n"
                b"Tokenward-Person: DISPLAY=:7\r\n\r\n")
            answers = [others.submit(agent.http, request, 60) for _ in range(960)]
            pinentry.answer(f"D {PIN}", "OK")
            assert all(b" 200 OK\r\n" in answer.result() for answer in answers)
        assert [client.result().returncode for client in clients] == [0] * 40
    assert (pinentry.runs, spy.count("C_Login"), spy.count("C_Sign")) == (1, 1, 1)


def test_pinentry_gets_its_texts_and_settings(prompting, pinentry):
    agent = prompting(pinentry.table)
    pinentry.answer("D %31%32%33456", "OK")
    environment = {
        **DISPLAY, "WAYLAND_DISPLAY": "wayland-1", "XAUTHORITY": "/run/x", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
        "LC_MESSAGES": "de_DE.UTF-8", "LD_PRELOAD": "", "SECRET": "x", "GPG_TTY": "/dev/pts/../null"}
    assert agent.credentials(environment=environment).returncode == 0
    told = pinentry.text("told").splitlines()
    assert told[:3] == ["OPTION display=:7", "OPTION lc-ctype=C.UTF-8", "OPTION lc-messages=de_DE.UTF-8"]
    assert told[3] in ("SETTIMEOUT 40", "SETTIMEOUT 39")
    assert told[4] == "SETTITLE Tokenward"
    assert told[5].startswith('SETDESC Enter the PIN of token "card"%0ASerial number ') and "%0AFor profile test" in told[5]
    assert "%0AAsked by python" in told[5] and max(map(len, told)) <= 1000
    assert max(len(urllib.parse.unquote(line)) for line in told[5].split("%0A")) <= 70 + len("SETDESC ")
    assert told[6:] == ["SETPROMPT PIN:", "GETPIN", "BYE"]
    given = dict(line.split("=", 1) for line in pinentry.text("environment").splitlines())
    assert given.pop("HOME") == agent.home
    assert given.pop("PATH").startswith("/usr/local/bin")
    given.pop("LC_CTYPE", None)  # Python's own, for a C locale
    assert given == {
        "DISPLAY": ":7", "LANG": "C.UTF-8", "WAYLAND_DISPLAY": "wayland-1", "XAUTHORITY": "/run/x",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus", "LC_MESSAGES": "de_DE.UTF-8"}


def test_a_caller_without_a_person_is_told_at_once_and_does_not_hinder_one_with_a_person(prompting, spy, pinentry):
    agent = prompting(pinentry.table)
    for note in "", " (remembered until something changes)", " (remembered until something changes)":
        began = time.monotonic()
        result = agent.credentials()
        assert (result.returncode, result.stderr) == (
            80, f"tokenward: token \"card\" needs its PIN{note}; run 'tokenward unlock'\n")
        assert time.monotonic() - began < 5
    assert pinentry.runs == 0
    pinentry.answer(f"D {PIN}", "OK")
    assert agent.credentials(environment=DISPLAY).returncode == 0
    assert (pinentry.runs, spy.count("C_Login")) == (1, 1)


CANCELLED = "ERR 83886179 Operation cancelled <Pinentry>"


@pytest.mark.parametrize("answer, words", [
    ([CANCELLED], "the prompt was cancelled"),
    (["ERR 83886142 Timeout <Pinentry>"], "nobody typed it within"),
    (["OK"], "nothing was typed"),
    (["D 12%003456", "OK"], "what was typed is no PIN"),
    (["D " + "1" * 256, "OK"], "what was typed is no PIN"),
])
def test_a_refusal_is_remembered_until_somebody_asks_again(prompting, spy, pinentry, answer, words):
    agent = prompting(pinentry.table)
    pinentry.answer(*answer)
    for _ in range(5):
        result = agent.credentials(environment=DISPLAY)
        assert result.returncode == 80 and words in result.stderr, result.stderr
    assert (pinentry.runs, spy.count("C_Login")) == (1, 0)
    assert agent.cli("refresh", "test", environment=DISPLAY).returncode == 80  # asked again, refused again
    assert pinentry.runs == 2
    pinentry.answer(f"D {PIN}", "OK")
    assert agent.credentials(environment=DISPLAY).returncode == 80
    assert agent.cli("refresh", "test", environment=DISPLAY).returncode == 0
    assert (pinentry.runs, spy.count("C_Login")) == (3, 1)


@pytest.mark.parametrize("answer", [["gibberish"], ["ERR 83886340 No terminal"], ["D " + "x" * 5000]])
def test_a_prompt_that_cannot_be_shown_is_not_tried_at_each_request(prompting, spy, pinentry, answer):
    agent = prompting(pinentry.table)
    pinentry.answer(*answer)
    for _ in range(3):
        result = agent.credentials(environment=DISPLAY)
        assert result.returncode == 80 and "could not ask: pinentry" in result.stderr, result.stderr
    assert (pinentry.runs, spy.count("C_Login")) == (1, 0)


def test_a_wrong_pin_costs_one_try_and_the_next_prompt_says_so(prompting, spy, pinentry):
    agent = prompting(pinentry.table)
    pinentry.answer(f"D {WRONG}", "OK")
    for _ in range(5):
        assert agent.credentials(environment=DISPLAY).returncode == 80
    assert (pinentry.runs, spy.count("C_Login")) == (1, 1)
    assert agent.cli("refresh", "test", environment=DISPLAY).returncode == 80
    assert (pinentry.runs, spy.count("C_Login")) == (2, 1)  # the same PIN is not sent again
    assert "SETERROR The token refused the last PIN (CKR_PIN_INCORRECT)." in pinentry.text("told")
    assert "A wrong PIN was tried on it before: few tries are left." in pinentry.text("told")
    pinentry.answer(f"D {PIN}", "OK")
    assert agent.cli("refresh", "test", environment=DISPLAY).returncode == 0
    assert "SETERROR The last PIN was not sent: the token has refused it before." in pinentry.text("told")
    assert spy.count("C_Login") == 2


def test_the_last_try_is_nobodys(prompting, spy, pinentry):
    agent = prompting(pinentry.table, flags=0x20000)
    result = agent.credentials(environment=DISPLAY)
    assert result.returncode == 80 and "one try left" in result.stderr
    assert (pinentry.runs, spy.count("C_Login")) == (0, 0)


def test_unlock_answers_the_prompt_that_is_open(prompting, spy, pinentry, pool):
    agent = prompting(pinentry.table)
    client = pool.submit(agent.credentials, environment=DISPLAY)
    wait_until(lambda: "GETPIN" in pinentry.text("told"), "pinentry asks")
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    assert client.result().returncode == 0
    assert (pinentry.runs, spy.count("C_Login")) == (1, 1)


def test_lock_ends_the_prompt_that_is_open(prompting, spy, pinentry, pool):
    agent = prompting(pinentry.table)
    client = pool.submit(agent.credentials, environment=DISPLAY)
    wait_until(lambda: "GETPIN" in pinentry.text("told"), "pinentry asks")
    assert agent.cli("lock").returncode == 0
    assert client.result().returncode == 80
    assert spy.count("C_Login") == 0
    assert agent.credentials(environment=DISPLAY).returncode == 80
    assert pinentry.runs == 1


def test_unlock_stored_asks_by_pinentry(prompting, spy, pinentry):
    agent = prompting(pinentry.table)
    pinentry.answer(f"D {PIN}", "OK")
    assert agent.cli("unlock", "--stored", environment=DISPLAY).returncode == 0
    assert (pinentry.runs, spy.count("C_Login")) == (1, 1)


def test_a_reload_lets_people_be_asked_again(prompting, pinentry):
    agent = prompting(pinentry.table)
    pinentry.answer(CANCELLED)
    assert agent.credentials(environment=DISPLAY).returncode == 80
    pinentry.answer(f"D {PIN}", "OK")
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration read again" in agent.log(), "the configuration is read again")
    assert agent.credentials(environment=DISPLAY).returncode == 0
    assert pinentry.runs == 2


def test_another_users_request_asks_nobody(start, softhsm, token, service, pinentry):
    agent = start(
        configuration.module(softhsm), configuration.token("prompt"),
        configuration.profile(service, allow={"users": [65533]}), pinentry.table)
    pinentry.answer(f"D {PIN}", "OK")
    path = agent.socket
    for folder in (path, os.path.dirname(path), agent.runtime):
        os.chmod(folder, 0o777 if folder == path else 0o755)
    request = (
        "GET /v1/profiles/test/credentials HTTP/1.1\\r\\nHost: tokenward\\r\\nConnection: close\\r\\n"
        "Tokenward-Person: DISPLAY=:7\\r\\n\\r\\n")
    script = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('agent.sock'); "
        f"s.sendall(b\"{request}\"); print(s.makefile().read())")
    folder = os.open(os.path.dirname(path), os.O_PATH)  # pytest's folders are closed to others
    try:
        result = subprocess.run(
            ["/usr/bin/setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "/usr/bin/python3", "-c",
             f"import os; os.fchdir({folder}); {script}"],
            capture_output=True, text=True, timeout=30, pass_fds=[folder])
    finally:
        os.close(folder)
    assert "423 " in result.stdout and "pin-needed" in result.stdout, result.stderr
    assert pinentry.runs == 0
    assert agent.credentials(environment=DISPLAY).returncode == 0
    assert pinentry.runs == 1


def test_two_tokens_are_asked_for_one_after_the_other(start, softhsm, token, root, service, pinentry, pool):
    second = softhsm.token("second")
    second.identity(root)
    agent = start(
        configuration.module(softhsm), configuration.token("prompt"), pinentry.table,
        configuration.profile(service, "one", certificate="pkcs11:token=card"),
        configuration.profile(service, "two", certificate="pkcs11:token=second"))
    clients = [pool.submit(agent.credentials, name, environment=DISPLAY) for name in ("one", "two")]
    wait_until(lambda: "GETPIN" in pinentry.text("told"), "pinentry asks")
    wait_until(lambda: service.get("counters") is not None, "the endpoint answers")
    assert pinentry.runs == 1
    pinentry.answer(f"D {PIN}", "OK")
    assert [client.result().returncode for client in clients] == [0, 0]
    assert pinentry.runs == 2


def test_status_tells_when_there_is_no_pinentry(prompting, tmp_path):
    agent = prompting(f'[prompt]\nprogram = "{tmp_path}/none"\n')
    assert notices(agent.json("status")) == [
        f"nobody can be asked for a PIN: {tmp_path}/none, the program of [prompt], is not there"]
    assert agent.credentials(environment=DISPLAY).returncode == 80
