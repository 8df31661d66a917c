"""PINs that people are asked for: by a pinentry on a terminal, and by one that does what the test says."""

import concurrent.futures
import os
import signal
import subprocess
import time
import urllib.parse

import pytest

from support import configuration
from support.answers import notices
from support.authority import der
from support.softhsm import MODULE, PIN, SoftHSM
from support.spy import MODULE as SPY_MODULE
from support.terminal import FakePinentry, Terminal
from support.waiting import wait_until

WRONG = "654321"
DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}


@pytest.fixture
def pinentry(tmp_path):
    return FakePinentry(tmp_path / "pinentry")


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def prompting(start, softhsm, token, service, spy):
    """Starts an agent whose one token has its PIN from people."""

    def start_agent(tables, pin_settings=None, **switches):
        variables = {"SHIM_MODULE": MODULE, **{f"SHIM_{name.upper()}": str(v) for name, v in switches.items()}}
        return start(
            configuration.module(softhsm, SPY_MODULE, {**spy.environment, **variables}),
            configuration.token("prompt", **(pin_settings or {})),
            configuration.profile(service, certificate="pkcs11:token=card"), tables)

    return start_agent


def at(terminal):
    return {"GPG_TTY": terminal.path, "TERM": "xterm", "LANG": "C.UTF-8"}


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        yield pool


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


def test_a_real_pinentry_that_nobody_answers_ends_with_its_time(prompting, spy, terminal):
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


def test_what_pinentry_is_told_and_given(prompting, pinentry):
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


def test_nobody_to_ask_is_told_at_once_and_does_not_stand_in_the_way_of_somebody(prompting, spy, pinentry):
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


@pytest.fixture(scope="module")
def shy_token(tmp_path_factory, root, certificate_writer):
    """Shows nothing before a login."""
    token = SoftHSM(tmp_path_factory.mktemp("shy")).token("shy")
    certificate = root.issue("client", token.generate("client", "01"))
    certificate_writer(token, {("client", 1): der(certificate)}, is_private=True)
    token.tool("--delete-object", "--type", "pubkey", "--id", "01")
    assert token.look("--list-objects") == b""
    return token


@pytest.fixture
def prompting_shyly(start, shy_token, service, spy, pinentry):
    def start_agent(certificate, token=shy_token):
        return start(
            configuration.module(token.softhsm, SPY_MODULE, {**spy.environment, "SHIM_MODULE": MODULE}),
            configuration.profile(service, certificate=certificate), pinentry.table)

    return start_agent


def test_a_certificate_that_hides_is_asked_for(prompting_shyly, spy, pinentry):
    agent = prompting_shyly("pkcs11:token=shy;object=client")
    assert agent.get("/v1/identities")[1] == []
    assert agent.get("/v1/profiles/test/explain")[1] == []
    assert agent.json("list") == []
    result = agent.credentials()
    assert (result.returncode, result.stderr) == (
        80, "tokenward: token \"shy\" needs its PIN; run 'tokenward unlock'\n")
    assert (pinentry.runs, spy.count("C_Login")) == (0, 0), "nobody is there, and listings ask nobody"
    pinentry.answer(f"D {PIN}", "OK")
    result = agent.credentials(environment=DISPLAY)
    assert result.returncode == 0, result.stderr
    assert 'token "shy"' in pinentry.text("told") and "%0AFor profile test" in pinentry.text("told")
    assert (pinentry.runs, spy.count("C_Login"), spy.count("C_Sign")) == (1, 1, 1)


def test_who_does_not_give_the_pin_is_not_asked_again_for_what_hides(prompting_shyly, spy, pinentry):
    agent = prompting_shyly("pkcs11:token=shy")
    pinentry.answer(CANCELLED)
    for _ in range(3):
        result = agent.credentials(environment=DISPLAY)
        assert result.returncode == 80 and "the prompt was cancelled" in result.stderr
    assert (pinentry.runs, spy.count("C_Login")) == (1, 0)


@pytest.mark.parametrize("certificate, hides", [("pkcs11:object=client", True), ("pkcs11:token=card;object=other", False)])
def test_nobody_is_asked_for_a_token_that_is_not_named_or_hides_nothing(
    prompting_shyly, shy_token, token, spy, pinentry, certificate, hides
):
    agent = prompting_shyly(certificate, shy_token if hides else token)
    pinentry.answer(f"D {PIN}", "OK")
    result = agent.credentials(environment=DISPLAY)
    assert (result.returncode, pinentry.runs, spy.count("C_Login")) == (66, 0, 0), result.stderr


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
