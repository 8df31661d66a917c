"""Other providers than SoftHSM sign as well, and are found again after their daemons were killed.

Providers that this machine lacks are skipped by name.
"""

import itertools
import os
import re
import signal

import pytest

from support.configuration import WRITABLE, profile, table, token
from support.mounts import private_mounts
from support.providers.nss import NSS
from support.providers.opencryptoki import OpenCryptoki
from support.providers.provider import PIN, WRONG_PIN, Missing
from support.providers.remoting import Remoting
from support.providers.tpm import TPM
from support.softhsm import write_pin
from support.spy import MODULE as SPY
from support.waiting import wait_until

PROFILES = 6


def make(kind, folder, root, **options):
    try:
        provider = kind(folder, **options)
    except Missing as missing:
        pytest.skip(f"{kind.name}: {missing}")
    try:
        provider.identity(root)
    except BaseException:
        provider.close()
        raise
    return provider


@pytest.fixture(scope="module")
def made(tmp_path_factory, root):
    """A provider by its class, started once for the module of tests."""
    providers = {}

    def made(kind):
        if kind not in providers:
            providers[kind] = make(kind, tmp_path_factory.mktemp(kind.__name__.lower()), root)
        return providers[kind]

    yield made
    for provider in providers.values():
        provider.close()


@pytest.fixture
def launch(start, service, pin_file):
    """Starts an agent for a provider. Each of its profiles has a session of its own, which takes a signature.

    Nothing locks it: a module whose daemon is gone shows its tokens as taken out, and a user's agent would lock."""

    def launch(provider, pin_source=pin_file, **settings):
        profiles = [profile(service, f"p{number}") for number in range(PROFILES)]
        agent = start("lock-on = []\n", provider.configuration(**settings), token(pin_source), *profiles, prefix=provider.prefix)
        names = itertools.count()
        agent.sign = lambda: agent.credentials(f"p{next(names)}")
        return agent

    return launch


def token_of(agent, provider):
    status, found = agent.get("/v1/tokens")
    assert status == 200
    [matching] = [each for each in found if each["label"] == provider.label]
    return matching


def wait_for_token(agent, provider):
    """A module that was loaded while its daemon was gone shows nothing until it is loaded anew."""
    wait_until(lambda: any(each["label"] == provider.label for each in agent.get("/v1/tokens")[1]), "the token")


def signs(agent):
    result = agent.sign()
    assert (result.returncode, result.stderr) == (0, ""), agent.log()


@pytest.mark.parametrize("kind", [TPM, OpenCryptoki, NSS, Remoting], ids=lambda kind: kind.__name__)
def test_it_lists_logs_in_and_signs(made, launch, kind):
    provider = made(kind)
    agent = launch(provider)
    [identity] = [each for each in agent.get("/v1/identities")[1] if each["token"] == provider.label]
    assert (identity["subject"], identity["usable"]) == ("CN=client,O=Tokenward Tests", True)
    assert token_of(agent, provider)["state"] == "pin-needed"
    signs(agent)
    assert token_of(agent, provider)["state"] == "ready"
    signs(agent)
    assert agent.log().count("logged in") == 1


@pytest.mark.parametrize("kind", [TPM, Remoting], ids=lambda kind: kind.__name__)
def test_a_daemon_that_is_killed_costs_one_clear_error_and_is_found_again(made, launch, kind):
    provider = made(kind)
    agent = launch(provider)
    signs(agent)
    provider.kill()
    try:
        failed = agent.sign()
        assert failed.returncode in (66, 75, 81) and failed.stdout == ""
        assert re.fullmatch(r"tokenward: [^\n]+; [^\n]+\n", failed.stderr)
        assert agent.credentials("p0").returncode == 0, "what is still valid is served"
        for _ in range(2):  # a worker that is started now finds nothing
            assert agent.get("/v1/tokens")[0] == 200
    finally:
        provider.revive()
    wait_for_token(agent, provider)
    signs(agent)
    assert agent.log().count("logged in") == 2, "a login is the worker's, and its worker was replaced"


def test_a_server_that_ends_is_an_error_and_no_signal(made, launch):
    """p11-kit's client writes to a socket without a reader: SIGPIPE would end the worker."""
    provider = made(Remoting)
    agent = launch(provider)
    signs(agent)
    provider.kill()
    try:
        assert agent.sign().returncode in (66, 75, 81)
    finally:
        provider.revive()
    wait_for_token(agent, provider)
    signs(agent)
    assert "ended by signal" not in agent.log()


def test_opencryptoki_signs_without_its_daemon_and_a_new_worker_needs_it(made, launch):
    provider = made(OpenCryptoki)
    agent = launch(provider)
    signs(agent)
    provider.kill()
    try:
        signs(agent)
        [worker] = agent.workers()
        os.kill(worker, signal.SIGKILL)
        failed = wait_until(lambda: (result := agent.sign()).returncode != 0 and result, "a worker without pkcsslotd")
        assert failed.returncode in (66, 75, 81) and failed.stdout == ""
    finally:
        provider.revive()
    signs(agent)


def test_opencryptoki_signs_with_the_one_mechanism_that_it_has(made, launch):
    """It does not hash; the DigestInfo is ours, and that is found out once."""
    provider = made(OpenCryptoki)
    listed = provider.tool("--list-mechanisms").decode()
    assert re.search(r"^  RSA-PKCS,.* sign", listed, re.M) and not re.search(r"^  SHA256-RSA-PKCS,.* sign", listed, re.M)
    agent = launch(Spied(provider))
    signs(agent)
    tried = calls(provider, "C_SignInit")
    signs(agent)
    assert (tried, calls(provider, "C_SignInit")) in ((2, 3), (2, 4)), "once for each of the two sessions at most"


def test_opencryptoki_counts_a_wrong_pin_and_loses_no_second_try(made, launch, tmp_path):
    provider = made(OpenCryptoki)
    agent = launch(provider, write_pin(tmp_path / "wrong", WRONG_PIN))
    try:
        assert agent.sign().returncode == 80
        assert token_of(agent, provider)["pin_tries"] == "low"
        assert agent.sign().returncode == 80
        agent.stop()
        agent.start()
        assert agent.sign().returncode == 80
        assert token_of(agent, provider)["pin_tries"] == "low", "two wrong ones would make it final"
        assert agent.cli("unlock", "--pin-stdin", input=f"{PIN}\n").returncode == 0
        signs(agent)
    finally:
        agent.stop()
        provider.unlock()


def test_a_tpm_counts_a_wrong_pin_once_though_it_shows_no_flag(made, launch, tmp_path):
    provider = made(TPM)
    before = provider.lockout_counter()
    agent = launch(provider, write_pin(tmp_path / "wrong", WRONG_PIN))
    assert [agent.sign().returncode for _ in range(2)] == [80, 80]
    assert token_of(agent, provider)["pin_tries"] == "unknown", "tpm2-pkcs11 never sets a flag"
    agent.stop()
    agent.start()
    assert agent.sign().returncode == 80
    agent.stop()
    assert provider.lockout_counter() == before + 1


def test_nss_without_a_password_signs_without_a_login(tmp_path, root, launch):
    provider = make(NSS, tmp_path / "nss", root, has_pin=False)
    agent = launch(Spied(provider), "prompt")
    assert token_of(agent, provider)["state"] == "ready"
    signs(agent)
    assert (calls(provider, "C_Login"), calls(provider, "C_Sign")) == (0, 1)


def test_nss_without_its_init_string_says_what_it_wants(start, made):
    provider = made(NSS)
    agent = start(provider.configuration().partition("init-arguments")[0])
    [status] = agent.json("status")["modules"]
    assert status["last_error"] == (
        "C_Initialize answered CKR_ARGUMENTS_BAD; if it needs an init string, write it as init-arguments")


def test_a_registered_module_gets_the_init_string_of_its_file(start, service, made, pin_file, tmp_path):
    """p11-kit's folders are replaced in a mount namespace: what the machine has registered is not part of it."""
    provider = made(NSS)
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "nss.module").write_text(
        f"module: {provider.module}\nx-init-reserved: {provider.settings['init-arguments']}\n")
    script = (
        'mount --bind "$0" /usr/share/p11-kit/modules &&'
        ' if [ -d /etc/pkcs11/modules ]; then mount -t tmpfs none /etc/pkcs11/modules; fi && exec "$@"')
    agent = start(
        token(pin_file), profile(service),
        prefix=private_mounts(script, str(folder)))
    assert agent.credentials().returncode == 0, agent.log()
    assert [status["module"] for status in agent.json("status")["modules"]] == [provider.module]


class Spied:
    """A provider with pkcs11-spy before its module."""

    def __init__(self, provider):
        assert SPY, "pkcs11-spy is not installed: apt-get install opensc"
        self.provider, self.label, self.prefix = provider, provider.label, provider.prefix
        self.trace = spy_trace(provider)
        if os.path.exists(self.trace):
            os.unlink(self.trace)

    def configuration(self, **settings):
        environment = {**self.provider.environment, "PKCS11SPY": self.provider.module, "PKCS11SPY_OUTPUT": self.trace}
        writable = [*WRITABLE, *filter(os.path.exists, ["/dev", "/run/lock", "/var/lib"])]
        return table("[[module]]", {
            "path": SPY, "environment": environment, "writable": writable, **self.provider.settings, **settings})


def spy_trace(provider):
    return f"{provider.folder}/spy.log"


def calls(provider, function):
    """How often the module behind pkcs11-spy was asked."""
    with open(spy_trace(provider), errors="replace") as file:
        return len(re.findall(rf"^\d+: {function}$", file.read(), re.M))
