"""Parts of a configuration file, to be joined."""

import json
import tempfile

from support.softhsm import MODULE


def table(title, settings):
    """A TOML table; JSON's strings, numbers and arrays are TOML's too."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            value = "{ " + ", ".join(f"{name} = {json.dumps(text)}" for name, text in value.items()) + " }"
        else:
            value = json.dumps(value)
        lines.append(f"{key} = {value}")
    return "\n".join([title, *lines, ""])


# Agents and modules of tests have all that is theirs there, which no module may change by itself.
WRITABLE = [tempfile.gettempdir()]


def module(softhsm, path=MODULE, environment=None, writable=WRITABLE, **settings):
    """`writable=None` leaves it to the agent what the module may change."""
    environment = {**softhsm.environment, **(environment or {})}
    limits = {} if writable is None else {"writable": writable}
    return table("[[module]]", {"path": str(path), "environment": environment, **limits, **settings})


def mock(module, **settings):
    return table("[[module]]", {**module.settings(), **underlined(settings)})


def token(source, uri="pkcs11:", **settings):
    return table("[[token]]", {"uri": uri, "pin-source": source, **underlined(settings)})


def profile(service, name="test", allow=None, **settings):
    """A profile for the emulator's fixed names."""
    text = table(f"[profile.{name}]", {
        "source": "roles-anywhere",
        "trust-anchor-arn": service.arns["trustAnchorArn"],
        "profile-arn": service.arns["profileArn"],
        "role-arn": service.arns["roleArn"],
        "endpoint": service.url,
        "ca-bundle": service.ca,
        **underlined(settings),
    })
    return text + table(f"[profile.{name}.allow]", allow) if allow else text


def underlined(settings):
    return {key.replace("_", "-"): value for key, value in settings.items()}
