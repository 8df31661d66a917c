"""README's "Keys" works as it is written, on a token that is called demo."""

import re
import subprocess

from support import configuration
from support.processes import BINARIES
from support.shipped import README
from support.softhsm import SoftHSM, write_pin


def test_the_lines_make_a_key_and_verify_it(start, tmp_path):
    softhsm = SoftHSM(tmp_path / "hsm")
    card = softhsm.token("demo")
    agent = start(configuration.module(softhsm), configuration.token(write_pin(tmp_path / "pin")))
    section = re.search(r"^## Keys\n(.*?)^## ", README.read_text(), re.M | re.S)[1]
    [lines] = re.findall(r"```sh\n(.*?)```", section, re.S)
    done = subprocess.run(
        ["bash", "-e", "-c", lines], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={"PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path), "TOKENWARD_SOCKET": agent.socket})
    assert done.returncode == 0, done.stderr
    assert re.search(r"^pkcs11:.*;object=client;type=private;id=%0A$|^pkcs11:.*id=%0A.*$", done.stdout, re.M)
    assert re.search(r"^never extractable: +yes$", done.stdout, re.M)
    assert "Private Key Object" in card.tool("--list-objects").decode()
