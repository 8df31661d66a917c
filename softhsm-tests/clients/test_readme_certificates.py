"""README's "A key and a certificate born on the token" works as it is written, with openssl as the CA."""

import json
import re
import subprocess

from support import configuration
from support.authority import key_pem, pem
from support.processes import BINARIES
from support.shipped import README


def blocks():
    """The section's shell lines, block by block."""
    section = re.search(r"^### A key and a certificate born on the token\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


def test_the_section_works_as_it_is_written(start, softhsm, pin_file, tmp_path, root, service):
    softhsm.token("prod")
    (tmp_path / "ca.pem").write_bytes(pem(root.certificate))
    (tmp_path / "ca.key").write_bytes(key_pem(root.key))
    agent = start(
        configuration.module(softhsm), configuration.token(pin_file),
        configuration.profile(service, "prod", certificate="pkcs11:token=prod;object=client"))
    done = subprocess.run(
        ["bash", "-e", "-c", "".join(blocks())],
        env={"PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path), "TOKENWARD_SOCKET": agent.socket},
        cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert json.loads(lines[-1])["AccessKeyId"].startswith("ASIA")
    assert "source identity\tCN=build-7" in lines and "tag x509Subject/O\tExample" in lines
    assert [line for line in lines if "\tbroken: " in line] == []
