"""A refresh that is given up in the middle of a call ends, and costs neither memory nor processor time."""

import resource
import signal
import socket
import time

import pytest

from support import configuration
from support.answers import refresh
from support.processes import processor_seconds, resident_bytes
from support.waiting import in_background, wait_until

MEBIBYTE = 1 << 20
GROWTH = 16 * MEBIBYTE
LIMIT = ["prlimit", f"--data={1024 * MEBIBYTE}"]  # what goes wrong ends here, and not with the machine's memory


@pytest.fixture
def parts(mock, other, root, service, pin_file):
    """The configuration, with other settings for the profile where some are named."""
    mock.card("prod").identity(root)
    calls = {"list_timeout_seconds": 5, "login_timeout_seconds": 5, "sign_timeout_seconds": 5}
    modules = [configuration.mock(mock, **calls), configuration.mock(other, **calls), configuration.token(pin_file)]
    return lambda **settings: [
        *modules, configuration.profile(service, certificate="pkcs11:token=prod", **settings)]


@pytest.fixture
def agent(start, parts):
    agent = start(*parts(), prefix=LIMIT)
    assert agent.credentials().returncode == 0
    return agent


def lock(agent, mock, parts):
    assert agent.request("POST", "/v1/lock")[0] == 204


def lock_by_uri(agent, mock, parts):
    assert agent.request("POST", "/v1/lock", b'{"uri": "pkcs11:token=prod"}')[0] == 204


def removal(agent, mock, parts):
    mock.cards[0].remove()
    wait_until(lambda: "token removed" in agent.log(), "the removal is noticed")


def reload(agent, *parts):
    agent.configure("\n".join(parts))
    agent.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration read again" in agent.log(), "the configuration is read")


def changed_profile(agent, mock, parts):
    reload(agent, *parts(session_duration_seconds=1800))


def removed_profile(agent, mock, parts):
    reload(agent, *parts()[:-1])


# How the client that waits is answered while the call hangs; None: it waits for another attempt. A removal is not looked
# for while its own token is at work.
CANCELLERS = {lock: 423, lock_by_uri: 423, removal: None, changed_profile: None, removed_profile: 404}
CASES = [(cancel, "listing") for cancel in CANCELLERS]
CASES += [(cancel, place) for cancel in (lock_by_uri, changed_profile) for place in ("login", "signing")]


@pytest.mark.parametrize("cancel, place", CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_refresh_that_is_given_up_costs_nothing(agent, mock, other, parts, cancel, place):
    if place == "listing":
        module, rule = other, other.on("C_FindObjectsInit", "hang")
    else:
        mock.cards[0].lose_login()
        module, rule = mock, mock.on({"login": "C_Login", "signing": "C_Sign"}[place], "hang")
    waiting = in_background(refresh, agent, "test")
    wait_until(module.waiting, "the call hangs")
    began, used, memory = time.monotonic(), processor_seconds(agent.process.pid), resident_bytes(agent.process.pid)
    cancel(agent, mock, parts)
    status = CANCELLERS[cancel]
    if status:
        assert waiting()[0] == status
        assert time.monotonic() - began < 2
    time.sleep(1)  # what is measured
    assert resident_bytes(agent.process.pid) - memory < GROWTH
    assert processor_seconds(agent.process.pid) - used < (time.monotonic() - began) / 2
    module.clear(rule)
    if not status:
        waiting()
    assert resident_bytes(agent.process.pid, "VmHWM") - memory < GROWTH


def test_an_agent_that_ends_waits_for_no_listing(agent, other):
    """Nor does it for the client, who has hung up."""
    other.on("C_FindObjectsInit", "hang")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(agent.socket)
        client.sendall(b"POST /v1/profiles/test/refresh HTTP/1.1\r\nHost: tokenward\r\n\r\n")
        wait_until(other.waiting, "the call hangs")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 2
    after = resource.getrusage(resource.RUSAGE_CHILDREN)  # of all its life
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
