import subprocess

import pytest

from client_process import BINARIES, environment
from fake_agent import FakeAgent


@pytest.fixture
def agent(tmp_path):
    """Starts a fake agent: `agent(script)`, at most one per path."""
    started = []

    def start(script, path=None, user=None):
        started.append(FakeAgent(path or tmp_path / "agent.sock", script, user))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def thin(tmp_path):
    """Runs the thin client: `thin("prod")`. It finds the socket of `agent` through TOKENWARD_SOCKET."""

    def run(*arguments, env=None, **options):
        env = env if env is not None else {"TOKENWARD_SOCKET": str(tmp_path / "agent.sock")}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60} | options
        command = [BINARIES / "tokenward-credential-process", *arguments]
        return subprocess.run(command, env=environment(**env), stdin=subprocess.DEVNULL, **options)

    return run


@pytest.fixture
def tokenward(tmp_path):
    """Runs the command line: `tokenward("list")`."""

    def run(*arguments, env=None, **options):
        env = env if env is not None else {"TOKENWARD_SOCKET": str(tmp_path / "agent.sock")}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60} | options
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([BINARIES / "tokenward", *arguments], env=environment(**env), **options)

    return run
