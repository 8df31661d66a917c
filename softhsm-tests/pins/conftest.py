"""Tokens and agents for the tests of PINs: pkcs11-spy counts the calls, and the shim makes them misbehave."""

import concurrent.futures

import pytest

from support import configuration
from support.canary import PIN
from support.logind import Logind
from support.softhsm import MODULE, SoftHSM
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.terminal import FakePinentry, Terminal


@pytest.fixture(scope="module")
def hsm(token):
    """The SoftHSM of this token."""
    return token.softhsm


@pytest.fixture
def logind(tmp_path):
    mock = Logind(tmp_path)
    try:
        yield mock.start()
    finally:
        mock.stop()


@pytest.fixture
def login_session(logind):
    """A logind with the session c1."""
    logind.add_session("c1")
    return logind


@pytest.fixture
def canary(tmp_path, root):
    """A SoftHSM whose token has a PIN that is looked for."""
    softhsm = SoftHSM(tmp_path / "hsm")
    softhsm.token("canary", pin=PIN).identity(root)
    return softhsm


@pytest.fixture
def spy(tmp_path, shim):
    return Spy(tmp_path, shim)


@pytest.fixture
def spied_agent(start, service, spy):
    """Starts an agent on a SoftHSM behind the spy and the shim; `switches` are the shim's."""

    def start_agent(softhsm, pin_source, rule=None, module=None, profiles=1, tables="", environment=None, **switches):
        variables = {"SHIM_MODULE": MODULE, **{f"SHIM_{name.upper()}": str(value) for name, value in switches.items()}}
        return start(
            configuration.module(softhsm, SPY_MODULE, {**spy.environment, **variables}, **(module or {})),
            configuration.token(pin_source, **(rule or {})) if pin_source else "",
            *(configuration.profile(service, name) for name in ["test", "other"][:profiles]),
            tables, environment=environment)

    return start_agent


@pytest.fixture
def agent_with(spied_agent, softhsm, token):
    """Starts an agent on the one token, with a PIN from this source."""

    def start_agent(pin_source, tables="", environment=None, sessions=2, pin_settings=None, **switches):
        return spied_agent(
            softhsm, pin_source, pin_settings, {"sessions": sessions}, tables=tables, environment=environment, **switches)

    return start_agent


@pytest.fixture(scope="module", params=["EC:prime256v1", "rsa:2048"])
def asking_token(request, tmp_path_factory, root):
    token = SoftHSM(tmp_path_factory.mktemp("asking")).token("card")
    token.identity(root, key_type=request.param, options=["--always-auth"])
    return token


@pytest.fixture
def asking(asking_token):
    """A SoftHSM whose one key wants the PIN each time, and enforces that."""
    yield asking_token.softhsm
    asking_token.tool("--list-objects")  # the right PIN, so that the next test finds no count of wrong ones


@pytest.fixture(scope="module")
def plain(tmp_path_factory, root):
    """A SoftHSM whose one key is like any other."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("plain"))
    softhsm.token("card").identity(root)
    return softhsm


@pytest.fixture
def prompting(start, softhsm, token, service, spy):
    """Starts an agent whose one token has its PIN from people."""

    def start_agent(tables, pin_settings=None, **switches):
        variables = {"SHIM_MODULE": MODULE, **{f"SHIM_{name.upper()}": str(v) for name, v in switches.items()}}
        return start(
            configuration.module(softhsm, SPY_MODULE, {**spy.environment, **variables}),
            configuration.token("prompt", **(pin_settings or {})),
            configuration.profile(service, certificate="pkcs11:token=card"), tables)

    return start_agent


@pytest.fixture
def pinentry(tmp_path):
    return FakePinentry(tmp_path / "pinentry")


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        yield pool
