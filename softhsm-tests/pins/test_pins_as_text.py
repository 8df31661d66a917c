"""A PIN with bytes that cannot belong to it is not sent, and bytes that may belong to it are named when it is refused."""

import json
import os

import pytest

from support import configuration
from support.mock_module import PIN
from support.waiting import wait_until

MARK = b"\xef\xbb\xbf"
DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}
NOT_UTF8 = [b"\xff\xfe" + PIN.encode(), b"12345\xfc", b"12345\xc3", b"\xed\xa0\x80" + PIN.encode()]


@pytest.fixture
def agent_on(start, mock, root, service, pinentry):
    def start_agent(source="prompt", **settings):
        mock.card("prod", **settings).identity(root)
        return start(
            pinentry.table, configuration.mock(mock), configuration.token(source), configuration.profile(service))

    return start_agent


def stored(tmp_path, content):
    path = tmp_path / "odd-pin"
    path.write_bytes(content)
    os.chmod(path, 0o600)
    return f"file:{path}"


def escaped(content):
    """As Assuan's data has it."""
    return "D " + "".join(f"%{byte:02X}" for byte in content)


@pytest.mark.parametrize("way", ["file", "standard input", "pinentry", "JSON"])
def test_a_byte_order_mark_before_a_pin_is_left_out(agent_on, mock, tmp_path, pinentry, way):
    agent = agent_on(stored(tmp_path, MARK + PIN.encode() + b"\r\n") if way == "file" else "prompt")
    if way == "standard input":
        assert agent.cli("unlock", "--pin-stdin", input=f"{MARK.decode()}{PIN}\n").returncode == 0
    elif way == "JSON":
        body = json.dumps({"uri": "pkcs11:", "pin": f"{MARK.decode()}{PIN}"}).encode()
        assert agent.request("POST", "/v1/tokens/unlock", body) == (204, None)
    else:
        pinentry.answer(escaped(MARK + PIN.encode()), "OK")
    assert agent.credentials(environment=DISPLAY).returncode == 0
    assert [login.pin_length for login in mock.logins()] == [len(PIN)]


@pytest.mark.parametrize("content", NOT_UTF8, ids=bytes.hex)
@pytest.mark.parametrize("way, code", [("file", 78), ("pinentry", 80)])
def test_a_pin_that_is_not_utf_8_is_not_sent(agent_on, mock, tmp_path, pinentry, way, code, content):
    agent = agent_on(stored(tmp_path, content) if way == "file" else "prompt")
    pinentry.answer(escaped(content), "OK")
    result = agent.credentials(environment=DISPLAY)
    assert (result.returncode, result.stderr.count("\n")) == (code, 1)
    assert "it is not UTF-8 text, as tokens want a PIN to be" in result.stderr
    assert mock.logins() == []


@pytest.mark.parametrize("text, words", [
    (f"{PIN} ", "a blank after it"), (f'"{PIN}"', "quotes around it"), (f" {PIN}", "a blank before it"),
    (f"{PIN}\u00a0", "a no-break space in it"), (f"\u200b{PIN}", "a zero-width character in it")])
def test_characters_that_a_pin_may_have_are_sent_and_named_when_it_is_refused(agent_on, mock, tmp_path, text, words):
    agent = agent_on(stored(tmp_path, text.encode()))
    result = agent.credentials()
    assert result.returncode == 80
    assert f"the PIN has {words}: check it" in result.stderr
    assert [login.pin_length for login in mock.logins()] == [len(text.encode())]
    wait_until(lambda: "pin-has=" in agent.log() and words in agent.log(), "the log names it")
    assert PIN not in agent.log()


def test_a_pin_that_has_a_blank_is_taken_by_the_token_that_wants_it(agent_on, mock, tmp_path):
    agent = agent_on(stored(tmp_path, f" {PIN} ".encode()), pin=f" {PIN} ")
    result = agent.credentials()
    assert (result.returncode, result.stderr) == (0, "")
    assert "pin-has" not in agent.log()
