"""AWS's own clients switch roles by the emulator's STS."""

import json
import os
import subprocess
import sys

import botocore.exceptions
import botocore.session

from support.emulator import REGION
from support.sts_roles import ADMIN, KEY


def aws_configuration(folder, **keys):
    lines = [f"{name} = {value}\n" for name, value in keys.items()]
    (folder / "config").write_text(
        f"[profile base]\naws_access_key_id = {KEY[0]}\naws_secret_access_key = {KEY[1]}\n"
        f"[profile admin]\nregion = {REGION}\nsource_profile = base\nrole_arn = {ADMIN}\n" + "".join(lines))
    return {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "HOME": str(folder)}


def test_botocores_assume_role_provider_works(service, tmp_path, monkeypatch):
    environment = aws_configuration(
        tmp_path, role_session_name="by-botocore", external_id="x1", duration_seconds=1800)
    for name, value in (environment | {"AWS_ENDPOINT_URL_STS": service.url}).items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session(profile="admin")
    caller = session.create_client("sts").get_caller_identity()
    assert caller["Arn"] == "arn:aws:sts::444455556666:assumed-role/admin/by-botocore"


def test_the_aws_command_line_switches_roles(service, tmp_path):
    environment = os.environ | aws_configuration(tmp_path)
    result = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "aws"), "sts", "get-caller-identity", "--profile", "admin",
         "--output", "json"],
        env=environment | {"AWS_ENDPOINT_URL_STS": service.url}, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["Arn"].startswith("arn:aws:sts::444455556666:assumed-role/admin/")
