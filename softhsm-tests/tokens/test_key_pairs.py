"""A certificate belongs to the same private key before a login and after it."""

import concurrent.futures
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import configuration
from support.authority import NOW, DAY, der, pem
from support.softhsm import SoftHSM

CKA_MODULUS, CKA_EC_POINT = 0x120, 0x181
AMBIGUOUS = "several private keys have its CKA_ID, and nothing tells which is its own"


def generate(token, label, key_type, *options):
    """A key pair as people make one by hand; its public key."""
    token.tool("--keypairgen", "--key-type", key_type, "--label", label, *options)
    public = token.tool("--read-object", "--type", "pubkey", "--label", label)
    return serialization.load_der_public_key(public)


def write_certificate(token, certificate, label, *options):
    path = f"{token.softhsm.folder}/certificate.der"
    with open(path, "wb") as file:
        file.write(der(certificate))
    token.tool("--write-object", path, "--type", "cert", "--label", label, *options)


def both_verdicts(agent):
    """The first session, which needs a login, and one after it."""
    first = agent.credentials()
    status, second = agent.request("POST", "/v1/profiles/test/refresh")
    return first, status, second


def assert_serves(agent):
    first, status, second = both_verdicts(agent)
    assert first.returncode == 0, first.stderr
    assert status == 200, second


def assert_refuses(agent, reason):
    first, _, second = both_verdicts(agent)
    assert first.returncode == 66 and reason in first.stderr, first.stderr
    assert second["exit"] == 66 and reason in second["detail"], second


# MARK: Without a CKA_ID


@pytest.mark.parametrize("key_type", ["EC:prime256v1", "RSA:2048"])
@pytest.mark.parametrize("certificate_id", [[], ["--id", "01"]], ids=["no id", "an id"])
@pytest.mark.parametrize("where", ["on the token", "in a file"])
def test_a_key_without_a_ckaid_serves_after_the_login_as_before_it(
    tmp_path, start, root, service, pin_file, key_type, certificate_id, where
):
    softhsm = SoftHSM(tmp_path / "hsm")
    token = softhsm.token("card")
    generate(token, "other", key_type)
    certificate = root.issue("client", generate(token, "client", key_type))
    if where == "on the token":
        write_certificate(token, certificate, "client", *certificate_id)
        settings = {"certificate": "pkcs11:token=card"}
    else:
        (tmp_path / "client.pem").write_bytes(pem(certificate))
        settings = {"certificate": f"{tmp_path}/client.pem", "private_key": "pkcs11:token=card;object=client"}
    assert_serves(start(
        configuration.module(softhsm), configuration.token(pin_file), configuration.profile(service, **settings)))


# MARK: Two keys under one CKA_ID


@pytest.fixture
def renewed(mock, root):
    """A card on which a key was renewed under the old one's CKA_ID; the certificates of the old and of the new one."""

    def renewed(old="k1", new="k2", **words):
        card = mock.card("prod")
        certificates = []
        for days, label in ((10, old), (80, new)):
            key, _ = card.key(label=label, **words)
            certificates.append(root.issue(f"client-{days}", key.public_key(), not_after=NOW + days * DAY))
            card.certificate(der(certificates[-1]), label=label)
        return certificates

    return renewed


@pytest.fixture
def agent_of(start, mock, service, pin_file):
    def agent_of(**settings):
        return start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service, **settings))

    return agent_of


@pytest.mark.parametrize("place, chosen", [("k1", 0), ("k2", 1)])
def test_of_two_keys_with_one_ckaid_that_with_the_public_key_s_label_signs(renewed, agent_of, service, place, chosen):
    certificates = renewed()
    assert_serves(agent_of(certificate=f"pkcs11:token=prod;object={place}"))
    assert service.header("x-amz-x509") == [der(certificates[chosen])]


def test_of_two_keys_that_nothing_tells_apart_none_signs(renewed, agent_of, mock):
    renewed(old="client", new="client")
    assert_refuses(agent_of(certificate="pkcs11:token=prod"), AMBIGUOUS)
    assert mock.count("C_Sign") == 0


@pytest.mark.parametrize("key, reason", [
    ("k1", "the key that private-key names is another one: the public keys differ"), ("k2", None),
])
def test_private_key_names_the_key_of_a_certificate_in_a_file(renewed, agent_of, mock, tmp_path, key, reason):
    (tmp_path / "client.pem").write_bytes(pem(renewed()[1]))
    agent = agent_of(certificate=f"{tmp_path}/client.pem", private_key=f"pkcs11:token=prod;object={key}")
    assert_refuses(agent, reason) if reason else assert_serves(agent)
    assert mock.count("C_Sign") == (0 if reason else 2)


@pytest.mark.parametrize("key, exit_code", [
    ("pkcs11:object=k2", 0), ("pkcs11:object=k1", 66), ("pkcs11:token=prod;object=k2;type=private", 0),
    ("pkcs11:token=other", 66),
])
@pytest.mark.parametrize("settings", [{"certificate": "pkcs11:token=prod;object=k2"}, {"certificate_subject": "CN=client-80"}])
def test_private_key_narrows_the_keys_of_certificates_on_tokens(renewed, agent_of, settings, key, exit_code):
    renewed()
    agent = agent_of(private_key=key, **settings)
    if exit_code:
        assert_refuses(agent, "")
    else:
        assert_serves(agent)


def test_private_key_names_a_key_under_another_ckaid_than_its_certificate_s(mock, agent_of, root):
    card = mock.card("prod")
    key, _ = card.key(identifier="07", label="signing")
    card.certificate(der(root.issue("client", key.public_key())), identifier="01")
    assert_serves(agent_of(certificate="pkcs11:token=prod", private_key="pkcs11:token=prod;object=signing"))


def test_a_key_that_is_known_by_its_ckaid_alone_and_does_not_fit_is_no_fault_of_ours(mock, agent_of, root):
    card = mock.card("prod")
    card.key(public=False)
    card.certificate(der(root.issue("client", ec.generate_private_key(ec.SECP256R1()).public_key())))
    assert_refuses(agent_of(certificate="pkcs11:token=prod"), "is not the certificate's key: its signature does not fit")


# MARK: Points


def test_a_point_is_the_same_bare_and_in_its_octet_string(mock, agent_of, root):
    card = mock.card("prod")
    card.identity(root, point="bare")  # the public half shows it in the OCTET STRING
    assert_serves(agent_of(certificate="pkcs11:token=prod"))


# MARK: More than a token has


def timed(call, *arguments):
    """The result of a call, and its seconds."""
    began = time.monotonic()
    return call(*arguments), time.monotonic() - began


def test_a_crowd_of_objects_costs_neither_a_lock_nor_another_token_s_session(
    start, mock, root, service, pin_file, tmp_path
):
    softhsm = SoftHSM(tmp_path / "hsm")
    softhsm.token("honest").identity(root)
    card = mock.card("crowd", no_login=True)
    with mock.batch():
        key, private = card.key(private=False)
        certificate = card.certificate(der(root.issue("client", key.public_key())))
        public = card.objects[1]
        for words in (private, public, certificate):
            card.objects += [dict(words) for _ in range(999)]
    mock.on("C_GetAttributeValue", lie="absent", type=CKA_EC_POINT)
    agent = start(
        configuration.module(softhsm), configuration.mock(mock), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=honest"),
        configuration.profile(service, "crowd", certificate="pkcs11:token=crowd"))
    agent.get("/v1/tokens")  # the workers have started
    with concurrent.futures.ThreadPoolExecutor() as pool:
        listing = pool.submit(timed, agent.get, "/v1/identities")
        locks = []
        while not listing.done():
            locks.append(timed(agent.request, "POST", "/v1/lock", b'{"uri":"pkcs11:token=honest"}')[1])
        (status, identities), seconds = listing.result()
    assert status == 200 and sum(one["token"] == "crowd" for one in identities) == 1000
    assert all(AMBIGUOUS in one["reasons"][0] for one in identities if one["token"] == "crowd")
    assert seconds < 5 and max(locks) < 1, (seconds, locks)
    assert agent.cli("unlock", "--stored", "pkcs11:token=honest").returncode == 0
    assert timed(agent.credentials)[1] < 5


# MARK: Answers about attributes


def test_a_ckaid_of_ones_alone_is_a_ckaid(start, mock, root, service, pin_file):
    mock.card("card").identity(root, identifier="ff")
    agent = start(
        configuration.mock(mock), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=card;id=%FF"))
    assert_serves(agent)


def test_a_module_that_stops_at_an_attribute_that_a_key_lacks_hides_no_other(start, mock, root, service, pin_file):
    """The last of them says that the key wants its PIN each time."""
    mock.card("card").identity(root, always=True)
    mock.on("C_GetAttributeValue", lie="stop", type=CKA_MODULUS)
    assert_serves(start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service)))
