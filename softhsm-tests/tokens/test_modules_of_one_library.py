"""A library that is configured twice is one module, unless its settings differ."""

import pytest

from support import configuration
from support.mock_module import PIN, MockModule

OTHER_PIN = "654321"


@pytest.fixture
def other(tmp_path, mock_library):
    """The same library with another environment, and a card that says the same of itself but for its serial number."""
    module = MockModule(tmp_path / "other", mock_library)
    module.card("prod", serial="0002", pin=OTHER_PIN)
    return module


def shown(agent):
    status = agent.json("status")
    return [module["module"] for module in status["modules"]], {token["module"]: token["state"] for token in status["tokens"]}


@pytest.mark.parametrize("second", ["link", "name"])
def test_a_module_that_is_configured_twice_is_one(start, mock, tmp_path, second):
    mock.card("prod")
    link = tmp_path / "link.so"
    link.symlink_to(mock.path)
    settings = {"name": "again"} if second == "name" else {}
    agent = start(configuration.mock(mock), configuration.mock(mock, path=str(link), **settings))
    assert shown(agent) == ([mock.path], {mock.path: "pin-needed"})
    assert agent.cli("unlock", "pkcs11:token=prod", "--pin-stdin", input=PIN).returncode == 0
    assert "a module is configured twice" in agent.log()


def test_one_library_with_two_environments_is_two_modules_that_can_be_named(start, mock, other):
    mock.card("prod")
    agent = start(configuration.mock(mock, name="one"), configuration.mock(other, name="two"))
    one, two = (f"{mock.path} ({name})" for name in ("one", "two"))
    assert shown(agent) == ([one, two], {one: "pin-needed", two: "pin-needed"})
    assert agent.cli("unlock", "pkcs11:token=prod?module-name=two", "--pin-stdin", input=OTHER_PIN).returncode == 0
    assert shown(agent)[1] == {one: "pin-needed", two: "ready"}
    assert (mock.count("C_Login"), other.count("C_Login")) == (0, 1)
    assert agent.cli("unlock", "pkcs11:token=prod?module-name=one", "--pin-stdin", input=PIN).returncode == 0
    assert agent.cli("lock", "pkcs11:token=prod?module-name=two").returncode == 0
    assert shown(agent)[1] == {one: "ready", two: "pin-needed"}


def test_two_modules_without_a_name_are_told_apart_by_their_settings(start, mock, other):
    mock.card("prod")
    agent = start(configuration.mock(mock), configuration.mock(other))
    modules, tokens = shown(agent)
    assert len(set(modules)) == 2 and set(modules) == set(tokens)
    assert all(str(module.folder) in name for module, name in zip((mock, other), modules))
