"""A refusal is remembered no longer than its cause lasts, and says until when."""

import datetime
import os
import re

import pytest

from support import configuration
from support.authority import Authority, pem
from support.credentials import access_key
from support.emulator import Emulator
from support.softhsm import PIN, write_pin
from support.waiting import wait_until

UNTIL = r"\(remembered until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ at the latest\)"
SOMETHING = "(remembered until something changes)"


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def seconds(count):
    return datetime.timedelta(seconds=count)


@pytest.fixture(scope="module")
def token(softhsm, root):
    """A token with a key; the certificates are the tests'."""
    token = softhsm.token("demo")
    token.public_key = token.generate("client", "01")
    token.write_certificate(root.issue("on the token", token.public_key), "client", "01")
    return token


def refused(agent, exit, words, note=None):
    """The first answer is not remembered; a later one is, and says so. A login in between is a change of the token."""
    answers = [agent.credentials()]
    wait_until(lambda: answers.append(agent.credentials()) or "remembered" in answers[-1].stderr, "an old refusal")
    for result in answers:
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (exit, "", 1), result
        assert words in result.stderr
    assert len(answers) <= 4 and "remembered" not in answers[0].stderr
    assert re.search(note or UNTIL, answers[-1].stderr), answers[-1].stderr


def test_a_certificate_that_begins_later_is_used_when_it_begins(start, softhsm, root, service, pin_file):
    token = softhsm.token("early")
    begin = now() + seconds(10)
    token.identity(root, not_before=begin)
    agent = start(
        configuration.module(softhsm), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=early"))
    result = agent.credentials()
    assert result.returncode == 66 and "not valid before" in result.stderr
    note = f"(remembered until {begin:%Y-%m-%dT%H:%M:%SZ} at the latest)"
    problems = []

    def is_remembered():
        problems.append(agent.get("/v1/profiles/test/credentials")[1])
        return note in problems[-1]["detail"]

    wait_until(is_remembered, "an old refusal", 8)
    assert problems[-1]["code"] == "no-identity" and 1 <= problems[-1]["retry_after"] <= 10
    wait_until(lambda: agent.credentials().returncode == 0, "the certificate begins")
    assert now() >= begin


def test_an_expired_certificate_file_that_is_renewed_is_used_at_once(
    start, softhsm, token, root, service, pin_file, tmp_path
):
    file = tmp_path / "client.pem"
    old = root.issue("old", token.public_key, not_before=now() - seconds(200), not_after=now() - seconds(100))
    file.write_bytes(pem(old))
    agent = start(
        configuration.module(softhsm), configuration.token(pin_file),
        configuration.profile(service, certificate=str(file), private_key="pkcs11:token=demo;object=client"))
    refused(agent, 66, "expired on", re.escape(SOMETHING))
    file.write_bytes(pem(root.issue("new", token.public_key)))
    access_key(agent.credentials())


@pytest.mark.parametrize("key", ["certificate", "intermediates", "ca_bundle", "pin"])
@pytest.mark.parametrize("before", ["missing", "damaged"])
def test_a_file_that_is_put_right_is_read_at_once(start, softhsm, token, root, service, tmp_path, key, before):
    file, content = tmp_path / "file", {
        "certificate": pem(root.issue("file", token.public_key)), "intermediates": pem(root.certificate),
        "ca_bundle": open(service.ca, "rb").read(), "pin": PIN.encode()}[key]
    if before == "damaged":
        write_pin(file, b"-----BEGIN CERTIFICATE-----\n" if key != "pin" else b"12\x0034")
    settings = {"certificate": "pkcs11:token=demo"}
    if key != "pin":
        settings[key] = str(file)
    if key == "certificate":
        settings["private_key"] = "pkcs11:token=demo;object=client"
    pin = f"file:{file}" if key == "pin" else write_pin(tmp_path / "pin")
    agent = start(
        configuration.module(softhsm), configuration.token(pin), configuration.profile(service, **settings))
    refused(agent, 78, "")
    write_pin(tmp_path / "new", content)
    os.rename(tmp_path / "new", file)
    access_key(agent.credentials())


def test_a_forced_refresh_asks_the_service_again(start, softhsm, token, root, pin_file, tmp_path):
    stranger = Authority("Another Root")
    service = Emulator.trusting(stranger, tmp_path / "service")
    try:
        agent = start(
            configuration.module(softhsm), configuration.token(pin_file),
            configuration.profile(service, certificate="pkcs11:token=demo"))
        refused(agent, 77, "Untrusted Signing Certificate")
        asked = service.asked()
        assert "'tokenward refresh test' asks again" in agent.credentials().stderr
        assert service.asked() == asked
        for _ in range(2):
            before = service.asked()
            result = agent.cli("refresh", "test")
            assert (result.returncode, result.stdout) == (77, "") and "remembered" not in result.stderr
            assert service.asked() > before
        service.trust(root)  # the trust anchor is corrected
        assert agent.credentials().returncode == 77  # the agent cannot see that
        wait_until(lambda: agent.cli("refresh", "test").returncode == 0, "the trust anchor is the right one")
        access_key(agent.credentials())
    finally:
        service.stop()


def test_status_tells_the_last_refusal_of_a_profile_to_each_program(start, softhsm, token, service, pin_file, tmp_path):
    agent = start(
        configuration.module(softhsm), configuration.token(pin_file),
        configuration.profile(service, certificate="pkcs11:token=absent"))
    before = now()
    for _ in range(2):
        assert agent.credentials().returncode == 66
    assert agent.cli("refresh", "test").returncode == 66
    [profile] = agent.get("/v1/profiles")[1]
    newest, older = profile["last_refusals"]
    # The client stands for the program that started it; the tests run in python.
    assert newest["program"] == "tokenward" and "python" in older["program"]
    for refusal in newest, older:
        assert (refusal["uid"], refusal["code"]) == (os.getuid(), "no-token")
        assert refusal["detail"].startswith("no token is present that matches pkcs11:token=absent")
        assert f"{before:%Y-%m-%dT%H:%M:%SZ}" <= refusal["time"] <= f"{now():%Y-%m-%dT%H:%M:%SZ}"
    lines = [line.split("\t") for line in agent.cli("status").stdout.splitlines() if line.startswith("refusal\t")]
    assert [line[1:5] for line in lines] == [
        ["test", refusal["time"], refusal["program"], str(os.getuid())] for refusal in (newest, older)]


@pytest.mark.parametrize("change", ["another certificate", "another key"])
def test_other_objects_on_the_token_end_a_refusal(start, softhsm, root, service, pin_file, change):
    token = softhsm.token(f"empty {change}")
    if change == "another key":
        public_key = token.generate("other", "02")
        token.write_certificate(root.issue("late", public_key), "client", "01")  # no key has its CKA_ID
    agent = start(
        configuration.module(softhsm), configuration.token(pin_file),
        configuration.profile(service, certificate=f"pkcs11:token=empty%20{change.replace(' ', '%20')}"))
    # The login of the first attempt is a change as well.
    wait_until(lambda: SOMETHING in agent.credentials().stderr, "a refusal is remembered")
    if change == "another key":
        token.tool("--delete-object", "--type", "privkey", "--id", "02")
        token.tool("--delete-object", "--type", "pubkey", "--id", "02")
        token.write_certificate(root.issue("new", token.generate("new", "03")), "new", "03")
    else:
        token.identity(root)
    wait_until(lambda: agent.credentials().returncode == 0, "the token's objects are looked at")
