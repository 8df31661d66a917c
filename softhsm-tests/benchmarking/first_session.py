"""The first credential of a cold agent, part by part, against the same parts done directly in C and libcurl."""

import base64
import datetime
import hashlib
import json
import os
import pathlib
import re
import statistics
import time
from urllib.parse import quote, urlsplit

from support.authority import der
from figure import Figure
from idle_machine import machine
from place import CREDENTIALS
from support.softhsm import MODULE, PIN
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import wait_until

PARTS = ("worker start", "module", "list", "login", "signature", "handshake", "service")
AFTER_START = PARTS[3:]


def first_session(place, rounds):
    hsm, certificate = place.softhsm("cold", "EC:prime256v1")
    emulator = place.endpoint()
    ours, later, direct = [], [], []
    for index in range(rounds):
        machine.wait()
        ours.append(cold_agent(place, hsm, emulator, f"cold-{index}"))
        later.append(cold_agent(place, hsm, emulator, f"listed-{index}", has_listed=True))
        direct.append(directly(place, hsm, certificate, emulator))
    figures = []
    for part in PARTS:
        figures.append(
            Figure(f"first credential: {part}", "ms", median(ours, part), median(direct, part), "C and libcurl")
        )
    # The agent works at several parts at the same time: its parts do not add up to the whole.
    whole = statistics.median(sum(parts.values()) for parts in direct)
    figures.append(Figure("first credential: asked at once", "ms", median(ours, "whole"), whole, "the sum in C", 1.3))
    rest = statistics.median(sum(parts[part] for part in AFTER_START) for parts in direct)
    figures.append(Figure(
        "first credential: asked when the worker has listed", "ms", median(later, "whole"), rest,
        "login to service in C"))
    counts = spied(place, hsm, emulator)
    figures += [Figure(f"first credential: {name}", "", count, reach=1) for name, count in counts.items()]
    return figures


def median(rounds, part):
    return statistics.median(parts[part] for parts in rounds)


def cold_agent(place, hsm, emulator, name, has_listed=False):
    """The time of each part, and from the request to the answer of an agent that has just said that it serves."""
    agent = place.agent_on(hsm, emulator, name, "--log-level", "debug")
    if has_listed:
        wait_until(lambda: "worker call call=list " in agent.log(), "the listing of the start")
    request = f"GET {CREDENTIALS} HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n".encode()
    start = time.monotonic()
    answer = agent.http(request, timeout=30)
    parts = {"whole": (time.monotonic() - start) * 1000}
    assert answer.startswith(b"HTTP/1.1 200"), answer
    agent.stop()
    log = agent.log()
    names = {"start": "worker start", "load": "module", "list": "list", "login": "login", "sign": "signature"}
    for call, microseconds in re.findall(r"worker call call=(\w+) microseconds=(\d+)", log):
        if call in names:
            part = names[call]
            parts[part] = parts.get(part, 0) + int(microseconds) / 1000
    answer, connect = re.search(r"answer-microseconds=(\d+) connect-microseconds=(\d+)", log).groups()
    return parts | {"handshake": int(connect) / 1000, "service": int(answer) / 1000}


def directly(place, hsm, certificate, emulator):
    start = place.run("spawn_bench", 5, "start", place.program("start")).split()
    text = place.run(
        "direct_session", MODULE, PIN, request(place, certificate, emulator), env={**os.environ, **hsm.environment}
    )
    measured = json.loads(text)
    parts = {part: measured[part] for part in PARTS if part in measured}
    parts["handshake"] += measured["curl"]
    return parts | {"worker start": float(start[start.index("start") + 1])}


def request(place, certificate, emulator):
    """A folder with a CreateSession request that lacks its signature."""
    folder = place.path / "request"
    folder.mkdir(exist_ok=True)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(emulator.arns.items()))
    body = b'{"durationSeconds":3600}'
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/json",
        "host": urlsplit(emulator.url).netloc,
        "x-amz-date": date,
        "x-amz-x509": base64.b64encode(der(certificate)).decode(),
    }
    lines = "\n".join(f"{name}:{value}" for name, value in headers.items())
    names = ";".join(headers)
    canonical = f"POST\n/sessions\n{query}\n{lines}\n\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date[:8]}/{emulator.region}/rolesanywhere/aws4_request"
    algorithm = "AWS4-X509-ECDSA-SHA256"
    message = f"{algorithm}\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}".encode()
    credential = f"{certificate.serial_number}/{scope}"
    authorization = f"Authorization: {algorithm} Credential={credential}, SignedHeaders={names}, Signature="
    (folder / "url").write_text(f"{emulator.url}/sessions?{query}")
    (folder / "ca.pem").write_bytes(pathlib.Path(emulator.ca).read_bytes())
    (folder / "body").write_bytes(body)
    (folder / "string-to-sign").write_bytes(message)
    (folder / "digest").write_bytes(hashlib.sha256(message).digest())
    (folder / "headers").write_text(f"{lines}\n{authorization}\n")
    return folder


def spied(place, hsm, emulator):
    """How often a first credential logs in, signs and connects, counted outside of the agent: by OpenSC's pkcs11-spy and
    by the emulator."""
    spy = Spy(place.folder, MODULE)
    before = emulator.get("counters")["tlsHandshakes"]
    agent = place.agent_on(hsm, emulator, "spied", module=SPY_MODULE, environment=spy.environment)
    assert agent.credentials().returncode == 0
    agent.stop()
    after = emulator.get("counters")["tlsHandshakes"]
    return {
        "C_Login calls": spy.count("C_Login"),
        "C_Sign calls": spy.count("C_Sign"),
        "TLS handshakes": after - before - 1,  # the last look at the counters is one
    }
