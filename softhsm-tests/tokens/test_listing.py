"""Everything on the tokens is listed, also without a configuration."""

import os
import pathlib
import time

import pytest

from support import configuration
from support.authority import der, make_key
from support.mounts import private_mounts
from support.softhsm import PIN, SoftHSM, write_pin


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, root, certificate_writer):
    """Ten tokens; one of them with 200 objects: 10 key pairs and 180 certificates."""
    softhsm = SoftHSM(tmp_path_factory.mktemp("crowd"))
    tokens = [softhsm.token(f"token-{number}") for number in range(10)]
    keys = [make_key() for _ in range(10)]
    for number, token in enumerate(tokens[1:], 1):
        token.add(1, root.issue(f"only-{number}", keys[0].public_key()), keys[0])
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
