"""Real providers beside SoftHSM: each lists, logs in and signs through agent, endpoint and thin client, and is found again
after its daemon was killed; and what sets each apart. What this machine lacks is skipped by name."""

import itertools
import os
import pathlib
import re
import signal
import subprocess

import pytest

from configuration import profile, token
from providers.nss import NSS
from providers.opencryptoki import OpenCryptoki
from providers.provider import PIN, WRONG_PIN, Missing
from providers.remoting import Remoting
from providers.tpm import TPM
from softhsm import write_pin
from spy import MODULE as SPY
from world import wait_until

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
    """Starts an agent for a provider. Each of its profiles has a session of its own, which takes a signature."""

    def launch(provider, pin_source=pin_file, **settings):
        profiles = [profile(service, f"p{number}") for number in range(PROFILES)]
        agent = start(provider.configuration(**settings), token(pin_source), *profiles, prefix=provider.prefix)
        names = itertools.count()
        agent.sign = lambda: agent.credentials(f"p{next(names)}")
        return agent

    return launch


def token_of(agent, provider):
    status, found = agent.get("/v1/tokens")
    assert status == 200
    [matching] = [each for each in found if each["label"] == provider.label]
    return matching


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
    assert "asked for the network" not in agent.log()


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
    finally:
        provider.revive()
    signs(agent)
    assert agent.log().count("logged in") == 2, "a login is the worker's, and its worker was replaced"
