"""README's "With AWS IoT Core" works as it is written."""

import json
import re
import subprocess
import sys

import pytest
from cryptography import x509

from support import configuration
from support.authority import Authority, key_pem
from support.iot_server import IoTServer
from support.processes import BINARIES, ROOT
from support.shipped import README

# In the place of AWS' own: the commands of the section, with the arguments that the IoT API reference asks for.
AWS = '''#!{python}
import json, sys
sys.path.insert(0, {tests!r})
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from support.authority import certificate, name, pem

command, arguments = sys.argv[2], dict(zip(sys.argv[3::2], sys.argv[4::2]))
assert sys.argv[1] == "iot"
ARN = "arn:aws:iot:eu-central-1:111122223333:cert/4711"
if command == "create-certificate-from-csr":
    arguments = dict(zip(sys.argv[4::2], sys.argv[5::2]))
    assert sys.argv[3] == "--set-as-active" and arguments["--query"] == "certificateArn"
    with open(arguments["--certificate-signing-request"].removeprefix("file://"), "rb") as file:
        request = x509.load_pem_x509_csr(file.read())
    assert request.is_signature_valid
    with open({folder!r} + "/iot.key", "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    issued = certificate(
        subject=name("AWS IoT Certificate"), issuer=name("IoT Root"), public_key=request.public_key(), signing_key=key,
        authority_key=key.public_key())
    with open(arguments["--certificate-pem-outfile"], "wb") as file:
        file.write(pem(issued))
    print(ARN)
elif command == "describe-endpoint":
    assert arguments["--endpoint-type"] == "iot:CredentialProvider" and arguments["--query"] == "endpointAddress"
    print({endpoint!r})
elif command == "create-policy":
    statement = json.loads(arguments["--policy-document"])["Statement"]
    assert statement["Action"] == "iot:AssumeRoleWithCertificate" and statement["Resource"].endswith("rolealias/edge-role")
elif command == "create-role-alias":
    assert arguments["--role-alias"] == "edge-role" and ":role/" in arguments["--role-arn"]
elif command == "attach-policy":
    assert arguments["--target"] == ARN
elif command == "attach-thing-principal":
    assert arguments["--principal"] == ARN and arguments["--thing-name"] == "edge-7"
else:
    sys.exit(f"{{command}} is not stood in for")
'''


def blocks():
    """The section's shell lines, block by block."""
    section = re.search(r"^### With AWS IoT Core\n(.*?)^##+ ", README.read_text(), re.M | re.S)[1]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture
def authority(tmp_path):
    authority = Authority("IoT Root")
    (tmp_path / "iot.key").write_bytes(key_pem(authority.key))
    return authority


def test_the_section_for_iot_core_works_as_it_is_written(start, softhsm, pin_file, tmp_path, authority):
    softhsm.token("prod")
    with IoTServer(tmp_path, authority) as server:
        agent = start(configuration.module(softhsm), configuration.token(pin_file))
        programs = tmp_path / "bin"
        programs.mkdir()
        (programs / "aws").write_text(AWS.format(
            python=sys.executable, tests=str(ROOT / "softhsm-tests"), folder=str(tmp_path),
            endpoint=server.url.removeprefix("https://")))
        (programs / "aws").chmod(0o755)
        settings = tmp_path / "home/.config/tokenward"
        settings.mkdir(parents=True)
        (settings / "config.toml").symlink_to(agent.configuration_path)
        # The server's own authority stands in for Amazon's, which machines trust by themselves.
        script = re.sub(r"(?m)^END$", f'ca-bundle = "{server.ca}"\nEND', "".join(blocks()))
        environment = {
            "PATH": f"{programs}:{BINARIES}:/usr/bin:/bin", "HOME": str(tmp_path / "home"),
            "TOKENWARD_SOCKET": agent.socket}
        done = subprocess.run(
            ["bash", "-e", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout.splitlines()[-1])
        assert answer["AccessKeyId"] == "ASIAIOTCORE000000001" and "AccountId" not in answer
        [request] = server.requests
        assert request.startswith(b"GET /role-aliases/edge-role/credentials HTTP/1.1\r\n")
        assert b"x-amzn-iot-thingname: edge-7\r\n" in request
        assert x509.load_der_x509_certificate(server.peers[0][0]).issuer == authority.name
