"""Processes that have nothing to do keep little of their code in memory, and find it again."""

from support.processes import resident_bytes
from support.waiting import wait_until


def test_agent_and_worker_give_their_code_back_after_a_second_and_go_on(world):
    agent = world.agent(world.profile(world.endpoint()))
    assert agent.credentials().returncode == 0
    pids = (agent.process.pid, *agent.workers())
    for pid, most in [(pid, resident_bytes(pid)) for pid in pids]:
        wait_until(lambda: resident_bytes(pid) < most * 3 // 4, "code is given back")
    refreshed = agent.cli("refresh", "test")
    assert refreshed.returncode == 0, refreshed.stderr
    assert agent.credentials().returncode == 0
    assert agent.workers() == list(pids[1:]), "the worker has died"
