"""Where the clients are, and the environment that they are started in."""

import os
import pathlib

DEBUG = pathlib.Path(__file__).parents[2] / ".build" / "debug"
BINARIES = pathlib.Path(os.environ.get("TOKENWARD_BIN", DEBUG)).resolve()


def environment(**variables):
    """Nothing of ours from outside: a developer's own agent must not answer the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENWARD_", "XDG_"))}
    return kept | {"TERM": "xterm"} | variables
