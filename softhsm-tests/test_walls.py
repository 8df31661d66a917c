"""What a worker's process may still do once it runs a module: a module that tries to get out, and goes on."""

import ctypes
import os
import pathlib
import re
import socket
import subprocess

import pytest

from c_sources import compile
from configuration import module, profile, token
from softhsm import MODULE

WALLS = pathlib.Path(__file__).parent / "walls"
KEPT = {"thread": "done", "unix": "done", "device-events": "done", "read-outside": "done", "write-null": "done"}
NO_NETWORK = {name: "EAFNOSUPPORT" for name in ("first-tcp", "tcp", "udp6", "packet", "routes")}
NO_ESCAPE = {
    "io_uring": "EPERM",
    **{name: "EPERM" for name in ("spawn", "fork", "exec", "exec-descriptor")},
    **{name: "EPERM" for name in ("ptrace", "read-process", "mount", "unshare", "bpf", "keyring", "type")},
}
NO_CHANGES = {
    name: "EACCES"
    for name in ("write-outside", "truncate-outside", "unlink-outside", "create-outside", "move-outside")
}
INSIDE = {"create-inside": "done", "unlink-inside": "done"}
# Landlock's part of them as well: without the right to trace, or to signal, what is outside.
OTHERS = {"open-process": "EACCES", "signal": "EPERM"}


@pytest.fixture(scope="module")
def escape(tmp_path_factory):
    return compile(WALLS / "escape.c", tmp_path_factory.mktemp("walls") / "escape.so", "-shared", "-fPIC", "-pthread")


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
def landlock():
    """The kernel's Landlock ABI."""
    version = landlock_version()
    if version < 6:
        pytest.skip(f"this kernel has Landlock ABI {version}, and not 6")
    return version


def landlock_version():
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


def attempts(path):
    lines = path.read_text().splitlines()
    assert lines[-1] == "end", lines
    return dict(line.split() for line in lines[:-1])


def escaping(softhsm, escape, listener, folder, outside, inside, **settings):
    environment = {
        "ESCAPE_MODULE": MODULE, "ESCAPE_REPORT": f"{folder}/report", "ESCAPE_PORT": str(listener.getsockname()[1]),
        "ESCAPE_OUTSIDE": str(outside), "ESCAPE_INSIDE": str(inside)}
    return module(softhsm, escape, environment, **settings)


def test_a_module_that_tries_to_get_out_fails_and_goes_on(
        landlock, start, softhsm, demo, service, escape, listener, tmp_path, pin_file):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("kept")
    (tmp_path / "report").touch()
    writable = [str(inside), str(tmp_path / "report"), softhsm.folder]
    agent = start(
        escaping(softhsm, escape, listener, tmp_path, outside, inside, writable=writable), token(pin_file),
        profile(service))
    assert agent.credentials().returncode == 0
    assert attempts(tmp_path / "report") == {
        **KEPT, **NO_NETWORK, **NO_ESCAPE, **NO_CHANGES, **INSIDE, **OTHERS}
    assert outside.read_text() == "kept"
    assert re.search("module asked for the network, which it does not have", agent.log())
    worker = agent.workers()[0]
    status = pathlib.Path(f"/proc/{worker}/task").glob("*/status")
    assert {re.search(r"^Seccomp:\t(\d)", file.read_text(), re.M)[1] for file in status} == {"2"}


def test_a_module_that_is_given_the_network_has_it_and_no_more(
        landlock, start, softhsm, demo, service, escape, listener, tmp_path, pin_file):
    outside = tmp_path / "file"
    outside.touch()
    agent = start(
        escaping(softhsm, escape, listener, tmp_path, outside, tmp_path, network=True), token(pin_file),
        profile(service))
    assert agent.credentials().returncode == 0
    found = attempts(tmp_path / "report")
    network = {"first-tcp": "done", "tcp": "done", "connect": "done", "udp6": "done", "routes": "done"}
    assert {name: found[name] for name in [*network, "packet"]} == {**network, "packet": "EAFNOSUPPORT"}
    assert {name: found[name] for name in [*NO_ESCAPE, *OTHERS]} == {**NO_ESCAPE, **OTHERS}
    assert "asked for the network" not in agent.log()


def test_without_a_list_homes_and_etc_are_kept_and_the_folders_of_its_settings_are_not(
        landlock, start, softhsm, demo, service, escape, listener, tmp_path, pin_file):
    """In a mount namespace with a /home of its own: SoftHSM's tokens, the module's store and a stranger's file are there."""
    tokens = tmp_path / "copy"
    subprocess.run(["cp", "-a", softhsm.folder, tokens], check=True)
    (tokens / "softhsm2.conf").write_text("directories.tokendir = /home/me/tokens\nobjectstore.backend = file\n")
    inside = tmp_path / "store"
    inside.mkdir()
    settings = escaping(softhsm, escape, listener, tmp_path, "/home/me/.bashrc", "/home/me/store")
    settings = settings.replace(softhsm.configuration, f"{tokens}/softhsm2.conf")
    script = (
        'mount -t tmpfs none /home && mkdir -p /home/me/store && cp -a "$0/tokens" /home/me/ && echo kept >/home/me/.bashrc'
        ' && exec "$@"')
    agent = start(
        settings, token(pin_file), profile(service), environment={"HOME": "/home/me"},
        prefix=["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(tokens)])
    assert agent.credentials().returncode == 0, agent.log()
    found = attempts(tmp_path / "report")
    assert {name: found[name] for name in [*NO_CHANGES, *INSIDE]} == {**NO_CHANGES, **INSIDE}


def test_a_folder_that_is_not_there_is_named(start, softhsm, demo, tmp_path):
    if not landlock_version():
        pytest.skip("this kernel has no Landlock")
    agent = start(module(softhsm, writable=[f"{tmp_path}/none"]))
    [status] = agent.json("status")["modules"]
    assert status["last_error"] == f"writable: {tmp_path}/none: No such file or directory"


def test_a_failure_tells_of_the_network_that_was_missed(start, softhsm, demo, escape, listener, tmp_path):
    """SoftHSM finds no configuration behind it, so that C_Initialize fails after the attempt."""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 7):
        pytest.skip("this kernel does not tell of refused calls")
    settings = escaping(softhsm, escape, listener, tmp_path, "/etc/hostname", tmp_path)
    agent = start(settings.replace(softhsm.configuration, f"{tmp_path}/none"))
    [status] = agent.json("status")["modules"]
    assert status["last_error"].endswith(
        "; it asked for the network, which it does not have: if it needs it, write network = true"), status


def test_opensc_and_softhsm_need_nothing_that_the_walls_keep(start, softhsm, demo, service, pin_file):
    opensc = next(iter(pathlib.Path("/usr/lib").glob("*/pkcs11/opensc-pkcs11.so")), None)
    assert opensc, "OpenSC is not installed: apt-get install opensc"
    agent = start(module(softhsm), module(softhsm, opensc), token(pin_file), profile(service))
    assert agent.credentials().returncode == 0
    assert agent.log().count("module loaded") == 2, "OpenSC's says later that there is no pcscd"
    assert "asked for the network" not in agent.log()
