"""Credentials as a client gets them: they are complete, or the test fails."""

import json
import re


def access_key(finished):
    """The access key ID that a client got; what it got is complete."""
    assert (finished.returncode, finished.stderr) == (0, ""), finished
    return checked_credentials(finished.stdout)["AccessKeyId"]


def checked_credentials(text):
    answer = json.loads(text)
    assert set(answer) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"}
    assert answer["Version"] == 1 and re.fullmatch("ASIA[A-Z0-9]{16}", answer["AccessKeyId"])
    assert len(answer["SecretAccessKey"]) == 40 and len(answer["SessionToken"]) > 100
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["Expiration"])
    assert re.fullmatch(r"\d{12}", answer["AccountId"])
    return answer
