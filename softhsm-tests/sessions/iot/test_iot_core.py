"""Sessions from IoT Core's credential provider: TLS with a key that stays on its token."""

import concurrent.futures
import json
import re
import subprocess
import sys

import pytest

from support.authority import Authority, der, key_pem, pem
from support.iot_server import IoTServer, issued
from support.iot_tokens import KEY_TYPES, label, profile
from support.processes import binary

CALLS = ("C_Login", "C_Sign")
PATH = "/v1/profiles/edge/credentials"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_a_session_costs_one_login_one_signature_and_one_handshake(
        tokens, spied, tmp_path, root, key_type, version):
    with IoTServer(tmp_path, root, versions=[version]) as server:
        agent, spy = spied(profile(server, label(key_type)))
        status, first = agent.get(PATH)
        assert status == 200, first
        assert set(first) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
        assert first["AccessKeyId"] == "ASIAIOTCORE000000001"
        assert spy.counts(*CALLS) == (1, 1)
        assert agent.get(PATH) == (200, first) and spy.counts(*CALLS) == (1, 1)
        status, second = agent.request("POST", "/v1/profiles/edge/refresh")
        assert status == 200 and second["AccessKeyId"] == "ASIAIOTCORE000000002"
        assert spy.counts(*CALLS) == (1, 2)
        assert server.handshakes == 2 and server.failures == []
        assert server.peers == [(der(tokens[1][label(key_type)]), f"TLSv{version}")] * 2


def lines(request):
    """The lines of a request that say something about it; the others name the program."""
    return [line for line in request.decode().split("\r\n") if not re.match("User-Agent:|Accept:", line)]


def test_the_request_is_that_of_curl_with_a_key_in_a_file(server, spied, root, tmp_path):
    """The command of the IoT Core developer guide."""
    peer = root.identity("device")
    (tmp_path / "key.pem").write_bytes(key_pem(peer.key))
    (tmp_path / "certificate.pem").write_bytes(pem(peer.certificate))
    answer = subprocess.run(
        ["curl", "-sS", "--cert", tmp_path / "certificate.pem", "--key", tmp_path / "key.pem", "--cacert", server.ca,
         "-H", "x-amzn-iot-thingname: edge-7", f"{server.url}/role-aliases/edge-role/credentials"],
        check=True, capture_output=True).stdout
    assert json.loads(answer)["credentials"]["accessKeyId"] == "ASIAIOTCORE000000001"
    agent, _ = spied(profile(server, "EC-prime256v1"))
    assert agent.get(PATH)[0] == 200
    by_curl, by_agent = server.requests
    assert lines(by_curl) == lines(by_agent)


BOTO3 = """
import boto3
credentials = boto3.session.Session().get_credentials().get_frozen_credentials()
print(credentials.access_key, credentials.account_id)
"""


def test_thin_client_and_boto3_take_the_session(server, spied, tmp_path):
    agent, spy = spied(profile(server, "rsa-2048"))
    answer = agent.credentials("edge")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["AccessKeyId"] == "ASIAIOTCORE000000001"
    client = f"{binary('tokenward-credential-process')} --socket {agent.socket} edge"
    (tmp_path / "aws.ini").write_text(f"[default]\ncredential_process = {client}\n")
    environment = {
        "PATH": "/usr/bin:/bin", "AWS_CONFIG_FILE": f"{tmp_path}/aws.ini", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/none"}
    told = subprocess.run([sys.executable, "-c", BOTO3], env=environment, capture_output=True, text=True, timeout=60)
    assert told.stdout == "ASIAIOTCORE000000001 None\n", told.stderr
    assert spy.counts(*CALLS) == (1, 1)


def test_many_callers_cost_one_signature(server, spied):
    agent, spy = spied(profile(server, "EC-prime256v1"))
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: agent.get(PATH), range(200)))
    assert {status for status, _ in answers} == {200}
    assert spy.counts(*CALLS) == (1, 1) and server.handshakes == 1


@pytest.mark.parametrize("fault, words", [
    ({"names": ["other.example"]}, "not for 127.0.0.1"), ({"asks": False}, "asks for no client certificate"),
    ({}, "not trusted")])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_is_not_the_one_meant_makes_no_token_act(spied, tmp_path, root, version, fault, words):
    with IoTServer(tmp_path, root, versions=[version], **fault) as server:
        bundle = server.ca if fault else str(tmp_path / "clients-ca.pem")
        agent, spy = spied(profile(server, "EC-prime256v1", ca_bundle=bundle))
        answer = agent.credentials("edge")
    assert answer.returncode == 75 and words in answer.stderr, answer.stderr
    assert spy.counts(*CALLS) == (0, 0)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_certificate_of_an_unknown_authority_is_told_as_refused(spied, tmp_path, version):
    with IoTServer(tmp_path, Authority("Another Root"), versions=[version]) as server:
        agent, spy = spied(profile(server, "EC-prime256v1"))
        answer = agent.credentials("edge")
        before = spy.count("C_Sign")
        status, problem = agent.request("POST", "/v1/profiles/edge/refresh")
        assert (status, problem["code"], spy.count("C_Sign")) == (502, "aws-denied", before + 1)
    assert answer.returncode == 77 and "refused the client certificate" in answer.stderr, answer.stderr
    assert "unknown ca" in answer.stderr


PAGE = ["Content-Type: text/html"]


@pytest.mark.parametrize("status, body, headers, exit_code, words", [
    (403, b'{"message":"Access Denied"}', None, 77, "iot:AssumeRoleWithCertificate on role alias edge-role"),
    (404, b'{"message":"Not Found"}', None, 78, "iot:CredentialProvider"),
    (429, b'{"message":"slow"}', None, 75, "throttled"), (503, b"{}", None, 75, "failed with 503"),
    (200, b"<html>log in</html>", PAGE, 75, "not JSON"), (200, b'{"credentials":{"acc', None, 75, "not valid at"),
    (200, issued(lifetime=30), None, 75, "expired or are about to"),
    (200, issued(lifetime=-9), None, 75, "expired or are about to"), (200, b" " * 300_000, None, 75, "too large"),
    (200, issued(secretAccessKey="short"), None, 75, "credentials.secretAccessKey"),
    (302, b"", ["Location: https://127.0.0.1/"], 75, "redirect")])
def test_a_bad_answer_is_one_line_and_an_exit_code(server, spied, status, body, headers, exit_code, words):
    server.status, server.body, server.headers = status, body, headers or server.headers
    agent, _ = spied(profile(server, "EC-prime256v1"))
    answer = agent.credentials("edge")
    assert (answer.returncode, answer.stdout) == (exit_code, ""), answer.stderr
    assert words in answer.stderr and answer.stderr.count("\n") == 1


def test_an_answer_that_is_cut_hands_out_nothing_and_the_next_one_does(server, spied):
    agent, spy = spied(profile(server, "EC-prime256v1"))
    server.answers_whole = False
    assert agent.credentials("edge").returncode == 75
    server.answers_whole = True
    assert agent.request("POST", "/v1/profiles/edge/refresh")[0] == 200
    assert spy.counts(*CALLS) == (1, 2)
