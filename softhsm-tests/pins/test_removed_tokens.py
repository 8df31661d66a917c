"""A token that is taken out takes its PIN and its sessions with it."""

import os
import signal

import pytest

from support import configuration
from support.locking import holds_session, settings, signed_in, wait_until_forgotten
from support.softhsm import SoftHSM
from support.waiting import wait_until

UNLOCK_NEEDED = 80


@pytest.fixture
def loose_card(tmp_path, root):
    """A token that can be taken out: by its folder."""
    softhsm = SoftHSM(tmp_path / "loose")
    softhsm.token("card").identity(root)
    return softhsm


def take_out(hsm):
    os.rename(f"{hsm.folder}/tokens", f"{hsm.folder}/elsewhere")
    os.mkdir(f"{hsm.folder}/tokens")


def put_in(hsm, agent):
    os.rmdir(f"{hsm.folder}/tokens")
    os.rename(f"{hsm.folder}/elsewhere", f"{hsm.folder}/tokens")
    for worker in agent.workers():  # SoftHSM sees a new folder only when it starts
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: agent.get("/v1/tokens")[1], "the token is back")


@pytest.mark.parametrize("events, is_forgotten", [(None, True), (["removal"], True), (["suspend"], False)])
def test_a_token_that_is_taken_out_takes_its_sessions_along(
    start, loose_card, service, logind, events, is_forgotten
):
    agent = start(settings(loose_card, service, events), environment=logind.environment)
    workers = signed_in(agent)
    take_out(loose_card)
    assert agent.get("/v1/tokens")[1] == []  # a look; PC/SC's events cause one, where there are any
    if not is_forgotten:
        assert holds_session(agent)
        return
    wait_until_forgotten(agent, workers)
    assert agent.credentials().returncode != 0
    put_in(loose_card, agent)
    assert agent.credentials().returncode == UNLOCK_NEEDED
    signed_in(agent)


def test_a_stored_pin_logs_in_again_when_its_token_is_back(start, loose_card, service, logind, pin_file):
    agent = start(
        settings(loose_card, service, ["removal"], configuration.token(pin_file)), environment=logind.environment)
    workers = signed_in(agent, needs_pin=False)
    take_out(loose_card)
    assert agent.get("/v1/tokens")[1] == []
    wait_until_forgotten(agent, workers)
    put_in(loose_card, agent)
    wait_until(lambda: agent.credentials().returncode == 0, "a session with the token that is back")


def test_a_worker_that_dies_is_no_removal(start, hsm, service):
    agent = start(settings(hsm, service, ["removal"]))
    [worker] = signed_in(agent)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in agent.workers(), "the worker is gone")
    agent.get("/v1/tokens")
    agent.get("/v1/tokens")
    assert holds_session(agent)
