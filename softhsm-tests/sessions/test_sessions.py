"""A session costs one login and one signature, and a module that misbehaves costs one request."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support import configuration
from support.emulator import Emulator
from support.softhsm import MODULE, write_pin
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy

CALLS = ("C_Login", "C_Sign")
KEY_TYPES = ["rsa:2048", "rsa:3072", "rsa:4096", "EC:prime256v1", "EC:secp384r1", "EC:secp521r1"]
CURVES = {"EC:secp384r1": ec.SECP384R1(), "EC:secp521r1": ec.SECP521R1()}
SHA256_RSA_PKCS, RSA_PKCS, ECDSA = 0x40, 0x1, 0x1041
KEY_TYPE, CERTIFICATE_TYPE, SIGN, ALWAYS_AUTHENTICATE = 0x100, 0x80, 0x108, 0x202
VALUE, ID, LABEL, MODULUS, EC_POINT = 0x11, 0x102, 0x3, 0x120, 0x181


def label(key_type):
    return key_type.replace(":", "-")


@pytest.fixture(scope="module")
def tokens(softhsm, root):
    """A token for each key type."""
    for key_type in KEY_TYPES:
        token = softhsm.token(label(key_type))
        if key_type in CURVES:  # pkcs11-tool 0.23 cannot read their public keys back
            key = ec.generate_private_key(CURVES[key_type])
            token.import_key(key, "client", "01")
            token.write_certificate(root.issue("client", key.public_key()), "client", "01")
        else:
            token.identity(root, key_type=key_type)
    return softhsm


def profiles(service):
    return [
        configuration.profile(service, label(key_type), certificate=f"pkcs11:token={label(key_type)}")
        for key_type in KEY_TYPES
    ]


@pytest.fixture(scope="module")
def spied(tokens, service, start_once, tmp_path_factory):
    """An agent with a profile for each key type, and the spy that counts what its token is asked."""
    folder = tmp_path_factory.mktemp("spied")
    spy = Spy(folder, MODULE)
    agent = start_once(
        configuration.module(tokens, SPY_MODULE, spy.environment),
        configuration.token(write_pin(folder / "pin")), *profiles(service))
    return agent, spy


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_a_session_costs_one_login_and_one_signature_and_a_refresh_one_signature(spied, service, key_type):
    agent, spy = spied
    before, told = spy.counts(*CALLS), service.get("counters")

    first = agent.get(f"/v1/profiles/{label(key_type)}/credentials")
    assert first[0] == 200, first
    after, tells = spy.counts(*CALLS), service.get("counters")
    assert after == (before[0] + 1, before[1] + 1)
    assert tells["sessionsCreated"] == told["sessionsCreated"] + 1
    assert tells["createSessionRequests"] == told["createSessionRequests"] + 1
    # The counters are asked over connections of their own: one in between.
    assert tells["tlsHandshakes"] == told["tlsHandshakes"] + 2

    assert agent.get(f"/v1/profiles/{label(key_type)}/credentials") == first
    assert spy.counts(*CALLS) == after

    status, second = agent.request("POST", f"/v1/profiles/{label(key_type)}/refresh")
    assert status == 200
    assert second["AccessKeyId"] != first[1]["AccessKeyId"]
    assert spy.counts(*CALLS) == (after[0], after[1] + 1)
    assert service.created() == tells["sessionsCreated"] + 1


def test_a_role_with_every_character_that_iam_allows_is_assumed(start, tokens, root, pin_file, tmp_path):
    service = Emulator.trusting(root, tmp_path / "service", role="a+b=c,d.e@f-g_h")
    try:
        agent = start(
            configuration.module(tokens), configuration.token(pin_file),
            configuration.profile(service, certificate="pkcs11:token=EC-prime256v1"))
        result = agent.credentials()
        assert result.returncode == 0, result.stderr
        last = service.get("last")
        assert (last["target"], last["missingSignedHeaders"], last["postEmptyBody"]) == ("/sessions", [], False)
    finally:
        service.stop()


def shimmed(start, tokens, service, shim, pin_file, key_type="EC:prime256v1", **switches):
    environment = {"SHIM_MODULE": MODULE, **{f"SHIM_{name.upper()}": str(value) for name, value in switches.items()}}
    return start(
        configuration.module(tokens, shim, environment), configuration.token(pin_file),
        configuration.profile(service, certificate=f"pkcs11:token={label(key_type)}"))


@pytest.mark.parametrize("key_type, refused", [("rsa:2048", SHA256_RSA_PKCS), ("rsa:4096", SHA256_RSA_PKCS)])
def test_a_module_that_does_not_hash_signs_a_digest_info(start, tokens, service, shim, pin_file, key_type, refused):
    agent = shimmed(start, tokens, service, shim, pin_file, key_type, refuse=refused)
    assert agent.credentials().returncode == 0


@pytest.mark.parametrize("key_type, refused", [
    ("rsa:2048", f"{SHA256_RSA_PKCS},{RSA_PKCS}"), ("EC:prime256v1", f"{ECDSA},0x1044")])
def test_a_module_with_no_mechanism_says_which_it_needs(start, tokens, service, shim, pin_file, key_type, refused):
    result = shimmed(start, tokens, service, shim, pin_file, key_type, refuse=refused).credentials()
    assert (result.returncode, result.stdout) == (75, "")
    assert result.stderr == (
        f"tokenward: signing on token \"{label(key_type)}\": the token cannot make this signature: "
        "no mechanism for this key: the last one answered CKR_MECHANISM_INVALID; "
        "the key must allow CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_ECDSA or CKM_ECDSA_SHA256; "
        "for iot-core also CKM_RSA_PKCS_PSS, where its module lists that\n")


@pytest.mark.parametrize("switches", [
    {"width": f"{CERTIFICATE_TYPE},{ALWAYS_AUTHENTICATE}"},
    {"width": SIGN},
    {"huge": f"{LABEL},{MODULUS}"},
    {"grow": ALWAYS_AUTHENTICATE},
    {"flood": 8 << 20},
], ids=str)
def test_a_lie_that_is_not_needed_costs_nothing(start, tokens, service, shim, pin_file, switches):
    agent = shimmed(start, tokens, service, shim, pin_file, **switches)
    result = agent.credentials()
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("switches", [
    {"width": KEY_TYPE}, {"huge": VALUE}, {"grow": VALUE}, {"huge": 2 ** 64 - 1, "width": VALUE}], ids=str)
def test_a_lie_about_what_is_needed_leaves_no_identity_and_an_agent_that_lives(
    start, tokens, service, shim, pin_file, switches
):
    agent = shimmed(start, tokens, service, shim, pin_file, **switches)
    result = agent.credentials()
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (66, "", 1)
    assert agent.get("/v1/health")[0] == 200
    assert 1 <= len(agent.workers()) <= 2  # the one that lists, and the token's own where the login was tried


def test_a_search_without_end_is_given_up(start, tokens, service, shim, pin_file):
    agent = shimmed(start, tokens, service, shim, pin_file, endless=1)
    begun = time.monotonic()
    result = agent.credentials()
    assert (result.returncode, result.stdout) != (0, "")
    assert time.monotonic() - begun < 10
    states = {token["state"] for token in agent.get("/v1/tokens")[1]}
    assert states == {"failed"}


@pytest.mark.parametrize("way, words", [
    ("crash", "it was ended by signal 11"), ("exit", "it exited with status 3")])
def test_a_module_that_ends_its_worker_costs_one_request(
    start, tokens, service, shim, pin_file, tmp_path, way, words
):
    once = tmp_path / "once"
    once.touch()
    agent = shimmed(start, tokens, service, shim, pin_file, sign=way, once=once)
    failed = agent.credentials()
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (75, "", 1)
    assert words in failed.stderr
    deadline = time.monotonic() + 20
    while (again := agent.credentials()).returncode != 0 and time.monotonic() < deadline:
        assert again.returncode == 75, again.stderr
    assert again.returncode == 0


@pytest.mark.parametrize("code, name", [(0x5, "CKR_GENERAL_ERROR"), (0x30, "CKR_DEVICE_ERROR")])
def test_a_module_that_does_not_initialise_is_named(start, tokens, service, shim, pin_file, code, name):
    agent = shimmed(start, tokens, service, shim, pin_file, initialize=code)
    result = agent.credentials()
    assert (result.returncode, result.stderr.count("\n")) == (66, 1)
    assert f"{shim}" in result.stderr and f"C_Initialize answered {name}" in result.stderr
    [module] = agent.get("/v1/status")[1]["modules"]
    assert (module["module"], module["state"]) == (str(shim), "failed")


def test_a_module_that_fails_costs_only_its_own_tokens(start, tokens, service, shim, pin_file):
    agent = start(
        configuration.module(tokens, shim, {"SHIM_MODULE": MODULE, "SHIM_INITIALIZE": "5"}),
        configuration.module(tokens), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=EC-prime256v1"))
    result = agent.credentials()
    assert result.returncode == 0, result.stderr


def test_a_key_that_hides_before_login_is_compared_after_it_and_not_tried(
    start, softhsm, root, service, pin_file, tmp_path
):
    """A key of another certificate under the same CKA_ID: one login shows it, and no signature is spent on it."""
    token = softhsm.token("impostor")
    token.import_key(ec.generate_private_key(ec.SECP256R1()), "client", "01")  # with a private public key
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    token.write_certificate(root.issue("stranger", stranger), "client", "01")
    spy = Spy(tmp_path, MODULE)
    agent = start(
        configuration.module(softhsm, SPY_MODULE, spy.environment), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=impostor"))
    result = agent.credentials()
    assert (result.returncode, result.stdout) == (66, "")
    assert "the key with this CKA_ID on the token is another one: the public keys differ" in result.stderr
    assert spy.counts(*CALLS) == (1, 0)
