"""Mounts that only one command sees, for what must have its place in /etc or in a home."""

import functools
import subprocess

import pytest


@functools.cache
def _failure():
    command = ["unshare", "-m", "--propagation", "private", "true"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return "" if result.returncode == 0 else result.stderr.strip()


def private_mounts(script, *arguments):
    """The words before a command: a shell's `script`, which mounts and then has the command as `"$@"`.

    Skips the test where no mounts of its own can be had."""
    if failure := _failure():
        pytest.skip(f"no private mounts here: {failure}")
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, *arguments]
