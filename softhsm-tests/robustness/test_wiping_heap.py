"""The heap of agent and worker wipes what is given back, and takes no memory for what was never touched."""

import subprocess

from support.c_sources import compile
from support.processes import ROOT

HEAP = ROOT / "Sources" / "CWipingHeap"


def test_memory_given_back_is_wiped_and_memory_never_touched_is_left_alone(tmp_path):
    program = compile(
        "shim/wiping_heap.c", tmp_path / "heap", "-O1", "-fno-builtin", "-Wno-use-after-free", f"-I{HEAP}/include",
        str(HEAP / "free.c"))
    result = subprocess.run(
        ["prlimit", f"--data={3 << 30}", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout
    resident = {step: int(mebibytes) for step, mebibytes in map(str.split, result.stdout.splitlines())}
    assert list(resident) == ["start", "free", "realloc", "written", "end"]
    assert resident["realloc"] - resident["start"] <= 8  # of the gibibytes that were reserved
    assert resident["written"] - resident["start"] <= 24  # 16 are written, and never copied
