"""The demo: what a user would type, and what is then shown. Started by softhsm-tests/demo."""

import json
import os
import re
import subprocess
import sys
import tempfile

from support import configuration
from support.authority import pem
from support.emulator import Emulator, fixed_arns, write_anchor
from support.processes import binary
from support.world import World

HAPPENED = """
== what happened
The agent found the certificate on the token, connected to the endpoint, logged in to the token once, had it sign one
CreateSession request, checked the signature, and kept the session in memory. The AWS CLI started the thin client, which
got that session over the agent's Unix socket; the endpoint then verified the CLI's own signature with it. The profile
edge got its session from IoT Core's credential provider: the token signed the TLS handshake. For the profile admin the
agent assumed a second role with the session of demo, without the token.

To try it with a token of yours: start tokenward-agent, run 'tokenward list', and write a profile as in README.md."""


def main():
    with tempfile.TemporaryDirectory(prefix="tokenward-demo-") as folder:
        say("a token of its own, with a key that never leaves it, and a certificate for it")
        with World(folder) as world:
            say("an endpoint that trusts the certificate's authority, and checks as strictly as the service does")
            endpoint = everything(world)
            say("the agent, with a profile for each way in")
            show(world, endpoint, world.agent(*profiles(world, endpoint)))
    print(HAPPENED)


def everything(world):
    """An emulator of Roles Anywhere, STS and IoT's credential provider, which knows the token's certificate."""
    folder = f"{world.folder}/endpoint"
    os.makedirs(folder, mode=0o700)
    write_anchor(folder, world.root)
    with open(f"{folder}/device.pem", "wb") as file:
        file.write(pem(world.certificate))
    arns = fixed_arns()
    role = arns["roleArn"]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}]}
    with open(f"{folder}/emulator.json", "w") as file:
        json.dump({
            "trustAnchors": [{"arn": arns["trustAnchorArn"], "certificates": ["root.pem"]}],
            "profiles": [{"arn": arns["profileArn"], "roleArns": [role]}],
            "roles": [{"arn": role}, {"arn": f"{role}-edge"}, {"arn": f"{role}-admin", "trustPolicy": trust}],
            "iot": {"cas": ["root.pem"],
                    "certificates": [{"file": "device.pem", "roleAliases": ["edge-role"], "things": ["edge-7"]}],
                    "roleAliases": [{"name": "edge-role", "roleArn": f"{role}-edge"}]}}, file)
    endpoint = Emulator("--config", file.name, "--iot-port", "0", state=f"{folder}/state", arns=arns)
    world.ends.callback(endpoint.stop)
    return endpoint


def profiles(world, endpoint):
    certificate = "pkcs11:token=demo;object=client"
    yield world.profile(endpoint, "demo", certificate=certificate)
    yield configuration.table("[profile.edge]", {
        "source": "iot-core", "certificate": certificate, "endpoint": endpoint.iot, "role-alias": "edge-role",
        "thing-name": "edge-7", "ca-bundle": endpoint.ca})
    yield configuration.table("[profile.admin]", {
        "source": "assume-role", "source-profile": "demo", "role-arn": f"{endpoint.arns['roleArn']}-admin",
        "endpoint": endpoint.url, "ca-bundle": endpoint.ca})


def show(world, endpoint, agent):
    typed("tokenward list", agent.cli("list"))
    typed("tokenward-credential-process demo     (secrets cut)", agent.credentials("demo"))
    with open(f"{world.folder}/aws-config", "w") as file:
        for name in ("demo", "edge", "admin"):
            client = f"{binary('tokenward-credential-process')} --socket {agent.socket} {name}"
            file.write(f"[profile {name}]\nregion = us-east-1\ncredential_process = {client}\n")
    for name in ("demo", "edge", "admin"):
        typed(f"aws sts get-caller-identity --profile {name}", subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "aws"), "sts", "get-caller-identity", "--profile", name,
             "--endpoint-url", endpoint.url, "--output", "json"],
            env={**os.environ, "AWS_CONFIG_FILE": file.name, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                 "AWS_CA_BUNDLE": endpoint.ca}, capture_output=True, text=True, timeout=60))
    typed("tokenward status", agent.cli("status"))
    print(f"\n$ cat agent.log     (what the agent wrote)\n{agent.log()}", end="")


def say(what):
    print(f"== {what}", flush=True)


def typed(command, finished):
    """Shows a command with its output, or ends with its failure."""
    if finished.returncode != 0:
        sys.exit(f"{command} ended with {finished.returncode}: {finished.stderr}")
    output = re.sub(r'("(?:SecretAccessKey|SessionToken)":")([^"]{6})[^"]*', r"\1\2…", finished.stdout)
    print(f"\n$ {command}\n{output.strip()}", flush=True)


if __name__ == "__main__":
    main()
