"""The first credential from IoT Core, by a token, against AWS' own recipe: curl with the key in a file."""

import json
import re
import statistics
import subprocess
import time

from figure import Figure
from idle_machine import machine
from support import configuration
from support.authority import key_pem, pem
from support.iot_server import IoTServer
from support.processes import binary
from support.softhsm import MODULE
from support.spy import MODULE as SPY_MODULE
from support.spy import Spy
from support.waiting import wait_until

PROFILE = "edge"


def iot_core(place, rounds):
    hsm, _ = place.softhsm("iot", "EC:prime256v1")
    peer = place.root.identity("device")
    (place.path / "iot.key").write_bytes(key_pem(peer.key))
    (place.path / "iot.pem").write_bytes(pem(peer.certificate))
    ours, later, signing, curls = [], [], [], []
    with IoTServer(place.path, place.root) as server:
        for index in range(rounds):
            machine.wait()
            whole, signature = cold_agent(place, hsm, server, f"iot-cold-{index}")
            ours.append(whole - signature)
            signing.append(signature)
            whole, signature = cold_agent(place, hsm, server, f"iot-listed-{index}", has_listed=True)
            later.append(whole - signature)
            curls.append(curl(place, server))
        log = place.path / "iot-spy"  # of its own: the spy of first_session.py writes into the folder
        log.mkdir()
        spy = Spy(log, MODULE)
        before = server.handshakes
        agent = agent_on(place, hsm, server, "iot-spied", module=SPY_MODULE, environment=spy.environment)
        assert agent.credentials(PROFILE).returncode == 0
        agent.stop()
        counts = {
            "C_Login calls": spy.count("C_Login"), "C_Sign calls": spy.count("C_Sign"),
            "TLS handshakes": server.handshakes - before}
    reference = statistics.median(curls)
    return [
        Figure("IoT Core, first credential: the token's signature, by the worker", "ms", statistics.median(signing)),
        Figure(
            "IoT Core, first credential: all else, asked at once", "ms", statistics.median(ours), reference,
            "curl --cert --key", 1.3),
        Figure(
            "IoT Core, first credential: all else, asked when the worker has listed", "ms", statistics.median(later),
            reference, "curl --cert --key"),
        *(Figure(f"IoT Core, first credential: {name}", "", count, reach=1) for name, count in counts.items())]


def agent_on(place, hsm, server, name, *arguments, module=MODULE, environment=None):
    profile = configuration.table(f"[profile.{PROFILE}]", {
        "source": "iot-core", "endpoint": server.url, "role-alias": "edge-role", "ca-bundle": server.ca})
    return place.start(
        place.path / name, configuration.module(hsm, module, environment, writable=[place.folder]),
        configuration.token(place.pin_source), profile, arguments=arguments)


def timed(command, **options):
    """Milliseconds that a program takes to print its JSON."""
    start = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=60, **options)
    elapsed = (time.monotonic() - start) * 1000
    assert done.returncode == 0 and json.loads(done.stdout), done
    return elapsed


def cold_agent(place, hsm, server, name, has_listed=False):
    """The thin client's time with an agent that has just said that it serves, and that of the signature in it."""
    agent = agent_on(place, hsm, server, name, "--log-level", "debug")
    if has_listed:
        wait_until(lambda: "worker call call=list " in agent.log(), "the listing of the start")
    whole = timed([binary("tokenward-credential-process"), "--socket", agent.socket, PROFILE])
    agent.stop()
    return whole, int(re.search(r"worker call call=sign microseconds=(\d+)", agent.log())[1]) / 1000


def curl(place, server):
    return timed([
        "curl", "-sS", "--cert", place.path / "iot.pem", "--key", place.path / "iot.key", "--cacert", server.ca,
        f"{server.url}/role-aliases/edge-role/credentials"])
