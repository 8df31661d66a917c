"""An agent that somebody has signed in with, and the proof that it has forgotten PIN and session."""

import json

from support import configuration
from support.softhsm import PIN
from support.waiting import wait_until


def settings(softhsm, service, events=None, *rules):
    text = "" if events is None else f"lock-on = {json.dumps(events)}\n"
    return text + configuration.module(softhsm) + "".join(rules) + configuration.profile(service)


def unlock(agent):
    result = agent.cli("unlock", "pkcs11:token=card", "--pin-stdin", input=PIN)
    assert result.returncode == 0, result.stderr


def unlock_with_stored_pin(agent):
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri": "pkcs11:token=card"}')[0] == 204


def holds_session(agent):
    """Whether the cache holds a session, from `status`: a request for credentials would obtain one."""
    return agent.get("/v1/status")[1]["profiles"][0].get("session_expiry") is not None


def signed_in(agent, needs_pin=True):
    if needs_pin:
        unlock(agent)
    assert agent.credentials().returncode == 0
    assert holds_session(agent)
    return agent.workers()


def wait_until_forgotten(agent, workers, seconds=1):
    """The cache is empty, and the workers that had the PIN are gone. Within the second that is promised."""
    wait_until(
        lambda: not set(workers) & set(agent.workers()) and not holds_session(agent), "PIN and session forgotten",
        seconds)


def hears_logind(agent):
    wait_until(lambda: not agent.get("/v1/status")[1]["notices"], "logind is heard")
