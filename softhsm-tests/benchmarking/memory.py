"""Memory: idle, with many profiles and listeners, after many requests, and with many idle connections."""

import pathlib
import statistics
import sys
import time

from figure import Figure, alternate
from place import CREDENTIALS, PROFILE, memory
from support import configuration
from support.emulator import fixed_arns
from support.processes import resident_bytes

CONNECTIONS = 10_000
REQUESTS = 100_000
HELPER_MIB = 15.9
"""The PSS of aws_signing_helper 1.8.0 `serve` with a key on a SoftHSM, idle, two seconds after its start (/proc)."""


def idle_memory(place, agent):
    """PSS: memory that processes share counts once."""
    (worker,) = agent.workers()
    processes = {"agent": memory(agent.process.pid), "worker": memory(worker)}
    figures = [Figure(f"{name}, idle (RSS)", "MiB", resident) for name, (resident, _) in processes.items()]
    shares = [share for _, share in processes.values()]
    if None in shares:
        print("the share of each process (PSS) is not measured: only root can read it", file=sys.stderr)
        return figures
    helper = "aws_signing_helper serve"
    written = sum(written_to(pid) for pid in (agent.process.pid, worker))
    return [
        *figures,
        Figure("agent and worker, idle (PSS)", "MiB", sum(shares), HELPER_MIB, helper, 1),
        Figure("agent and worker, idle: written to, which only swap could take", "MiB", written),
    ]


def written_to(pid):
    """What is in no file, in MiB."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Anonymous:")).split()[1]) / 1024


def profiles_and_listeners(place, rounds):
    """What ten profiles of every kind and ten listeners take beside one profile: what is in no file, since code is there
    once, for one profile or a hundred."""
    hsm, _ = place.softhsm("profiles", "EC:prime256v1")
    emulator = place.endpoint(name="profiles-service")
    one = configuration.profile(emulator, PROFILE)
    kinds = [
        *(configuration.profile(emulator, f"anywhere-{number}") for number in range(9)),
        *(configuration.table(f"[profile.edge-{number}]", {
            "source": "iot-core", "endpoint": emulator.url, "role-alias": "edge-role", "ca-bundle": emulator.ca})
          for number in range(10)),
        *(configuration.assumed(emulator, f"role-{number}", PROFILE, fixed_arns()["roleArn"]) for number in range(10)),
        *(configuration.access_key(
            emulator, f"user-{number}", "AKIAIOSFODNN7EXAMPLE", "pkcs11:object=user;type=secret-key")
          for number in range(10))]
    sockets = [
        configuration.table("[[listener]]", {
            "kind": "socket", "path": f"{place.folder}/consumer-{number}.sock", "profiles": [PROFILE]})
        for number in range(10)]

    def idle(name, *tables):
        """Of an agent that has handed out a credential."""
        agent = place.start(
            place.path / name, configuration.module(hsm, writable=[place.folder]),
            configuration.token(place.pin_source), one, *tables)
        assert agent.credentials().returncode == 0, agent.log()
        allocated = settled(agent)
        agent.stop()
        return allocated

    alone, many, listening = alternate(
        rounds, lambda: idle("one-profile"), lambda: idle("ten-profiles", *kinds), lambda: idle("ten-listeners", *sockets))
    return [
        Figure("agent, ten profiles of every kind beside one", "MiB", many - alone, reach=1),
        Figure("agent, a listener", "KiB", (listening - alone) * 1024 / len(sockets), reach=64),
    ]


def growth(place, agent):
    before = settled(agent)
    for clients in (1, 64):
        place.run("load_client", agent.socket, CREDENTIALS, "close", clients, REQUESTS // 2)
    return [Figure(f"agent, growth after {REQUESTS:,} requests", "MiB", settled(agent) - before, reach=5)]


def idle_connections(place, agent):
    before = settled(agent)
    client = place.begin(place.program("load_client"), agent.socket, CREDENTIALS, "hold", CONNECTIONS)
    assert client.stdout.readline() == "open\n"
    _, burst = ask(client)  # the agent has accepted all that came before this one
    each = (settled(agent) - before) * 1024 / CONNECTIONS
    rounds = [ask(client) for _ in range(20)]
    client.stdin.close()
    client.wait(30)
    name = f"{CONNECTIONS:,} idle connections"
    return [
        Figure(f"{name}: each", "KiB", each, reach=8),
        Figure(f"{name}: a request behind all of them at once", "ms", burst),
        Figure(f"{name}: next request on one of them", "ms", max(held for held, _ in rounds), reach=100),
        Figure(f"{name}: next request on a new one", "ms", max(new for _, new in rounds), reach=100),
        Figure(f"{name}: request, median", "ms", statistics.median(new for _, new in rounds)),
    ]


def ask(client):
    client.stdin.write("\n")
    client.stdin.flush()
    words = client.stdout.readline().split()
    return float(words[1]) / 1000, float(words[3]) / 1000


def settled(agent):
    """What it has allocated, in MiB, once that has stopped to change: the log is written by then. Code that is read for
    the first time is no growth."""
    last = None
    for _ in range(50):
        allocated = resident_bytes(agent.process.pid, "RssAnon") / (1 << 20)
        if allocated == last:
            break
        last = allocated
        time.sleep(0.2)
    return allocated
