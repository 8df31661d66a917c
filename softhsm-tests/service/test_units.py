"""systemd accepts the shipped units, and shipped files name the places where README installs them."""

import os
import re
import subprocess

import pytest

from support import shipped
from support.shipped import FOLDER, PAM, POLKIT, PROGRAMS, UNITS

MANAGERS = ("system", "user")


@pytest.mark.parametrize("manager", MANAGERS)
def test_systemd_understands_every_line_of_the_units(manager, tmp_path):
    units = [UNITS / manager / name for name in ("tokenward.socket", "tokenward.service")]
    result = subprocess.run(
        ["systemd-analyze", f"--{manager}", "verify", "--man=no", *units],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    warnings = [line for line in result.stderr.splitlines() if "tokenward" in line]
    # The programs need not be installed here.
    missing = re.compile(rf".*: Command {FOLDER}/tokenward\S* is not executable: No such file or directory")
    assert [line for line in warnings if not missing.fullmatch(line)] == []


def test_the_systems_service_leaves_little_open():
    """1.4 of 10: what pcscd's own unit does not reach (2.1)."""
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=14", "--no-pager",
         UNITS / "system/tokenward.service"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout.splitlines()[-1:]


@pytest.mark.parametrize(
    "path", [*(UNITS / manager / "tokenward.service" for manager in MANAGERS), PAM],
    ids=lambda path: str(path.relative_to(shipped.ROOT)))
def test_shipped_files_name_the_programs_where_the_readme_installs_them(path):
    [installing] = [line for line in shipped.commands(".build/release") if ".build/release" in line]
    named = re.findall(r"/\S*/tokenward\S*(?= )", re.sub(r"^#.*\n", "", path.read_text(), flags=re.M))
    assert named
    for program in named:
        folder, name = os.path.split(program)
        assert name in PROGRAMS and installing.endswith(f" {folder}/")


def test_the_readme_installs_every_shipped_file():
    text = " ".join([*shipped.commands("systemd/user"), *shipped.commands("systemd/system")])
    named = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {' '.join(re.findall(r'Sources/[^ ]+', text))}"], capture_output=True,
        text=True, check=True).stdout.split()
    files = [POLKIT, *(path for manager in MANAGERS for path in (UNITS / manager).iterdir())]
    assert sorted(named) == sorted(str(path.relative_to(shipped.ROOT)) for path in files)
