"""A PIN that a management command brings is at most once in its keeper and in the agent, and gone with the command."""

import subprocess
import time

from support import configuration, scan
from support.c_sources import compile
from support.canary import PIN, URI, wait_until_wiped
from support.processes import is_running
from support.softhsm import MODULE
from support.waiting import in_background, wait_until


def test_a_lock_leaves_no_trace_of_a_pin_that_a_keeper_has_logged_in_with(start, canary, tmp_path):
    """The keeper hangs in the making of a key."""
    module = compile("traps/traps.c", tmp_path / "traps.so", "-shared", "-fPIC")
    mark = tmp_path / "hangs"
    agent = start(
        configuration.module(canary, module, {"TRAPS_MODULE": MODULE, "TRAPS_HANG": str(mark)}),
        arguments=["--log-level", "debug"])
    result = in_background(lambda: agent.cli(
        "key", "generate", "--token", URI, "--type", "ec:p256", "--label", "made", "--id", "4a", "--pin-stdin",
        input=f"{PIN}\n"))
    wait_until(mark.exists, "the call")
    keepers = subprocess.run(
        ["pgrep", "-P", str(agent.process.pid), "-f", "tokenward-keeper"], capture_output=True, text=True, check=True)
    [keeper] = map(int, keepers.stdout.split())
    secrets = {"PIN": PIN}
    assert scan.copies(keeper, PIN) <= 1
    assert [hit for hit in scan.in_memory(keeper, secrets) if hit[1] != "PIN, plain"] == []
    assert scan.copies(agent.process.pid, PIN) <= 1  # until the request that brought it is answered
    workers = set(agent.workers()) - {keeper}
    assert [scan.in_memory(pid, secrets) for pid in workers] == [[]] * len(workers)
    processes = {agent.process.pid, keeper} | workers
    assert [scan.on_record(pid, secrets) for pid in processes] == [[]] * len(processes)
    began = time.monotonic()
    assert agent.cli("lock").returncode == 0
    wait_until(lambda: not is_running(keeper), "the keeper's end", seconds=1)
    wait_until_wiped(agent, secrets, began)
    assert "is locked" in result().stderr
    assert scan.in_files(tmp_path, secrets, apart=[canary.folder]) == []
