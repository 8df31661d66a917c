"""Builds for sanitizers lack four protections, by one setting; what is shipped has them."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

from support.processes import ROOT, binary
from support.shipped import PROGRAMS

SETTING = "TOKENWARD_SANITIZER"
C = ROOT / "Sources"
[MARKER] = re.findall(r'sanitizer_marker\[\] = "(.*)";', (C / "CLinux/linux.c").read_text())
HEAP = ["tokenward-agent", "tokenward-worker", "tokenward-keeper"]

# Actions of a process after all its hardening; the order matters, because the last of them are for good.
LOOK = """
import ctypes, json, os, resource, socket, sys
def attempt(work):
    try:
        work()
        return True
    except OSError:
        return False
library = ctypes.CDLL(sys.argv[1])
found = {"errors": [library.clinux_harden_process()]}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
found["dumpable"] = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1
found["core"] = resource.getrlimit(resource.RLIMIT_CORE)[0]
found["no-new-privileges"] = status["NoNewPrivs"].strip()
writable = (ctypes.c_char_p * 1)(b"/dev/null")
if library.clinux_landlock_version() > 0:
    found["errors"].append(library.clinux_limit_files(writable, 1, 0, ctypes.byref(ctypes.c_size_t())))
    found["writes"] = attempt(lambda: open(sys.argv[2], "w").close())
if library.clinux_has_call_filter() > 0:
    found["errors"].append(library.clinux_limit_calls(0))
    found["connects"] = attempt(lambda: socket.socket(socket.AF_INET).close())
print(json.dumps(found))
"""


def build(folder, *options):
    """Our C as a library, with its `free` where it has one."""
    sources = [*sorted((C / "CLinux").glob("*.c")), C / "CWipingHeap/free.c"]
    library = folder / "ours.so"
    includes = [f"-I{C}/{name}/include" for name in ("CLinux", "CWipingHeap")]
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", *includes, *options, "-o", library, *sources, "-ldl", "-lpthread"],
        check=True, timeout=60)
    return library


def defined(path, *options):
    """The functions that a file defines for others as well."""
    listing = subprocess.run(["nm", "--defined-only", *options, path], capture_output=True, text=True, check=True).stdout
    return {line.split()[2] for line in listing.splitlines() if len(line.split()) == 3}


@pytest.mark.parametrize("is_for_sanitizer", [False, True], ids=["shipped", "for sanitizers"])
def test_the_setting_removes_four_protections_and_no_other(tmp_path, is_for_sanitizer):
    library = build(tmp_path, *[f"-D{SETTING}"] * is_for_sanitizer)
    result = subprocess.run(
        [sys.executable, "-c", LOOK, library, tmp_path / "file"], capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(result.stdout)
    assert set(found.pop("errors")) == {0}
    assert (found.pop("core"), found.pop("no-new-privileges")) == (0, "1")
    assert "dumpable" in found and set(found.values()) == {is_for_sanitizer}
    assert ({"free", "realloc"} <= defined(library, "-D")) != is_for_sanitizer
    assert (MARKER.encode() in library.read_bytes()) == is_for_sanitizer


@pytest.mark.parametrize("program", [*PROGRAMS, "rolesanywhere-emulator"])
def test_no_program_is_built_for_sanitizers_or_for_fuzzing(program):
    assert MARKER.encode() not in pathlib.Path(binary(program)).read_bytes()
    names = subprocess.run(["nm", "-a", binary(program)], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"\b__(?:[atmu]san|ubsan|sanitizer|sancov)_\w+|LLVMFuzzer\w+", names) == []


@pytest.mark.parametrize("program", HEAP)
def test_the_wiping_heap_is_in_the_programs_that_see_secrets_all_day(program):
    assert {"free", "realloc"} <= defined(binary(program), "-D"), "libraries call these as well"


@pytest.mark.parametrize("program, calls", [
    ("tokenward-agent", ["clinux_harden_process"]),
    ("tokenward-worker", ["clinux_harden_process", "clinux_limit_files", "clinux_limit_calls"]),
    ("tokenward-keeper", ["clinux_harden_process", "clinux_limit_files", "clinux_limit_calls"]),
    ("tokenward-card-watcher", ["clinux_harden_process"]),
])
def test_the_programs_hold_what_hardens_them(program, calls):
    assert set(calls) <= defined(binary(program))


def test_nothing_but_its_two_commands_gives_the_setting():
    places = ["Package.swift", "README.md", "Sources", "Tests", "pkcs11", "softhsm-tests"]
    files = [path for place in places for path in [ROOT / place, *(ROOT / place).rglob("*")] if path.is_file()]
    named = {
        str(path.relative_to(ROOT)) for path in files if path.suffix != ".pyc"
        and re.search(rb"TOKENWARD_(?:SANITIZER|FUZZING)", path.read_bytes())}
    assert named == {
        "Package.swift", "Sources/CLinux/linux.c", "Sources/CLinux/sanitizer.h", "Sources/CWipingHeap/free.c",
        "Tests/LockedMemoryTests/SecretBufferTests.swift", "softhsm-tests/fuzz", "softhsm-tests/robustness/test_sanitizer_setting.py", "softhsm-tests/sanitize"}
