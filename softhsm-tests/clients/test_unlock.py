"""`unlock` asks for the PIN on a terminal or reads it from standard input, and keeps no copy of it."""

import json
import os
import pty
import signal
import subprocess
import termios

import pytest

from support.command_line import PROD, TOKENS, body_of, failed, on_terminal, serve, take_terminal
from support.fake_agent import answer
from support.processes import binary, client_environment


@pytest.mark.parametrize(
    ("sent", "pin"),
    [
        (b"1234", "1234"), (b"1234\n", "1234"), (b"1234\r\n", "1234"), (b"1234\r", None), (b" 1 \n", " 1 "),
        ('a"b\\c/é日\n'.encode(), 'a"b\\c/é日'), (b"x" * 255, "x" * 255), (b"x" * 256, None), (b"x" * 100_000, None),
        (b"", None), (b"\n", None), (b"\r\n", None), (b"1234\n\n", None), (b"1234\n5678\n", None), (b"12\x0034", None),
        (b"12\t34", None), (b"12\x7f", None), (b"\xff\xfe", None), (b"\xc3", None), (b"\xed\xa0\x80", None),
    ],
)  # fmt: skip
def test_a_pin_from_standard_input_is_one_line(agent, tokenward, sent, pin):
    served = agent(serve)
    result = tokenward("unlock", "--pin-stdin", input=sent)
    changes = [body_of(request) for request in served.requests if request.startswith(b"POST /v1/tokens/unlock ")]
    if pin is None:
        failed(result, 64)
        assert changes == []
    else:
        assert (result.returncode, result.stdout) == (0, b"")
        assert changes == [{"uri": PROD, "pin": pin}]


@pytest.mark.parametrize("uri", ["PKCS11:token=prod", "Pkcs11:serial=01"])
def test_the_scheme_of_a_uri_may_be_in_upper_case(agent, tokenward, uri):
    served = agent(serve)
    assert tokenward("unlock", uri, "--pin-stdin", input=b"1234\n").returncode == 0
    assert body_of(served.requests[1]) == {"uri": PROD, "pin": "1234"}
    assert tokenward("lock", uri).returncode == 0


def test_a_stored_pin_is_the_agents_business(agent, tokenward):
    served = agent(serve)
    assert tokenward("unlock", "--stored").returncode == 0
    assert tokenward("unlock", "pkcs11:token=other", "--stored").returncode == 0
    assert [body_of(served.requests[index]) for index in (1, 3)] == [{"uri": PROD}, {"uri": "pkcs11:token=other"}]


def test_a_wrong_pin_is_the_agents_answer(agent, tokenward):
    def refuse(connection, request):
        if request.startswith(b"GET"):
            return serve(connection, request)
        problem = {"detail": "the PIN is wrong", "hint": "run 'tokenward unlock' and type the right one", "exit": 80}
        connection.sendall(answer(json.dumps(problem).encode(), "422 Unprocessable Content"))

    agent(refuse)
    assert "the PIN is wrong" in failed(tokenward("unlock", "--pin-stdin", input=b"0000\n"), 80)


def test_several_tokens_that_need_a_pin_are_listed_with_their_commands(agent, tokenward):
    waiting = [token | {"state": "pin-needed"} for token in TOKENS]
    agent(answer(json.dumps(waiting).encode()))
    lines = failed(tokenward("unlock"), 64).splitlines()
    assert lines[0] == f"tokenward: prod: tokenward unlock '{PROD}'"
    assert lines[1] == "tokenward: it's?[31m: tokenward unlock 'pkcs11:token=it'\\''s;serial=02'"
    assert "--pin-stdin" in failed(tokenward("unlock", "--pin-stdin", input=b"1\n"), 64)


def test_no_token_that_needs_a_pin_is_66(agent, tokenward):
    agent(answer(b"[]"))
    failed(tokenward("unlock"), 66)


def test_without_a_terminal_no_pin_can_be_asked_for(agent, tokenward):
    agent(serve)
    assert "no terminal" in failed(tokenward("unlock", start_new_session=True), 80)


def test_the_terminal_asks_without_echo(agent, tmp_path):
    served = agent(serve)
    code, shown = on_terminal("unlock", path=served.path, prompt=b"PIN for prod: ", typed=b"s3cr\xc3\xa9t\n")
    assert code == 0
    assert shown == "PIN for prod: \ntokenward: token prod is unlocked\n"
    assert body_of(served.requests[1]) == {"uri": PROD, "pin": "s3crét"}


def test_the_question_reaches_the_terminal_when_the_streams_do_not(agent, tmp_path):
    served = agent(serve)
    nowhere = (subprocess.DEVNULL, subprocess.DEVNULL)
    code, shown = on_terminal("unlock", path=served.path, prompt=b"PIN for prod: ", typed=b"1\n", streams=nowhere)
    assert (code, shown) == (0, "PIN for prod: \n")


def test_a_label_cannot_steer_the_terminal_through_the_question(agent, tmp_path):
    token = TOKENS[1] | {"state": "pin-needed", "pin_tries": "final"}
    agent(lambda connection, request: serve(connection, request, {"GET /v1/tokens": [token]}))
    code, shown = on_terminal("unlock", path=tmp_path / "agent.sock", prompt=b"PIN for ", typed=b"1\n")
    assert code == 0 and "\x1b" not in shown
    assert "last try" in shown


@pytest.mark.parametrize(
    ("tries", "words"),
    [("low", "few tries are left"), ("final", "the last try"), ("unknown", "does not tell how many tries are left")],
)  # fmt: skip
def test_a_person_is_warned_of_the_tries_before_typing_and_told_the_module(agent, tmp_path, tries, words):
    token = TOKENS[0] | {"pin_tries": tries, "module": "/usr/lib/\x1bm.so"}
    agent(lambda connection, request: serve(connection, request, {"GET /v1/tokens": [token]}))
    code, shown = on_terminal("unlock", path=tmp_path / "agent.sock", prompt=b"PIN for prod (/usr/lib/", typed=b"1\n")
    assert code == 0 and "\x1b" not in shown
    assert words in shown.partition("PIN for prod")[0]


def ask(path):
    """A client that waits for a PIN on a terminal of its own; and both ends of that terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [binary("tokenward"), "unlock"],
        env=client_environment(TOKENWARD_SOCKET=str(path)),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    wait_for_question(master)
    return process, master, slave


def wait_for_question(master):
    shown = b""
    while b"PIN for prod: " not in shown:
        shown += os.read(master, 65536)


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda process, master: os.write(master, b"12\x03"), -signal.SIGINT),
        (lambda process, master: os.write(master, b"12\x1c"), -signal.SIGQUIT),
        (lambda process, master: os.write(master, b"\x04"), 64),
        (lambda process, master: process.terminate(), -signal.SIGTERM),
        (lambda process, master: process.send_signal(signal.SIGHUP), -signal.SIGHUP),
    ],
    ids=["interrupt", "quit", "end of input", "terminate", "hangup"],
)
def test_however_the_question_ends_the_echo_comes_back(agent, end, code):
    served = agent(serve)
    process, master, slave = ask(served.path)
    assert not echoes(slave)
    end(process, master)
    assert process.wait(30) == code
    assert echoes(slave)
    assert len(served.requests) == 1
    os.close(slave)
    os.close(master)


def test_a_stopped_question_gives_the_echo_back_and_is_asked_again(agent):
    served = agent(serve)
    process, master, slave = ask(served.path)
    # A process group without a shell is not stopped (POSIX, orphaned groups): the client goes on at once.
    process.send_signal(signal.SIGTSTP)
    wait_for_question(master)
    assert not echoes(slave)
    os.write(master, b"1234\n")
    assert process.wait(30) == 0
    assert echoes(slave)
    assert body_of(served.requests[1]) == {"uri": PROD, "pin": "1234"}
    os.close(slave)
    os.close(master)


def test_the_pin_is_nowhere_in_memory_after_it_was_sent(agent, tokenward):
    """The agent holds its answer back while the memory of the waiting client is read."""
    pin = b"Xq7-never-twice"
    found = {}

    def look(connection, request):
        if request.startswith(b"GET"):
            return serve(connection, request)
        with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
            for line in maps:
                area, mode = line.split()[:2]
                if not mode.startswith("rw"):
                    continue
                start, end = (int(part, 16) for part in area.split("-"))
                memory.seek(start)
                found[line.strip()] = memory.read(end - start).count(pin)
        serve(connection, request)

    served = agent(look)
    process = subprocess.Popen(
        [binary("tokenward"), "unlock", "--pin-stdin"],
        env=client_environment(TOKENWARD_SOCKET=str(served.path)),
        stdin=subprocess.PIPE,
    )
    process.communicate(pin + b"\n", timeout=30)
    assert process.returncode == 0
    assert found and sum(found.values()) <= 1, {area: count for area, count in found.items() if count}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_no_pin_is_sent_to_another_users_process(agent, tokenward):
    served = agent(serve, user=61001)
    assert "uid 61001" in failed(tokenward("unlock", "--pin-stdin", input=b"1234\n"), 77)
    assert "uid 61001" in failed(tokenward("unlock", PROD, "--pin-stdin", "--wait", "30", input=b"1234\n"), 77)
    assert served.requests == []
    assert tokenward("unlock", "--pin-stdin", "--agent-uid", "61001", input=b"1234\n").returncode == 0
