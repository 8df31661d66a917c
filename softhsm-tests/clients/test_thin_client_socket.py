"""The thin client asks the socket that was named, and only one whose owner it trusts."""

import os
import pathlib
import socket

import pytest

from support.command_line import refused
from support.fake_agent import CREDENTIALS, answer

SYSTEM_SOCKET = pathlib.Path("/run/tokenward/agent.sock")
OTHER_USER = 61001


def socket_of(folder):
    (folder / "tokenward").mkdir(parents=True)
    return folder / "tokenward" / "agent.sock"


def test_the_option_comes_first_then_the_variable_then_the_runtime_directory(agent, thin, tmp_path):
    body = lambda name: answer(CREDENTIALS.replace(b"ASIAEXAMPLE", name))  # noqa: E731
    agent(body(b"BY-OPTION"), tmp_path / "option.sock")
    agent(body(b"BY-VARIABLE"), tmp_path / "variable.sock")
    agent(body(b"BY-RUNTIME"), socket_of(tmp_path / "run"))
    env = {"TOKENWARD_SOCKET": str(tmp_path / "variable.sock"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    assert b"BY-OPTION" in thin("a", "--socket", tmp_path / "option.sock", env=env).stdout
    assert b"BY-VARIABLE" in thin("a", env=env).stdout
    assert b"BY-RUNTIME" in thin("a", env=env | {"TOKENWARD_SOCKET": ""}).stdout
    del env["TOKENWARD_SOCKET"]
    assert b"BY-RUNTIME" in thin("a", env=env).stdout


def test_the_one_that_was_named_is_the_only_one_asked(agent, thin, tmp_path):
    agent(answer(CREDENTIALS), socket_of(tmp_path / "run"))
    env = {"TOKENWARD_SOCKET": str(tmp_path / "none.sock"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    assert "none.sock" in refused(thin("a", env=env), 69)


@pytest.mark.skipif(SYSTEM_SOCKET.exists(), reason="this machine runs a system agent")
def test_without_any_agent_both_places_are_named(thin, tmp_path):
    message = refused(thin("a", env={"XDG_RUNTIME_DIR": str(tmp_path)}), 69)
    assert f"{tmp_path}/tokenward/agent.sock or {SYSTEM_SOCKET}" in message
    assert "start it with 'systemctl --user start tokenward.socket' or 'tokenward-agent'" in message


@pytest.mark.skipif(SYSTEM_SOCKET.exists(), reason="this machine runs a system agent")
@pytest.mark.parametrize(("env", "fault"), [({}, "is not set"), ({"XDG_RUNTIME_DIR": "run"}, "is no absolute path")])
def test_without_a_runtime_directory_the_failure_says_so(thin, env, fault):
    message = refused(thin("a", env=env), 69)
    assert f"no agent listens at {SYSTEM_SOCKET}, and XDG_RUNTIME_DIR, which says where yours does, {fault}; " in message
    assert f"XDG_RUNTIME_DIR=/run/user/{os.geteuid()}" in message
    assert "'sudo systemctl start tokenward.socket'" in message


@pytest.mark.skipif(SYSTEM_SOCKET.exists(), reason="this machine runs a system agent")
def test_the_hint_starts_the_agent_whose_socket_was_named(thin, tmp_path):
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert "start it with 'sudo systemctl start" in refused(thin("a", "--socket", SYSTEM_SOCKET, env=runtime), 69)
    users = tmp_path / "tokenward" / "agent.sock"
    assert "start it with 'systemctl --user start" in refused(thin("a", "--socket", users, env=runtime), 69)
    other = {"TOKENWARD_SOCKET": str(tmp_path / "other.sock")}
    assert "start the agent that listens there, or correct TOKENWARD_SOCKET" in refused(thin("a", env=other), 69)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def system_folder():
    """/run/tokenward, which is the system agent's."""
    if os.geteuid() != 0 or SYSTEM_SOCKET.parent.exists():
        pytest.skip("needs root, and no system agent")
    SYSTEM_SOCKET.parent.mkdir()
    yield SYSTEM_SOCKET.parent
    for path in SYSTEM_SOCKET.parent.iterdir():
        path.unlink()
    SYSTEM_SOCKET.parent.rmdir()


def test_the_system_agent_is_asked_when_the_user_has_none(agent, thin, tmp_path, system_folder):
    agent(answer(CREDENTIALS), SYSTEM_SOCKET)
    assert thin("a", env={"XDG_RUNTIME_DIR": str(tmp_path)}).returncode == 0
    assert thin("a", env={}).returncode == 0


def test_the_system_agent_may_be_the_owner_of_its_folder_and_no_other_user(agent, thin, system_folder):
    os.chown(system_folder, OTHER_USER, OTHER_USER)
    served = agent(answer(CREDENTIALS), SYSTEM_SOCKET, user=OTHER_USER)
    assert thin("a", env={}).returncode == 0
    os.chown(system_folder, OTHER_USER + 1, OTHER_USER + 1)
    assert f"uid {OTHER_USER}" in refused(thin("a", env={}), 77)
    assert len(served.requests) == 1


@needs_root
def test_another_users_process_that_listens_is_sent_nothing_unless_that_user_was_named(agent, thin, tmp_path):
    served = agent(answer(CREDENTIALS), user=OTHER_USER)
    message = refused(thin("prod"), 77)
    assert f"a process of uid {OTHER_USER} listens at {tmp_path}/agent.sock" in message
    assert f"--agent-uid {OTHER_USER}" in message
    refused(thin("prod", "--agent-uid", f"{OTHER_USER + 1}"), 77)
    # Neither a folder that is called so nor a way out of it is the system's.
    inside = tmp_path / "run" / "tokenward"
    inside.mkdir(parents=True)
    os.chown(inside, OTHER_USER, OTHER_USER)
    agent(answer(CREDENTIALS), inside / "agent.sock", user=OTHER_USER)
    refused(thin("prod", "--socket", inside / "agent.sock"), 77)
    assert served.requests == []
    assert thin("prod", "--agent-uid", f"{OTHER_USER}").returncode == 0


def test_a_socket_that_no_agent_serves_any_more_is_69(thin, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "agent.sock"))
    assert "any more" in refused(thin("a"), 69)


def test_a_file_or_folder_in_the_sockets_place_is_69(thin, tmp_path):
    (tmp_path / "agent.sock").write_text("")
    refused(thin("a"), 69)
    refused(thin("a", "--socket", tmp_path), 69)
    refused(thin("a", "--socket", tmp_path / "agent.sock" / "x"), 69)


@pytest.mark.parametrize(("length", "code"), [(107, 69), (108, 64), (5000, 64)])
def test_a_path_of_more_than_107_bytes_is_a_usage_error(thin, length, code):
    path = "/" + "x" * (length - 1)
    refused(thin("a", "--socket", path), code)
    refused(thin("a", env={"TOKENWARD_SOCKET": path}), code)


def test_a_path_of_107_bytes_is_connected_to(agent, thin, tmp_path):
    # The folder may be long itself: reach it through a short name.
    os.chdir(tmp_path)
    path = "x" * 107
    agent(answer(CREDENTIALS), path)
    assert thin("a", "--socket", path).returncode == 0
