"""No secret of any hop of a chain is left within a second of what locks."""

import itertools
import json

import pytest

from support import configuration, scan
from support.canary import PIN, URI, assert_wiped_by, secrets_of
from support.emulator import Emulator, fixed_arns, trusted_role
from support.killing import children
from support.waiting import wait_until

CHAINED = [f"arn:aws:iam::444455556666:role/hop-{number}" for number in (1, 2)]


@pytest.fixture
def chain(root, tmp_path):
    """A service with two roles, the second of which the first may assume."""
    hops = [fixed_arns()["roleArn"], *CHAINED]
    running = Emulator.trusting(
        root, tmp_path / "chain", roles=[trusted_role(role, base) for base, role in itertools.pairwise(hops)])
    yield running
    running.stop()


@pytest.mark.parametrize("lock", ["tokenward lock", "SIGUSR1", "removal", "suspend"])
def test_a_lock_leaves_no_trace_of_any_session_of_a_chain(start, canary, chain, login_session, tmp_path, lock):
    agent = start(
        'lock-on = ["suspend", "screen-lock", "session-end", "removal"]\n', configuration.module(canary),
        configuration.profile(chain), configuration.assumed(chain, "middle", "test", CHAINED[0]),
        configuration.assumed(chain, "top", "middle", CHAINED[1]),
        configuration.profile(chain, "away", endpoint="https://127.0.0.1:1", fallback=["test"]),
        arguments=["--log-level", "debug"], environment=login_session.environment)
    wait_until(lambda: not [n for n in agent.get("/v1/status")[1]["notices"] if "logind" in n], "logind is heard")
    assert agent.cli("unlock", URI, "--pin-stdin", input=f"{PIN}\n").returncode == 0
    secrets = {}
    for asked in ("top", "middle", "test", "away"):
        result = agent.credentials(asked)
        assert result.returncode == 0, result.stderr
        secrets |= {f"{name} of {asked}": secret for name, secret in secrets_of(json.loads(result.stdout)).items()}
    # Of each hop that is made anew, and of one that STS refuses.
    for asked in ("middle", "top"):
        status, new = agent.request("POST", f"/v1/profiles/{asked}/refresh")
        assert status == 200
        secrets |= {f"new {name} of {asked}": secret for name, secret in secrets_of(new).items()}
    chain.fault({"fault": "status", "status": 403, "code": "AccessDenied", "on": "sts", "times": 1})
    assert agent.request("POST", "/v1/profiles/top/refresh")[0] in (429, 502)
    # In use: what is held is once in the agent, and what was held before is gone.
    held = {name: secret for name, secret in secrets.items() if "new" in name or name.endswith("test")}
    assert {name: scan.copies(agent.process.pid, secret) for name, secret in held.items()} == dict.fromkeys(held, 1)
    outdated = {name: secret for name, secret in secrets.items()
                if name.endswith(("of middle", "of top")) and not name.startswith("new")}
    assert scan.in_memory(agent.process.pid, outdated) == []
    others = children(agent.process.pid)
    assert [hit for pid in others for hit in scan.in_memory(pid, secrets)] == []

    assert_wiped_by(lock, agent, canary, login_session, secrets, tmp_path)
    assert agent.credentials("top").returncode == (66 if lock == "removal" else 80)
    assert agent.stop() == 0
    assert scan.in_files(tmp_path, secrets, apart=[canary.folder]) == []
