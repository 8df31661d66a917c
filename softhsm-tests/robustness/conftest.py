"""A world whose token is watched, and load on its agents."""

import subprocess

import pytest

from support.load import build_load
from support.world import World


@pytest.fixture(scope="session")
def load_program(tmp_path_factory):
    return build_load(tmp_path_factory.mktemp("load"))


@pytest.fixture
def load(load_program):
    """Starts load.c: `load("cold", socket, …)`."""
    running = []

    def start(*arguments, program=load_program, **options):
        command = [program, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def world(tmp_path):
    with World(tmp_path, spy=True) as world:
        yield world


@pytest.fixture(scope="session")
def killed_world(tmp_path_factory):
    """A world for tests that kill: its token is in a process of its own, as hardware is."""
    with World(tmp_path_factory.mktemp("kills")) as world:
        world.serve_token()
        yield world


@pytest.fixture(scope="module")
def shared_agent(shared_world):
    """An agent that the tests of a module share, with one profile."""
    return shared_world.agent(shared_world.profile(shared_world.endpoint()))
