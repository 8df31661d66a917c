"""Which signatures servers of IoT Core take, and which ones tokens make."""

import pytest

from support.authority import der
from support.iot_server import IoTServer, openssl_server
from support.iot_tokens import profile
from support.softhsm import MODULE

CALLS = ("C_Login", "C_Sign")
PATH = "/v1/profiles/edge/credentials"
RSA_PKCS_PSS = "0xd,0x43,0x44,0x45"


def test_a_token_without_pss_gets_tls_1_2_and_the_log_says_so(tokens, server, spied, shim):
    hiding = {"SHIM_MODULE": MODULE, "SHIM_REFUSE": RSA_PKCS_PSS}
    agent, spy = spied(profile(server, "rsa-2048"), module=shim, environment=hiding)
    status, answer = agent.get(PATH)
    assert status == 200, answer
    assert server.peers == [(der(tokens[1]["rsa-2048"]), "TLSv1.2")]
    assert "the token has no RSA-PSS signatures, so TLS 1.2 is used" in agent.log()
    assert spy.counts(*CALLS) == (1, 1)


def test_a_server_of_tls_1_3_alone_and_a_token_without_pss_are_a_clear_problem(spied, shim, tmp_path, root):
    hiding = {"SHIM_MODULE": MODULE, "SHIM_REFUSE": RSA_PKCS_PSS}
    with IoTServer(tmp_path, root, versions=["1.3"]) as server:
        agent, spy = spied(profile(server, "rsa-2048"), module=shim, environment=hiding)
        answer = agent.credentials("edge")
    assert answer.returncode == 78 and answer.stdout == ""
    assert "takes TLS 1.3 alone" in answer.stderr and "CKM_RSA_PKCS_PSS" in answer.stderr
    assert spy.counts(*CALLS) == (0, 0)


def test_a_token_that_refuses_the_pss_that_it_lists_gets_tls_1_2_from_then_on(tokens, server, spied, shim):
    boasting = {"SHIM_MODULE": MODULE, "SHIM_REFUSE": RSA_PKCS_PSS, "SHIM_BOAST": "1"}
    agent, spy = spied(
        profile(server, "rsa-2048"), profile(server, "rsa-2048", "second"), module=shim, environment=boasting)
    answer = agent.credentials("edge")
    assert answer.returncode == 75 and "cannot make this signature" in answer.stderr, answer.stderr
    assert server.requests == []
    assert agent.get("/v1/profiles/second/credentials")[0] == 200
    assert agent.request("POST", "/v1/profiles/edge/refresh")[0] == 200
    assert server.peers == [(der(tokens[1]["rsa-2048"]), "TLSv1.2")] * 2
    assert agent.log().count("the token refuses RSA-PSS signatures, which its module lists") == 1
    assert agent.log().count("so TLS 1.2 is used") == 1
    assert spy.count("C_Login") == 1


@pytest.mark.parametrize("token, version, schemes", [
    ("EC-prime256v1", "-tls1_2", "ECDSA+SHA384"), ("EC-prime256v1", "-tls1_2", "ECDSA+SHA512"),
    ("rsa-2048", "-tls1_2", "RSA+SHA512"), ("rsa-2048", "-tls1_2", "RSA-PSS+SHA384"),
    ("rsa-2048", "-tls1_3", "RSA-PSS+SHA512")])
def test_the_token_signs_with_the_hash_that_the_server_wants(spied, server, tmp_path, token, version, schemes):
    with openssl_server(tmp_path, version, "-client_sigalgs", schemes) as url:
        agent, spy = spied(profile(server, token, endpoint=url))
        answer = agent.credentials("edge")
    assert "not JSON" in answer.stderr, answer.stderr
    assert spy.count("C_Sign") == 1


@pytest.mark.parametrize("token, version, schemes", [
    ("EC-prime256v1", "-tls1_2", "RSA+SHA256"), ("EC-prime256v1", "-tls1_3", "RSA-PSS+SHA256"),
    ("EC-prime256v1", "-tls1_3", "ECDSA+SHA384"), ("rsa-2048", "-tls1_2", "ECDSA+SHA256"),
    ("rsa-2048", "-tls1_3", "ECDSA+SHA256")])
def test_a_server_that_takes_no_signature_of_the_key_costs_no_login(spied, server, tmp_path, token, version, schemes):
    with openssl_server(tmp_path, version, "-client_sigalgs", schemes) as url:
        agent, spy = spied(profile(server, token, endpoint=url))
        answer = agent.credentials("edge")
    assert (answer.returncode, answer.stdout) == (78, "")
    assert answer.stderr == (
        "tokenward: 127.0.0.1 takes no TLS signature that the key makes; "
        "use a key of another kind: P-256, P-384 or RSA 2048\n")
    assert spy.counts(*CALLS) == (0, 0)
