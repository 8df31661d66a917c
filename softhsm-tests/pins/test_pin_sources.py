"""A PIN comes from a file in good order or a systemd credential, and never from a URI."""

import os
import subprocess

import pytest

from support import configuration
from support.agent import Agent
from support.processes import binary
from support.softhsm import MODULE, PIN, SoftHSM, write_pin
from support.spy import MODULE as SPY_MODULE


@pytest.mark.parametrize("text", [PIN, f"{PIN}\n", f"{PIN}\r\n"], ids=repr)
def test_a_pin_file_may_end_its_line(agent_with, spy, tmp_path, text):
    agent = agent_with(write_pin(tmp_path / "pin", text))
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 1


def test_a_systemd_credential_has_the_pin(agent_with, spy, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    write_pin(folder / "card-pin", mode=0o440)
    agent = agent_with("credential:card-pin", environment={"CREDENTIALS_DIRECTORY": str(folder)})
    assert agent.credentials().returncode == 0
    assert spy.count("C_Login") == 1


def spoil(path, way):
    write_pin(path)
    if way == "missing":
        path.unlink()
    elif way == "a symbolic link":
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")
    elif way == "a folder":
        path.unlink()
        path.mkdir(mode=0o700)
    elif way == "another's":
        os.chown(path, 61001, 61001)
    elif isinstance(way, int):
        path.chmod(way)
    else:
        write_pin(path, way)


@pytest.mark.parametrize("way, reason", [
    (b"", "it is empty"),
    (b"\n", "it is empty"),
    (b"123456\n123456\n", "it has a control character in it, or more than one line"),
    (b"123456\n\n", "it has a control character in it, or more than one line"),
    (b"12\x00456", "it has a control character in it, or more than one line"),
    (b"12\t456", "it has a control character in it, or more than one line"),
    (b"1" * 256, "it is longer than 255 bytes"),
    (0o644, "its mode is 644, and other users must not read it: chmod 600"),
    (0o620, "its mode is 620, and other users must not read it: chmod 600"),
    ("missing", "No such file or directory"),
    ("a symbolic link", "Too many levels of symbolic links"),
    ("a folder", "it is not a regular file"),
    ("another's", "it belongs to user 61001"),
], ids=str)
def test_a_pin_file_that_is_not_in_order_is_not_sent(agent_with, spy, tmp_path, way, reason):
    spoil(tmp_path / "pin", way)
    agent = agent_with(f"file:{tmp_path}/pin")
    result = agent.credentials()
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr == (
        f'tokenward: the stored PIN of token "card" cannot be used: {tmp_path}/pin: {reason}; '
        "correct what pin-source names, then run 'tokenward unlock --stored'\n")
    assert spy.count("C_Login") == 0


@pytest.mark.parametrize("text", ["1", "1" * 255])
def test_a_pin_of_a_length_that_the_token_does_not_take_is_not_sent(agent_with, spy, tmp_path, text):
    agent = agent_with(write_pin(tmp_path / "pin", text))
    result = agent.credentials()
    if len(text) == 255:  # SoftHSM takes up to 255
        assert spy.count("C_Login") == 1
    else:
        assert result.stderr == (
            'tokenward: the PIN was not sent: token "card" takes 4 to 255 characters; '
            "check the PIN, then run 'tokenward unlock'\n")
        assert spy.count("C_Login") == 0
    assert result.returncode == 80


@pytest.mark.parametrize("settings, code", [({}, 80), ({"reserved_pins": True}, 0)])
def test_a_word_that_a_module_takes_for_a_command_is_sent_only_where_that_is_configured(
    start, spy, tmp_path, settings, code
):
    word = "VERIFY_NONE"
    softhsm = SoftHSM(tmp_path)
    softhsm.token("card", word)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, {**spy.environment, "SHIM_MODULE": MODULE}),
        configuration.token(write_pin(tmp_path / "pin", word), **settings))
    assert agent.cli("unlock", "--stored", "pkcs11:").returncode == code
    assert agent.cli("unlock", "--pin-stdin", "pkcs11:", input=word).returncode == code
    assert (spy.count("C_Login") > 0) is (code == 0)


@pytest.mark.parametrize("place", ["[[token]]", "[profile.test] certificate", "credentials"])
def test_a_pin_in_a_uri_is_refused_in_every_file(softhsm, service, tmp_path, place):
    uri = "pkcs11:token=card?pin-value=123456"
    parts = [configuration.module(softhsm)]
    if place == "[[token]]":
        parts += [configuration.token("prompt", uri), configuration.profile(service)]
    elif place == "credentials":
        parts += [configuration.profile(service, certificate="/client.pem", private_key=uri)]
    else:
        parts += [configuration.profile(service, certificate=uri)]
    agent = Agent(tmp_path, "\n".join(parts))
    result = subprocess.run(
        [binary("tokenward-agent"), "--check", "--config", agent.configuration_path], env=agent.environment,
        capture_output=True, text=True, timeout=20)
    assert (result.returncode, result.stdout) == (78, "")
    assert "pin-value" in result.stderr and PIN not in result.stderr


def test_a_pin_in_a_uri_is_refused_on_the_socket(agent_with, spy):
    agent = agent_with("prompt")
    uri = f"pkcs11:token=card?pin-value={PIN}"
    status, problem = agent.request("POST", "/v1/tokens/unlock", f'{{"uri":"{uri}"}}'.encode())
    assert (status, problem["code"]) == (400, "bad-request")
    assert PIN not in str(problem) and PIN not in agent.log()
    assert agent.cli("unlock", uri, "--pin-stdin", input=PIN).returncode == 64
    assert spy.count("C_Login") == 0
