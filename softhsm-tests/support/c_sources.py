"""The tests' own C, compiled against p11-kit's headers."""

import pathlib
import subprocess

SOURCES = pathlib.Path(__file__).parent / "c"


def compile(source, output, *options):
    """`source` is below `SOURCES`."""
    flags = subprocess.run(["pkg-config", "--cflags", "p11-kit-1"], capture_output=True, text=True, check=True)
    command = ["cc", "-Wall", "-Werror", *options, *flags.stdout.split(), "-o", output, SOURCES / source, "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    output.chmod(0o755)
    return output
