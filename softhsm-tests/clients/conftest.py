"""The clients, run beside an agent that follows a script."""

import subprocess

import pytest

from support.fake_agent import FakeAgent
from support.processes import binary, client_environment


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
        command = [binary("tokenward-credential-process"), *arguments]
        return subprocess.run(command, env=client_environment(**env), stdin=subprocess.DEVNULL, **options)

    return run


@pytest.fixture
def tokenward(tmp_path):
    """Runs the command line: `tokenward("list")`."""

    def run(*arguments, env=None, **options):
        env = env if env is not None else {"TOKENWARD_SOCKET": str(tmp_path / "agent.sock")}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60} | options
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([binary("tokenward"), *arguments], env=client_environment(**env), **options)

    return run
