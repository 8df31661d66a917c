"""A session that STS makes of another profile's, whose own is there: beside its one request, made by curl."""

import json
import re
import statistics
import subprocess
import time

from figure import Figure
from idle_machine import machine
from iot_core import timed
from support import configuration
from support.emulator import fixed_arns, trusted_role
from support.processes import binary

BASE = "base"
ROLE = "arn:aws:iam::444455556666:role/team/admin"


def role_chain(place, rounds):
    emulator = place.endpoint(name="sts", roles=[trusted_role(ROLE, fixed_arns()["roleArn"])])
    hsm, _ = place.softhsm("chain", "EC:prime256v1")
    # Each is asked for once, so that each is made anew; before them, one that brings code into the memory.
    names = [f"hop-{number}" for number in range(3 * rounds + 1)]
    agent = place.start(
        place.path / "chain-agent", configuration.module(hsm, writable=[place.folder]),
        configuration.token(place.pin_source), configuration.profile(emulator, BASE),
        *(configuration.assumed(emulator, name, BASE, ROLE) for name in names))
    base = json.loads(credentials(agent, BASE))
    credentials(agent, names.pop())
    ours, requests, processes, curls = [], [], [], []
    for _ in range(rounds):
        machine.wait()
        # Not counted: the time of curl's request begins when its process has been at work for some milliseconds.
        credentials(agent, names.pop())
        ours.append(measured(credentials, agent, names.pop()))
        requests.append(curl(emulator, base)[0])
        processes.append(timed([binary("tokenward-credential-process"), "--socket", agent.socket, names.pop()]))
        curls.append(curl(emulator, base)[1])
    agent.stop()
    name = "a hop of roles whose base is there"
    return [
        Figure(name, "ms", *map(statistics.median, (ours, requests)), "its request by curl", 1.1),
        Figure(
            f"{name}: whole processes", "ms", *map(statistics.median, (processes, curls)), "curl, with its start"),
    ]


def credentials(agent, profile):
    request = f"GET /v1/profiles/{profile}/credentials HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n"
    head, _, body = agent.http(request.encode(), timeout=30).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), body
    return body


def measured(call, *arguments):
    began = time.monotonic()
    call(*arguments)
    return (time.monotonic() - began) * 1000


def curl(emulator, base):
    """AssumeRole, signed by curl; its time in milliseconds as curl counts it, and that of the whole process."""
    began = time.monotonic()
    done = subprocess.run([
        "curl", "-sS", "--cacert", emulator.ca, "--aws-sigv4", f"aws:amz:{emulator.region}:sts",
        "--user", f"{base['AccessKeyId']}:{base['SecretAccessKey']}",
        "-H", f"X-Amz-Security-Token: {base['SessionToken']}", "-w", "\n%{time_total}",
        "-d", "Action=AssumeRole", "-d", "Version=2011-06-15", "--data-urlencode", f"RoleArn={ROLE}",
        "-d", "RoleSessionName=by-curl", emulator.url], capture_output=True, text=True, timeout=60)
    process = (time.monotonic() - began) * 1000
    assert "<AccessKeyId>" in done.stdout, done
    return float(re.search(r"[\d.]+$", done.stdout)[0]) * 1000, process
