"""The mock module does what its script says, for the agent and for another program."""

import subprocess

from support import configuration
from support.mock_module import USER
from support.waiting import wait_until


def tool(mock, *arguments):
    return subprocess.run(
        ["pkcs11-tool", "--module", mock.path, *arguments], env={"PATH": "/usr/bin:/bin", **mock.environment},
        capture_output=True, text=True, timeout=20)


def test_opensc_reads_it(mock, root, tmp_path):
    card = mock.card("prod")
    key, _ = card.key()
    listed = tool(mock, "--list-token-slots", "--list-objects")
    assert listed.returncode == 0 and "token label        : prod" in listed.stdout, listed
    assert "Public Key Object; EC" in listed.stdout and "Private Key" not in listed.stdout
    assert "Private Key Object; EC" in tool(mock, "--login", "--pin", card.settings.get("pin", "123456"), "-O").stdout
    for tries in (1, 2, 3):
        assert tool(mock, "--login", "--pin", "999999", "-O").returncode != 0
        assert card.wrong_tries == tries
    assert "locked" in tool(mock, "--list-token-slots").stdout
    assert [login.answer for login in mock.logins()] == [0, 0xA0, 0xA0, 0xA4]


def test_a_session_comes_from_it(start, mock, root, service, pin_file):
    mock.card("prod").identity(root)
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service))
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
    assert mock.counts("C_Login", "C_Sign") == (1, 1)
    [login] = mock.logins(USER)
    assert (login.answer, login.pin_length) == (0, 6)


def test_a_call_that_waits_goes_on_when_its_rule_is_cleared(mock, root):
    mock.card("prod")
    rule = mock.on("C_GetSlotList", "hang")
    process = subprocess.Popen(
        ["pkcs11-tool", "--module", mock.path, "--list-slots"], env={"PATH": "/usr/bin:/bin", **mock.environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(mock.waiting, "the call waits")
        assert process.poll() is None
        mock.clear(rule)
        assert "prod" in process.communicate(timeout=10)[0]
    finally:
        process.kill()
        process.communicate()
