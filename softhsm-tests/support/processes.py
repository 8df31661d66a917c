"""The programs under test, and what the kernel tells of processes."""

import os
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
BINARIES = pathlib.Path(os.environ.get("TOKENWARD_BIN", ROOT / ".build" / "debug")).resolve()


def binary(name):
    path = BINARIES / name
    assert path.exists(), f"{path} is missing: swift build"
    return str(path)


def client_environment(**variables):
    """Nothing of ours from outside: a developer's own agent must not answer the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENWARD_", "XDG_"))}
    return kept | {"TERM": "xterm"} | variables


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def resident_bytes(pid, which="VmRSS"):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(rf"^{which}:\s+(\d+) kB", file.read(), re.M)[1]) * 1024


def processor_seconds(pid):
    """The processor time of all threads of a process, user and system."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end_process(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
