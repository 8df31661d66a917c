"""The place where it is measured: SoftHSM tokens, certificates, an emulator, agents, and the C programs of this folder."""

import json
import pathlib
import subprocess

from support.agent import Agent
from support.authority import Authority, pem
from support.processes import binary
from support.softhsm import MODULE, PIN, SoftHSM

HERE = pathlib.Path(__file__).parent
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
    "direct_session": ("direct_session.c", [], ["p11-kit-1", "libcurl"]),
    # What starting a process with these libraries costs, whatever it then does.
    "start": ("start.c", ["-Wl,--no-as-needed"], ["p11-kit-1"]),
}


class Place:
    """Everything in one folder; all that it starts ends with it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []
        self.authority = Authority("Root")
        (self.folder / "root.pem").write_bytes(pem(self.authority.certificate))
        (self.folder / "pin").touch(mode=0o600)
        (self.folder / "pin").write_text(PIN + "\n")
        for name, (source, options, packages) in PROGRAMS.items():
            flags = run("pkg-config", "--cflags", "--libs", *packages).split() if packages else []
            run("cc", "-O2", *options, "-o", self.folder / name, HERE / source, *flags)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
                process.wait(15)

    def program(self, name):
        return str(self.folder / name)

    def start(self, *command, **options):
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        self.running.append(process)
        return process

    def run(self, name, *arguments, **options):
        return run(self.program(name), *arguments, **options)

    def softhsm(self, name, key_type):
        """A SoftHSM with one token, one key and its certificate; returns it with the certificate."""
        hsm = SoftHSM(self.folder / name)
        return hsm, hsm.token(name).identity(self.authority, key_type=key_type)

    def emulator(self):
        process = self.start(
            binary("rolesanywhere-emulator"), "--trust-anchor-pem", self.folder / "root.pem", "--state",
            self.folder / "emulator", "--exit-with-stdin",
        )  # fmt: skip
        url = process.stdout.readline().split()[-1]
        arns = json.loads(run(binary("rolesanywhere-emulator"), "--print-arns"))
        return Emulator(url, self.folder / "emulator" / "ca.pem", arns)

    def agent(self, name, hsm, emulator, *arguments, module=MODULE, environment=None):
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        variables = hsm.environment | (environment or {})
        agent = Agent(
            folder,
            f"""
            [[module]]
            path = "{module}"
            environment = {{ {", ".join(f'{key} = "{value}"' for key, value in variables.items())} }}
            writable = ["{self.folder}"]
            [[token]]
            uri = "pkcs11:"
            pin-source = "file:{self.folder}/pin"
            [profile.{PROFILE}]
            source = "roles-anywhere"
            trust-anchor-arn = "{emulator.arns["trustAnchorArn"]}"
            profile-arn = "{emulator.arns["profileArn"]}"
            role-arn = "{emulator.arns["roleArn"]}"
            endpoint = "{emulator.url}"
            ca-bundle = "{emulator.ca}"
            """,
            arguments=arguments,
        )
        agent.start()
        self.running.append(agent.process)
        return agent


class Emulator:
    def __init__(self, url, ca, arns):
        self.url, self.ca, self.arns = url, ca, arns

    def counters(self):
        return json.loads(run("curl", "-sS", "--cacert", self.ca, f"{self.url}/_emulator/counters"))


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
