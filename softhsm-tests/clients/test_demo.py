"""The demo shows every way to credentials, and leaves nothing running."""

import os
import re
import subprocess
import sys

from support.processes import ROOT


def test_the_demo_shows_every_way_to_credentials():
    done = subprocess.run(
        [sys.executable, "-m", "support.demo"], env=os.environ | {"PYTHONPATH": str(ROOT / "softhsm-tests")},
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    callers = r"^\$ aws sts get-caller-identity --profile (\w+)\n.*?assumed-role/([\w-]+)/"
    shown = dict(re.findall(callers, done.stdout, re.M | re.S))
    assert shown == {"demo": "tokenward-demo", "edge": "tokenward-demo-edge", "admin": "tokenward-demo-admin"}
