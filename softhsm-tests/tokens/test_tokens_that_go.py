"""A token that goes is missed while a session from it is held, and no session outlives a sleep."""

import os
import re
import shutil
import struct

import pytest

from support import configuration, mock_module
from support.answers import refresh, told
from support.c_sources import compile
from support.softhsm import MODULE, PIN, SoftHSM
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import wait_until


@pytest.fixture
def own_softhsm(tmp_path):
    return SoftHSM(tmp_path / "own-softhsm")


def remove_token(softhsm):
    """As a device that is unplugged: SoftHSM's token is a folder."""
    [folder] = [entry.path for entry in os.scandir(f"{softhsm.folder}/tokens") if entry.is_dir()]
    shutil.rmtree(folder)


def test_a_token_that_goes_is_missed_while_a_session_from_it_is_held(start, own_softhsm, root, pin_file, service):
    own_softhsm.token("card").identity(root)
    agent = start(
        configuration.module(own_softhsm), configuration.token(pin_file), configuration.profile(service),
        arguments=["--log-level", "debug"])
    assert agent.credentials().returncode == 0
    lists = told(agent, "call=list")
    wait_until(lambda: told(agent, "call=presence") >= 2, "somebody looks", seconds=10)
    assert told(agent, "call=list") == lists, "a look reads no objects"
    remove_token(own_softhsm)
    wait_until(lambda: told(agent, "tokens have changed .* tokens=0"), "the token is missed", seconds=10)


def test_a_session_from_before_a_sleep_is_not_used(start, softhsm, root, pin_file, service, tmp_path):
    softhsm.token("sleeper").identity(root)
    library = compile("shim/sleep.c", tmp_path / "sleep.so", "-shared", "-fPIC")
    slept = tmp_path / "slept"
    slept.write_bytes(struct.pack("=q", 0))
    spy = Spy(tmp_path, MODULE)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, spy.environment), configuration.token(pin_file),
        configuration.profile(service),
        environment={"LD_PRELOAD": str(library), "SLEPT_SECONDS_FILE": str(slept)})
    assert agent.credentials().returncode == 0
    opened, logins, signatures = spy.counts("C_OpenSession", "C_Login", "C_Sign")
    with open(slept, "r+b") as file:
        file.write(struct.pack("=q", 60))
    assert refresh(agent, "test")[0] == 200
    assert told(agent, "the machine has slept") == 1
    # The thread that logs in and the one that signs; the login itself has outlived the sleep.
    assert spy.count("C_OpenSession") - opened == 2
    assert (spy.count("C_Login"), spy.count("C_Sign")) == (logins, signatures + 1)
    with open(spy.path, errors="replace") as file:
        calls = re.findall(r"^\d+: (C_\w+)$", file.read(), re.M)
    since = calls[len(calls) - 1 - calls[::-1].index("C_Sign"):]
    assert "C_OpenSession" not in since, "they were opened before the signature"


def test_a_token_goes_with_its_module_when_a_reload_leaves_that_out(start, mock, root, service, tmp_path, mock_library):
    mock.card("prod").identity(root)
    other = mock_module.MockModule(tmp_path / "other", str(shutil.copy(mock_library, tmp_path / "other.so")))
    rest = [configuration.mock(other), configuration.profile(service)]
    agent = start(configuration.mock(mock), *rest)
    assert agent.cli("unlock", "--pin-stdin", input=mock_module.PIN).returncode == 0
    assert agent.credentials().returncode == 0
    agent.configure("\n".join(rest))
    assert agent.cli("reload").returncode == 0
    wait_until(lambda: "token removed" in agent.log(), "the token is told to have gone")
    assert agent.credentials().returncode == 66
    agent.configure("\n".join([configuration.mock(mock), *rest]))
    assert agent.cli("reload").returncode == 0
    assert agent.credentials().returncode == 80  # its PIN was forgotten


def test_a_token_made_by_another_process_is_seen_after_a_reload(start, own_softhsm, root, pin_file, service):
    """SoftHSM looks for tokens once, when it is loaded. The login of the one that was there stays."""
    own_softhsm.token("first").identity(root)
    agent = start(
        configuration.module(own_softhsm), configuration.profile(service, certificate="pkcs11:token=first"))
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    own_softhsm.token("second")
    assert agent.cli("reload").returncode == 0
    states = {token["label"]: token["state"] for token in agent.get("/v1/tokens")[1]}
    assert states == {"first": "ready", "second": "pin-needed"}
    assert agent.credentials().returncode == 0


def test_a_module_that_hangs_does_not_hide_that_another_ones_token_is_gone(
    start, mock, root, service, pin_file, tmp_path, mock_library
):
    other = mock_module.MockModule(tmp_path / "other", str(shutil.copy(mock_library, tmp_path / "other.so")))
    for module, label in ((other, "a"), (mock, "b")):
        module.card(label).identity(root)
    profiles = [configuration.profile(service, label, certificate=f"pkcs11:token={label}") for label in "ab"]
    agent = start(configuration.mock(other), configuration.mock(mock), configuration.token(pin_file), *profiles)
    for label in "ab":
        assert agent.credentials(label).returncode == 0
    other.on("C_GetSlotList", "hang")
    wait_until(other.waiting, "the other module hangs")
    mock.cards[0].remove()
    wait_until(lambda: "token removed" in agent.log(), "the token is missed", seconds=8)
