"""A module that tries to get out of its worker fails, and goes on."""

import ctypes
import pathlib
import re
import socket
import subprocess

import pytest

from support import configuration
from support.c_sources import compile
from support.configuration import module, profile, token
from support.mounts import private_mounts
from support.softhsm import MODULE
from support.waiting import wait_until

KEPT = {
    name: "done" for name in (
        "thread", "unix", "device-events", "read-outside", "write-null", "limit", "processors", "set-processors",
        "scheduler", "fchmod", "fchown")
}
NO_NETWORK = {name: "EAFNOSUPPORT" for name in ("first-tcp", "tcp", "answered-tcp", "udp6", "packet", "routes", "connections")}
NO_ESCAPE = {
    name: "EPERM" for name in (
        "io_uring", "spawn", "fork", "exec", "exec-descriptor", "ptrace", "read-process", "mount", "unshare", "bpf",
        "keyring", "type", "limit-agent", "priority-agent", "io-priority-agent", "processors-agent", "scheduler-agent",
        "schedule-agent", "attributes-agent", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "setxattr",
        "lsetxattr", "removexattr", "lremovexattr")
}
# Landlock's, by the ABI that they came with. The agent cannot be traced, so its memory opens for those alone who may trace
# everything, and whom Landlock keeps from it.
NO_CHANGES = {
    1: {name: "EACCES" for name in ("write-outside", "unlink-outside", "create-outside", "move-outside", "open-process")},
    3: {"truncate-outside": "EACCES"},
    6: {"signal": "EPERM"},
}
INSIDE = {"create-inside": "done", "unlink-inside": "done"}


@pytest.fixture(scope="module")
def escape(tmp_path_factory):
    return compile("walls/escape.c", tmp_path_factory.mktemp("walls") / "escape.so", "-shared", "-fPIC", "-pthread")


@pytest.fixture(scope="module")
def demo(softhsm, root):
    made = softhsm.token("demo")
    made.identity(root)
    return made


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def no_changes():
    """The actions that this kernel's Landlock refuses."""
    version = landlock_version()
    if not version:
        pytest.skip("this kernel has no Landlock")
    return {name: error for abi, errors in NO_CHANGES.items() if abi <= version for name, error in errors.items()}


def landlock_version():
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


def attempts_so_far(path):
    return dict(line.split() for line in path.read_text().splitlines())


def attempts(path):
    lines = path.read_text().splitlines()
    assert lines[-1] == "end", lines
    return dict(line.split() for line in lines[:-1])


def escaping(softhsm, escape, listener, folder, outside, inside, environment=None, **settings):
    environment = {
        **(environment or {}),
        "ESCAPE_MODULE": MODULE, "ESCAPE_REPORT": f"{folder}/report", "ESCAPE_PORT": str(listener.getsockname()[1]),
        "ESCAPE_OUTSIDE": str(outside), "ESCAPE_INSIDE": str(inside)}
    return module(softhsm, escape, environment, **settings)


@pytest.fixture
def tried(start, softhsm, demo, service, escape, listener, tmp_path, pin_file):
    """An agent whose module has tried all that it can outside of what is writable; its attempts, and a file outside."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("kept")
    (tmp_path / "report").touch()
    writable = [str(inside), str(tmp_path / "report"), softhsm.folder]
    agent = start(
        escaping(softhsm, escape, listener, tmp_path, outside, inside, writable=writable), token(pin_file),
        profile(service))
    assert agent.credentials().returncode == 0
    return agent, attempts(tmp_path / "report"), outside


def test_a_module_that_tries_to_get_out_fails_and_goes_on(tried):
    agent, found, outside = tried
    expected = {**KEPT, **NO_NETWORK, **NO_ESCAPE}
    assert {name: found[name] for name in expected} == expected
    assert set(found) == {*expected, *INSIDE, *(name for names in NO_CHANGES.values() for name in names)}
    worker = agent.workers()[0]
    status = pathlib.Path(f"/proc/{worker}/task").glob("*/status")
    assert {re.search(r"^Seccomp:\t(\d)", file.read_text(), re.M)[1] for file in status} == {"2"}


def test_a_module_changes_files_only_where_it_may(no_changes, tried):
    agent, found, outside = tried
    assert {name: found[name] for name in [*no_changes, *INSIDE]} == {**no_changes, **INSIDE}
    if "truncate-outside" in no_changes:
        assert outside.read_text() == "kept"


def test_a_keeper_has_the_walls_of_a_worker(tried, no_changes, tmp_path):
    agent, found, outside = tried
    (tmp_path / "report").write_text("")
    serial = agent.json("status")["tokens"][0]["serial"]
    made = agent.cli(
        "key", "generate", "--token", f"pkcs11:serial={serial}", "--type", "ec:p256", "--label", "made", "--id", "4a")
    assert made.returncode == 0, made.stderr
    assert attempts(tmp_path / "report") == found
    assert {**KEPT, **NO_NETWORK, **NO_ESCAPE}.items() <= found.items()
    uri = f"pkcs11:serial={serial};id=%4A"
    assert agent.cli("key", "destroy", uri, "--serial", serial).returncode == 0


def test_a_module_that_is_given_the_network_has_it_and_no_more(
        start, softhsm, demo, service, escape, listener, tmp_path, pin_file):
    outside = tmp_path / "file"
    outside.touch()
    agent = start(
        escaping(softhsm, escape, listener, tmp_path, outside, tmp_path, network=True), token(pin_file),
        profile(service))
    assert agent.credentials().returncode == 0
    found = attempts(tmp_path / "report")
    network = {name: "done" for name in ("first-tcp", "tcp", "answered-tcp", "connect", "udp6", "routes")}
    refused = {name: "EAFNOSUPPORT" for name in ("packet", "connections")}
    assert {name: found[name] for name in [*network, *refused]} == {**network, **refused}
    assert {name: found[name] for name in NO_ESCAPE} == NO_ESCAPE


@pytest.mark.parametrize("top, home, outside, named", [
    ("/home", "/home/me", ".bashrc", {}),
    ("/home", "/home/me", ".config/tokenward/config.toml", {
        "XDG_CONFIG_HOME": "/home/me/.config", "DATA": "/home/me/.config"}),
    ("/srv", "/srv/link", ".bashrc", {"HOME": "/srv/link", "DATA": "/srv/me"}),
], ids=["home", "configuration", "link"])
def test_without_a_list_the_home_is_kept_and_the_folders_of_a_modules_settings_are_not(
        no_changes, start, softhsm, demo, service, escape, listener, tmp_path, pin_file, top, home, outside, named):
    """In a mount namespace with homes of its own: the agent's configuration, SoftHSM's tokens and the module's store are
    there. The agent's socket is in /tmp, so nothing else is writable there."""
    tokens, store = tmp_path / "copy", f"{top}/me/store"
    subprocess.run(["cp", "-a", softhsm.folder, tokens], check=True)
    (tokens / "softhsm2.conf").write_text(f"directories.tokendir = {top}/me/tokens\nobjectstore.backend = file\n")
    settings = escaping(softhsm, escape, listener, store, f"{top}/me/{outside}", store, named, writable=None)
    (tokens / "config.toml").write_text("".join(
        [settings.replace(softhsm.configuration, f"{tokens}/softhsm2.conf"), token(pin_file), profile(service)]))
    (tokens / "config.toml").chmod(0o600)
    script = (
        'mount -t tmpfs none "$1" && cd "$1" && mkdir -p me/store me/.config/tokenward && ln -s me link'
        ' && cp -a "$0/tokens" me/ && cp -p "$0/config.toml" me/.config/tokenward/ && echo kept >me/.bashrc && shift'
        ' && cd / && exec "$@"')
    agent = start(
        configuration_file=False, environment={"HOME": home},
        prefix=private_mounts(script, str(tokens), top))
    assert agent.credentials().returncode == 0, agent.log()
    found = attempts(pathlib.Path(f"/proc/{agent.process.pid}/root{store}/report"))
    assert {name: found[name] for name in [*no_changes, *INSIDE]} == {**no_changes, **INSIDE}


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    return compile("walls/caller.c", tmp_path_factory.mktemp("walls") / "caller.so", "-shared", "-fPIC")


@pytest.mark.parametrize("stays", [True, False], ids=["waits for the answer", "ends after the request"])
@pytest.mark.parametrize("line", ["GET /v1/profiles/test/credentials", "POST /v1/profiles/test/refresh", "GET /v1/status"])
def test_a_module_that_calls_its_agent_is_refused_and_told_of(
        start, softhsm, demo, service, caller, tmp_path, pin_file, line, stays):
    environment = {
        "CALLER_MODULE": MODULE, "CALLER_SOCKET": f"{tmp_path}/run/tokenward/agent.sock",
        "CALLER_REQUEST": f"{line} HTTP/1.1", **({"CALLER_REPORT": f"{tmp_path}/report"} if stays else {})}
    agent = start(module(softhsm, caller, environment), token(pin_file), profile(service))
    assert environment["CALLER_SOCKET"] == agent.socket
    agent.request("GET", "/v1/tokens")
    if stays:
        wait_until(lambda: "end" in (tmp_path / "report").read_text(), "the module's answer")
        assert (tmp_path / "report").read_text() == "end\n"
    told = r"warning: audit attack=yes decision=deny reason=.process (\d+) is a worker of this agent"
    number = wait_until(lambda: re.search(told, agent.log()), "a line in the log")[1]
    assert re.search(rf"module loaded .*worker={number}$", agent.log(), re.M)
    assert not re.search(rf"pid={number} .*route=", agent.log())


def test_a_folder_that_is_not_there_is_named(start, softhsm, demo, tmp_path):
    if not landlock_version():
        pytest.skip("this kernel has no Landlock")
    agent = start(module(softhsm, writable=[f"{tmp_path}/none"]))
    [status] = agent.json("status")["modules"]
    assert status["last_error"] == f"writable: {tmp_path}/none: No such file or directory"


HINT = "; it looked for the network, which it does not have: if it needs it, write network = true in its [[module]]"
NO_CONFIGURATION = {"SOFTHSM2_CONF": "/nonexistent"}  # C_Initialize fails


@pytest.mark.parametrize("network", [False, True])
def test_a_module_that_looked_for_the_network_in_vain_is_told_how_to_get_it(
        start, softhsm, escape, listener, tmp_path, network):
    (tmp_path / "report").touch()
    agent = start(escaping(
        softhsm, escape, listener, tmp_path, tmp_path, tmp_path, NO_CONFIGURATION, network=network))
    [status] = agent.json("status")["modules"]
    assert attempts_so_far(tmp_path / "report")["first-tcp"] == ("done" if network else "EAFNOSUPPORT")
    assert status["last_error"].startswith("C_Initialize ")
    assert status["last_error"].endswith(HINT) != network, status


def test_a_module_that_never_looked_for_the_network_is_not_sent_there(start, softhsm, mock):
    mock.on("C_GetSlotList", rv=0x30)
    agent = start(module(softhsm, environment=NO_CONFIGURATION), configuration.mock(mock))
    errors = [status["last_error"] for status in agent.json("status")["modules"]]
    assert errors[0].startswith("C_Initialize ") and "network" not in errors[0]
    assert errors[1] == "listing tokens: C_GetSlotList answered CKR_DEVICE_ERROR"


def test_a_machine_without_a_tpm_is_told_so(start, tmp_path):
    library = next(iter(pathlib.Path("/usr/lib").glob("*/pkcs11/libtpm2_pkcs11.so")), None)
    if not library:
        pytest.skip("tpm2-pkcs11 is not installed: apt-get install libtpm2-pkcs11-1")
    environment = {"TPM2_PKCS11_TCTI": f"device:{tmp_path}/none", "TSS2_LOG": "all+none"}
    agent = start(configuration.table("[[module]]", {"path": str(library), "environment": environment}))
    [status] = agent.json("status")["modules"]
    assert status["last_error"] == f"C_Initialize answered CKR_GENERAL_ERROR; there is no TPM here: {tmp_path}/none does not exist"


def test_a_library_that_cannot_be_loaded_has_nothing_to_do_with_the_network(start, softhsm, demo, tmp_path):
    (tmp_path / "text.so").write_text("no library")
    [status] = start(module(softhsm, tmp_path / "text.so")).json("status")["modules"]
    assert "text.so" in status["last_error"] and "network" not in status["last_error"]


def test_opensc_and_softhsm_need_nothing_that_the_walls_keep(start, softhsm, demo, service, pin_file):
    opensc = next(iter(pathlib.Path("/usr/lib").glob("*/pkcs11/opensc-pkcs11.so")), None)
    assert opensc, "OpenSC is not installed: apt-get install opensc"
    agent = start(module(softhsm), module(softhsm, opensc), token(pin_file), profile(service))
    assert agent.credentials().returncode == 0
    assert agent.log().count("module loaded") == 2, "OpenSC's says later that there is no pcscd"
