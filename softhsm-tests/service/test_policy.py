"""Other users may do with the agent what its configuration allows, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from support import configuration
from support.agent import Agent, read_again
from support.processes import ROOT, binary
from support.shipped import UNITS
from support.softhsm import write_pin
from support.waiting import wait_until

USER, GROUP, SUPPLEMENT = 61001, 61002, 61003
UNIT = UNITS / "system/tokenward.service"
# The effect of systemd's PrivateUsers=yes: a service sees root and its own user, and 65534 for all others.
PRIVATE_USERS = (sys.executable, str(ROOT / "softhsm-tests/support/user_namespace.py"), "61100")


class Shared:
    """A system agent, its socket where every user can reach it, and clients that are somebody else."""

    def __init__(self, agent, folder):
        self.agent, self.folder = agent, folder

    def run_as(self, uid, gid, groups, *command):
        groups = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
        return subprocess.run(
            ["setpriv", f"--reuid={uid}", f"--regid={gid}", groups, *command], cwd=self.folder, env={},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)

    def credentials(self, uid, gid=None, groups=(), profile="test"):
        return self.run_as(
            uid, gid or uid, groups, "./tokenward-credential-process", "--socket", self.agent.socket, profile)

    def curl(self, uid, path, *options):
        return self.run_as(
            uid, uid, (), "curl", "--silent", "--show-error", "--unix-socket", self.agent.socket, *options,
            "--write-out", "%{http_code}", f"http://agent{path}").stdout

    def audit(self, uid):
        """The one line about this user; the log is written a moment after the answer."""
        [line] = wait_until(
            lambda: re.findall(rf"^.* audit .* uid={uid} .*\n", self.agent.log(), re.MULTILINE), "a line", 10)
        return line


@pytest.fixture
def share(open_folder, softhsm, token, service):
    agents = []

    def share(*profiles, system=True, prefix=(), **rule):
        shutil.copy(binary("tokenward-credential-process"), open_folder)
        agent = Agent(open_folder, "\n".join([
            configuration.module(softhsm), configuration.token(write_pin(open_folder / "pin"), **rule), *profiles]),
            prefix=prefix)
        agent.socket = f"{open_folder}/tokenward/agent.sock"
        agent.arguments += ["--socket", agent.socket, *["--system"] * system]
        agents.append(agent)
        agent.start()
        return Shared(agent, open_folder)

    yield share
    for agent in agents:
        if agent.process:
            agent.stop()


def test_another_user_is_refused_in_one_clear_line(share, service):
    shared = share(configuration.profile(service), configuration.profile(service, "other", allow={"users": [61009]}))
    result = shared.credentials(USER)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (77, "", 1)
    assert result.stderr.startswith("tokenward: ")
    assert f"{USER}" in result.stderr
    line = shared.audit(USER)
    assert "decision=deny" in line and f'reason="no profile allows uid {USER}"' in line
    assert "logged in" not in shared.agent.log()


@pytest.mark.parametrize("allow, gid, groups, reason", [
    ({"users": [USER]}, USER, (), f"user {USER} is listed"),
    ({"groups": [GROUP]}, GROUP, (), f"group {GROUP} is listed"),
    ({"groups": [SUPPLEMENT]}, USER, (GROUP, SUPPLEMENT), f"group {SUPPLEMENT} is listed"),
    ({"users": ["games"]}, None, (), "user 5 is listed"),
    ({"groups": ["games"]}, 60, (), "group 60 is listed"),
], ids=["user", "group", "supplementary group", "user by name", "group by name"])
def test_an_allowed_user_is_served_and_written_down(share, service, allow, gid, groups, reason):
    shared = share(configuration.profile(service, allow=allow))
    uid = 5 if allow.get("users") == ["games"] else USER
    result = shared.credentials(uid, gid, groups)
    assert (result.returncode, result.stderr) == (0, "")
    line = shared.audit(uid)
    for word in ("decision=allow", f'reason="{reason}"', "route=credentials", "profile=test", "status=200"):
        assert word in line
    assert "SecretAccessKey" not in line and '"Version"' not in line


def test_a_user_of_one_profile_gets_no_other_and_learns_no_names(share, service):
    shared = share(
        configuration.profile(service, allow={"users": [USER]}),
        configuration.profile(service, "other", allow={"users": [61009]}))
    assert shared.credentials(USER).returncode == 0
    other, unknown = shared.credentials(USER, profile="other"), shared.credentials(USER, profile="unknown")
    assert (other.returncode, unknown.returncode) == (77, 77)
    assert other.stderr.replace("other", "") == unknown.stderr.replace("unknown", "")


@pytest.mark.parametrize("method, path", [
    ("GET", "/v1/profiles"), ("GET", "/v1/identities"), ("GET", "/v1/tokens"), ("GET", "/v1/status"),
    ("GET", "/v1/profiles/test/explain"), ("POST", "/v1/lock"), ("POST", "/v1/tokens/unlock"),
    ("POST", "/v1/reload")])
def test_an_allowed_user_may_use_a_profile_and_nothing_else(share, service, method, path):
    shared = share(configuration.profile(service, allow={"users": [USER]}))
    body = ["--data", '{"uri":"pkcs11:"}'] if method == "POST" else []
    answer = shared.curl(USER, path, "--request", method, *body)
    assert answer.endswith("403") and '"code":"forbidden"' in answer
    assert shared.curl(USER, "/v1/profiles/test/credentials").endswith("200")


def test_a_permission_that_is_taken_away_is_gone_at_once(share, service):
    shared = share(configuration.profile(service, allow={"users": [USER]}))
    assert shared.credentials(USER).returncode == 0
    with open(shared.agent.configuration_path) as file:
        text = file.read()
    shared.agent.configure(text.replace(str(USER), "61009"))
    read_again(shared.agent)
    assert shared.credentials(USER).returncode == 77


def test_the_kernels_stand_in_for_unknown_users_is_nobody(share, service):
    shared = share(configuration.profile(service, allow={"users": [USER, 65534], "groups": [65534]}))
    assert shared.credentials(65534).returncode == 77
    assert shared.credentials(61009, 65534).returncode == 77


def test_a_users_own_agent_cannot_even_be_reached(share, service):
    shared = share(configuration.profile(service), system=False)
    result = shared.credentials(USER)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (69, "", 1)
    assert "is not open to this user" in result.stderr
    assert os.stat(shared.agent.socket).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("allow, gid", [({"users": [USER]}, USER), ({"groups": [GROUP]}, GROUP)], ids=["user", "group"])
def test_an_allowed_user_is_served_under_the_units_own_map_of_users(share, service, allow, gid):
    maps = PRIVATE_USERS if "\nPrivateUsers=yes\n" in UNIT.read_text() else ()
    shared = share(configuration.profile(service, allow=allow), prefix=maps)
    result = shared.credentials(USER, gid)
    assert (result.returncode, result.stderr) == (0, "")


def test_where_private_users_hides_the_callers_all_are_refused(share, service):
    attempt = subprocess.run([*PRIVATE_USERS, "/bin/true"], capture_output=True, text=True, timeout=20)
    if attempt.returncode != 0:
        pytest.skip(attempt.stderr.strip())
    shared = share(
        configuration.profile(service, allow={"users": [USER], "groups": [GROUP]}), prefix=PRIVATE_USERS)
    result = shared.credentials(USER, GROUP)
    assert (result.returncode, result.stdout) == (77, "")
    assert (
        f"profile test: the agent's user namespace hides user {USER}, group {GROUP} of 'allow', so that they are refused: see "
        "PrivateUsers= in its unit") in shared.agent.get("/v1/status")[1]["notices"]
    assert result.stderr == "tokenward: uid 65534 stands for users unknown here; see 'allow' in the profile's configuration\n"


@pytest.mark.parametrize("method", ["credentials", "refresh"])
def test_another_users_request_makes_no_person_act(share, service, method):
    shared = share(configuration.profile(service, allow={"users": [USER]}), touch=True)
    before = service.created()

    def ask():
        if method == "credentials":
            refused = shared.credentials(USER)
            assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
            return refused.returncode, "takes a touch" in refused.stderr
        answer = json.loads(shared.curl(USER, "/v1/profiles/test/refresh", "--request", "POST")[:-3])
        return answer["exit"], "takes a touch" in answer["detail"]

    for _ in range(70):  # more than a profile has attempts in an hour
        assert ask() == (80, True)
    assert service.created() == before
    # The owner's own requests are no worse off for it, and the session that they bring serves the other user as well.
    assert shared.agent.credentials().returncode == 0
    assert shared.credentials(USER).returncode == 0
    assert service.created() == before + 1


def test_a_profile_may_let_another_user_have_a_person_act(share, service):
    shared = share(configuration.profile(service, allow={"users": [USER], "gestures": True}), touch=True)
    assert shared.credentials(USER).returncode == 0


@pytest.mark.parametrize("gestures", [False, True])
def test_another_users_request_makes_no_program_of_mfa_process_run(share, service, open_folder, gestures):
    program = open_folder / "mfa"
    program.write_text(f"#!/bin/sh\necho run >>{open_folder}/runs\necho 123456\n")
    program.chmod(0o755)
    shared = share(
        configuration.access_key(
            service, "test", "AKIAIOSFODNN7EXAMPLE", "pkcs11:object=none", region=service.region,
            mfa_serial="arn:aws:iam::111122223333:mfa/alice", mfa_process=[str(program)]),
        configuration.table("[profile.test.allow]", {"users": [USER], "gestures": gestures}))
    refused = shared.credentials(USER)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    # With gestures the token is asked after the program, and has no such key.
    assert (refused.returncode, (open_folder / "runs").exists()) == ((66, True) if gestures else (80, False)), refused.stderr


@pytest.fixture
def pair(mock, root):
    """A token that takes a touch, and a spare that takes none; the rule for the first."""
    cards = mock.card("first"), mock.card("second")
    for card in cards:
        card.identity(root)
    return *cards, configuration.mock(mock)


def share_pair(share, service, pair, pin_file):
    profile = configuration.profile(
        service, allow={"users": [USER]}, certificate=["pkcs11:token=first", "pkcs11:token=second"])
    first = configuration.token(pin_file, "pkcs11:token=first", touch=True)
    return share(pair[2], first, profile, uri="pkcs11:token=second")


def test_another_user_is_served_once_a_token_is_there_that_needs_nobody(share, service, pair, pin_file):
    first, second, _ = pair
    second.remove()
    shared = share_pair(share, service, pair, pin_file)
    assert shared.credentials(USER).returncode == 80
    first.remove()
    second.insert()
    wait_until(lambda: shared.credentials(USER).returncode == 0, "another user's credentials", seconds=20)


def test_a_spare_that_fails_another_user_is_not_tried_again_and_again(share, service, mock, pair, pin_file):
    failing = mock.on("C_Sign", rv=0x30)
    shared = share_pair(share, service, pair, pin_file)
    for _ in range(20):
        refused = shared.credentials(USER)
        assert refused.returncode not in (0, 80) and "touch" not in refused.stderr
    assert 0 < mock.fired(failing) < 15
