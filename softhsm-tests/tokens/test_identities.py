"""What is found on tokens, which certificate is chosen, and what travels with it."""

import os
import pathlib
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from support import configuration
from support.authority import DAY, NOW, Authority, certificate, der, name, pem
from support.mounts import private_mounts
from support.softhsm import PIN, SoftHSM, write_pin

YUBIKEY_FIRMWARE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.3"), bytes([5, 4, 3]))


def p256():
    return ec.generate_private_key(ec.SECP256R1())


def add(token, number, value, key=None, label=None):
    """A certificate, and the private key where one is given, under CKA_ID `number`."""
    label = label or f"object-{number:02x}"
    if key:
        token.import_key(key, label, f"{number:02x}")
    token.write(value if isinstance(value, bytes) else der(value), label, f"{number:02x}")
    return label


# MARK: Everything is listed


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, root, certificate_writer):
    """Ten tokens; one of them with 200 objects: 10 key pairs and 180 certificates."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("crowd"))
    tokens = [softhsm.token(f"token-{number}") for number in range(10)]
    keys = [p256() for _ in range(10)]
    for number, token in enumerate(tokens[1:], 1):
        add(token, 1, root.issue(f"only-{number}", keys[0].public_key()), keys[0])
    for number, key in enumerate(keys):
        tokens[0].import_key(key, f"key-{number}", f"{number:02x}")
    certificate_writer(tokens[0], {
        (f"object-{number}", number): der(root.issue(f"crowd-{number}", keys[number if number < 10 else 0].public_key()))
        for number in range(180)})
    return softhsm


def test_ten_tokens_and_200_objects_are_listed_completely_and_fast(start, crowd, tmp_path):
    agent = start(configuration.module(crowd), configuration.token(write_pin(tmp_path / "pin")))
    assert agent.request("POST", "/v1/tokens/unlock", b'{"uri":"pkcs11:"}')[0] == 204
    begun = time.monotonic()
    status, identities = agent.get("/v1/identities")
    assert time.monotonic() - begun < 3
    assert status == 200
    names = {f"CN=only-{number}" for number in range(1, 10)} | {f"CN=crowd-{number}" for number in range(180)}
    usable = {f"CN=only-{number}" for number in range(1, 10)} | {f"CN=crowd-{number}" for number in range(10)}
    subjects = [one["subject"].partition(",")[0] for one in identities]
    assert len(subjects) == len(names) and set(subjects) == names
    assert {one["subject"].partition(",")[0] for one in identities if one["has_key"] and one["usable"]} == usable
    assert len({one["uri"] for one in identities}) == len(names)
    assert {token["label"] for token in agent.get("/v1/tokens")[1]} == {f"token-{number}" for number in range(10)}


# MARK: Reasons


@pytest.fixture(scope="module")
def weak_folder(tmp_path_factory):
    """An RSA authority for openssl, because ECDSA with MD5 has no name in X.509."""
    folder = tmp_path_factory.mktemp("weak")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=weak",
            folder=folder)
    return folder


def signed_with(digest, key, folder):
    """A certificate over a digest that pyca does not sign with any more: by openssl."""
    (folder / "leaf.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "leaf.cnf").write_text(
        "[req]\ndistinguished_name=n\nprompt=no\n[n]\nCN=weak\n[v3]\nkeyUsage=critical,digitalSignature\n")
    openssl("req", "-new", "-key", "leaf.key", "-config", "leaf.cnf", "-out", "leaf.csr", folder=folder)
    openssl(
        "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", f"-{digest}", "-days", "30",
        "-extfile", "leaf.cnf", "-extensions", "v3", "-outform", "DER", "-out", "leaf.der", folder=folder)
    return (folder / "leaf.der").read_bytes()


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=20)


def without_key_usage(root, key):
    return (
        x509.CertificateBuilder().subject_name(name("bare")).issuer_name(root.name).public_key(key.public_key())
        .serial_number(77).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY).sign(root.key, hashes.SHA256()))


@pytest.fixture(scope="module")
def spoilt(softhsm, root, weak_folder, certificate_writer):
    """A token with one good identity among many that are spoilt; what is expected of each, by label."""
    token = softhsm.token("spoilt")
    expected = {}

    def spoil(reasons, value=None, key=None, on_token=True, **options):
        key = key or p256()
        value = value or root.issue(options.pop("common_name", f"spoilt-{len(expected)}"), key.public_key(), **options)
        expected[add(token, len(expected) + 1, value, key if on_token else None)] = reasons

    day = (NOW - 5 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    spoil([f"expired on {day}"], not_before=NOW - 9 * DAY, not_after=NOW - 5 * DAY)
    day = (NOW + 5 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    spoil([f"not valid before {day}"], not_before=NOW + 5 * DAY)
    spoil(["a CA's certificate (basicConstraints), which the service does not take"], is_ca=True)
    spoil(["its key usage lacks digitalSignature"], digital_signature=False)
    key = p256()
    spoil(["no key usage extension; the service wants digitalSignature"], without_key_usage(root, key), key)
    for digest in ("sha1", "md5"):
        key = p256()
        spoil([f"signed with {digest.upper()}; the service wants SHA-256 or stronger"],
              signed_with(digest, key, weak_folder), key)
    spoil(["its subject is empty, which the service does not take"], subject=x509.Name([]))
    spoil(["no private key with its CKA_ID on the token"], on_token=False)
    spoil(["an attestation of a YubiKey, made for proofs and not for signing in"],
          extensions=[(YUBIKEY_FIRMWARE, False)])
    unsupported = "the service takes RSA 2048 to 4096, EC P-256, P-384 and P-521"
    spoil([f"its key is RSA 1024; {unsupported}"], key=rsa.generate_private_key(65537, 1024))
    spoil([f"its key is EC 1.3.132.0.33; {unsupported}"], key=ec.generate_private_key(ec.SECP224R1()))
    edwards = ed25519.Ed25519PrivateKey.generate()
    spoil([f"its key is ED25519; {unsupported}", "no private key with its CKA_ID on the token"], key=edwards,
          on_token=False)
    other = p256()
    label = add(token, 0x60, root.issue("other", other.public_key()), p256())
    expected[label] = ["the key with this CKA_ID on the token is another one: the public keys differ"]
    key = rsa.generate_private_key(65537, 2048)  # shows its public half
    token.import_key(key, "moved", "61")
    label = add(token, 0x62, root.issue("moved", key.public_key()))
    expected[label] = ["its private key is on the token under another CKA_ID; give both the same"]
    whole = der(root.issue("truncated", p256().public_key()))
    ends = f"the certificate ends after {len(whole) - 10} of {len(whole)} bytes"
    unreadable = {
        ("garbage", 0x70): (b"\x30\x03garbage", ["4 bytes that are not zero follow the certificate"]),
        ("truncated", 0x71): (whole[:-10], [ends]),
        # Cards pad with zeros, which are cut off.
        ("padded", 0x72): (whole + b"\0\0", ["no private key with its CKA_ID on the token"]),
        ("compressed", 0x73): (b"\x1f\x8b" + whole, [
            "the certificate is compressed with gzip, and the PKCS#11 module did not unpack it"]),
    }
    certificate_writer(token, {name: value for name, (value, _) in unreadable.items()})
    expected |= {label: reasons for (label, _), (_, reasons) in unreadable.items()}
    key = p256()
    expected[add(token, 0x80, root.issue("good", key.public_key()), key, "good")] = ["chosen"]
    return expected


@pytest.fixture(scope="module")
def judge(spoilt, softhsm, service, start_once, tmp_path_factory):
    """An agent that is logged in to the token with the spoilt certificates."""
    source = write_pin(tmp_path_factory.mktemp("pin") / "pin")
    uri = "pkcs11:token=spoilt"
    agent = start_once(
        configuration.module(softhsm), configuration.token(source),
        configuration.profile(service, certificate=uri),
        configuration.profile(service, "selected", certificate=f"{uri};object=good"),
        configuration.profile(service, "subject", certificate=uri, certificate_subject="CN=somebody"),
        configuration.profile(service, "issuer", certificate=uri, certificate_issuer="CN=Other Root"),
        configuration.profile(service, "serial", certificate=uri, certificate_serial="12345"),
        configuration.profile(service, "right", certificate=uri,
                              certificate_subject="CN=good,O=Tokenward Tests",
                              certificate_issuer="CN=Example Root,O=Tokenward Tests"))
    assert agent.credentials().returncode == 0
    return agent


def by_label(candidates):
    return {part.removeprefix("object="): one for one in candidates for part in one["uri"].split(";")
            if part.startswith("object=")}


def test_every_dropped_certificate_has_its_reasons(judge, spoilt):
    explained = by_label(judge.json("list", "--explain", "test"))
    assert set(explained) == set(spoilt)
    for label, reasons in spoilt.items():
        assert explained[label]["reasons"] == reasons, label
        assert explained[label]["chosen"] == (label == "good")
    assert judge.get("/v1/profiles/test/explain") == (200, judge.json("list", "--explain", "test"))


def test_the_list_has_the_same_reasons_and_names_the_profiles(judge, spoilt):
    identities = by_label(judge.json("list"))
    for label, reasons in spoilt.items():
        one = identities[label]
        assert one["usable"] == (label == "good"), label
        assert one["reasons"] == ([] if label == "good" else reasons), label
    assert identities["good"]["profiles"] == ["right", "selected", "test"]
    assert identities["good"]["key_type"] == "EC P-256"


@pytest.mark.parametrize("profile, reason", [
    ("selected", "the profile's certificate URI does not match it"),
    ("subject", "the profile's certificate-subject does not match it"),
    ("issuer", "the profile's certificate-issuer does not match it"),
    ("serial", "the profile's certificate-serial does not match it"),
])
def test_what_the_profile_does_not_mean_says_which_key_left_it_out(judge, profile, reason):
    explained = by_label(judge.json("list", "--explain", profile))
    label = "object-01" if profile == "selected" else "good"
    assert reason in explained[label]["reasons"]
    result = judge.credentials(profile)
    if profile == "selected":
        assert result.returncode == 0
    else:
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (66, "", 1)
        assert result.stderr.endswith("; 'tokenward list --explain PROFILE' tells why each certificate was dropped\n")


def test_selectors_that_fit_choose(judge):
    assert judge.credentials("right").returncode == 0


def test_the_table_of_a_pipe_has_a_line_a_certificate(judge, spoilt):
    result = judge.cli("list")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == len(spoilt) and all(line.startswith("pkcs11:") for line in lines)
    [good] = [line.split("\t") for line in lines if "object=good" in line]
    assert good[1] == "CN=good,O=Tokenward Tests" and good[4] == "EC P-256" and good[5] == "right,selected,test"


# MARK: The best of several


@pytest.fixture
def private(tmp_path):
    return SoftHSM(tmp_path / "hsm")


@pytest.fixture
def agent_of(start, private, service, tmp_path):
    """An agent for the test's own SoftHSM."""

    def agent_of(**settings):
        source = write_pin(tmp_path / "pin")
        return start(
            configuration.module(private), configuration.token(source), configuration.profile(service, **settings))

    return agent_of


def test_the_latest_to_expire_is_chosen(private, agent_of, root, service):
    token = private.token("card")
    for number, days in enumerate((20, 80, 40), 1):
        key = p256()
        add(token, number, root.issue(f"days-{days}", key.public_key(), not_after=NOW + days * DAY), key)
    agent = agent_of()
    assert agent.credentials().returncode == 0
    explained = by_label(agent.json("list", "--explain", "test"))
    assert explained["object-02"]["reasons"] == ["chosen"]
    assert explained["object-01"]["reasons"] == explained["object-03"]["reasons"] == ["expires earlier than the chosen one"]
    [leaf] = service.header("x-amz-x509")
    assert x509.load_der_x509_certificate(leaf).subject == name("days-80")


def test_a_tie_with_different_keys_lists_both_uris(private, agent_of, root):
    for label in ("one", "two"):
        key = p256()
        add(private.token(label), 1, root.issue(label, key.public_key()), key, "client")
    agent = agent_of()
    result = agent.credentials()
    assert result.returncode == 66
    uris = [one["uri"] for one in agent.json("list")]
    assert len(uris) == 2 and all(uri in result.stderr for uri in uris)
    assert result.stderr.startswith("tokenward: several certificates expire last and have different keys: ")
    assert result.stderr.endswith("; name one of them as 'certificate' in the profile\n")


def test_the_same_certificate_on_two_tokens_is_no_tie(private, agent_of, root):
    key = p256()
    leaf = root.issue("twice", key.public_key())
    for label in ("one", "two"):
        add(private.token(label), 1, leaf, key, "client")
    agent = agent_of()
    assert agent.credentials().returncode == 0
    reasons = sorted(one["reasons"][0] for one in agent.json("list", "--explain", "test"))
    assert reasons == ["a spare, used where the chosen one fails", "chosen"]


@pytest.mark.parametrize("slot, exit_code", [
    ("slot-description=Mock%20reader", 0), ("slot-manufacturer=Tokenward;slot-id=0", 0),
    ("slot-description=Other%20reader", 66), ("slot-description=Mock%20reader;slot-manufacturer=Other", 66),
    ("slot-id=1", 66),
])
def test_a_slot_s_attributes_choose_as_a_token_s_do(start, mock, root, service, pin_file, slot, exit_code):
    mock.card("prod").identity(root)
    uri = f"pkcs11:{slot}"
    agent = start(
        configuration.mock(mock), configuration.token(pin_file, uri=uri),
        configuration.profile(service, certificate=uri))
    assert agent.credentials().returncode == exit_code
    assert agent.cli("lock", uri).returncode == exit_code
    assert mock.count("C_Login") == (1 if exit_code == 0 else 0)


def test_a_certificate_with_an_odd_serial_number_drops_out_alone(private, agent_of, root, service, certificate_writer):
    token = private.token("card")
    expected = {}
    for number, (serial, reason) in enumerate([
        (-5, "its serial number is negative (RFC 5280 forbids that); have it issued anew"),
        (10 ** 64, "its serial number has 65 decimal digits, more than the 64 that fit in a request"),
    ], 1):
        key = p256()
        value = with_serial(root.issue(f"odd-{number}", key.public_key(), not_after=NOW + 300 * DAY), serial, root.key)
        expected[add(token, number, value, key)] = [reason]
    key = p256()
    add(token, 3, root.issue("good", key.public_key(), not_after=NOW + 30 * DAY), key, "good")
    agent = agent_of()
    assert agent.credentials().returncode == 0
    explained = by_label(agent.json("list", "--explain", "test"))
    assert {label: one["reasons"] for label, one in explained.items()} == {**expected, "good": ["chosen"]}


def with_serial(certificate, serial, key):
    """The certificate with a serial number that pyca writes into none, signed anew; ECDSA with SHA-256."""
    tbs = certificate.tbs_certificate_bytes
    old = der_integer(certificate.serial_number)
    assert tbs.count(old) == 1
    content = tbs[der_header(tbs):].replace(old, der_integer(serial))
    tbs = der_sequence(content)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256 (RFC 5758 §3.2)
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return der_sequence(tbs + algorithm + bytes([3, len(signature) + 1, 0]) + signature)


def der_integer(value):
    content = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
    return bytes([2, len(content)]) + content


def der_header(value):
    return 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)


def der_sequence(content):
    return b"\x30\x82" + len(content).to_bytes(2) + content


def test_a_serial_number_with_two_readings_is_an_error_that_names_both(private, agent_of, root):
    token = private.token("card")
    for number, serial in enumerate((1018, 0x1018), 1):
        key = p256()
        add(token, number, root.issue("client", key.public_key(), serial=serial), key, f"s{serial}")
    agent = agent_of(certificate="pkcs11:token=card", certificate_serial="1018")
    result = agent.credentials()
    assert result.returncode == 66
    uris = [one["uri"] for one in agent.json("list")]
    assert len(uris) == 2 and all(uri in result.stderr for uri in uris)
    assert "write 0x before hexadecimal digits" in result.stderr


@pytest.mark.parametrize("written", [
    "1018", "3FA", "0x3fa", "serial=03FA", "03:fa",  # what list, openssl and browsers show
])
def test_a_serial_number_is_taken_as_others_print_it(private, agent_of, root, service, written):
    token = private.token("card")
    for number, serial in enumerate((1018, 5000), 1):
        key = p256()
        add(token, number, root.issue("client", key.public_key(), serial=serial, not_after=NOW + serial * DAY), key)
    assert agent_of(certificate="pkcs11:token=card", certificate_serial=written).credentials().returncode == 0
    [leaf] = service.header("x-amz-x509")
    assert x509.load_der_x509_certificate(leaf).serial_number == 1018


@pytest.mark.parametrize("settings", [
    {"certificate": "pkcs11:token=card;id=01"},
    {"certificate": "FILE", "private_key": "pkcs11:token=card;id=01"},
])
def test_a_ckaid_without_its_percent_sign_gets_a_hint(private, agent_of, root, tmp_path, settings):
    token, key = private.token("card"), p256()
    leaf = root.issue("client", key.public_key())
    add(token, 1, leaf, key)
    (tmp_path / "client.pem").write_bytes(pem(leaf))
    agent = agent_of(**{name: value.replace("FILE", f"{tmp_path}/client.pem") for name, value in settings.items()})
    agent.cli("unlock", "pkcs11:token=card", "--stored")
    result = agent.credentials()
    assert result.returncode == 66
    assert "escape each byte of it: write pkcs11:token=card;id=%01" in result.stderr, result.stderr


# MARK: The certificate in a file, and the chain


def test_a_file_that_begins_with_the_ca_says_so(private, agent_of, root, tmp_path):
    key = p256()
    private.token("card").import_key(key, "client", "01")
    (tmp_path / "client.pem").write_bytes(pem(root.certificate, root.issue("client", key.public_key())))
    result = agent_of(certificate=f"{tmp_path}/client.pem", private_key="pkcs11:token=card").credentials()
    assert result.returncode == 78
    assert result.stderr == (
        f"tokenward: {tmp_path}/client.pem begins with a CA's certificate; "
        "put the leaf first, then the CAs between it and the root\n")


def test_an_openssl_without_algorithms_is_no_certificate_s_fault(mock, start, root, tmp_path):
    """A machine that is set to FIPS, without the provider for it."""
    mock.card("card").identity(root)
    (tmp_path / "openssl.cnf").write_text("openssl_conf = a\n[a]\nalg_section = b\n[b]\ndefault_properties = fips=yes\n")
    agent = start(
        configuration.mock(mock),
        prefix=private_mounts('mount --bind "$0" /etc/ssl/openssl.cnf && exec "$@"', str(tmp_path / "openssl.cnf")))
    [one] = agent.json("list")
    assert one["reasons"] == [
        "OpenSSL does not offer SHA-256 to this process, so no certificate can be read: see what providers and "
        "properties its openssl.cnf asks for"]


def test_a_certificate_from_a_file_finds_its_key_on_the_token(private, agent_of, service, tmp_path, root):
    intermediate = Authority("Intermediate", issuer=root)
    key = p256()
    private.token("card").import_key(key, "client", "01")
    leaf = intermediate.issue("from a file", key.public_key())
    (tmp_path / "client.pem").write_bytes(pem(leaf, intermediate.certificate))
    agent = agent_of(certificate=f"{tmp_path}/client.pem", private_key="pkcs11:token=card")
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
    assert service.header("x-amz-x509") == [der(leaf)]
    assert service.header("x-amz-x509-chain") == [der(intermediate.certificate)]


def test_a_certificate_from_a_file_without_its_key_says_so(private, agent_of, tmp_path, root):
    private.token("card").import_key(p256(), "client", "01")
    (tmp_path / "client.pem").write_bytes(pem(root.issue("stranger", p256().public_key())))
    result = agent_of(certificate=f"{tmp_path}/client.pem", private_key="pkcs11:token=card").credentials()
    assert (result.returncode, result.stdout) == (66, ""), result.stderr
    assert "no token that private-key names has a key with its public key" in result.stderr


def line_of_authorities(root, depth):
    authorities = [root]
    for level in range(depth):
        authorities.append(Authority(f"Level {level}", issuer=authorities[-1]))
    return authorities


CHAINS = {
    "none": (0, lambda extra: []),
    "one": (1, lambda extra: []),
    "three": (3, lambda extra: []),
    "five": (5, lambda extra: []),
    "unrelated certificates": (2, lambda extra: [extra.stranger.certificate, extra.other_leaf]),
    "the root as well": (2, lambda extra: [extra.root.certificate]),
    "the leaf again": (1, lambda extra: [extra.leaf]),
    "nine certificates": (4, lambda extra: [
        extra.stranger.certificate, extra.other_leaf, extra.root.certificate, extra.leaf]),
}


class Extra:
    def __init__(self, root, leaf):
        self.root, self.leaf = root, leaf
        self.stranger = Authority("Level 0")  # an intermediate's name, and another key
        self.other_leaf = self.stranger.issue("other", p256().public_key())


@pytest.mark.parametrize("where", ["on the token", "in a file"])
@pytest.mark.parametrize("case", CHAINS)
def test_the_chain_is_what_leads_to_the_anchor_and_nothing_else(
    private, agent_of, root, service, tmp_path, case, where
):
    depth, extras = CHAINS[case]
    authorities = line_of_authorities(root, depth)
    token, key = private.token("card"), p256()
    leaf = authorities[-1].issue("client", key.public_key())
    add(token, 1, leaf, key, "client")
    others = [authority.certificate for authority in authorities[1:]] + extras(Extra(root, leaf))
    others.sort(key=lambda one: one.fingerprint(hashes.SHA256()))  # in no order that helps
    settings = {}
    if where == "on the token":
        for number, one in enumerate(others, 0x10):
            add(token, number, one)
    elif others:
        (tmp_path / "chain.pem").write_bytes(pem(*others))
        settings["intermediates"] = f"{tmp_path}/chain.pem"
    agent = agent_of(certificate="pkcs11:token=card;object=client", **settings)
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
    assert service.header("x-amz-x509") == [der(leaf)]
    assert service.header("x-amz-x509-chain") == [der(one.certificate) for one in reversed(authorities[1:])]


def test_a_chain_is_cut_at_five(private, agent_of, root, service):
    authorities = line_of_authorities(root, 7)
    token, key = private.token("card"), p256()
    add(token, 1, authorities[-1].issue("client", key.public_key()), key, "client")
    for number, authority in enumerate(authorities[1:], 0x10):
        add(token, number, authority.certificate)
    result = agent_of(certificate="pkcs11:token=card;object=client").credentials()
    assert result.returncode == 77, "five of seven do not lead to the anchor"
    assert service.header("x-amz-x509-chain") == [der(one.certificate) for one in reversed(authorities[3:])]


@pytest.mark.parametrize("forged_on, genuine", [
    ("other", "file"), ("other", "token"), ("card", "file"), ("card", "token"),
])
def test_a_forged_intermediate_spoils_no_chain(private, agent_of, root, service, tmp_path, forged_on, genuine):
    """It has the intermediate's name and public key, which are known to all, and expires last."""
    intermediate, key = Authority("Intermediate", issuer=root), p256()
    forged = certificate(
        subject=intermediate.name, issuer=root.name, public_key=intermediate.key.public_key(), signing_key=p256(),
        authority_key=root.key.public_key(), is_ca=True, digital_signature=False, not_after=NOW + 3650 * DAY)
    tokens = {label: private.token(label) for label in ("card", "other")}
    add(tokens["card"], 1, intermediate.issue("client", key.public_key()), key, "client")
    add(tokens[forged_on], 2, forged)
    settings = {}
    if genuine == "file":
        (tmp_path / "chain.pem").write_bytes(pem(intermediate.certificate))
        settings["intermediates"] = f"{tmp_path}/chain.pem"
    else:
        add(tokens["card"], 3, intermediate.certificate)
        add(tokens["card"], 4, root.certificate)  # by which the two are told apart
    result = agent_of(certificate="pkcs11:token=card;object=client", **settings).credentials()
    assert result.returncode == 0, result.stderr
    assert service.header("x-amz-x509-chain") == [der(intermediate.certificate)]


# MARK: Without a configuration


def in_a_system_with(softhsm, folder):
    """A command's prefix: a mount namespace in which p11-kit has registered this SoftHSM and nothing else.

    Root has no module folder of its own (pkcs11.conf(5)), and a module that happens to be installed must not be loaded.
    """
    modules = pathlib.Path(folder) / "modules"
    modules.mkdir()
    (modules / "softhsm2.module").write_text(pathlib.Path("/usr/share/p11-kit/modules/softhsm2.module").read_text())
    script = (
        'mount --bind "$0" /usr/share/p11-kit/modules && mount --bind "$1" /etc/softhsm/softhsm2.conf && '
        'if [ -d /etc/pkcs11/modules ]; then mount -t tmpfs none /etc/pkcs11/modules; fi && shift && exec "$@"')
    return private_mounts(script, str(modules), softhsm.configuration)


def test_a_list_needs_no_configuration_at_all(private, root, tmp_path, start):
    private.token("card").identity(root)
    agent = start(prefix=in_a_system_with(private, tmp_path), configuration_file=False)
    assert not os.path.exists(f"{agent.home}/.config")
    [module] = agent.get("/v1/status")[1]["modules"]
    assert (os.path.basename(module["module"]), module["state"]) == ("libsofthsm2.so", "running")
    [one] = agent.json("list")
    assert (one["token"], one["subject"], one["key_type"]) == ("card", "CN=client,O=Tokenward Tests", "EC P-256")
    [line] = agent.cli("list").stdout.splitlines()
    assert line.startswith(one["uri"] + "\tCN=client,O=Tokenward Tests\t")
    assert one["usable"] and one["reasons"] in (
        [], ["its private key can be seen only after login; run 'tokenward unlock'"])
    assert agent.cli("unlock", "--pin-stdin", input=PIN).returncode == 0
    [one] = agent.json("list")
    assert (one["has_key"], one["usable"], one["reasons"]) == (True, True, [])
