"""A limit on the memory of a program and of what it starts, as a unit's MemoryMax= sets it, where this machine lets us."""

import contextlib
import os
import pathlib
import tempfile

ROOT = pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def memory_limit(size):
    """A prefix for a program that puts it into a control group of its own, and whether the kernel killed one there.

    Where control groups cannot be made here there is no limit: the test's own look at the resident memory stands alone.
    """
    try:
        group = made_group(size)
    except OSError:
        yield [], lambda: False
        return
    try:
        yield ["sh", "-c", 'echo $$ >"$0" && exec "$@"', f"{group}/cgroup.procs"], lambda: kills(group) > 0
    finally:
        with contextlib.suppress(OSError):  # a process may still be ending
            group.rmdir()


def made_group(size):
    second = ROOT / "cgroup.controllers"
    if second.exists() and "memory" not in second.read_text().split():
        raise OSError("the memory controller is not there")
    parent, limit = (ROOT, "memory.max") if second.exists() else (ROOT / "memory", "memory.limit_in_bytes")
    group = pathlib.Path(tempfile.mkdtemp(prefix="tokenward-test-", dir=parent))
    try:
        (group / limit).write_text(str(size))
    except OSError:
        group.rmdir()
        raise
    return group


def kills(group):
    """How many processes the kernel has ended there."""
    for name in ("memory.events", "memory.oom_control"):
        if os.path.exists(group / name):
            words = (group / name).read_text().split()
            return int(words[words.index("oom_kill") + 1])
    return 0
