"""The fixtures that all tests with real tokens share. Costly things live as long as a module of tests.

Each folder has the tests of one subject; what they share is in `support`, as in `from support.world import World`. Each
test module has a name of its own, and no test imports another.
"""

import pathlib
import shutil
import tempfile

import pytest

from support import mock_module
from support.agent import Agent
from support.authority import Authority
from support.c_sources import compile
from support.emulator import Emulator
from support.piv.fixtures import card, card_agent, pcsc, pcsc_is_possible, readers  # noqa: F401
from support.softhsm import MODULE, SoftHSM, write_pin
from support.worker_process import Worker
from support.world import World


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The module that misbehaves on request; its source tells how."""
    return compile("shim/shim.c", tmp_path_factory.mktemp("shim") / "shim.so", "-shared", "-fPIC")


@pytest.fixture(scope="session")
def mock_library(tmp_path_factory):
    """The module that follows a script, compiled."""
    return mock_module.build(tmp_path_factory.mktemp("mock") / "mock.so")


@pytest.fixture
def mock(tmp_path, mock_library):
    """The module that follows a script, without a card yet."""
    return mock_module.MockModule(tmp_path / "mock", mock_library)


@pytest.fixture
def other(tmp_path, mock_library):
    """Another module that follows a script, with a token that no profile names."""
    library = shutil.copy(mock_library, tmp_path / "other.so")  # one file is one module
    module = mock_module.MockModule(tmp_path / "other", str(library))
    module.card("spare")
    return module


@pytest.fixture
def worker(mock):
    """A worker without an agent, on the module that follows a script."""
    worker = Worker(mock)
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def certificate_writer(tmp_path_factory):
    """Writes any bytes as certificates: values by label and CKA_ID."""
    folder = tmp_path_factory.mktemp("writer")
    program = compile("shim/write_certificate.c", folder / "write-certificate")

    def write(token, values, is_private=False):
        arguments = []
        for (label, number), value in values.items():
            path = folder / f"value-{number}"
            path.write_bytes(value)
            arguments += [label, str(number), path]
        token.softhsm.run("env", *(["PRIVATE="] if is_private else []), program, MODULE, token.label, token.pin, *arguments)

    return write


@pytest.fixture(scope="module")
def root():
    return Authority("Example Root")


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory):
    return SoftHSM(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="module")
def token(softhsm, root):
    """A token with one identity."""
    token = softhsm.token("card")
    token.identity(root)
    return token


@pytest.fixture(scope="module")
def service(tmp_path_factory, root):
    running = Emulator.trusting(root, tmp_path_factory.mktemp("service"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    """A world that the tests of a module share."""
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def start(tmp_path):
    """Starts agents that end with the test, whatever becomes of it."""
    agents = []

    def start(*parts, configuration_file=True, **options):
        agents.append(Agent(tmp_path, "\n".join(parts) if configuration_file else None, **options))
        return agents[-1].start()

    yield start
    end(agents)


@pytest.fixture(scope="module")
def start_once(tmp_path_factory):
    """Starts agents that end with the module of tests."""
    agents = []

    def start(*parts, **options):
        agents.append(Agent(tmp_path_factory.mktemp("agent"), "\n".join(parts), **options))
        return agents[-1].start()

    yield start
    end(agents)


def end(agents):
    for agent in agents:
        if agent.process and agent.process.poll() is None:
            try:
                agent.stop()
            finally:
                agent.process.kill()
                agent.process.wait(10)


@pytest.fixture
def open_folder():
    """A folder that other users can enter, which pytest's are not. Its programs are copies for the same reason."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tokenward-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def pin_file(tmp_path):
    return write_pin(tmp_path / "pin")
