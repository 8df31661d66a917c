"""The place where it is measured: a world with more tokens, and the C programs of this folder."""

import pathlib
import subprocess

from support import configuration
from support.softhsm import MODULE, SoftHSM
from support.world import World

SOURCES = pathlib.Path(__file__).parent / "reference"
PROFILE = "test"
CREDENTIALS = f"/v1/profiles/{PROFILE}/credentials"

PROGRAMS = {
    "thin_client_static": ("thin_client.c", ["-static"], []),
    "thin_client_dynamic": ("thin_client.c", [], []),
    "spawn_bench": ("spawn_bench.c", [], []),
    "epoll_server": ("epoll_server.c", [], []),
    "load_client": ("load_client.c", [], []),
    "ssh_sign": ("ssh_sign.c", ["-pthread"], []),
    "direct_sign": ("direct_sign.c", ["-pthread"], ["p11-kit-1"]),
    "piped_sign": ("piped_sign.c", [], ["p11-kit-1"]),
    "direct_session": ("direct_session.c", [], ["p11-kit-1", "libcurl"]),
    "direct_list": ("direct_list.c", [], ["p11-kit-1"]),
    "card_present": ("card_present.c", [], ["libpcsclite"]),
    # The cost of starting a process with these libraries, without its work.
    "start": ("start.c", ["-Wl,--no-as-needed"], ["p11-kit-1"]),
}


class Place(World):
    """Everything in one folder; all that it starts ends with it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.path = pathlib.Path(folder)
        for name, (source, options, packages) in PROGRAMS.items():
            flags = run("pkg-config", "--cflags", "--libs", *packages).split() if packages else []
            run("cc", "-O2", *options, "-o", self.program(name), SOURCES / source, *flags)

    def program(self, name):
        return f"{self.folder}/{name}"

    def begin(self, *command, **options):
        """Starts another program."""
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        self.ends.callback(end, process)
        return process

    def run(self, name, *arguments, **options):
        return run(self.program(name), *arguments, **options)

    def softhsm(self, name, key_type):
        """A SoftHSM with one token, one key and its certificate; returns it with the certificate."""
        hsm = SoftHSM(self.path / name)
        return hsm, hsm.token(name).identity(self.root, key_type=key_type)

    def agent_on(self, hsm, emulator, name, *arguments, module=MODULE, environment=None):
        """An agent for the token of a SoftHSM."""
        return self.start(
            self.path / name, configuration.module(hsm, module, environment, writable=[self.folder]),
            configuration.token(self.pin_source), configuration.profile(emulator, PROFILE), arguments=arguments)


def end(process):
    if process.poll() is None:
        process.terminate()
        process.wait(15)


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, **options)
    assert result.returncode == 0, f"{command[0]} ended with {result.returncode}: {result.stdout}{result.stderr}"
    return result.stdout


def memory(process_id):
    """VmRSS and, where it can be read, Pss; in MiB."""
    status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024
    try:
        rollup = pathlib.Path(f"/proc/{process_id}/smaps_rollup").read_text()
        proportional = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024
    except OSError:  # neither agent nor worker lets its own user look; root may
        proportional = None
    return resident, proportional
