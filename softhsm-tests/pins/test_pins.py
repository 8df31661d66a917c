"""PINs: where they come from, how often they are sent, and where they never are."""

import concurrent.futures
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from support import configuration, scan
from support.agent import Agent
from support.processes import binary
from support.softhsm import MODULE, PIN, SoftHSM, write_pin
from support.spy import MODULE as SPY_MODULE

COUNT_LOW, FINAL_TRY, LOCKED, TO_BE_CHANGED = 0x10000, 0x20000, 0x40000, 0x80000
WRONG = "654321"


def token_of(agent):
    [token] = agent.get("/v1/tokens")[1]
    return token


def refresh(agent):
    """Status and problem code of a forced refresh."""
    status, answer = agent.request("POST", "/v1/profiles/test/refresh")
    return status, answer.get("code")


@pytest.mark.parametrize("text", [PIN, f"{PIN}\n", f"{PIN}\r\n"], ids=repr)
def test_a_pin_file_may_end_its_line(agent_with, spy, tmp_path, text):
    agent = agent_with(write_pin(tmp_path / "pin", text))
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 1


def test_a_systemd_credential_has_the_pin(agent_with, spy, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    write_pin(folder / "card-pin", mode=0o440)
    agent = agent_with("credential:card-pin", environment={"CREDENTIALS_DIRECTORY": str(folder)})
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 1


def spoil(path, way):
    write_pin(path)
    if way == "missing":
        path.unlink()
    elif way == "a symbolic link":
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")
    elif way == "a folder":
        path.unlink()
        path.mkdir(mode=0o700)
    elif way == "another's":
        os.chown(path, 61001, 61001)
    elif isinstance(way, int):
        path.chmod(way)
    else:
        write_pin(path, way)


@pytest.mark.parametrize("way, reason", [
    (b"", "it is empty"),
    (b"\n", "it is empty"),
    (b"123456\n123456\n", "it has a control character in it, or more than one line"),
    (b"123456\n\n", "it has a control character in it, or more than one line"),
    (b"12\x00456", "it has a control character in it, or more than one line"),
    (b"12\t456", "it has a control character in it, or more than one line"),
    (b"1" * 256, "it is longer than 255 bytes"),
    (0o644, "its mode is 644, and other users must not read it: chmod 600"),
    (0o620, "its mode is 620, and other users must not read it: chmod 600"),
    ("missing", "No such file or directory"),
    ("a symbolic link", "Too many levels of symbolic links"),
    ("a folder", "it is not a regular file"),
    ("another's", "it belongs to user 61001"),
], ids=str)
def test_a_pin_file_that_is_not_in_order_is_not_sent(agent_with, spy, tmp_path, way, reason):
    spoil(tmp_path / "pin", way)
    agent = agent_with(f"file:{tmp_path}/pin")
    result = agent.credentials()
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr == (
        f'tokenward: the stored PIN of token "card" cannot be used: {tmp_path}/pin: {reason}; '
        "correct what pin-source names, then run 'tokenward unlock --stored'\n")
    assert spy.count("C_Login") == 0


@pytest.mark.parametrize("text", ["1", "1" * 255])
def test_a_pin_of_a_length_that_the_token_does_not_take_is_not_sent(agent_with, spy, tmp_path, text):
    agent = agent_with(write_pin(tmp_path / "pin", text))
    result = agent.credentials()
    if len(text) == 255:  # SoftHSM takes up to 255
        assert spy.count("C_Login") == 1
    else:
        assert result.stderr == (
            'tokenward: the PIN was not sent: token "card" takes 4 to 255 characters; '
            "check the PIN, then run 'tokenward unlock'\n")
        assert spy.count("C_Login") == 0
    assert result.returncode == 80


@pytest.mark.parametrize("settings, code", [({}, 80), ({"reserved_pins": True}, 0)])
def test_a_word_that_a_module_takes_for_a_command_is_sent_only_where_that_is_configured(
    start, spy, tmp_path, settings, code
):
    word = "VERIFY_NONE"
    softhsm = SoftHSM(tmp_path)
    softhsm.token("card", word)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, {**spy.environment, "SHIM_MODULE": MODULE}),
        configuration.token(write_pin(tmp_path / "pin", word), **settings))
    assert agent.cli("unlock", "--stored", "pkcs11:").returncode == code
    assert agent.cli("unlock", "--pin-stdin", "pkcs11:", input=word).returncode == code
    assert (spy.count("C_Login") > 0) is (code == 0)


def test_a_wrong_stored_pin_is_sent_once_whoever_asks_and_whatever_restarts(agent_with, spy, tmp_path, service):
    """The token tells nothing of wrong tries here, as many do: it is the agent that must remember."""
    created = service.created()
    agent = agent_with(write_pin(tmp_path / "pin", WRONG), forget=1)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: agent.get("/v1/profiles/test/credentials"), range(1000)))
    assert {(status, answer["code"], answer["exit"]) for status, answer in answers} == {(422, "pin-incorrect", 80)}
    assert spy.count("C_Login") == 1

    for number in range(20):
        agent.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
        agent.start()
        assert agent.credentials().returncode == 80
    assert spy.count("C_Login") == 1

    assert agent.cli("unlock", "--stored").returncode == 80
    assert spy.count("C_Login") == 1, "the same wrong PIN, and a person who asks again"

    write_pin(tmp_path / "pin", PIN)
    unlocked = agent.cli("unlock", "--stored")
    assert (unlocked.returncode, unlocked.stdout) == (0, ""), unlocked.stderr
    assert spy.count("C_Login") == 2
    assert agent.credentials().returncode == 0
    assert (spy.count("C_Login"), service.created()) == (2, created + 1)


def test_no_pin_is_sent_to_a_token_that_counts_wrong_tries(agent_with, spy, token, pin_file):
    failed = subprocess.run(
        ["pkcs11-tool", "--module", MODULE, "--token-label", "card", "--login", "--pin", WRONG, "--list-objects"],
        env={**os.environ, **token.softhsm.environment}, capture_output=True, timeout=20)
    assert b"CKR_PIN_INCORRECT" in failed.stderr
    try:
        agent = agent_with(pin_file)
        result = agent.credentials()
        assert (result.returncode, result.stderr) == (80, (
            'tokenward: token "card" has counted a wrong PIN, so the stored one is not sent; '
            "check it, then run 'tokenward unlock' and type it\n"))
        assert (token_of(agent)["state"], token_of(agent)["pin_tries"]) == ("pin-needed", "low")
        assert spy.count("C_Login") == 0

        assert agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n").returncode == 0
        assert spy.count("C_Login") == 1
        assert agent.credentials().returncode == 0
        assert token_of(agent)["pin_tries"] == "ok"
    finally:
        token.tool("--list-objects")  # the right PIN, so that the next test finds no count


@pytest.mark.parametrize("flags, code, state, tries", [
    (FINAL_TRY | COUNT_LOW, 80, "pin-needed", "final"), (LOCKED, 81, "pin-blocked", "locked"),
    (TO_BE_CHANGED, 80, "pin-needed", "ok")])
def test_the_last_try_is_never_spent(agent_with, spy, pin_file, flags, code, state, tries):
    agent = agent_with(pin_file, flags=flags)
    assert agent.credentials().returncode == code
    assert (token_of(agent)["state"], token_of(agent)["pin_tries"]) == (state, tries)
    assert agent.cli("unlock", token_of(agent)["uri"], "--pin-stdin", input=PIN).returncode == code
    assert spy.count("C_Login") == 0


def test_a_typed_pin_unlocks_and_a_wrong_one_is_not_sent_twice(agent_with, spy):
    agent = agent_with("prompt", forget=1)
    needed = agent.credentials()
    assert needed.returncode == 80
    assert needed.stderr == "tokenward: token \"card\" needs its PIN; run 'tokenward unlock'\n"
    assert spy.count("C_Login") == 0

    wrong = agent.cli("unlock", "--pin-stdin", input=WRONG)
    assert (wrong.returncode, wrong.stdout, spy.count("C_Login")) == (80, "", 1)
    assert "CKR_PIN_INCORRECT" in wrong.stderr
    again = agent.cli("unlock", "--pin-stdin", input=f"{WRONG}\n")
    assert (again.returncode, spy.count("C_Login")) == (80, 1)
    assert "has refused this PIN before, so it was not sent again" in again.stderr

    right = agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n")
    assert (right.returncode, right.stdout, right.stderr) == (0, "", "tokenward: token card is unlocked\n")
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 2


def test_the_terminal_shows_nothing_of_a_typed_pin(agent_with):
    agent = agent_with("prompt")
    child, terminal = pty.fork()
    if child == 0:
        os.execve(binary("tokenward"), ["tokenward", "unlock", "--socket", agent.socket], {"PATH": "/usr/bin:/bin"})
    shown, typed, deadline = b"", False, time.monotonic() + 20
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            shown += chunk
            if not typed and b"PIN for card (" in shown:
                os.write(terminal, f"{PIN}\n".encode())
                typed = True
    finally:
        if os.waitpid(child, os.WNOHANG)[0] == 0 and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
        os.close(terminal)
    assert typed and PIN.encode() not in shown
    assert b"token card is unlocked" in shown
    assert agent.credentials().returncode == 0


def test_a_lifetime_of_zero_is_one_signature(agent_with, spy, service):
    other = configuration.profile(service, "other")
    agent = agent_with("prompt", other, pin_settings={"pin_lifetime_seconds": 0})
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.counts("C_Login", "C_Sign", "C_Logout") == (1, 1, 1)
    assert agent.credentials("other").returncode == 80
    assert refresh(agent) == (423, "pin-needed")
    assert agent.credentials().returncode == 0, "what is valid is served"
    assert spy.counts("C_Login", "C_Sign") == (1, 1)


def test_a_lifetime_ends_with_a_logout(agent_with, spy):
    agent = agent_with("prompt", pin_settings={"pin_lifetime_seconds": 1})
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    deadline = time.monotonic() + 10
    while spy.count("C_Logout") == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert spy.count("C_Logout") == 1
    assert token_of(agent)["state"] == "pin-needed"
    assert refresh(agent) == (423, "pin-needed")
    assert spy.count("C_Login") == 1


@pytest.mark.parametrize("named", [False, True], ids=["all", "by its URI"])
def test_a_lock_holds_until_somebody_unlocks(agent_with, spy, pin_file, named):
    agent = agent_with(pin_file)
    assert agent.credentials().returncode == 0
    uri = token_of(agent)["uri"]
    locked = agent.cli("lock", *[uri] * named)
    assert (locked.returncode, locked.stdout) == (0, ""), locked.stderr
    for _ in range(3):
        result = agent.credentials()
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (80, "", 1)
    assert refresh(agent) == (423, "locked")
    assert token_of(agent)["state"] == "pin-needed"
    assert spy.counts("C_Login", "C_Logout", "C_Sign") == (1, 1, 1)

    assert agent.cli("unlock", uri, "--stored").returncode == 0
    assert agent.credentials().returncode == 0
    assert spy.counts("C_Login", "C_Sign") == (2, 2)


def test_a_lock_outlives_a_stored_pin_in_the_configuration(agent_with, spy, pin_file):
    agent = agent_with(pin_file)
    assert agent.credentials().returncode == 0
    assert agent.cli("lock").returncode == 0
    agent.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while "configuration read again" not in agent.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert agent.credentials().returncode == 80
    assert spy.count("C_Login") == 1


@pytest.mark.parametrize("place", ["[[token]]", "[profile.test] certificate", "credentials"])
def test_a_pin_in_a_uri_is_refused_in_every_file(softhsm, service, tmp_path, place):
    uri = "pkcs11:token=card?pin-value=123456"
    parts = [configuration.module(softhsm)]
    if place == "[[token]]":
        parts += [configuration.token("prompt", uri), configuration.profile(service)]
    elif place == "credentials":
        parts += [configuration.profile(service, certificate="/client.pem", private_key=uri)]
    else:
        parts += [configuration.profile(service, certificate=uri)]
    agent = Agent(tmp_path, "\n".join(parts))
    result = subprocess.run(
        [binary("tokenward-agent"), "--check", "--config", agent.configuration_path], env=agent.environment,
        capture_output=True, text=True, timeout=20)
    assert (result.returncode, result.stdout) == (78, "")
    assert "pin-value" in result.stderr and PIN not in result.stderr


def test_a_pin_in_a_uri_is_refused_on_the_socket(agent_with, spy):
    agent = agent_with("prompt")
    uri = f"pkcs11:token=card?pin-value={PIN}"
    status, problem = agent.request("POST", "/v1/tokens/unlock", f'{{"uri":"{uri}"}}'.encode())
    assert (status, problem["code"]) == (400, "bad-request")
    assert PIN not in str(problem) and PIN not in agent.log()
    assert agent.cli("unlock", uri, "--pin-stdin", input=PIN).returncode == 64
    assert spy.count("C_Login") == 0


# MARK: Where a PIN is


CANARY = "canary-PIN-9f2c71be04d6a"


@pytest.fixture
def canary(tmp_path, root):
    softhsm = SoftHSM(tmp_path / "hsm")
    softhsm.token("canary", pin=CANARY).identity(root)
    return softhsm


def test_a_typed_pin_leaves_no_trace(start, canary, service, tmp_path):
    agent = start(configuration.module(canary), configuration.profile(service), arguments=["--log-level", "debug"])
    agent.get("/v1/tokens")
    [worker] = agent.workers()
    assert agent.cli("unlock", "--pin-stdin", input=f"{CANARY}\n").returncode == 0
    assert agent.credentials().returncode == 0
    assert agent.workers() == [worker]

    needle = CANARY.encode()
    for pid in (agent.process.pid, worker):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert needle not in file.read()
    assert CANARY not in agent.log()
    for path in tmp_path.rglob("*"):
        if path.is_file() and "hsm" not in path.parts:
            assert needle not in path.read_bytes(), path
    assert scan.copies(agent.process.pid, CANARY) == 0
    assert scan.copies(worker, CANARY) <= 1


def test_a_stored_pin_is_never_in_the_agent(start, canary, service, tmp_path):
    agent = start(
        configuration.module(canary), configuration.token(write_pin(tmp_path / "pin", CANARY)),
        configuration.profile(service), arguments=["--log-level", "debug"])
    assert agent.credentials().returncode == 0
    [worker] = agent.workers()
    assert scan.copies(agent.process.pid, CANARY) == 0
    assert scan.copies(worker, CANARY) <= 1
    assert CANARY not in agent.log()


def test_a_scan_finds_what_is_there():
    """The scan's own test: a process that holds the bytes."""
    with subprocess.Popen(
        ["python3", "-c", "import sys; held = sys.stdin.readline(); print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(f"{CANARY}\n".encode())
        process.stdin.flush()
        process.stdout.readline()
        found = scan.copies(process.pid, CANARY)
        process.stdin.close()
    assert found > 0


def test_agent_and_worker_dump_no_core_and_are_closed_to_their_own_user(
    open_folder, root
):
    """As a user of their own, since root may look into everything."""
    uid = 61001
    programs = open_folder / "programs"
    programs.mkdir()
    for name in ("tokenward-agent", "tokenward-worker"):
        shutil.copy(binary(name), programs / name)
    softhsm = SoftHSM(open_folder / "hsm")
    softhsm.token("card").identity(root)
    agent = Agent(open_folder, program=str(programs / "tokenward-agent"), prefix=[
        "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"])
    agent.configure(configuration.module(softhsm))
    subprocess.run(["chown", "-R", f"{uid}:{uid}", open_folder], check=True)
    try:
        agent.start()
        as_user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        listed = subprocess.run(
            [*as_user, "curl", "--silent", "--show-error", "--unix-socket", agent.socket, "http://agent/v1/tokens"],
            capture_output=True, text=True, timeout=20)
        assert '"card"' in listed.stdout, listed.stderr
        [worker] = agent.workers()
        for pid in (agent.process.pid, worker):
            with open(f"/proc/{pid}/status") as status:
                assert f"Uid:\t{uid}\t{uid}" in status.read()
            with open(f"/proc/{pid}/limits") as limits:
                assert re.search(r"^Max core file size +0 +0 ", limits.read(), re.MULTILINE)
            for name in ("mem", "environ", "maps"):
                refused = subprocess.run(
                    [*as_user, "head", "-c", "1", f"/proc/{pid}/{name}"], capture_output=True, text=True, timeout=10)
                assert refused.returncode != 0 and "Permission denied" in refused.stderr, name
    finally:
        if agent.process:
            agent.stop()


def test_a_token_without_a_user_pin_says_so_and_how_to_set_one(start, mock, service):
    mock.card("new", hidden=0x8)  # CKF_USER_PIN_INITIALIZED
    agent = start(configuration.mock(mock), configuration.token("prompt"), configuration.profile(service))
    [notice] = [line for line in agent.get("/v1/status")[1]["notices"] if "user PIN" in line]
    assert notice.startswith(f'token "new" of {mock.path} has no user PIN yet: set one with') and "--init-pin" in notice
    result = agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n")
    assert (result.returncode, result.stderr.count("\n")) == (80, 2)
    assert 'token "new" has no user PIN yet' in result.stderr and "--init-pin" in result.stderr
    assert mock.logins() == []
