"""The command line checks its arguments, explains its failures and helps, against an agent that follows a script."""

import json
import os
import signal
import subprocess

import pytest

from support.command_line import PROD, ROUTES, STATUS, body_of, failed, serve
from support.fake_agent import CREDENTIALS, answer
from support.processes import BINARIES, client_environment

CREDENTIAL_ROUTE = {"GET /v1/profiles/prod/credentials": json.loads(CREDENTIALS)}


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


def test_lock_names_the_token_or_all(agent, tokenward):
    served = agent(serve)
    assert tokenward("lock").returncode == 0
    assert tokenward("lock", PROD).returncode == 0
    assert [body_of(request) for request in served.requests] == [{}, {"uri": PROD}]


@pytest.mark.parametrize("body", [b"{}", b'{"pem":"\\u001b[2J"}'])
def test_an_answer_without_a_certificate_request_is_70(agent, tokenward, body):
    agent(answer(body))
    failed(tokenward("csr", "--key", PROD, "--subject", "CN=a"), 70)


def test_credential_process_is_the_thin_client(agent, tokenward, thin):
    agent(answer(CREDENTIALS))
    assert tokenward("credential-process", "prod").stdout == CREDENTIALS + b"\n"
    for arguments in ([], ["--profile"], ["prod", "--socket", "/nowhere"], ["--help"], ["--version"]):
        one, other = tokenward("credential-process", *arguments), thin(*arguments)
        assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr)


def test_version_is_told_in_three_ways(tokenward):
    version = json.loads(tokenward("version", "--json").stdout)["version"]
    assert tokenward("version").stdout == tokenward("--version").stdout == f"tokenward {version}\n".encode()


@pytest.mark.parametrize("command", [[], ["status"], ["list"], ["unlock"], ["lock"], ["refresh"], ["reload"], ["profiles"],
                                     ["export"], ["csr"], ["version"]])
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
    """The completions that bash offers for the last of `words`, with the script that we generate."""
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
def test_a_result_without_a_reader_ends_it_by_sigpipe_without_a_word(agent, tokenward, arguments):
    agent(lambda connection, request: serve(connection, request, ROUTES | CREDENTIAL_ROUTE))
    reader, writer = os.pipe()
    os.close(reader)
    result = tokenward(*arguments, stdout=writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")


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
