"""README's "From a .pfx file" works as it is written."""

import json
import re
import subprocess

from support import configuration
from support.key_files import PASSWORD, KeyFiles
from support.processes import BINARIES
from support.shipped import README
from support.terminal import Terminal


def blocks():
    """The section's shell lines, block by block."""
    section = re.search(r"^### From a \.pfx file\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


def test_the_section_for_a_pfx_file_works_as_it_is_written(start, softhsm, service, root, pin_file, tmp_path):
    softhsm.token("prod")
    agent = start(configuration.module(softhsm), configuration.token(pin_file))
    settings = tmp_path / "home/.config/tokenward"
    settings.mkdir(parents=True)
    (settings / "config.toml").symlink_to(agent.configuration_path)
    files = KeyFiles(tmp_path, root)
    files.identity()
    files.pfx("-legacy")  # as Windows exports it
    script = "".join(blocks())
    for name, arn in (("trust-anchor-arn", "trustAnchorArn"), ("profile-arn", "profileArn"), ("role-arn", "roleArn")):
        script, count = re.subn(rf'(?m)^{name} = ".*"$', f'{name} = "{service.arns[arn]}"', script)
        assert count == 1
    script = re.sub(r"(?m)^END$", f'endpoint = "{service.url}"\nca-bundle = "{service.ca}"\nEND', script)
    terminal = Terminal()
    try:
        shell = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-e", "-c", script], cwd=tmp_path, stdin=terminal.slave, stdout=subprocess.PIPE,
            stderr=terminal.slave, text=True,
            env={"PATH": f"{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), "TOKENWARD_SOCKET": agent.socket})
        terminal.read_until(rb"password of client\.pfx: ", seconds=60)
        terminal.type(PASSWORD.encode() + b"\n")
        output, _ = shell.communicate(timeout=60)
        assert shell.returncode == 0, terminal.shown
    finally:
        terminal.close()
    assert re.search(r"(?m)^pkcs11:\S*token=prod\S*;object=client", output), output
    answer = json.loads(output.splitlines()[-1])
    assert (answer["Version"], answer["AccessKeyId"][:4]) == (1, "ASIA")
