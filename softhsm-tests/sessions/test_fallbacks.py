"""A profile that is down is served by its fallback, by both names, and by its own service as soon as that is up again."""

import re
import socket

import pytest

from support.waiting import wait_until
from support.world import World

NAMES = r"audit .*\bprofile=own\b.* fallback=other "


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("fallbacks")) as world:
        yield world


@pytest.fixture(scope="module")
def emulator(world):
    return world.endpoint()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_another_region_stands_in_while_the_service_is_away(world, emulator):
    away = world.profile(emulator, "own", endpoint=f"https://127.0.0.1:{closed_port()}", fallback=["other"])
    agent = world.agent(away, world.profile(emulator, "other"), folder="away")
    status, own = agent.get("/v1/profiles/own/credentials")
    assert status == 200
    assert agent.get("/v1/profiles/other/credentials") == (200, own)
    wait_until(lambda: re.search(NAMES, agent.log()), "both names in the audit log")
    notices = agent.get("/v1/status")[1]["notices"]
    reason = "profile own: its fallback other stands in: no connection to 127.0.0.1"
    assert any(notice.startswith(reason) for notice in notices)
    assert {profile["name"]: profile.get("stand_in") for profile in agent.get("/v1/profiles")[1]} == {
        "other": None, "own": "other"}
    [line] = [line for line in agent.cli("status").stdout.splitlines() if line.startswith("profile\town\t")]
    assert line.split("\t")[7] == "other"


def test_a_service_that_fails_is_gone_back_to_by_the_first_answer(world, emulator):
    agent = world.agent(
        world.profile(emulator, "own", fallback=["other"]), world.profile(emulator, "other"), folder="back")
    emulator.fault({"fault": "status", "status": 503, "times": 1})
    assert agent.get("/v1/profiles/own/credentials")[0] == 200
    wait_until(lambda: re.search(NAMES, agent.log()), "both names in the audit log")
    # A person's refresh asks the profile's own service at once.
    status, own = agent.request("POST", "/v1/profiles/own/refresh")
    assert status == 200
    assert agent.get("/v1/profiles/own/credentials") == (200, own)
    assert not any("stands in" in notice for notice in agent.get("/v1/status")[1]["notices"])
    assert not any("stand_in" in profile for profile in agent.get("/v1/profiles")[1])
    wait_until(lambda: "own sessions are to be had again" in agent.log(), "the way back in the log")


def test_a_refusal_is_no_reason_for_a_fallback(world, emulator):
    agent = world.agent(
        world.profile(emulator, "own", fallback=["other"]), world.profile(emulator, "other"), folder="refused")
    emulator.fault({"fault": "status", "status": 403, "code": "AccessDeniedException", "times": 2})
    status, problem = agent.get("/v1/profiles/own/credentials")
    assert (status, problem["code"], problem["exit"]) == (502, "aws-denied", 77)
