"""A SoftHSM of the test's own, an agent for it, and the module that does what other providers do to changes."""

import pytest

from support import configuration
from support.c_sources import compile
from support.key_files import PASSWORD, KeyFiles
from support.softhsm import MODULE, SoftHSM, write_pin


@pytest.fixture
def private(tmp_path):
    return SoftHSM(tmp_path / "hsm")


@pytest.fixture
def card(private):
    """An empty token."""
    return private.token("card")


@pytest.fixture(scope="session")
def traps(tmp_path_factory):
    """The module; its source tells how it is set."""
    return compile("traps/traps.c", tmp_path_factory.mktemp("traps") / "traps.so", "-shared", "-fPIC")


@pytest.fixture
def keeping_agent(start, private, tmp_path):
    """Starts an agent with the token's PIN in a file, unless `pin` is another source."""

    def start_agent(*tables, pin=None, module=MODULE, environment=None, **rule):
        source = pin or write_pin(tmp_path / "pin")
        return start(configuration.module(private, module, environment), configuration.token(source, **rule), *tables)

    return start_agent


@pytest.fixture
def trapped_agent(keeping_agent, traps):
    """The same behind the module of traps, with these switches."""

    def start_agent(*tables, pin=None, **switches):
        variables = {f"TRAPS_{name.upper()}": str(value) for name, value in switches.items()}
        return keeping_agent(*tables, pin=pin, module=traps, environment={"TRAPS_MODULE": MODULE, **variables})

    return start_agent


@pytest.fixture
def key_files(tmp_path, root):
    folder = tmp_path / "files"
    folder.mkdir()
    return KeyFiles(folder, root)


@pytest.fixture
def bring():
    """Runs `tokenward import` of a file to the token of an agent; the file's password goes to standard input."""

    def bring(agent, path, *options, password=PASSWORD, label="client", number="01"):
        stdin = [] if password is None else ["--password-stdin"]
        return agent.cli(
            "import", str(path), "--token", "pkcs11:token=card", "--label", label, "--id", number, *stdin, *options,
            input=f"{password or ''}\n")

    return bring
