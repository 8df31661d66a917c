"""What stands in the way of a figure: what its processes spend, counted by the kernel. Processor time, wake-ups and page
faults depend little on what else the machine does."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

from cached_answers import epoll_server
from first_session import directly
from idle_machine import machine
from place import CREDENTIALS
from support.processes import binary
from support.softhsm import MODULE, PIN
from support.waiting import wait_until

SECONDS = 3


def spent(pid):
    """By all threads of a process that still live: microseconds of processor time, times that one waited, and page faults."""
    total = [0, 0, 0]
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            status, statistics = (thread / "status").read_text(), (thread / "stat").read_text()
            total[0] += int((thread / "schedstat").read_text().split()[0]) / 1000
        except OSError:  # it has ended
            continue
        total[1] += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])
        total[2] += int(statistics.rpartition(")")[2].split()[7])
    return total


def rows(title, costs, per):
    """Lines of a Markdown table: `costs` has what each process has spent, in `per` of something."""
    lines = [f"| {title} | processor time, µs | waits | page faults |", "|---|---:|---:|---:|"]
    for name, cost in costs.items():
        lines.append("| " + " | ".join([name, *(f"{part / per:.1f}" for part in cost)]) + " |")
    return lines + [""]


def during(pids, body):
    """What each process spends meanwhile, and what `body` returns."""
    before = {name: spent(pid) for name, pid in pids.items()}
    result = body()
    return {name: [a - b for a, b in zip(spent(pid), before[name])] for name, pid in pids.items()}, result


def memory(place):
    """Where the memory is after a credential: by file, private and written to, and the rest."""
    hsm, _ = place.softhsm("memory", "EC:prime256v1")
    agent = place.agent_on(hsm, place.endpoint(), "memory-agent")
    assert agent.credentials().returncode == 0
    lines = []
    for name, pid in (("agent", agent.process.pid), ("worker", agent.workers()[0])):
        lines += [f"| {name} | written to, KiB | only read, KiB of PSS |", "|---|---:|---:|"]
        lines += [f"| {kind} | {dirty} | {share - dirty} |" for kind, (dirty, share) in mappings(pid, name).items()]
        lines.append("")
    agent.stop()
    return lines


def mappings(pid, name):
    kinds = {"its program": [0, 0], "libraries": [0, 0], "heap and stacks": [0, 0]}
    kind = None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        key, _, value = line.partition(":")
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            kind = "its program" if f"tokenward-{name}" in line else "libraries" if ".so" in line else "heap and stacks"
        elif key == "Anonymous":
            kinds[kind][0] += int(value.split()[0])
        elif key == "Pss":
            kinds[kind][1] += int(value.split()[0])
    return kinds


def first(place):
    """A first credential, when the worker has listed."""
    hsm, certificate = place.softhsm("first", "EC:prime256v1")
    emulator = place.endpoint()
    directly(place, hsm, certificate, emulator)  # the emulator's own first exchange
    costs, parts = {}, []
    for index in range(SECONDS * 3):
        agent = place.agent_on(hsm, emulator, f"first-{index}", "--log-level", "debug")
        wait_until(lambda: "worker call call=list " in agent.log(), "the listing of the start")
        pids = {"agent": agent.process.pid, "worker": agent.workers()[0], "emulator": emulator.process.pid}
        cost, _ = during(pids, lambda: agent.credentials())
        costs = {name: [a + b for a, b in zip(cost[name], costs.get(name, [0, 0, 0]))] for name in cost}
        parts.append(directly(place, hsm, certificate, emulator))
        agent.stop()
    in_c = sum(part["login"] + part["signature"] + part["handshake"] + part["service"] for part in parts)
    costs["the parts in C, whole time"] = [in_c * 1000, 0, 0]
    return rows("a first credential", costs, len(parts))


def signatures(place):
    """Signatures, by callers that ask again at once."""
    lines = []
    (place.path / "pin").write_text(PIN)
    for key_type in ("EC:prime256v1", "rsa:2048"):
        hsm, _ = place.softhsm(key_type[:2].lower(), key_type)
        environment = {**os.environ, **hsm.environment}
        for callers, threads in ((1, 1), (4, 2)):
            program = [
                binary("signing-benchmark"), binary("tokenward-worker"), MODULE, hsm.configuration, place.path / "pin",
                callers, SECONDS]  # fmt: skip
            benchmark = place.begin(*program)
            time.sleep(0.5)
            costs, seconds = signing(benchmark.pid)
            per = json.loads(benchmark.stdout.read())["rate"] * seconds
            direct = place.begin(place.program("direct_sign"), MODULE, PIN, threads, SECONDS, env=environment)
            time.sleep(0.5)
            in_c, (began, ended) = during({"C": direct.pid}, lambda: (time.monotonic(), time.sleep(1), time.monotonic())[::2])
            ratio = per / (float(direct.stdout.read()) * (ended - began))
            costs["C, in the module's process"] = [part * ratio for part in in_c["C"]]
            lines += rows(f"a signature, {key_type}, {callers} caller{'s' * (callers > 1)}", costs, per)
    return lines


def signing(benchmark):
    """What the benchmark and its worker spend, and in how many seconds: in short ones, because a worker that has served
    10,000 requests is replaced."""
    costs, seconds = {"the agent's side": [0, 0, 0], "worker": [0, 0, 0]}, 0
    for _ in range(10):
        with contextlib.suppress(OSError):  # it was replaced
            pids = {"the agent's side": benchmark, "worker": child(benchmark)}
            began = time.monotonic()
            cost, _ = during(pids, lambda: time.sleep(0.1))
            seconds += time.monotonic() - began
            costs = {name: [a + b for a, b in zip(costs[name], cost[name])] for name in costs}
    return costs, seconds


def child(pid):
    return int(subprocess.run(["pgrep", "-nP", str(pid)], capture_output=True, text=True, check=True).stdout)


def socket(place):
    """Cached answers: with a connection for each, and on one that is kept."""
    hsm, _ = place.softhsm("socket", "EC:prime256v1")
    agent = place.agent_on(hsm, place.endpoint(), "socket-agent")
    assert agent.credentials().returncode == 0
    server, path = epoll_server(place, agent)
    lines, requests = [], 50_000
    for title, arguments in (("a connection per request", ("close", 1, requests)), ("a kept connection", ("keep", requests))):
        costs = {}
        for name, pid, address in (("agent", agent.process.pid, agent.socket), ("C epoll", server.pid, path)):
            cost, _ = during({name: pid}, lambda: place.run("load_client", address, CREDENTIALS, *arguments))
            costs |= cost
        lines += rows(title, costs, requests)
    agent.stop()
    return lines


PROFILES = {"memory": memory, "first": first, "signatures": signatures, "socket": socket}


def profile(place, name):
    machine.wait()
    return "\n".join(PROFILES[name](place))
