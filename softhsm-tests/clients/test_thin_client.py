"""The thin client turns every answer of an agent, right or wrong, into its output and its exit code."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from support.command_line import refused
from support.fake_agent import CREDENTIALS, answer, stopped
from support.processes import binary, client_environment


def test_credentials_are_printed_as_the_agent_sent_them(agent, thin):
    served = agent(answer(CREDENTIALS))
    result = thin("prod")
    assert (result.returncode, result.stdout, result.stderr) == (0, CREDENTIALS + b"\n", b"")
    assert served.requests == [
        b"GET /v1/profiles/prod/credentials HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n"
    ]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_answer_in_pieces_is_put_together(agent, thin, size):
    def drip(connection, _):
        whole = answer(CREDENTIALS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        for start in range(0, len(whole), size):
            connection.sendall(whole[start : start + size])

    agent(drip)
    assert thin("prod").stdout == CREDENTIALS + b"\n"


def test_the_answer_is_not_waited_for_beyond_its_length(agent, thin):
    def keep_open(connection, _):
        connection.sendall(answer(CREDENTIALS))
        served.released.wait(30)

    served = agent(keep_open)
    assert thin("prod", "--timeout", "20").returncode == 0


@pytest.mark.parametrize("code", [64, 66, 69, 70, 75, 77, 78, 80, 81])
def test_the_problem_gives_the_exit_code_and_the_line(agent, thin, code):
    body = json.dumps({"status": 423, "title": "t", "detail": "what happened", "hint": "what to do", "exit": code})
    agent(answer(body.encode(), "423 Locked", headers=["Content-Type: application/problem+json"]))
    assert refused(thin("prod"), code) == "tokenward: what happened; what to do\n"


@pytest.mark.parametrize("code", [0, 1, 2, 71, 79, 137, -1, 64.5, "80", None, [80]])
def test_an_exit_code_outside_the_table_is_70(agent, thin, code):
    agent(answer(json.dumps({"detail": "d", "hint": "h", "exit": code}).encode(), "500 Internal Server Error"))
    refused(thin("prod"), 70)


def test_escapes_and_controls_in_a_problem_never_reach_the_terminal_raw(agent, thin):
    detail = "caf\u00e9 \u65e5\u672c \U0001f511 a\x1b[2Jb\r\nc\td\x00e\x7ff\u009bg\u202eh\u2028i\"\\/"
    for raw in (True, False):
        body = json.dumps({"detail": detail, "hint": "\x07h", "exit": 80}, ensure_ascii=raw).encode()
        served = agent(answer(body, "423 Locked"))
        line = refused(thin("prod"), 80)
        assert line == "tokenward: café 日本 🔑 a?[2Jb??c?d?e?f?g?h?i\"\\/; ?h\n"
        served.close()
        os.unlink(served.path)


@pytest.mark.parametrize("detail", [b"a\xff\xc3b", b"a\\ud800c"])
def test_a_problem_that_is_no_text_is_no_json(agent, thin, detail):
    agent(answer(b'{"detail":"' + detail + b'","hint":"h","exit":80}', "423 Locked"))
    assert "no JSON at byte 12" in refused(thin("prod"), 70)


def test_a_long_problem_is_cut_to_one_kilobyte(agent, thin):
    agent(answer(json.dumps({"detail": "é" * 5000, "exit": 75}, ensure_ascii=False).encode(), "503 Busy"))
    assert refused(thin("prod"), 75).endswith("éé...; look at the agent's log\n")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Oops", b""),
        ("502 Bad", b"<html>"),
        ("404 No", b"{}"),
        ("503 No", b'{"detail":"x"'),
        ("403 No", b"[" * 9999),
    ],
)
def test_a_failure_without_a_problem_document_is_70(agent, thin, status, body):
    agent(answer(body, status))
    refused(thin("prod"), 70)


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage",
        b"garbage\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\n\r\n" + CREDENTIALS,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 4000,
        b"\x00" * 1000,
        answer(CREDENTIALS, length=len(CREDENTIALS) + 1),
        answer(CREDENTIALS, length=len(CREDENTIALS) - 1),
        answer(CREDENTIALS, length=0),
        answer(CREDENTIALS, length=-1),
        answer(CREDENTIALS, length=10**30),
        answer(CREDENTIALS[:-1]),
        answer(CREDENTIALS + b"{}"),
        answer(CREDENTIALS.replace(b"AccessKeyId", b"AccessKeyID")),
        answer(CREDENTIALS.replace(b"secret/+", b"")),
        answer(CREDENTIALS.replace(b"2030-01-01T00:00:00Z", b"")),
        answer(CREDENTIALS.replace(b'"Version":1', b'"Version":2')),
        answer(b"[" + CREDENTIALS + b"]"),
        answer(b"<html>AccessKeyId</html>"),
        answer(CREDENTIALS, "201 Created"),
        answer(b"", "204 No Content", length=0),
        answer(CREDENTIALS, "302 Found", headers=["Location: http://example.com/"]),
        answer(b"{" + b" " * 2**20 + CREDENTIALS[1:]),
        answer(CREDENTIALS[:-1] + b',"x":"' + b"x" * 128 * 1024 + b'"}'),
    ],
    ids=lambda sent: f"{sent[:60]!r}+{len(sent)}"[:90],
)
def test_an_answer_that_makes_no_sense_is_70_and_prints_nothing(agent, thin, sent):
    agent(sent)
    message = refused(thin("prod"), 70)
    assert "secret" not in message and "tttt" not in message


def test_an_answer_of_128_KiB_is_the_longest(agent, thin):
    body = CREDENTIALS[:-1] + b',"x":"'
    body += b"x" * (128 * 1024 - len(body) - 2) + b'"}'
    agent(answer(body))
    assert thin("prod").stdout == body + b"\n"


def test_an_agent_that_closes_at_once_is_unreachable(agent, thin):
    agent(b"")
    refused(thin("prod"), 69)


def test_a_refusal_before_the_request_is_read_still_tells_its_reason(tmp_path, thin):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "agent.sock"))
        listener.listen()
        with subprocess.Popen(
            [binary("tokenward-credential-process"), "prod"],
            env=client_environment(TOKENWARD_SOCKET=str(tmp_path / "agent.sock")),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as client:
            connection, _ = listener.accept()
            connection.sendall(answer(b'{"detail":"you are not served","hint":"ask","exit":77}', "403 Forbidden"))
            connection.close()  # with the request unread, which resets the connection
            output, message = client.communicate(timeout=30)
    assert (client.returncode, output, message) == (77, b"", b"tokenward: you are not served; ask\n")


@pytest.mark.parametrize(
    "silence",
    [b"", b"HTTP/1.1 200 OK\r\n", answer(CREDENTIALS[:-5], length=len(CREDENTIALS))],
    ids=["all", "head", "body"],
)
def test_a_silent_agent_is_given_up_at_the_deadline(agent, thin, silence):
    def stay_silent(connection, _):
        connection.sendall(silence)
        served.released.wait(30)

    served = agent(stay_silent)
    start = time.monotonic()
    message = refused(thin("--timeout", "0.3", "prod"), 75)
    assert 0.3 <= time.monotonic() - start < 5
    assert "0.300 seconds" in message


def test_the_deadline_counts_for_the_whole_exchange(agent, thin):
    def drip_for_ever(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not served.released.wait(0.05):
            connection.sendall(b"X: x\r\n")

    served = agent(drip_for_ever)
    refused(thin("--timeout", "0.4", "prod"), 75)


def test_a_stopped_agent_is_given_up_at_the_deadline(tmp_path, thin):
    script = f"""
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind({str(tmp_path / "agent.sock")!r})
listener.listen(0)
print("listening", flush=True)
listener.accept()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with stopped(process.pid):
            refused(thin("--timeout", "0.2", "prod"), 75)
            # The first client's connection still fills the backlog of one: from here on connect(2) itself waits.
            with socket.socket(socket.AF_UNIX) as filler:
                filler.setblocking(False)
                for _ in range(4):
                    filler.connect_ex(str(tmp_path / "agent.sock"))
                refused(thin("--timeout", "0.2", "prod"), 75)
        process.kill()


def test_a_full_backlog_is_waited_out(tmp_path, thin):
    path = str(tmp_path / "agent.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        with subprocess.Popen(
            [binary("tokenward-credential-process"), "prod"],
            env=client_environment(TOKENWARD_SOCKET=path),
            stdout=subprocess.PIPE,
        ) as client:
            listener.accept()[0].close()  # makes room: the client's connect(2) may have been waiting for it
            connection, _ = listener.accept()
            connection.sendall(answer(CREDENTIALS))
            connection.close()
            output, _ = client.communicate(timeout=30)
    assert (client.returncode, output) == (0, CREDENTIALS + b"\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["a", "b"], ["--profile"], ["a", "--socket"], ["a", "--unknown"], ["a", "--timeout", "x"], ["../a"], [".a"],
        [""], ["a", "--agent-uid", "x"], ["a", "--agent-uid", "4294967296"], ["a", "--agent-uid", ""],
    ],
)
def test_a_wrong_command_line_is_64(thin, arguments):
    refused(thin(*arguments), 64)


def test_a_profile_of_hostile_bytes_is_refused_and_shown_harmless(thin):
    message = refused(thin(b"\x1b]0;pwned\x07\xff\r\nHost: x"), 64)
    assert "\x1b" not in message and "\x07" not in message


def test_help_and_version_are_results(thin):
    assert thin("--help").stdout.startswith(b"usage: tokenward-credential-process ")
    assert thin("prod", "--version").stdout.startswith(b"tokenward-credential-process ")
    assert thin("-h").returncode == 0


def test_nothing_but_the_c_library_is_in_it():
    result = subprocess.run(["ldd", binary("tokenward-credential-process")], capture_output=True, text=True)
    assert "not a dynamic executable" in result.stdout + result.stderr
