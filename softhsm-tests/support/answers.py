"""An agent's answers, in the form that tests compare."""

import datetime
import json
import re


def refresh(agent, profile, timeout=60):
    """Status and JSON of a forced refresh."""
    head, _, body = agent.http(
        f"POST /v1/profiles/{profile}/refresh HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n".encode(),
        timeout).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def notices(status):
    """An agent's notices, but for logind's: tests run without one, and those that need one start it."""
    return [notice for notice in status["notices"] if not notice.startswith("lock-on: ")]


def key_of(agent, profile="test"):
    """The access key ID of a profile's session."""
    status, answer = agent.get(f"/v1/profiles/{profile}/credentials")
    assert status == 200, answer
    return answer["AccessKeyId"]


def refresh_code(agent, profile="test"):
    """Status and problem code of a forced refresh."""
    status, answer = refresh(agent, profile)
    return status, answer.get("code")


def token_of(agent):
    """The one token that the agent shows."""
    [token] = agent.get("/v1/tokens")[1]
    return token


def gesture_of(agent):
    """The kind of the next gesture that the first profile needs, and the seconds until then; None where it needs none."""
    profile = agent.get("/v1/profiles")[1][0]
    gesture = profile.get("next_gesture")
    if gesture is None:
        return None
    due = datetime.datetime.fromisoformat(gesture["due"])
    return gesture["kind"], (due - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def by_label(candidates):
    """The candidates of an explanation by their objects' labels."""
    return {part.removeprefix("object="): one for one in candidates for part in one["uri"].split(";")
            if part.startswith("object=")}


def told(agent, line):
    """How often a line is in the log."""
    return len(re.findall(line, agent.log()))
