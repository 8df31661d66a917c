"""The command line against an agent that follows a script."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import termios

import pytest

from support.fake_agent import CREDENTIALS, answer
from support.processes import BINARIES, binary, client_environment


def take_terminal():
    """Makes the terminal on standard input /dev/tty, with the signals of a program that a shell starts: whoever runs the
    tests in the background has these ignored, and a child would inherit that."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


PROD = "pkcs11:token=prod;serial=01"
TOKENS = [
    {"uri": PROD, "label": "prod", "state": "pin-needed", "pin_tries": "ok", "new": {"unknown": []}},
    {"uri": "pkcs11:token=it's;serial=02", "label": "it's\x1b[31m", "state": "ready", "pin_tries": "low"},
]
IDENTITIES = [
    {
        "uri": "pkcs11:token=prod;id=%01", "token": "prod", "subject": "CN=日本,O=Example", "issuer": "CN=Root",
        "serial": "4242", "not_before": "2020-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z",
        "key_type": "P-256", "has_key": True, "usable": True, "reasons": [], "profiles": ["prod", "dev"],
    },
    {
        "uri": "pkcs11:token=prod;id=%02", "token": "prod", "subject": "CN=a\tb\x1b]0;x\x07", "issuer": "CN=Root",
        "serial": "7", "not_before": "2020-01-01T00:00:00Z", "not_after": "2021-01-01T00:00:00Z",
        "key_type": "RSA-2048", "has_key": False, "usable": False, "reasons": ["expired"], "profiles": [],
    },
]  # fmt: skip
PROFILES = [
    {
        "name": "prod", "source": "roles-anywhere", "certificate": {"uri": "pkcs11:id=%01"},
        "session_expiry": "2099-01-01T00:00:00Z",
        "next_gesture": {"kind": "touch", "due": "2098-12-31T23:40:00Z"},
        "last_refusals": [
            {"program": "aws (python3.11)", "uid": 1000, "time": "2026-01-01T00:00:00Z", "code": "pin-needed",
             "detail": "token \"prod\" needs its PIN"},
            {"uid": 1001, "time": "2025-01-01T00:00:00Z", "code": "forbidden", "detail": "not\tallowed"},
        ],
    },
    {"name": "dev", "source": "roles-anywhere", "last_error": "the service\nis down"},
]  # fmt: skip
STATUS = {
    "version": "9.9.9", "uptime_seconds": 11520, "pid": 7, "system": False, "tokens": TOKENS, "profiles": PROFILES,
    "modules": [{"module": "/usr/lib/p.so", "state": "running"}],
}  # fmt: skip
ROUTES = {
    "GET /v1/identities": IDENTITIES,
    "GET /v1/tokens": TOKENS,
    "GET /v1/profiles": PROFILES,
    "GET /v1/status": STATUS,
    "GET /v1/profiles/prod/explain": [
        {
            "uri": "pkcs11:id=%01", "subject": "CN=a", "serial": "1", "not_after": "2099-01-01T00:00:00Z",
            "chosen": True, "reasons": [],
        },
        {
            "uri": "pkcs11:id=%02", "subject": "CN=b", "serial": "2", "not_after": "2021-01-01T00:00:00Z",
            "chosen": False, "reasons": ["expired", "is a CA"],
        },
    ],
}  # fmt: skip


CREDENTIAL_ROUTE = {"GET /v1/profiles/prod/credentials": json.loads(CREDENTIALS)}


def serve(connection, request, routes=ROUTES):
    """The agent of most tests: it answers by route, and takes every change."""
    method, path, _ = request.split(b" ", 2)
    route = f"{method.decode()} {path.decode()}"
    if route in routes:
        connection.sendall(answer(json.dumps(routes[route]).encode()))
    elif route.endswith("/refresh"):
        connection.sendall(answer(CREDENTIALS))
    else:
        connection.sendall(b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n")


def on_terminal(*arguments, path, typed=b"", prompt=None, streams=("tty", "tty")):
    """Runs `tokenward` with a terminal of its own, and types once `prompt` is on it: exit code, and what was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [binary("tokenward"), *arguments],
        env=client_environment(TOKENWARD_SOCKET=str(path), COLUMNS="200"),
        stdin=slave,
        stdout=slave if streams[0] == "tty" else streams[0],
        stderr=slave if streams[1] == "tty" else streams[1],
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(slave)
    shown = b""
    if prompt:
        while prompt not in shown:
            shown += os.read(master, 65536)
        os.write(master, typed)
    try:
        while more := os.read(master, 65536):
            shown += more
    except OSError:
        pass  # the last holder of the other end is gone
    os.close(master)
    return process.wait(30), shown.replace(b"\r\n", b"\n").decode()


def failed(result, code):
    """A failure in two lines."""
    assert (result.returncode, result.stdout) == (code, b""), result
    lines = result.stderr.decode().splitlines()
    assert lines[-2].startswith("tokenward: error: ") and lines[-1].startswith("tokenward: hint: ")
    return result.stderr.decode()


def test_list_in_a_pipe_has_one_line_per_certificate_with_tabs(agent, tokenward):
    agent(serve)
    result = tokenward("list")
    assert (result.returncode, result.stderr) == (0, b"")
    first, second = (line.split("\t") for line in result.stdout.decode().splitlines())
    assert first[:3] == ["pkcs11:token=prod;id=%01", "CN=日本,O=Example", "4242"]
    assert int(first[3]) > 20_000 and first[4:] == ["P-256", "prod,dev"]
    assert second[1] == "CN=a?b?]0;x?" and int(second[3]) < 0 and second[4:] == ["RSA-2048, no private key", ""]


def test_list_on_a_terminal_is_a_table_without_control_characters(agent, tmp_path):
    agent(serve)
    code, shown = on_terminal("list", path=tmp_path / "agent.sock")
    header, first, second = shown.splitlines()
    assert code == 0
    assert re.split(r"  +", header) == ["URI", "SUBJECT", "SERIAL", "DAYS LEFT", "KEY", "PROFILES"]
    assert "expired" in second and "\x1b" not in shown and "\x07" not in shown
    # Two wide characters stand in the first line: what lines up on the screen is two characters apart in the text.
    assert header.index("SERIAL") == second.index("7  ") == first.index("4242") + 2


def test_json_is_what_the_agent_sent(agent, tokenward):
    body = b'[ {"uri":"pkcs11:a", "new":1.50} ]\n'
    agent(answer(body))
    assert tokenward("list", "--json").stdout == body
    assert tokenward("list", "--explain", "prod", "--json").stdout == body


def test_json_on_a_terminal_has_no_control_characters(agent, tmp_path):
    agent(answer('[{"uri":"a\u009b31mb\x7f"},\n1]'.encode()))
    code, shown = on_terminal("list", "--json", path=tmp_path / "agent.sock")
    assert (code, shown) == (0, '[{"uri":"a?31mb?"},\n1]\n')


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"<html>", b"[" * 100_000, b'["\x1b"]'])
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["status"], ["status", "--json"]])
def test_what_is_no_json_is_never_printed(agent, tokenward, body, arguments):
    agent(answer(body))
    failed(tokenward(*arguments), 70)


def test_ten_thousand_certificates_are_listed(agent, tokenward):
    agent(answer(json.dumps(IDENTITIES[:1] * 10_000).encode()))
    assert tokenward("list").stdout.count(b"\n") == 10_000


def test_an_empty_list_is_an_empty_result_and_a_remark(agent, tokenward):
    agent(answer(b"[]"))
    result = tokenward("list")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"tokenward: no token has a certificate\n")


def test_explain_tells_the_choice_and_the_reasons(agent, tokenward):
    agent(serve)
    assert tokenward("list", "--explain", "prod").stdout.decode().splitlines() == [
        "yes\tpkcs11:id=%01\tCN=a\t1\t2099-01-01T00:00:00Z\t",
        "no\tpkcs11:id=%02\tCN=b\t2\t2021-01-01T00:00:00Z\texpired; is a CA",
    ]


def test_status_in_a_pipe_names_the_kind_of_each_line(agent, tokenward):
    agent(serve)
    assert tokenward("status").stdout.decode().splitlines() == [
        "agent\t9.9.9\t11520",
        "module\t/usr/lib/p.so\trunning\t",
        f"token\tprod\tpin-needed\tok\t{PROD}",
        "token\tit's?[31m\tready\tlow\tpkcs11:token=it's;serial=02",
        "profile\tprod\troles-anywhere\t2099-01-01T00:00:00Z\tpkcs11:id=%01\t\ttouch 2098-12-31T23:40:00Z",
        "profile\tdev\troles-anywhere\t\t\tthe service?is down\t",
        'refusal\tprod\t2026-01-01T00:00:00Z\taws (python3.11)\t1000\ttoken "prod" needs its PIN',
        "refusal\tprod\t2025-01-01T00:00:00Z\t?\t1001\tnot?allowed",
    ]


def test_status_on_a_terminal_is_for_people(agent, tmp_path):
    agent(serve)
    code, shown = on_terminal("status", path=tmp_path / "agent.sock")
    assert code == 0 and shown.startswith("agent 9.9.9, up 3 h 12 min\n")
    assert "PROFILE" in shown and "2099-01-01T00:00:00Z (in " in shown and "\x1b" not in shown


def test_an_agent_of_another_version_is_shown_as_well_as_can_be(agent, tokenward):
    agent(answer(b'{"tokens":[{"uri":"pkcs11:a","state":"levitating"}],"profiles":null}'))
    assert tokenward("status").stdout == b"agent\t?\t0\ntoken\t?\tlevitating\t?\tpkcs11:a\n"


@pytest.mark.parametrize("code", [64, 66, 69, 70, 75, 77, 78, 80, 81])
def test_a_problem_gives_two_lines_and_its_code(agent, tokenward, code):
    agent(answer(json.dumps({"detail": "it\x1b broke", "hint": "mend it", "exit": code}).encode(), "503 No"))
    expected = "tokenward: error: it? broke\ntokenward: hint: mend it\n"
    assert failed(tokenward("status"), code) == expected
    assert failed(tokenward("refresh", "prod"), code) == expected
    assert failed(tokenward("lock"), code) == expected


def test_no_agent_is_69_and_a_silent_one_75(agent, tokenward):
    failed(tokenward("list"), 69)
    served = agent(lambda *_: served.released.wait(30))
    failed(tokenward("list", "--timeout", "0.2"), 75)


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"], ["list", "x"], ["refresh"], ["refresh", "../a"], ["list", "--explain", ".a"],
        ["status", "--timeout", "0"], ["unlock", "prod"], ["unlock", "pkcs11:a?pin-value=1"],
        ["unlock", "pkcs11:a?x=y&pin-value=1"], ["lock", "prod"], ["unlock", "--stored", "--pin-stdin"],
        ["list", "\x1b[2J"], ["list", "--socket", "x" * 108],
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_64(tokenward, arguments):
    assert "\x1b" not in failed(tokenward(*arguments), 64)


def test_a_pin_in_the_wrong_place_is_not_repeated(tokenward):
    for argument in ("73519246", "pkcs11:token=a?pin-value=73519246"):
        assert "7351" not in failed(tokenward("unlock", argument), 64)


def test_refresh_prints_when_the_session_ends_and_no_secret(agent, tokenward):
    served = agent(serve)
    assert tokenward("refresh", "prod").stdout == b"2030-01-01T00:00:00Z\n"
    assert json.loads(tokenward("refresh", "prod", "--json").stdout) == {
        "AccessKeyId": "ASIAEXAMPLE",
        "Expiration": "2030-01-01T00:00:00Z",
    }
    assert served.requests[0].startswith(b"POST /v1/profiles/prod/refresh HTTP/1.1\r\n")
    assert b"Content-Length: 0\r\n" in served.requests[0]


def body_of(request):
    return json.loads(request.partition(b"\r\n\r\n")[2])


def test_lock_names_the_token_or_all(agent, tokenward):
    served = agent(serve)
    assert tokenward("lock").returncode == 0
    assert tokenward("lock", PROD).returncode == 0
    assert [body_of(request) for request in served.requests] == [{}, {"uri": PROD}]


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


def test_credential_process_is_the_thin_client(agent, tokenward, thin):
    agent(answer(CREDENTIALS))
    assert tokenward("credential-process", "prod").stdout == CREDENTIALS + b"\n"
    for arguments in ([], ["--profile"], ["prod", "--socket", "/nowhere"], ["--help"], ["--version"]):
        one, other = tokenward("credential-process", *arguments), thin(*arguments)
        assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr)


def test_version_is_told_in_three_ways(tokenward):
    version = json.loads(tokenward("version", "--json").stdout)["version"]
    assert tokenward("version").stdout == tokenward("--version").stdout == f"tokenward {version}\n".encode()


@pytest.mark.parametrize("command", [[], ["status"], ["list"], ["unlock"], ["lock"], ["refresh"], ["reload"], ["version"]])
def test_every_command_has_help(tokenward, command):
    result = tokenward(*command, "--help")
    assert result.returncode == 0 and b"OVERVIEW: " in result.stdout and result.stderr == b""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_made_for_each_shell(tokenward, tmp_path, shell):
    script = tmp_path / "script"
    script.write_bytes(tokenward("--generate-completion-script", shell).stdout)
    assert b"tokenward" in script.read_bytes()
    if shell == "bash":
        subprocess.run(["bash", "-n", script], check=True)


def completed(tokenward, folder, words):
    """What bash offers for the last of `words`, with the script that we generate."""
    (folder / "script").write_bytes(tokenward("--generate-completion-script", "bash").stdout)
    ask = f"""
        PATH={BINARIES}:$PATH
        source {folder}/script
        COMP_WORDS=({" ".join(words[:-1])} "{words[-1]}") COMP_CWORD={len(words) - 1}
        COMP_LINE="${{COMP_WORDS[*]}}" COMP_POINT=${{#COMP_LINE}}
        _tokenward tokenward "{words[-1]}" "{words[-2]}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = client_environment(TOKENWARD_SOCKET=str(folder / "agent.sock"))
    return subprocess.run(["bash", "-c", ask], env=env, capture_output=True, timeout=30).stdout.decode().split()


def test_profiles_are_completed_from_the_agent_without_touching_a_token(agent, tokenward, tmp_path):
    assert completed(tokenward, tmp_path, ["tokenward", "refresh", ""]) == []
    served = agent(serve)
    assert completed(tokenward, tmp_path, ["tokenward", "refresh", ""]) == ["prod", "dev"]
    assert completed(tokenward, tmp_path, ["tokenward", "refresh", "p"]) == ["prod"]
    assert completed(tokenward, tmp_path, ["tokenward", "list", "--explain", "d"]) == ["dev"]
    assert {request.split(b" HTTP")[0] for request in served.requests} == {b"GET /v1/profiles"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"], ["list", "--json"], ["list", "--explain", "prod"], ["status"], ["status", "--json"], ["refresh", "prod"],
        ["version"], ["--help"], ["--version"], ["credential-process", "prod"],
        ["--generate-completion-script", "bash"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_result_that_nobody_reads_ends_it_by_sigpipe_without_a_word(agent, tokenward, arguments):
    agent(lambda connection, request: serve(connection, request, ROUTES | CREDENTIAL_ROUTE))
    reader, writer = os.pipe()
    os.close(reader)
    result = tokenward(*arguments, stdout=writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_no_pin_is_sent_to_another_users_process(agent, tokenward):
    served = agent(serve, user=61001)
    assert "uid 61001" in failed(tokenward("unlock", "--pin-stdin", input=b"1234\n"), 77)
    assert "uid 61001" in failed(tokenward("unlock", PROD, "--pin-stdin", "--wait", "30", input=b"1234\n"), 77)
    assert served.requests == []
    assert tokenward("unlock", "--pin-stdin", "--agent-uid", "61001", input=b"1234\n").returncode == 0


def test_shared_options_stand_before_or_after_the_command(agent, tokenward, tmp_path):
    agent(serve)
    path = str(tmp_path / "agent.sock")
    env = {"TOKENWARD_SOCKET": "/nonexistent"}
    for before in (["--socket", path], [f"--socket={path}"], ["--timeout", "20", "--socket", path]):
        assert tokenward(*before, "list", env=env).stdout == tokenward("list").stdout
    assert json.loads(tokenward("--json", "--socket", path, "status", env=env).stdout) == STATUS
    assert tokenward("--socket", path, "lock", PROD, env=env).returncode == 0
    assert tokenward("--socket", path, "--help").stdout == tokenward("--help").stdout
    failed(tokenward("--socket", "/nonexistent", "list"), 69)
    failed(tokenward("--json", "lock"), 64)
    failed(tokenward("--socket"), 64)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["statsu"], "did you mean 'status'?"), (["refesh", "prod"], "did you mean 'refresh'?"),
        (["credentials-process", "prod"], "did you mean 'credential-process'?"), (["xyzzy"], None),
        (["list", "--jsno"], "did you mean '--json'?"), (["--sokcet", "x", "list"], "did you mean '--socket'?"), (["--xyzzy", "list"], None),
        (["unlock", "--pin-stdni"], "did you mean '--pin-stdin'?"),
    ],
)  # fmt: skip
def test_a_slip_of_the_finger_gets_a_suggestion(tokenward, arguments, hint):
    error, told = failed(tokenward(*arguments), 64).splitlines()
    assert (hint in told) if hint else ("did you mean" not in told)
    assert arguments[0] in error or arguments[1] in error


def test_reload_asks_the_agent_and_shows_what_it_refuses(agent, tokenward):
    served = agent(serve)
    result = tokenward("reload")
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"tokenward: the configuration has been read again\n"
    assert served.requests[0].startswith(b"POST /v1/reload HTTP/1.1\r\n")
    assert served.requests[0].endswith(b"\r\nContent-Length: 0\r\n\r\n")
    served.script = answer(json.dumps({"detail": "a.toml:5: no", "hint": "h", "exit": 78}).encode(), "500 No")
    assert "a.toml:5: no" in failed(tokenward("reload"), 78)
