"""The PIN that is typed at a workstation's login unlocks the user's token, through pam_exec."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

import pytest

from support import configuration
from support.agent import Agent
from support.mounts import private_mounts
from support.processes import binary
from support.shipped import FOLDER, PAM
from support.softhsm import PIN, SoftHSM
from support.waiting import wait_until

PAMTESTER = shutil.which("pamtester")
WRONG = "654321"
# The second line is the shipped one, with a place for its program and its options; the first stands for what checks the
# login.
STACK = f"""\
auth required pam_exec.so expose_authtok quiet /bin/true
{PAM.read_text().splitlines()[-1].replace(f"{FOLDER}/tokenward", "{tokenward}").replace("pkcs11:token=prod", "{options}")}
account required pam_permit.so
session required pam_permit.so
"""


@pytest.fixture
def folder(open_folder):
    """Programs and PAM services that any user may read."""
    if not PAMTESTER:
        pytest.skip("pamtester is not installed: apt-get install pamtester")
    if os.geteuid() != 0:
        pytest.skip("a login becomes another user, so this needs root")
    shutil.copy(binary("tokenward"), open_folder / "tokenward")
    (open_folder / "pam.d").mkdir()
    (open_folder / "pam.d/other").write_text("".join(
        f"{kind} required pam_deny.so\n" for kind in ("auth", "account", "password", "session")))
    yield open_folder
    for pid in handovers(open_folder):
        os.kill(pid, signal.SIGKILL)


def log_in(folder, user, pin, *options):
    """A login whose PIN is asked for by PAM; its exit status, what it printed, and how long it took."""
    stack = STACK.format(tokenward=folder / "tokenward", options=" ".join(options))
    (folder / "pam.d/tokenward-test").write_text(stack)
    began = time.monotonic()
    result = subprocess.run(
        [*private_mounts('mount --bind "$0" /etc/pam.d; exec "$@"', folder / "pam.d"),
         PAMTESTER, "tokenward-test", user, "authenticate"],
        input=f"{pin}\n", capture_output=True, text=True, timeout=30, start_new_session=True)
    return result, time.monotonic() - began


@pytest.fixture
def users_agent(folder, service, root):
    """An agent of another user's with a token that needs its PIN; not started yet."""
    user = pwd.getpwnam("games")
    softhsm = SoftHSM(folder / "hsm")
    token = softhsm.token("login-card")
    token.identity(root)
    (folder / "agent").mkdir()
    for name in ("tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher"):
        if pathlib.Path(binary("tokenward-agent")).with_name(name).exists():
            shutil.copy(binary(name), folder / name)
    shutil.copy(service.ca, folder / "ca.pem")
    text = configuration.module(softhsm) + configuration.token("prompt")
    agent = Agent(
        folder / "agent", text, program=str(folder / "tokenward-agent"),
        prefix=["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"])
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", folder / "agent", folder / "hsm"], check=True)
    yield agent
    if agent.process and agent.process.poll() is None:
        agent.process.kill()
        agent.process.wait(10)


def as_user(agent, *arguments):
    return subprocess.run(
        [*agent.prefix, agent.program.replace("-agent", ""), *arguments, "--socket", agent.socket],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=30, start_new_session=True)


def state(agent):
    result = as_user(agent, "status", "--json")
    assert result.returncode == 0, result.stderr
    [token] = json.loads(result.stdout)["tokens"]
    return token["state"], token["pin_tries"]


def handovers(folder):
    """Processes that still hold a PIN and wait."""
    found = subprocess.run(["pgrep", "-f", f"{folder}/tokenward unlock"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_the_pin_of_a_login_unlocks_the_users_token(folder, users_agent):
    agent = users_agent.start()
    assert state(agent) == ("pin-needed", "ok")
    result, _ = log_in(folder, "games", PIN, "--socket", agent.socket, "pkcs11:token=login-card")
    assert result.returncode == 0, result.stderr
    assert "tokenward" not in result.stdout + result.stderr
    wait_until(lambda: state(agent) == ("ready", "ok"), "the token is unlocked")
    wait_until(lambda: not handovers(folder), "the handover has ended")
    assert PIN not in agent.log()


def test_an_agent_that_starts_after_the_login_gets_the_pin(folder, users_agent):
    result, seconds = log_in(folder, "games", PIN, "--socket", users_agent.socket)
    assert result.returncode == 0, result.stderr
    assert seconds < 5
    [waiting] = handovers(folder)
    status = pathlib.Path(f"/proc/{waiting}/status").read_text()
    uid = pwd.getpwnam("games").pw_uid
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status
    agent = users_agent.start()
    wait_until(lambda: state(agent) == ("ready", "ok"), "the token is unlocked")


def test_a_password_that_is_no_pin_costs_one_try_and_never_the_login(folder, users_agent):
    agent = users_agent.start()
    for _ in range(3):
        result, _ = log_in(folder, "games", WRONG, "--socket", agent.socket)
        assert (result.returncode, result.stderr) == (0, "Password: ")  # PAM asks; no other program prints a word
        wait_until(lambda: not handovers(folder), "the handover has ended")
    assert state(agent) == ("pin-needed", "low")
    assert agent.log().count("PIN refused by the token") == 1
    # Not even the right one: the count tells that what is typed at logins may be no PIN.
    log_in(folder, "games", PIN, "--socket", agent.socket)
    wait_until(lambda: not handovers(folder), "the handover has ended")
    assert state(agent) == ("pin-needed", "low")


def test_another_token_is_left_alone(folder, users_agent):
    agent = users_agent.start()
    process = subprocess.run(
        [*agent.prefix, folder / "tokenward", "unlock", "--pin-stdin", "--quiet", "--socket", agent.socket,
         "pkcs11:token=other"],
        input=f"{PIN}\0", capture_output=True, text=True, timeout=30)
    assert (process.returncode, process.stdout, process.stderr) == (66, "", "")
    assert state(agent) == ("pin-needed", "ok")


def test_a_pin_that_ends_with_a_zero_byte_is_taken(folder, users_agent):
    agent = users_agent.start()
    process = subprocess.run(
        [*agent.prefix, folder / "tokenward", "unlock", "--pin-stdin", "--quiet", "--socket", agent.socket],
        input=f"{PIN}\0", capture_output=True, text=True, timeout=30)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert state(agent) == ("ready", "ok")


def test_a_user_cannot_hand_a_pin_to_another(folder):
    uid = pwd.getpwnam("games").pw_uid
    result = subprocess.run(
        ["setpriv", f"--reuid={uid}", "--regid=60", "--clear-groups", folder / "tokenward", "unlock", "--pin-stdin",
         "--quiet", "--pam", "--socket", folder / "none"],
        input=PIN, env={"PAM_TYPE": "auth", "PAM_USER": "root"}, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stdout, result.stderr) == (77, "", "")
    assert handovers(folder) == []


def test_a_failure_at_a_login_is_quick_and_silent(folder):
    for environment in ({}, {"PAM_TYPE": "open_session", "PAM_USER": "games"}, {"PAM_TYPE": "auth", "PAM_USER": "no-such"}):
        result = subprocess.run(
            [folder / "tokenward", "unlock", "--pin-stdin", "--quiet", "--pam"], input=PIN, env=environment,
            capture_output=True, text=True, timeout=10)
        assert (result.returncode, result.stdout, result.stderr) == (64, "", ""), environment
    assert handovers(folder) == []
