"""`list` and `status` print tables for people, and tabs or JSON for programs."""

import json
import re

import pytest

from support.command_line import IDENTITIES, PROD, failed, on_terminal, serve
from support.fake_agent import answer


def test_list_in_a_pipe_has_one_line_per_certificate_with_tabs(agent, tokenward):
    agent(serve)
    result = tokenward("list")
    assert (result.returncode, result.stderr) == (0, b"")
    first, second = (line.split("\t") for line in result.stdout.decode().splitlines())
    assert first[:3] == ["pkcs11:token=prod;id=%01", "CN=日本,O=Example", "4242"]
    assert int(first[3]) > 20_000 and first[4:] == ["P-256", "prod,dev"]
    assert second[1] == "CN=a?b?]0;x?" and int(second[3]) < 0 and second[4:] == ["RSA-2048, no private key", ""]


def test_list_on_a_terminal_is_a_table_without_control_characters(agent, tmp_path):
    agent(serve)
    code, shown = on_terminal("list", path=tmp_path / "agent.sock")
    header, first, second = shown.splitlines()
    assert code == 0
    assert re.split(r"  +", header) == ["URI", "SUBJECT", "SERIAL", "DAYS LEFT", "KEY", "PROFILES"]
    assert "expired" in second and "\x1b" not in shown and "\x07" not in shown
    # Two wide characters stand in the first line: what lines up on the screen is two characters apart in the text.
    assert header.index("SERIAL") == second.index("7  ") == first.index("4242") + 2


def test_json_is_what_the_agent_sent(agent, tokenward):
    body = b'[ {"uri":"pkcs11:a", "new":1.50} ]\n'
    agent(answer(body))
    assert tokenward("list", "--json").stdout == body
    assert tokenward("list", "--explain", "prod", "--json").stdout == body


def test_json_on_a_terminal_has_no_control_characters(agent, tmp_path):
    agent(answer('[{"uri":"a\u009b31mb\x7f"},\n1]'.encode()))
    code, shown = on_terminal("list", "--json", path=tmp_path / "agent.sock")
    assert (code, shown) == (0, '[{"uri":"a?31mb?"},\n1]\n')


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"<html>", b"[" * 100_000, b'["\x1b"]'])
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["status"], ["status", "--json"]])
def test_an_answer_that_is_no_json_is_never_printed(agent, tokenward, body, arguments):
    agent(answer(body))
    failed(tokenward(*arguments), 70)


def test_ten_thousand_certificates_are_listed(agent, tokenward):
    agent(answer(json.dumps(IDENTITIES[:1] * 10_000).encode()))
    assert tokenward("list").stdout.count(b"\n") == 10_000


def test_an_empty_list_is_an_empty_result_and_a_remark(agent, tokenward):
    agent(answer(b"[]"))
    result = tokenward("list")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"tokenward: no token has a certificate\n")


def test_explain_tells_the_choice_and_the_reasons(agent, tokenward):
    agent(serve)
    assert tokenward("list", "--explain", "prod").stdout.decode().splitlines() == [
        "yes\tpkcs11:id=%01\tCN=a\t1\t2099-01-01T00:00:00Z\t",
        "no\tpkcs11:id=%02\tCN=b\t2\t2021-01-01T00:00:00Z\texpired; is a CA",
    ]


def test_status_in_a_pipe_names_the_kind_of_each_line(agent, tokenward):
    agent(serve)
    assert tokenward("status").stdout.decode().splitlines() == [
        "agent\t9.9.9\t11520",
        "module\t/usr/lib/p.so\trunning\t",
        f"token\tprod\tpin-needed\tok\t{PROD}",
        "token\tit's?[31m\tready\tlow\tpkcs11:token=it's;serial=02",
        "profile\tprod\troles-anywhere\t2099-01-01T00:00:00Z\tpkcs11:id=%01\t\ttouch 2098-12-31T23:40:00Z\t\t\t",
        "profile\tdev\tassume-role\t\t\tthe service?is down\t\tspare\tprod\t3600 s",
        'refusal\tprod\t2026-01-01T00:00:00Z\taws (python3.11)\t1000\ttoken "prod" needs its PIN',
        "refusal\tprod\t2025-01-01T00:00:00Z\t?\t1001\tnot?allowed",
    ]


def test_status_on_a_terminal_is_for_people(agent, tmp_path):
    agent(serve)
    code, shown = on_terminal("status", path=tmp_path / "agent.sock")
    assert code == 0 and shown.startswith("agent 9.9.9, up 3 h 12 min\n")
    assert "PROFILE" in shown and "2099-01-01T00:00:00Z (in " in shown and "\x1b" not in shown


def test_an_agent_of_another_version_is_shown_as_well_as_can_be(agent, tokenward):
    agent(answer(b'{"tokens":[{"uri":"pkcs11:a","state":"levitating"}],"profiles":null}'))
    assert tokenward("status").stdout == b"agent\t?\t0\ntoken\t?\tlevitating\t?\tpkcs11:a\n"
