"""The units that the README gives: systemd understands every line of them, and they leave little open."""

import pathlib
import re
import subprocess

import pytest

README = pathlib.Path(__file__).parents[1] / "README.md"


@pytest.fixture
def units(tmp_path):
    """The README's units as files, by name; the program is one that is there."""
    [block] = re.findall(r"```ini\n(# /etc/systemd/system/tokenward\.socket.*?)```", README.read_text(), re.DOTALL)
    found = {}
    for part in re.split(r"^# /etc/systemd/system/", block, flags=re.MULTILINE)[1:]:
        name, text = part.split("\n", 1)
        found[name] = tmp_path / name
        found[name].write_text(text.replace("/usr/local/bin/tokenward-agent", "/bin/true"))
    assert set(found) == {"tokenward.socket", "tokenward.service"}
    return found


def test_systemd_understands_the_units(units):
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units.values())], capture_output=True, text=True, timeout=60)
    complaints = [line for line in result.stderr.splitlines() if "tokenward" in line]
    assert complaints == []


def test_the_service_leaves_little_open(units):
    """1.5 of 10: what pcscd's own unit does not reach (2.1)."""
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", str(units["tokenward.service"])],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout.splitlines()[-1:]
