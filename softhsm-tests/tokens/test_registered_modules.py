"""The modules that p11-kit has registered are used, and bad ones are a line each."""

import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from support.agent import Agent
from support.c_sources import compile
from support.mounts import private_mounts
from support.processes import binary
from support.registrations import LAYOUTS
from support.softhsm import MODULE, SoftHSM
from support.waiting import wait_until
from support.worker_process import Failure, Worker

# p11-kit reads no files of root's home. The program's name is what enable-in is about.
AS_A_USER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
AS_THE_WORKER = ["bash", "-c", 'exec -a tokenward-worker "$@"', "bash"]


def in_a_system_of(modules, hsm):
    """A command's prefix: a mount namespace in which p11-kit has this folder's modules registered and no others."""
    script = (
        'mount --bind "$0" /usr/share/p11-kit/modules && mount --bind "$1" /etc/softhsm/softhsm2.conf && '
        'if [ -d /etc/pkcs11/modules ]; then mount -t tmpfs none /etc/pkcs11/modules; fi && shift && exec "$@"')
    return private_mounts(script, str(modules), hsm.configuration)


@pytest.fixture
def library(tmp_path):
    """Compiles a library from C text; its path."""
    def build(name, text, *options):
        path = tmp_path / f"{name}.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", path, *options], input=text.encode(), check=True, timeout=60)
        path.chmod(0o755)
        return path

    return build


def test_bad_modules_are_a_line_each_and_do_not_hinder_the_good_ones(tmp_path, start, library):
    modules = tmp_path / "modules"
    modules.mkdir()
    hsm = SoftHSM(tmp_path / "hsm")
    hsm.token("card")
    for number in range(5):
        # Copies, each a module of its own; all see the tokens of one configuration file.
        path = tmp_path / f"good{number}.so"
        shutil.copy(MODULE, path)
        (modules / f"good{number}.module").write_text(f"module: {path}\n")
    marker = tmp_path / "constructor-ran"
    bad = {
        "noload": library(
            "noload", "int missing_function(void); int C_GetFunctionList(void **l) { return missing_function(); }"),
        "nomodule": library(
            "nomodule", "#include <fcntl.h>\n"
            f'__attribute__((constructor)) static void run(void) {{ open("{marker}", O_CREAT | O_WRONLY, 0600); }}'),
        "absent": tmp_path / "absent.so",
    }
    for name, path in bad.items():
        (modules / f"{name}.module").write_text(f"module: {path}\n")
    begun = time.monotonic()
    agent = start(prefix=in_a_system_of(modules, hsm), configuration_file=False)
    assert agent.workers() == [], "those that no configuration names start with the first question"
    status = agent.get("/v1/status")[1]
    assert time.monotonic() - begun < 10
    states = {module["module"]: (module["state"], module.get("last_error")) for module in status["modules"]}
    assert [states[str(tmp_path / f"good{number}.so")] for number in range(5)] == [("running", None)] * 5
    assert len(agent.workers()) == 5 and len(states) == 8
    errors = {name: states[str(path)][1] for name, path in bad.items()}
    assert all(error and "\n" not in error for error in errors.values())
    assert "undefined symbol: missing_function" in errors["noload"], "the linker's own words"
    assert errors["nomodule"] == f"{bad['nomodule']} is no PKCS#11 module: it has no C_GetFunctionList"
    assert "No such file or directory" in errors["absent"]
    assert not marker.exists(), "a library that is no module was not loaded to find out"
    assert [token["label"] for token in status["tokens"]] == ["card"] * 5


@pytest.fixture(scope="module")
def libraries():
    """A folder, open to every user, of a worker and libraries, each a file of its own but for a link."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tokenward-test-"))
    folder.chmod(0o755)
    shutil.copy(binary("tokenward-worker"), folder)
    first = compile("shim/empty.c", folder / "a.so", "-shared", "-fPIC")
    for name in ("b", "c", "with blank"):
        shutil.copy(first, folder / f"{name}.so")
    (folder / "link.so").symlink_to(first)
    yield folder
    shutil.rmtree(folder)


class Layout:
    """p11-kit's files in folders, which a mount namespace has in their places."""

    def __init__(self, folder, files, libraries):
        self.worker, self.folder = str(libraries / "tokenward-worker"), folder
        self.environment = {"HOME": f"{folder}/home", "PATH": "/usr/bin:/bin"}
        proxy = glob.glob("/usr/lib/*/p11-kit-proxy.so")[0]
        for place in ("share", "etc/modules", "home"):
            (folder / place).mkdir(parents=True)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.format(lib=libraries, proxy=proxy).encode())
        # A folder for what /etc has beside p11-kit's.
        (folder / "old").mkdir()
        script = (
            'mount --bind "$0/share" /usr/share/p11-kit/modules && mount --bind /etc "$0/old" && mount -t tmpfs none /etc && '
            'ln -s "$0"/old/* /etc && rm -f /etc/pkcs11 && mkdir /etc/pkcs11 && mount --bind "$0/etc" /etc/pkcs11 && exec "$@"')
        self.prefix = private_mounts(script, str(folder))

    def listed(self):
        """The answer of p11-kit's own program: library by name; nothing if it fails."""
        result = subprocess.run(
            [*self.prefix, *AS_A_USER, *AS_THE_WORKER, "p11-kit", "list-modules"], env=self.environment, capture_output=True,
            text=True, errors="surrogateescape", timeout=60)
        return dict(re.findall(r"^(\S.*?): (.*)$", result.stdout, re.M))

    def told(self):
        """A worker's answer: library by name; nothing if it fails."""
        worker = Worker.starting(self.folder, self.environment, [*self.prefix, *AS_A_USER, self.worker])
        try:
            answer = worker.ask(19, b"")
        finally:
            worker.close()
        return {} if isinstance(answer, Failure) else {name: path for name, path, _, _ in answer if path}


@pytest.fixture
def layout(open_folder, libraries):
    return lambda files: Layout(open_folder, files, libraries)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_modules_are_those_that_p11_kit_shows(name, layout):
    """But for those whose library is not there: p11-kit leaves them out, and the agent says what is wrong with them."""
    files = layout(LAYOUTS[name])
    listed = files.listed()
    told = {module: path for module, path in files.told().items() if os.path.exists(path)}
    assert set(told) == set(listed)
    for module, library in listed.items():
        assert os.path.samefile(told[module], os.path.join(os.path.dirname(told[module]), library))


def test_the_users_own_modules_are_used_from_where_the_user_has_them(open_folder, libraries):
    """$XDG_CONFIG_HOME as p11-kit takes it: before ~/.config."""
    for name in ("tokenward-agent", "tokenward-worker", "tokenward-keeper", "tokenward-card-watcher"):
        shutil.copy(binary(name), open_folder / name)
    files = {"home/.config/pkcs11/modules/a.module": "a", "elsewhere/pkcs11/modules/b.module": "b"}
    for name, library in files.items():
        path = open_folder / "agent" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"module: {libraries}/{library}.so\n")
    agent = Agent(
        open_folder / "agent", None, program=str(open_folder / "tokenward-agent"), prefix=AS_A_USER,
        environment={"XDG_CONFIG_HOME": str(open_folder / "agent/elsewhere")})
    subprocess.run(["chown", "-R", "65534:65534", agent.folder], check=True)
    try:
        agent.start()
        answer = subprocess.run(
            [*AS_A_USER, "curl", "-s", "--unix-socket", agent.socket, "http://agent/v1/status"], capture_output=True, timeout=60)
        own = [module for module in json.loads(answer.stdout)["modules"] if str(libraries) in module["module"]]
        assert own == [{"module": f"{libraries}/b.so", "state": "running"}]
    finally:
        agent.stop()


def hangs_in_a_file(process):
    """open(2) of a pipe waits until somebody writes to it (fifo(7))."""
    return any(file.read_text().strip() == "wait_for_partner" for file in pathlib.Path(f"/proc/{process}/task").glob("*/wchan"))


def test_while_p11_kit_cannot_be_asked_its_last_list_stands(tmp_path, start):
    modules, pipe = tmp_path / "modules", tmp_path / "modules/z.module"
    modules.mkdir()
    hsm = SoftHSM(tmp_path / "hsm")
    hsm.token("card")
    (modules / "good.module").write_text(f"module: {MODULE}\n")
    os.mkfifo(pipe)
    agent = start(prefix=in_a_system_of(modules, hsm), configuration_file=False)
    [status] = agent.json("status")["modules"]
    assert (status["module"], status["state"]) == ("p11-kit", "failed")
    assert status["last_error"].startswith("p11-kit does not come back from reading its configuration")
    pipe.unlink()
    assert agent.cli("reload").returncode == 0
    good = [{"module": MODULE, "state": "running"}]
    assert agent.json("status")["modules"] == good
    os.mkfifo(pipe)
    reload = subprocess.Popen(
        [binary("tokenward"), "reload", "--socket", agent.socket], env={"PATH": "/usr/bin:/bin", "HOME": agent.home})
    hanging = wait_until(lambda: [worker for worker in agent.workers() if hangs_in_a_file(worker)], "a worker asks p11-kit")[0]
    begun = time.monotonic()
    assert agent.json("status")["modules"] == good and agent.cli("lock").returncode == 0
    assert time.monotonic() - begun < 3, "nothing waits for p11-kit"
    os.kill(hanging, signal.SIGKILL)
    assert reload.wait(30) == 0
    status = agent.json("status")
    assert status["modules"] == good
    assert [notice for notice in status["notices"] if "modules are those of an earlier look" in notice] == [
        "the registered modules are those of an earlier look: "
        "the process that asks p11-kit is gone: it was ended by signal 9"]
