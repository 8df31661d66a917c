"""Sessions of an IAM user that take a code of an MFA device: one for all roles, none sent twice, none without a person."""

import fcntl
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import configuration, scan
from support.sts_roles import ADMIN, KEY, ROLES, SEED, code
from support.terminal import FakePinentry
from support.waiting import wait_until
from support.world import World

numbers = itertools.count()
ACCOUNT = "123456789012"
URI = "pkcs11:token=demo;object=aws-legacy;type=secret-key"
DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}
ROLE = f"{ADMIN}-mfa"


class Device:
    """A user with a device of its own: each code counts once."""

    def __init__(self, number):
        self.name = f"user{number}"
        self.serial = f"arn:aws:iam::{ACCOUNT}:mfa/{self.name}"
        self.key_id = f"AKIAIOSFODNN7EXAMP{number:02}"
        self.user = {
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{self.name}", "accessKeyId": self.key_id, "secretAccessKey": KEY[1],
            "mfaSerial": self.serial, "mfaSeed": SEED}


DEVICES = [Device(number) for number in range(40)]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("mfa"), spy=True) as world:
        world.token.write_secret("aws-legacy", KEY[1])
        yield world


@pytest.fixture(scope="module")
def emulator(world):
    return world.endpoint(roles=ROLES, users=[device.user for device in DEVICES])


@pytest.fixture
def device():
    return DEVICES[next(numbers)]


@pytest.fixture
def start(world, emulator, device):
    """Starts an agent with a profile whose sessions take a code, and these."""

    def start(*tables, **settings):
        return world.agent(profile(emulator, device, **settings), *tables, folder=f"a{device.name}")

    return start


def profile(emulator, device, name="legacy", **settings):
    return configuration.access_key(
        emulator, name, device.key_id, URI, region=emulator.region, mfa_serial=device.serial, **settings)


def credentials(agent, name="legacy"):
    return agent.get(f"/v1/profiles/{name}/credentials")


def refresh(agent, text, name="legacy"):
    """The finished command, which got this code on its standard input."""
    return agent.cli("refresh", name, "--mfa-stdin", input=text)


def test_one_code_opens_the_session_for_all_roles(start, emulator, device):
    agent = start(
        configuration.assumed(emulator, "admin", "legacy", ROLE, mfa_serial=device.serial),
        configuration.assumed(emulator, "other", "legacy", ADMIN))
    result = refresh(agent, f"{code()}\n")
    assert result.returncode == 0, result.stderr
    calls = emulator.get("counters")["stsCalls"]
    for name in ("legacy", "admin", "other"):
        assert credentials(agent, name)[0] == 200
    assert credentials(agent)[1]["AccountId"] == ACCOUNT
    assert emulator.get("counters")["stsCalls"] == calls + 2
    [gesture] = [entry["next_gesture"]["kind"] for entry in agent.json("status")["profiles"] if entry["name"] == "legacy"]
    assert gesture == "mfa-code"


def test_a_code_is_wiped_once_it_has_been_sent(start):
    agent = start()
    sent = code()
    # Six digits alone may stand anywhere: these are the ways in and out.
    forms = [form.encode() for form in (f'mfa_code":"{sent}', f'mfa_code": "{sent}', f"TokenCode={sent}")]
    assert refresh(agent, sent).returncode == 0
    wait_until(
        lambda: not any(form in content for _, content in scan.memory(agent.process.pid) for form in forms),
        "the code is nowhere in the agent's memory", 1)


def test_a_code_asked_for_through_a_role_opens_the_users_session(start, emulator):
    agent = start(configuration.assumed(emulator, "admin", "legacy", ROLE))
    assert refresh(agent, code(), "admin").returncode == 0
    assert credentials(agent)[0] == 200


def test_without_a_code_nothing_is_asked_and_the_way_to_give_one_is_told(start, world, emulator, device):
    agent = start()
    before, calls = world.spy.counts("C_Sign", "C_Login"), emulator.get("counters")["stsCalls"]
    result = agent.credentials("legacy")
    assert result.returncode == 80
    assert device.serial in result.stderr and "tokenward refresh legacy" in result.stderr
    assert result.stderr.count("\n") == 1
    assert (world.spy.counts("C_Sign", "C_Login"), emulator.get("counters")["stsCalls"]) == (before, calls)
    assert refresh(agent, code()).returncode == 0  # what was refused before stands in nobody's way
    assert agent.credentials("legacy").returncode == 0


def test_a_code_is_sent_once(start, emulator, device):
    agent = start(profile(emulator, device, "again"))
    same = code()
    assert refresh(agent, same).returncode == 0
    calls = emulator.get("counters")["stsCalls"]
    result = refresh(agent, same, "again")
    assert result.returncode == 80
    assert "was sent already" in result.stderr and same not in result.stderr
    assert emulator.get("counters")["stsCalls"] == calls


def test_a_wrong_code_is_refused_once_and_the_next_one_is_taken(start, emulator):
    agent = start()
    right = code()
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    calls = emulator.get("counters")["stsCalls"]
    result = refresh(agent, wrong)
    assert (result.returncode, emulator.get("counters")["stsCalls"]) == (77, calls + 1)
    assert "next code" in result.stderr and result.stderr.count("\n") <= 2
    assert wrong not in result.stderr + agent.log()
    assert refresh(agent, right).returncode == 0


def test_a_code_that_was_not_sent_may_be_given_again(start, emulator, device):
    agent = start(configuration.access_key(
        emulator, "astray", device.key_id, "pkcs11:token=demo;object=nothing", region=emulator.region,
        mfa_serial=device.serial))
    same = code()
    assert refresh(agent, same, "astray").returncode == 66
    result = refresh(agent, same)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("text", ["", "\n", "12345", "1234567", "12345a", "123456\n123456", " 123456"])
def test_what_is_no_code_is_not_sent(start, world, emulator, text):
    agent = start()
    calls, signatures = emulator.get("counters")["stsCalls"], world.spy.count("C_Sign")
    result = refresh(agent, text)
    assert result.returncode == 64, result.stderr
    assert "code" in result.stderr
    assert (emulator.get("counters")["stsCalls"], world.spy.count("C_Sign")) == (calls, signatures)


def test_a_person_is_asked_by_pinentry(start, device, tmp_path):
    pinentry = FakePinentry(tmp_path / "pinentry")
    agent = start(pinentry.table)
    pinentry.answer(f"D {code()}", "OK")
    assert agent.credentials("legacy", environment=DISPLAY).returncode == 0
    told = pinentry.text("told")
    assert "SETPROMPT Code:" in told and f"device {device.serial}" in told.replace("%0A", " ")
    assert "For profile legacy" in told
    assert pinentry.runs == 1
    assert agent.credentials("legacy", environment=DISPLAY).returncode == 0
    assert pinentry.runs == 1


@pytest.mark.parametrize(
    "answer, words", [
        (["ERR 83886179 Operation cancelled"], "cancelled"), (["OK"], "empty"), (["D 12345", "OK"], "six digits")])
def test_a_prompt_without_a_code_ends_in_one_line_and_is_not_repeated(start, emulator, tmp_path, answer, words):
    pinentry = FakePinentry(tmp_path / "pinentry")
    agent = start(pinentry.table)
    calls = emulator.get("counters")["stsCalls"]
    pinentry.answer(*answer)
    result = agent.credentials("legacy", environment=DISPLAY)
    assert result.returncode == 80, result.stderr
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert (pinentry.runs, emulator.get("counters")["stsCalls"]) == (1, calls)
    assert agent.credentials("legacy", environment=DISPLAY).returncode == 80
    assert pinentry.runs == 1


def program(folder, body):
    path = folder / "mfa program"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return [str(path), "an argument; $HOME"]


def test_a_program_gives_the_code_without_a_shell_and_in_a_clean_environment(start, tmp_path):
    command = program(tmp_path, f'env >{tmp_path}/environment; echo "$1" >{tmp_path}/argument; cat >{tmp_path}/input; echo {code()}')
    agent = start(mfa_process=command)
    assert credentials(agent)[0] == 200, agent.log()
    names = {line.split("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}
    assert (tmp_path / "argument").read_text() == "an argument; $HOME\n"
    assert (tmp_path / "input").read_text() == ""


@pytest.mark.parametrize("body, words", [
    ("exit 3", "ended with status 3"), ("kill -9 $$", "signal 9"), ("true", "printed no code"),
    ("yes 123456", "more than a code"), ("echo 12345", "six digits"), ("echo 123456; exit 1", "status 1")])
def test_a_program_that_fails_is_told_of_and_run_once(start, emulator, tmp_path, body, words):
    agent = start(mfa_process=program(tmp_path, f"echo run >>{tmp_path}/runs; {body}"))
    calls = emulator.get("counters")["stsCalls"]
    status, problem = credentials(agent)
    assert (problem["code"], problem["exit"]) == ("mfa-needed", 80)
    assert words in problem["detail"]
    credentials(agent)
    assert (tmp_path / "runs").read_text() == "run\n"
    assert emulator.get("counters")["stsCalls"] == calls


@pytest.mark.parametrize("end", ["the agent ends", "all is locked"])
def test_a_program_that_hangs_ends_with_all_that_it_has_started(start, tmp_path, end):
    body = f'exec 3>>{tmp_path}/held; flock 3; sleep 600 & echo 1 >{tmp_path}/runs; wait'
    agent = start(mfa_process=program(tmp_path, body))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(agent.credentials, "legacy")
        wait_until(lambda: (tmp_path / "runs").exists(), "the program runs")
        if end == "all is locked":
            assert agent.cli("lock").returncode == 0
        else:
            agent.stop()
        assert answer.result(timeout=20).returncode != 0
    with open(tmp_path / "held", "r+b") as held:  # as long as one of them lives, the lock is theirs
        wait_until(lambda: is_free(held), "all of them have ended")


def is_free(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_two_profiles_of_one_device_wait_for_its_next_code_and_no_longer(start, emulator, device, tmp_path):
    command = program(tmp_path, f"echo {code()}")
    agent = start(profile(emulator, device, "again", mfa_process=command), mfa_process=command)
    assert credentials(agent)[0] == 200
    status, problem = credentials(agent, "again")
    assert problem["code"] == "mfa-needed" and "was sent already" in problem["detail"]
    assert 0 < problem["retry_after"] <= 30


def test_a_program_that_cannot_be_started_is_named(start):
    status, problem = credentials(start(mfa_process=["/nowhere/mfa"]))
    assert (problem["code"], problem["exit"]) == ("mfa-needed", 80)
    assert "does not start" in problem["detail"]
