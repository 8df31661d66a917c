"""Sessions from IoT Core's credential provider: TLS with a key that stays on its token."""

import concurrent.futures
import json
import re
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support import configuration
from support.authority import Authority, certificate, der, key_pem, name, pem
from support.iot_server import IoTServer, issued
from support.processes import binary
from support.softhsm import MODULE, SoftHSM, write_pin
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import wait_until

CALLS = ("C_Login", "C_Sign")
KEY_TYPES = ["EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "rsa:2048"]
IMPORTED = {"EC:secp384r1": ec.SECP384R1(), "EC:secp521r1": ec.SECP521R1()}
RSA_PKCS_PSS = "0xd,0x43,0x44,0x45"
PATH = "/v1/profiles/edge/credentials"


def label(key_type):
    return key_type.replace(":", "-")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory, root):
    """A token for each key type: SoftHSM and the certificates by label."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("tokens"))
    certificates = {}
    for key_type in KEY_TYPES:
        token = softhsm.token(label(key_type))
        if key_type in IMPORTED:  # pkcs11-tool 0.23 cannot read their public keys back
            key = ec.generate_private_key(IMPORTED[key_type])
            token.import_key(key, "device", "01")
            certificates[label(key_type)] = root.issue("device", key.public_key())
            token.write_certificate(certificates[label(key_type)], "device", "01")
        else:
            certificates[label(key_type)] = token.identity(root, key_type=key_type)
    return softhsm, certificates


@pytest.fixture
def server(tmp_path, root):
    with IoTServer(tmp_path, root) as server:
        yield server


def profile(server, token, name="edge", **settings):
    return configuration.table(f"[profile.{name}]", {
        "source": "iot-core", "certificate": f"pkcs11:token={token}", "endpoint": server.url, "role-alias": "edge-role",
        "thing-name": "edge-7", "ca-bundle": server.ca, **configuration.underlined(settings)})


@pytest.fixture
def spied(tokens, start, tmp_path, pin_file):
    """Starts an agent with a spy on its token: both."""

    def spied(*tables, module=MODULE, environment=None, softhsm=tokens[0], **token_settings):
        spy = Spy(tmp_path, module)
        agent = start(
            configuration.module(softhsm, SPY_MODULE, spy.environment | (environment or {})),
            configuration.token(pin_file, **token_settings), *tables)
        return agent, spy

    return spied


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


def test_a_certificate_of_an_unknown_authority_is_told_as_refused(spied, tmp_path):
    # In TLS 1.3 the request is on its way when the server refuses: the alert may get lost with the connection.
    with IoTServer(tmp_path, Authority("Another Root"), versions=["1.2"]) as server:
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


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_gives_up_during_a_touch_is_one_clear_error(spied, shim, tmp_path, root, version):
    finger = tmp_path / "finger"
    touching = {"SHIM_MODULE": MODULE, "SHIM_TOUCH": str(finger), "SHIM_PATIENCE": "60000"}
    with IoTServer(tmp_path, root, versions=[version], patience=1) as server:
        agent, spy = spied(
            profile(server, "EC-prime256v1"), module=shim, environment=touching, touch=True)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(agent.credentials, "edge")
            wait_until(lambda: server.failures, "the server has given up")
            assert agent.get("/v1/health")[0] == 200
            finger.touch()
            answer = asked.result()
        assert answer.returncode == 75 and "after the signature" in answer.stderr, answer.stderr
        assert spy.count("C_Sign") == 1
        assert agent.request("POST", "/v1/profiles/edge/refresh")[0] == 200
        assert spy.count("C_Sign") == 2


def test_a_key_that_wants_its_pin_each_time_gets_it_in_the_middle_of_tls(spied, server, shim):
    asking = {"SHIM_MODULE": MODULE, "SHIM_ALWAYS": "1", "SHIM_CONTEXT": "0"}
    agent, spy = spied(profile(server, "EC-prime256v1"), module=shim, environment=asking)
    status, answer = agent.get(PATH)
    assert status == 200, answer
    assert spy.logins() == (1, 1) and spy.count("C_Sign") == 1 and server.handshakes == 1


@pytest.mark.parametrize("token, version, schemes", [
    ("EC-prime256v1", "-tls1_2", "ECDSA+SHA384"), ("EC-prime256v1", "-tls1_2", "ECDSA+SHA512"),
    ("rsa-2048", "-tls1_2", "RSA+SHA512"), ("rsa-2048", "-tls1_2", "RSA-PSS+SHA384"),
    ("rsa-2048", "-tls1_3", "RSA-PSS+SHA512")])
def test_the_token_signs_with_the_hash_that_the_server_wants(spied, server, tmp_path, token, version, schemes):
    """`openssl s_server` can be told which; its page is no credentials, but it comes only after the handshake."""
    other = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", version, "-client_sigalgs", schemes, "-cert", "server.pem",
         "-key", "server.pem", "-CAfile", "clients-ca.pem", "-Verify", "1", "-verify_return_error"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = iter(other.stdout.readline, "")
        port = next(line for line in lines if line.startswith("ACCEPT 127")).rpartition(":")[2].strip()
        agent, spy = spied(profile(server, token, endpoint=f"https://127.0.0.1:{port}"))
        answer = agent.credentials("edge")
        assert "not JSON" in answer.stderr, answer.stderr
        assert spy.count("C_Sign") == 1
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_a_lock_ends_an_exchange_that_waits_for_a_touch(spied, server, shim, tmp_path):
    finger = tmp_path / "finger"
    touching = {"SHIM_MODULE": MODULE, "SHIM_TOUCH": str(finger), "SHIM_PATIENCE": "60000"}
    agent, spy = spied(profile(server, "EC-prime256v1"), module=shim, environment=touching, touch=True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.get, PATH)
        wait_until(lambda: "if the token blinks" in agent.log(), "the touch is awaited")
        assert agent.request("POST", "/v1/lock", b"{}")[0] == 204
        status, problem = asked.result()
    assert (status, problem["code"]) == (423, "locked")
    assert server.requests == []
    status, problem = agent.get(PATH)
    assert (status, problem["code"]) == (423, "locked")


def test_a_wrong_pin_is_sent_once_and_then_nothing_is_signed(spied, server, root, tmp_path):
    softhsm = SoftHSM(tmp_path / "hsm")
    softhsm.token("wrong").identity(root)
    write_pin(tmp_path / "pin", "000000\n")
    agent, spy = spied(profile(server, "wrong"), softhsm=softhsm)
    for _ in range(3):
        answer = agent.credentials("edge")
        assert answer.returncode == 80, answer.stderr
    assert spy.counts(*CALLS) == (1, 0)
    assert server.requests == []


def test_a_spare_takes_the_place_of_a_token_that_fails_to_sign(spied, server, tokens, shim, tmp_path):
    once = tmp_path / "once"
    once.touch()
    dying = {"SHIM_MODULE": MODULE, "SHIM_ONCE": str(once), "SHIM_SIGN": "crash"}
    agent, _ = spied(
        profile(server, "x", certificate=["pkcs11:token=EC-prime256v1", "pkcs11:token=rsa-2048"]), module=shim,
        environment=dying)
    status, answer = agent.get(PATH)
    assert status == 200, answer
    assert server.peers[-1][0] == der(tokens[1]["rsa-2048"])


def test_a_spare_takes_the_place_of_a_token_that_is_not_there(spied, server, tokens):
    agent, spy = spied(profile(
        server, "gone", certificate=["pkcs11:token=gone", "pkcs11:token=rsa-2048"]))
    status, answer = agent.get(PATH)
    assert status == 200, answer
    assert server.peers[-1][0] == der(tokens[1]["rsa-2048"])


def test_no_token_is_logged_in_to_while_the_service_cannot_be_reached(spied, tmp_path, root):
    with IoTServer(tmp_path, root) as server:
        gone = server
    agent, spy = spied(profile(gone, "EC-prime256v1"))
    answer = agent.credentials("edge")
    assert answer.returncode == 75 and "no connection" in answer.stderr, answer.stderr
    assert spy.counts(*CALLS) == (0, 0)


def test_a_certificate_that_its_token_hides_is_found_after_the_login(
        start, server, certificate_writer, root, tmp_path, pin_file):
    softhsm = SoftHSM(tmp_path / "hsm")
    token = softhsm.token("hidden")
    issued_to = root.issue("device", token.generate("device", "02"))
    certificate_writer(token, {("device", 2): der(issued_to)}, is_private=True)
    agent = start(configuration.module(softhsm), configuration.token(pin_file), profile(server, "hidden"))
    status, answer = agent.get(PATH)
    assert status == 200, answer
    assert server.peers[-1][0] == der(issued_to)


def test_the_agent_killed_during_a_touch_leaves_nothing_and_the_next_one_works(tokens, spied, server, shim, tmp_path):
    finger = tmp_path / "finger"
    touching = {"SHIM_MODULE": MODULE, "SHIM_TOUCH": str(finger), "SHIM_PATIENCE": "60000"}
    agent, _ = spied(profile(server, "EC-prime256v1"), module=shim, environment=touching, touch=True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.credentials, "edge")
        wait_until(lambda: "if the token blinks" in agent.log(), "the touch is awaited")
        agent.process.kill()
        agent.process.wait()
        answer = asked.result()
    assert answer.returncode == 69 and answer.stdout == "", answer
    assert server.requests == []
    finger.touch()
    agent.start()
    assert agent.get(PATH)[0] == 200


def test_a_worker_that_dies_during_the_signature_costs_one_request(spied, server, shim, tmp_path):
    once = tmp_path / "once"
    once.touch()
    dying = {"SHIM_MODULE": MODULE, "SHIM_ONCE": str(once), "SHIM_SIGN": "crash"}
    agent, _ = spied(profile(server, "EC-prime256v1"), module=shim, environment=dying)
    answer = agent.credentials("edge")
    assert answer.returncode in (0, 75), answer
    assert agent.request("POST", "/v1/profiles/edge/refresh")[0] == 200


@pytest.mark.parametrize("source", ["roles-anywhere", "iot-core"])
def test_a_certificate_of_iot_s_own_ca_is_explained_to_a_profile_of_roles_anywhere(start, softhsm, service, source, tmp_path):
    """IoT's issuer is one attribute that reads like a whole name."""
    token = softhsm.token(f"iot-{source}")
    authority = Authority("IoT")
    key = token.generate("device", "03")
    issuer = x509.Name([x509.NameAttribute(
        NameOID.ORGANIZATIONAL_UNIT_NAME, "Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US")])
    token.write_certificate(
        certificate(name("AWS IoT Certificate"), issuer, key, authority.key, authority.key.public_key()), "device", "03")
    uri = f"pkcs11:token=iot-{source}"
    tables = {
        "roles-anywhere": lambda: configuration.profile(service, "edge", certificate=uri),
        "iot-core": lambda: configuration.table("[profile.edge]", {
            "source": source, "certificate": uri, "endpoint": service.url, "role-alias": "x", "ca-bundle": service.ca})}
    agent = start(configuration.module(softhsm), configuration.token(write_pin(tmp_path / "pin")), tables[source]())
    told = agent.cli("list", "--explain", "edge").stdout
    assert ("trust anchor" in told) == (source == "roles-anywhere"), told
    if source == "roles-anywhere":
        answer = agent.credentials("edge")
        assert answer.returncode == 77 and 'source = "iot-core"' in answer.stderr, answer.stderr
