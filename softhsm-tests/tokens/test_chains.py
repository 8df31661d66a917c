"""The certificates that lead to the anchor are sent with the leaf, and no others."""

import pytest
from cryptography.hazmat.primitives import hashes

from support.authority import DAY, NOW, Authority, certificate, der, make_key, pem


def test_a_file_that_begins_with_the_ca_says_so(private, agent_of, root, tmp_path):
    key = make_key()
    private.token("card").import_key(key, "client", "01")
    (tmp_path / "client.pem").write_bytes(pem(root.certificate, root.issue("client", key.public_key())))
    result = agent_of(certificate=f"{tmp_path}/client.pem", private_key="pkcs11:token=card").credentials()
    assert result.returncode == 78
    assert result.stderr == (
        f"tokenward: {tmp_path}/client.pem begins with a CA's certificate; "
        "put the leaf first, then the CAs between it and the root\n")


def test_a_certificate_from_a_file_finds_its_key_on_the_token(private, agent_of, service, tmp_path, root):
    intermediate = Authority("Intermediate", issuer=root)
    key = make_key()
    private.token("card").import_key(key, "client", "01")
    leaf = intermediate.issue("from a file", key.public_key())
    (tmp_path / "client.pem").write_bytes(pem(leaf, intermediate.certificate))
    agent = agent_of(certificate=f"{tmp_path}/client.pem", private_key="pkcs11:token=card")
    result = agent.credentials()
    assert result.returncode == 0, result.stderr
    assert service.header("x-amz-x509") == [der(leaf)]
    assert service.header("x-amz-x509-chain") == [der(intermediate.certificate)]


def test_a_certificate_from_a_file_without_its_key_says_so(private, agent_of, tmp_path, root):
    private.token("card").import_key(make_key(), "client", "01")
    (tmp_path / "client.pem").write_bytes(pem(root.issue("stranger", make_key().public_key())))
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
        self.other_leaf = self.stranger.issue("other", make_key().public_key())


@pytest.mark.parametrize("where", ["on the token", "in a file"])
@pytest.mark.parametrize("case", CHAINS)
def test_the_chain_is_what_leads_to_the_anchor_and_nothing_else(
    private, agent_of, root, service, tmp_path, case, where
):
    depth, extras = CHAINS[case]
    authorities = line_of_authorities(root, depth)
    token, key = private.token("card"), make_key()
    leaf = authorities[-1].issue("client", key.public_key())
    token.add(1, leaf, key, "client")
    others = [authority.certificate for authority in authorities[1:]] + extras(Extra(root, leaf))
    others.sort(key=lambda one: one.fingerprint(hashes.SHA256()))  # in no order that helps
    settings = {}
    if where == "on the token":
        for number, one in enumerate(others, 0x10):
            token.add(number, one)
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
    token, key = private.token("card"), make_key()
    token.add(1, authorities[-1].issue("client", key.public_key()), key, "client")
    for number, authority in enumerate(authorities[1:], 0x10):
        token.add(number, authority.certificate)
    result = agent_of(certificate="pkcs11:token=card;object=client").credentials()
    assert result.returncode == 77, "five of seven do not lead to the anchor"
    assert service.header("x-amz-x509-chain") == [der(one.certificate) for one in reversed(authorities[3:])]


@pytest.mark.parametrize("forged_on, genuine", [
    ("other", "file"), ("other", "token"), ("card", "file"), ("card", "token"),
])
def test_a_forged_intermediate_spoils_no_chain(private, agent_of, root, service, tmp_path, forged_on, genuine):
    """It has the intermediate's name and public key, which are known to all, and expires last."""
    intermediate, key = Authority("Intermediate", issuer=root), make_key()
    forged = certificate(
        subject=intermediate.name, issuer=root.name, public_key=intermediate.key.public_key(), signing_key=make_key(),
        authority_key=root.key.public_key(), is_ca=True, not_after=NOW + 3650 * DAY)
    tokens = {label: private.token(label) for label in ("card", "other")}
    tokens["card"].add(1, intermediate.issue("client", key.public_key()), key, "client")
    tokens[forged_on].add(2, forged)
    settings = {}
    if genuine == "file":
        (tmp_path / "chain.pem").write_bytes(pem(intermediate.certificate))
        settings["intermediates"] = f"{tmp_path}/chain.pem"
    else:
        tokens["card"].add(3, intermediate.certificate)
        tokens["card"].add(4, root.certificate)  # by which the two are told apart
    result = agent_of(certificate="pkcs11:token=card;object=client", **settings).credentials()
    assert result.returncode == 0, result.stderr
    assert service.header("x-amz-x509-chain") == [der(intermediate.certificate)]
