"""Every module that p11-kit has registered, good and bad."""

import shutil
import subprocess
import time

import pytest

from mounts import private_mounts
from softhsm import MODULE, SoftHSM


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


def test_bad_modules_are_a_line_each_and_no_trouble_for_the_good_ones(tmp_path, start, library):
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
