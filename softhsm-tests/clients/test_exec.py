"""`exec` with variables: what the command gets, how it ends, and how exec fails before it starts."""

import json
import os
import re
import resource
import signal
import subprocess

import pytest

from support.command_line import on_terminal, serve
from support.fake_agent import CREDENTIALS, answer
from support.processes import binary, client_environment

WHOLE = json.loads(CREDENTIALS)
ARN = "arn:aws:iam::111122223333:role/prod"
LISTED = [{"name": "prod", "source": "roles-anywhere", "role_arn": ARN},
          {"name": "admin", "source": "assume-role", "role_arn": "arn:aws:iam::444455556666:role/admin"}]
STATIC = {
    "AWS_ACCESS_KEY_ID": WHOLE["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": WHOLE["SecretAccessKey"],
    "AWS_SESSION_TOKEN": WHOLE["SessionToken"], "AWS_CREDENTIAL_EXPIRATION": WHOLE["Expiration"],
    "AWS_ACCOUNT_ID": WHOLE["AccountId"]}
PROCESS = "credential_process = x\n"
# Each would have some SDK take another identity, or is another's.
ELSEWHERE = {
    name: "elsewhere" for name in (
        "AWS_ACCESS_KEY_ID", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_SDK_LOAD_CONFIG")}


@pytest.fixture
def served(agent):
    routes = {"GET /v1/profiles": LISTED} | {f"GET /v1/profiles/{name}/credentials": WHOLE for name in ("prod", "admin")}
    return agent(lambda connection, request: serve(connection, request, routes))


@pytest.fixture
def run(tmp_path, tokenward, served, monkeypatch):
    """Runs exec as a user with these variables beside, and with no other of AWS'."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)

    def run(*arguments, variables={}, **options):
        env = {"TOKENWARD_SOCKET": str(tmp_path / "agent.sock"), "HOME": str(tmp_path), **variables}
        return tokenward("exec", *arguments, env=env, **options)

    return run


def variables_of(result):
    assert result.returncode == 0, result.stderr
    return dict(entry.split("=", 1) for entry in result.stdout.decode().split("\0") if entry)


def failed(result, code, word):
    """One line, with nothing on standard output."""
    assert (result.returncode, result.stdout) == (code, b""), result
    lines = result.stderr.decode().splitlines()
    assert lines[-1].startswith(f"tokenward: {word}: ") and "; " in lines[-1], lines
    return lines


def test_env_hands_over_the_session_and_nothing_that_leads_elsewhere(run):
    kept = {"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "https://a", "AWS_EC2_METADATA_DISABLED": "true", "X": "=;'\n"}
    shown = variables_of(run("prod", "--env", "--", "env", "-0", variables=ELSEWHERE | kept))
    assert {name: value for name, value in shown.items() if name.startswith("AWS_") and name not in kept} == STATIC | {
        "AWS_VAULT": "prod"}
    assert shown["TOKENWARD_PROFILE"] == "prod"
    assert {name: shown[name] for name in kept} == kept


def test_profile_env_hands_over_the_name_alone(run, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(f"[profile prod]\n{PROCESS}")
    shown = variables_of(run("prod", "--profile-env", "--", "env", "-0", variables=ELSEWHERE))
    assert {name: value for name, value in shown.items() if name.startswith("AWS_")} == {
        "AWS_VAULT": "prod", "AWS_PROFILE": "prod", "AWS_SDK_LOAD_CONFIG": "1"}


@pytest.mark.parametrize("variable, text", [
    ("AWS_CONFIG_FILE", f"[profile prod]\n{PROCESS}"), ("AWS_SHARED_CREDENTIALS_FILE", f"[prod]\n{PROCESS}")])
def test_profile_env_finds_the_profile_where_the_variables_say(run, tmp_path, variable, text):
    (tmp_path / "file").write_text(text)
    for path in (str(tmp_path / "file"), "~/file"):
        assert variables_of(run("prod", "--profile-env", "--", "env", "-0", variables={variable: path}))[variable] == path


def test_profile_env_leads_the_command_to_the_same_agent(run, tmp_path):
    (tmp_path / "aws").write_text(f"[profile prod]\n{PROCESS}")
    variables = {"AWS_CONFIG_FILE": str(tmp_path / "aws"), "TOKENWARD_SOCKET": "/nonexistent"}
    shown = variables_of(run(
        "prod", "--socket", "agent.sock", "--profile-env", "--", "env", "-0", variables=variables, cwd=tmp_path))
    assert shown["TOKENWARD_SOCKET"] == str(tmp_path / "agent.sock")


def test_profile_env_wants_the_profile_in_aws_own_files(run, served, tmp_path):
    [line] = failed(run("prod", "--profile-env", "--", "true"), 125, "configuration")
    assert f"{tmp_path}/.aws/config has no [profile prod]" in line and served.requests == []


@pytest.mark.parametrize("config, credentials, words", [
    (PROCESS, "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n", "/.aws/credentials has aws_access_key_id for prod"),
    (PROCESS + "AWS_ACCESS_KEY_ID: AKIAEXAMPLE\n", "", "/.aws/config has aws_access_key_id for prod"),
    (PROCESS + f"role_arn = {ARN}\nsource_profile = other\n", "", "/.aws/config has role_arn for prod"),
    (PROCESS + "sso_session=x\n", "", "/.aws/config has sso_session for prod"),
    ("region = eu-central-1\n#" + PROCESS, "", "/.aws/config has no credential_process for prod")])
def test_profile_env_refuses_a_profile_that_leads_to_other_credentials(run, served, tmp_path, config, credentials, words):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(f"[profile prod]\n{config}")
    (tmp_path / ".aws/credentials").write_text(f"[other]\n[prod]\n{credentials}")
    [line] = failed(run("prod", "--profile-env", "--", "true"), 125, "configuration")
    assert words in line and served.requests == []


def test_one_line_says_which_role_and_until_when(run):
    lines = run("prod", "--env", "--", "true").stderr.decode().splitlines()
    [line] = lines
    assert re.fullmatch(
        rf"tokenward: prod is {ARN} until 2030-01-01T00:00:00Z \(in \d+ d \d+ h\); it is not renewed", line)
    [line] = run("admin", "--env", "--", "true").stderr.decode().splitlines()
    assert line.endswith("it is not renewed; AWS ends a role that another role assumes after one hour")


def test_a_user_who_may_not_list_profiles_is_told_the_account(agent, tokenward, tmp_path):
    agent(lambda connection, request: connection.sendall(
        answer(CREDENTIALS) if b"/credentials" in request else answer(b'{"detail":"no","exit":77}', "403 Forbidden")))
    result = tokenward("exec", "prod", "--env", "--", "true")
    assert result.returncode == 0 and b"prod is a role of account 111122223333 until 2030" in result.stderr


@pytest.mark.parametrize("code", [0, 1, 7, 125, 255])
def test_the_exit_code_is_the_commands(run, code):
    assert run("prod", "--env", "--", "sh", "-c", f"exit {code}").returncode == code


def test_a_signal_that_ends_the_command_is_seen_as_its_own(run):
    assert run("prod", "--env", "--", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM


def test_a_command_that_is_not_there_is_127_and_one_that_is_no_program_126(run, tmp_path):
    failed(run("prod", "--env", "--", "no-such-program"), 127, "no-command")
    failed(run("prod", "--env", "--", "/nonexistent/true"), 127, "no-command")
    (tmp_path / "text").write_text("no program")
    failed(run("prod", "--env", "--", str(tmp_path / "text")), 126, "not-executable")
    failed(run("prod", "--env", "--", str(tmp_path)), 126, "not-executable")


def test_the_command_is_this_very_process_with_its_words_and_streams(run, tmp_path):
    """No process is left between the shell and the command: signals, terminal and jobs are the kernel's to pass on."""
    words = [b"a b", b"", b"--", b"--env", b"\xff\xfe", "日本".encode()]
    env = client_environment(TOKENWARD_SOCKET=str(tmp_path / "agent.sock"))
    process = subprocess.Popen(
        [binary("tokenward"), "exec", "prod", "--env", "--", "sh", "-c", 'echo $$; cat; printf "%s\\0" "$@"', "sh", *words],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output, _ = process.communicate(b"typed\n", timeout=20)
    assert output == f"{process.pid}\ntyped\n".encode() + b"\0".join(words) + b"\0"


def test_the_command_has_the_rights_limits_and_signals_of_the_caller(run):
    """sudo works in it, and its core is dumped where the caller wants that."""
    ask = "grep -E '^(NoNewPrivs|SigIgn|SigBlk)' /proc/self/status; ulimit -c; ls /proc/self/fd | wc -l"

    def caller():
        resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    one = run("prod", "--env", "--", "bash", "-c", ask, preexec_fn=caller)
    other = subprocess.run(["bash", "-c", ask], stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=caller)
    assert one.stdout == other.stdout and b"NoNewPrivs:\t0" in one.stdout


@pytest.mark.parametrize("mark", ["TOKENWARD_PROFILE", "AWS_VAULT"])
def test_one_exec_does_not_run_in_another(run, served, mark):
    [line] = failed(run("prod", "--env", "--", "true", variables={mark: "dev"}), 125, "nested")
    assert "'dev'" in line and served.requests == []


@pytest.mark.parametrize(
    "arguments",
    [[], ["prod"], ["prod", "--env", "--profile-env"], ["prod", "--env", "true"], ["prod", "--bogus"], ["../a", "--env"],
     ["--", "true"], ["prod", "--env", "--timeout", "0", "--", "true"]], ids=" ".join)
def test_a_wrong_command_line_is_125(run, served, arguments):
    [line] = failed(run(*arguments), 125, "usage")
    assert served.requests == []


def test_a_problem_of_the_agents_keeps_its_code(agent, tokenward):
    problem = {"detail": "token \"demo\" needs its\x1b PIN", "hint": "run 'tokenward unlock'", "exit": 80, "code": "pin-needed"}
    agent(answer(json.dumps(problem).encode(), "423 Locked"))
    [line] = failed(tokenward("exec", "prod", "--env", "--", "true"), 125, "pin-needed")
    assert line == "tokenward: pin-needed: token \"demo\" needs its? PIN; run 'tokenward unlock'"


def test_no_agent_and_a_silent_one_are_125(agent, tokenward):
    failed(tokenward("exec", "prod", "--env", "--", "true"), 125, "no-agent")
    served = agent(lambda *_: served.released.wait(30))
    failed(tokenward("exec", "prod", "--env", "--timeout", "0.2", "--", "true"), 125, "timeout")


def test_credentials_that_are_not_whole_start_nothing(agent, tokenward):
    agent(answer(json.dumps(WHOLE | {"SecretAccessKey": "a\nb"}).encode()))
    failed(tokenward("exec", "prod", "--env", "--", "echo", "started"), 125, "internal")


def test_without_a_command_the_users_shell_runs_on_the_terminal(served, tmp_path, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PS1", "prompt ")
    (tmp_path / ".bashrc").write_text('PS1="[$AWS_VAULT $TOKENWARD_PROFILE] "\n')
    code, shown = on_terminal(
        "exec", "prod", "--env", path=tmp_path / "agent.sock", prompt=b"[prod prod] ",
        typed=b"echo $AWS_ACCESS_KEY_ID; jobs -l; exit 3\n")
    assert code == 3 and "ASIAEXAMPLE" in shown and "'exit' ends this shell" in shown


@pytest.mark.parametrize("typed", [b"2\n", b"admin\n"])
def test_a_person_chooses_the_profile_and_the_command_reads_what_comes_after(served, tmp_path, typed):
    code, shown = on_terminal(
        "exec", "--env", "--", "sh", "-c", "read line; echo $AWS_VAULT $line", path=tmp_path / "agent.sock",
        prompt=b"profile (number or name): ", typed=typed + b"rest\n")
    assert code == 0 and "1  prod\n2  admin\n" in shown and "\nadmin rest\n" in shown


@pytest.mark.parametrize("typed", [b"0\n", b"3\n", b"\n", b"\x04", b"../prod\n"])
def test_what_is_no_choice_starts_nothing(served, tmp_path, typed):
    code, shown = on_terminal(
        "exec", "--env", "--", "echo", "started", path=tmp_path / "agent.sock", prompt=b"name): ", typed=typed)
    assert code == 125 and "tokenward: usage: no profile was chosen" in shown and "started" not in shown


def test_nobody_is_asked_without_a_terminal(run, served):
    [line] = failed(run("--env", "--", "true"), 125, "usage")
    assert "the profile is missing" in line and served.requests == []


def test_a_shell_that_is_no_path_is_not_looked_for(run):
    result = run("prod", "--env", variables={"SHELL": "bash"}, input=b"echo $0\n")
    assert result.stdout == b"/bin/sh\n"


def test_help_tells_how_to_call_it(tokenward):
    text = tokenward("exec", "--help").stdout.decode()
    assert "tokenward exec [<profile>] --env | --profile-env [-- <command> ...]" in text and "125" in text
