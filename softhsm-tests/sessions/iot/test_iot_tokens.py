"""What a token, its module or a person do while IoT Core waits for the signature."""

import concurrent.futures

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from support import configuration
from support.authority import Authority, certificate, der, name
from support.iot_server import IoTServer
from support.iot_tokens import profile
from support.softhsm import MODULE, SoftHSM, write_pin
from support.waiting import wait_until

CALLS = ("C_Login", "C_Sign")
PATH = "/v1/profiles/edge/credentials"


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
