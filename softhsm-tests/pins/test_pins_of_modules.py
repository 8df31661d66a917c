"""A PIN goes to neither of two modules that show the same token, until one of them is named."""

import json
import shutil

import pytest

from support import configuration, mock_module
from support.authority import der
from support.mock_module import PIN
from support.softhsm import write_pin
from support.terminal import FakePinentry

OTHER_PIN = "654321"
DISPLAY = {"DISPLAY": ":7", "LANG": "C.UTF-8"}


@pytest.fixture
def other(tmp_path, mock_library):
    library = shutil.copy(mock_library, tmp_path / "other.so")  # one path is one module
    return mock_module.MockModule(tmp_path / "other", str(library))


@pytest.fixture
def twins(mock, other, root):
    """One card, by its description, its key and its certificate, in two modules, with PINs of their own."""
    cards = mock.card("prod"), other.card("prod", pin=OTHER_PIN)
    key, _ = cards[0].key()
    cards[1].key(key)
    certificate = der(root.issue("client", key.public_key()))
    for card in cards:
        card.certificate(certificate)
    return cards


@pytest.fixture
def agent_on(start, mock, other, service):
    def start_agent(*tables, **settings):
        return start(
            configuration.mock(mock), configuration.mock(other), *tables, configuration.profile(service, **settings))

    return start_agent


def uri(module, text="pkcs11:token=prod"):
    return f"{text}?module-path={module.path}"


def unlock(agent, **body):
    status, answer = agent.request("POST", "/v1/tokens/unlock", json.dumps(body).encode())
    return status, (answer or {}).get("code"), (answer or {}).get("detail", "") + (answer or {}).get("hint", "")


def states(agent):
    return {token["module"]: token["state"] for token in agent.get("/v1/tokens")[1]}


def test_rules_told_apart_by_their_modules_give_each_token_its_own_pin(agent_on, tmp_path, mock, other, twins):
    agent = agent_on(
        configuration.token(write_pin(tmp_path / "a", PIN), uri(mock)),
        configuration.token(write_pin(tmp_path / "b", OTHER_PIN), uri(other)))
    for module in mock, other:
        assert unlock(agent, uri=uri(module))[0] == 204
    assert states(agent) == {mock.path: "ready", other.path: "ready"}
    assert [(len(module.logins()), card.wrong_tries) for module, card in zip((mock, other), twins)] == [(1, 0), (1, 0)]


def test_a_rule_for_a_module_gives_no_pin_to_another_that_shows_the_token(agent_on, mock, other, twins, pin_file):
    twins[0].remove()
    agent = agent_on(configuration.token(pin_file, uri(mock)))
    assert agent.credentials().returncode == 80
    assert unlock(agent, uri="pkcs11:token=prod")[:2] == (423, "pin-needed")
    assert other.logins() == []


@pytest.mark.parametrize("source", ["prompt", "stored"])
def test_a_pin_goes_to_neither_of_two_modules_until_one_is_named(
    agent_on, tmp_path, mock, other, twins, pin_file, source
):
    pinentry = FakePinentry(tmp_path / "pinentry")
    pinentry.answer(f"D {PIN}", "OK")
    agent = agent_on(pinentry.table, configuration.token(pin_file if source == "stored" else "prompt"))
    result = agent.credentials(environment=DISPLAY)
    assert (result.returncode, result.stderr.count("\n")) == (80, 1)
    assert '2 modules show token "prod", so its PIN is sent to none of them; name the module' in result.stderr
    assert uri(mock, "") in result.stderr and uri(other, "") in result.stderr
    status, code, text = unlock(agent, uri="pkcs11:token=prod", pin=PIN)
    assert (status, code) == (400, "bad-request") and uri(mock, "") in text and uri(other, "") in text
    assert (pinentry.runs, mock.logins(), other.logins()) == (0, [], [])
    pin = PIN if source == "prompt" else None
    assert unlock(agent, uri=uri(mock), **{"pin": pin} if pin else {})[0] == 204
    assert (len(mock.logins()), len(other.logins())) == (1, 0)


def test_a_profile_that_names_the_module_gets_its_person_asked(agent_on, tmp_path, mock, other, twins):
    pinentry = FakePinentry(tmp_path / "pinentry")
    pinentry.answer(f"D {PIN}", "OK")
    agent = agent_on(pinentry.table, configuration.token("prompt"), certificate=uri(mock))
    result = agent.credentials(environment=DISPLAY)
    assert result.returncode == 0, result.stderr
    assert (pinentry.runs, len(mock.logins()), len(other.logins())) == (1, 1, 0)
    assert mock.path in pinentry.text("told").replace("%0A", "")  # long lines are broken


def test_printed_uris_name_the_module_where_the_description_does_not_tell_and_work_as_they_are(
    agent_on, mock, other, twins
):
    agent = agent_on(configuration.token("prompt"))
    tokens = agent.get("/v1/tokens")[1]
    assert [token["uri"].partition("?")[2] for token in tokens] == [uri(mock, "")[1:], uri(other, "")[1:]]
    listed = [identity["uri"].partition("?")[2] for identity in agent.get("/v1/identities")[1]]
    assert sorted(listed) == sorted([uri(mock, "")[1:], uri(other, "")[1:]])
    assert agent.cli("unlock", tokens[1]["uri"], "--pin-stdin", input=f"{OTHER_PIN}\n").returncode == 0
    assert states(agent) == {mock.path: "pin-needed", other.path: "ready"}
    twins[0].remove()
    [token] = agent.get("/v1/tokens")[1]
    assert "?" not in token["uri"]


def test_modules_of_one_library_are_told_apart_by_their_names(start, tmp_path, mock, mock_library, service, root):
    """A path that both have names neither of them."""
    other = mock_module.MockModule(tmp_path / "other", mock_library)
    for module in mock, other:
        module.card("prod").identity(root)
    agent = start(
        configuration.mock(mock, name="cellar"), configuration.mock(other, name="attic"), configuration.token("prompt"),
        configuration.profile(service))
    assert unlock(agent, uri=uri(mock), pin=PIN)[:2] == (400, "bad-request")
    assert unlock(agent, uri=uri(mock))[:2] == (423, "pin-needed")
    assert mock.logins() + other.logins() == []
    uris = [token["uri"] for token in agent.get("/v1/tokens")[1]]
    assert [text.partition("?")[2] for text in uris] == [
        f"module-name={name}&module-path={mock.path}" for name in ("cellar", "attic")]
    assert agent.cli("unlock", uris[1], "--pin-stdin", input=f"{PIN}\n").returncode == 0
    assert (len(mock.logins()), len(other.logins())) == (0, 1)


def test_a_lock_that_names_a_module_locks_its_token_alone(agent_on, tmp_path, mock, other, twins):
    agent = agent_on(
        configuration.token(write_pin(tmp_path / "a", PIN), uri(mock)),
        configuration.token(write_pin(tmp_path / "b", OTHER_PIN), uri(other)))
    for module in mock, other:
        assert unlock(agent, uri=uri(module))[0] == 204
    assert agent.cli("lock", uri(other)).returncode == 0
    assert states(agent) == {mock.path: "ready", other.path: "pin-needed"}
    assert agent.cli("lock", uri(mock, "pkcs11:token=nobody")).returncode == 66


@pytest.mark.parametrize("command", [["lock"], ["unlock", "--pin-stdin"]])
@pytest.mark.parametrize("text, words", [
    ("pkcs11:token=prod;object=client", "names an object, and a PIN belongs to a token; leave out object, id and type"),
    ("pkcs11:token=prod;type=cert", "names an object"), ("pkcs11:token=prod?pin-source=/x", "has a pin-source"),
    ("pkcs11:token=prod;vendor=x", "unknown attribute 'vendor'")])
def test_attributes_that_no_token_can_match_are_refused_by_name(agent_on, mock, other, twins, command, text, words):
    agent = agent_on(configuration.token("prompt"))
    result = agent.cli(*command, text, input=f"{PIN}\n" if "--pin-stdin" in command else None)
    assert (result.returncode, words in result.stderr) == (64, True), result.stderr
    assert mock.logins() + other.logins() == []
