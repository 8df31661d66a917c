"""`exec` has the PIN, or does not start the command."""

import subprocess

import pytest

from support.processes import binary
from support.softhsm import PIN
from support.waiting import wait_until


@pytest.fixture
def begin(prompting, pinentry, tmp_path):
    """Starts exec, whose command makes a file, and waits until a person is asked."""
    agent = prompting(pinentry.table)

    def begin():
        process = subprocess.Popen(
            [binary("tokenward"), "exec", "test", "--env", "--", "touch", tmp_path / "made"],
            env={"PATH": "/usr/bin:/bin", "TOKENWARD_SOCKET": agent.socket, "DISPLAY": ":7"}, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        wait_until(lambda: pinentry.runs, "pinentry is started")
        assert not (tmp_path / "made").exists()
        return process

    return begin


def test_the_pin_comes_before_the_command(begin, pinentry, tmp_path):
    process = begin()
    pinentry.answer(f"D {PIN}", "OK")
    assert process.communicate(timeout=60)[1].count("\n") == 1
    assert process.returncode == 0 and (tmp_path / "made").exists()


def test_a_wrong_pin_starts_nothing(begin, pinentry, tmp_path):
    process = begin()
    pinentry.answer("D 654321", "OK")
    line = process.communicate(timeout=60)[1]
    assert process.returncode == 125 and line.startswith("tokenward: pin-") and line.count("\n") == 1
    assert not (tmp_path / "made").exists()
