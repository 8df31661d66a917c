"""The demo: what a user would type, and what is then shown. Started by softhsm-tests/demo."""

import os
import re
import subprocess
import sys
import tempfile

from support.processes import binary
from support.world import World

HAPPENED = """
== what happened
The agent found the certificate on the token, connected to the endpoint, logged in to the token once, had it sign one
CreateSession request, checked the signature, and kept the session in memory. The AWS CLI started the thin client, which
got that session over the agent's Unix socket; the endpoint then verified the CLI's own signature with it.

To try it with a token of yours: start tokenward-agent, run 'tokenward list', and write a profile as in README.md."""


def main():
    with tempfile.TemporaryDirectory(prefix="tokenward-demo-") as folder:
        say("a token of its own, with a key that never leaves it, and a certificate for it")
        with World(folder) as world:
            say("an endpoint that trusts the certificate's authority, and checks as strictly as the service does")
            endpoint = world.endpoint()
            say("the agent")
            profile = world.profile(endpoint, "demo", certificate="pkcs11:token=demo;object=client")
            show(world, endpoint, world.agent(profile))
    print(HAPPENED)


def show(world, endpoint, agent):
    typed("tokenward list", agent.cli("list"))
    typed("tokenward-credential-process demo     (secrets cut)", agent.credentials("demo"))
    typed("tokenward status", agent.cli("status"))
    with open(f"{world.folder}/aws-config", "w") as file:
        client = f"{binary('tokenward-credential-process')} --socket {agent.socket} demo"
        file.write(f"[profile demo]\nregion = us-east-1\ncredential_process = {client}\n")
    typed("aws sts get-caller-identity --profile demo", subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "aws"), "sts", "get-caller-identity", "--profile", "demo",
         "--endpoint-url", endpoint.url, "--output", "json"],
        env={**os.environ, "AWS_CONFIG_FILE": file.name, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
             "AWS_CA_BUNDLE": endpoint.ca}, capture_output=True, text=True, timeout=60))
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
