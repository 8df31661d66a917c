"""load.c: callers by the thousand, and what they say."""

import json
import select
import subprocess

from support.c_sources import SOURCES


def build_load(folder):
    program = f"{folder}/load"
    subprocess.run(["cc", "-O2", "-Wall", "-o", program, SOURCES / "load" / "load.c"], check=True, timeout=60)
    return program


def end_load(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


def answers(process, timeout=120):
    """How often each answer came: a list of count, status and JSON."""
    out, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0
    return [(int(count), int(status), json.loads(body)) for count, status, body in
            (line.split(" ", 2) for line in out.splitlines())]


def read_line(process, expected, seconds=60):
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    assert ready and process.stdout.readline().strip() == expected
