"""`profiles` shows what each profile has and how long it lasts."""

import json
import re

from support.command_line import PROFILES, failed, on_terminal, serve
from support.fake_agent import answer

CERTIFIED = {
    "name": "prod", "source": "roles-anywhere", "session_expiry": "2099-01-01T00:00:00Z",
    "certificate": {"uri": "pkcs11:id=%01", "serial": "1", "not_after": "2099-01-01T00:00:00Z"}}
ENDED = {
    "name": "old", "source": "iot-core", "session_expiry": "2021-01-01T00:00:00Z",
    "certificate": {"uri": "pkcs11:id=%02", "serial": "2", "not_after": "2021-01-01T00:00:00Z"}}
SPARE = {"name": "a\x1b[2J", "source": "assume-role"}


def test_a_pipe_gets_a_line_for_each_with_numbers_to_compare(agent, tokenward):
    agent(answer(json.dumps([CERTIFIED, ENDED, SPARE]).encode()))
    first, second, third = (line.split("\t") for line in tokenward("profiles").stdout.decode().splitlines())
    assert first[:3] == ["prod", "roles-anywhere", "pkcs11:id=%01"] and int(first[3]) > 20_000
    assert first[4] == "2099-01-01T00:00:00Z" and int(first[5]) // 86_400 == int(first[3])
    assert int(second[3]) < 0 and int(second[5]) < 0
    assert third == ["a?[2J", "assume-role", "", "", "", ""]


def test_a_terminal_gets_a_table_in_peoples_words(agent, tmp_path):
    agent(answer(json.dumps([CERTIFIED, ENDED, SPARE]).encode()))
    code, shown = on_terminal("profiles", path=tmp_path / "agent.sock")
    header, first, second, _ = shown.splitlines()
    assert code == 0 and "\x1b" not in shown
    assert re.split(r"  +", header) == ["PROFILE", "SOURCE", "CERTIFICATE OR KEY", "DAYS LEFT", "SESSION", "TIME LEFT"]
    assert re.search(r"2099-01-01T00:00:00Z  \d+ d \d+ h$", first) and second.count("expired") == 2


def test_json_is_the_agents_own(agent, tokenward):
    agent(serve)
    assert json.loads(tokenward("profiles", "--json").stdout) == PROFILES


def test_no_profile_is_an_empty_result_and_a_remark(agent, tokenward):
    agent(answer(b"[]"))
    result = tokenward("profiles")
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == b"tokenward: the agent's configuration has no profile\n"


def test_a_problem_keeps_its_code(agent, tokenward):
    agent(answer(b'{"detail":"not yours","exit":77}', "403 Forbidden"))
    assert "not yours" in failed(tokenward("profiles"), 77)
