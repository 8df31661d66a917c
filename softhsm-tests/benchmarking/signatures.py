"""Signatures a second: the agent's own way to the token, against the module itself and against ssh-agent."""

import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from figure import Figure, alternate
from place import run
from support.processes import binary
from support.softhsm import MODULE, PIN

SESSIONS = 2
CALLERS = 4
"""As many callers as keep two sessions busy."""


def signatures(place, rounds, seconds):
    rsa_hsm, rsa_certificate = place.softhsm("rsa", "rsa:2048")
    ec_hsm, ec_certificate = place.softhsm("ec", "EC:prime256v1")
    figures = []

    def ours(hsm, certificate, callers=CALLERS):
        result = json.loads(
            run(
                binary("signing-benchmark"), binary("tokenward-worker"), MODULE, hsm.configuration,
                place.path / "pin", callers, seconds,
            )
        )  # fmt: skip
        verify(certificate.public_key(), bytes.fromhex(result["signature"]), bytes.fromhex(result["message"]))
        return result["rate"]

    def direct(hsm, sessions=SESSIONS):
        return float(
            place.run("direct_sign", MODULE, PIN, sessions, seconds, env={**os.environ, **hsm.environment})
        )

    for name, hsm, certificate, reach in (
        ("RSA-2048 signatures, 2 sessions", rsa_hsm, rsa_certificate, 0.9),
        ("P-256 signatures, 2 sessions", ec_hsm, ec_certificate, 0.5),
    ):
        rates = alternate(rounds, lambda: ours(hsm, certificate), lambda: direct(hsm))
        figures.append(Figure(name, "/s", *rates, "C, 2 threads", reach, at_least=True))
    alone = alternate(rounds, lambda: ours(ec_hsm, ec_certificate, 1), lambda: direct(ec_hsm, 1))
    # Other programs may have had the second processor: then both this and the ratio of two sessions say nothing.
    figures.append(Figure("P-256 signatures by the C program, 2 threads", "/s", rates[1], alone[1], "C, 1 thread"))
    isolated, inside = (1e6 / rate for rate in alone)
    figures.append(
        Figure("P-256 signature through the worker, one caller", "µs", isolated, inside, "C, in the module's process", 2))
    piped = alternate(
        rounds, lambda: ours(ec_hsm, ec_certificate, 1),
        lambda: float(place.run("piped_sign", MODULE, PIN, seconds, env={**os.environ, **ec_hsm.environment})))
    isolated, piped = (1e6 / rate for rate in piped)
    figures.append(
        Figure("P-256 signature through the worker, one caller", "µs", isolated, piped, "C, in a process behind a pipe"))
    ssh = ssh_agent(place, ec_hsm)
    rates = alternate(
        rounds, lambda: ours(ec_hsm, ec_certificate), lambda: float(place.run("ssh_sign", ssh, CALLERS, seconds))
    )
    figures.append(Figure("P-256 signatures", "/s", *rates, "ssh-agent", 2, at_least=True))
    return figures


def ssh_agent(place, hsm):
    """An ssh-agent that has the token's key; returns its socket."""
    path = place.path / "ssh.sock"
    environment = {**os.environ, **hsm.environment}
    agent = place.begin("ssh-agent", "-D", "-a", path, "-P", f"{os.path.realpath(MODULE)},{MODULE}", env=environment)
    agent.stdout.readline()  # "SSH_AUTH_SOCK=…": it listens
    askpass = place.path / "askpass"
    askpass.write_text(f"#!/bin/sh\necho {PIN}\n")
    askpass.chmod(0o700)
    run(
        "ssh-add", "-s", MODULE,
        env=environment | {"SSH_AUTH_SOCK": str(path), "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"},
    )  # fmt: skip
    return path


def verify(public_key, signature, message):
    if isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        public_key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
