"""Files that are installed as they are, and the README's commands that install them."""

import re

from support.processes import ROOT

README = ROOT / "README.md"
PROGRAMS = (
    "tokenward", "tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher",
    "tokenward-credential-process")
FOLDER = "/usr/local/bin"

UNITS = ROOT / "Sources/tokenward-agent/systemd"
POLKIT = ROOT / "Sources/tokenward-agent/polkit/tokenward.rules"
PAM = ROOT / "Sources/tokenward/pam/tokenward"


def commands(word):
    """The lines of the README's one block of commands that has this word."""
    [block] = [block for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if word in block]
    return block.splitlines()
