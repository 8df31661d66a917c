"""Parts of a configuration file, to be joined."""

import json
import tempfile

from support.softhsm import MODULE


def table(title, settings):
    """A TOML table of the settings that are not None; JSON's strings, numbers and arrays are TOML's too."""
    lines = []
    for key, value in settings.items():
        if value is None:
            continue
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


def profile(emulator, name="test", allow=None, **settings):
    """A profile for an emulator's names."""
    text = table(f"[profile.{name}]", {
        "source": "roles-anywhere",
        "trust-anchor-arn": emulator.arns["trustAnchorArn"],
        "profile-arn": emulator.arns["profileArn"],
        "role-arn": emulator.arns["roleArn"],
        "endpoint": emulator.url,
        "ca-bundle": emulator.ca,
        **underlined(settings),
    })
    return text + table(f"[profile.{name}.allow]", allow) if allow else text


def assumed(emulator, name, base, role, **settings):
    """A profile whose sessions are made of another profile's by STS."""
    return table(f"[profile.{name}]", {
        "source": "assume-role", "source-profile": base, "role-arn": role, "endpoint": emulator.url,
        "ca-bundle": emulator.ca, **underlined(settings)})


def access_key(emulator, name, key_id, uri, **settings):
    """A profile whose sessions are a user's own, by an access key whose secret the token holds."""
    return table(f"[profile.{name}]", {
        "source": "access-key", "access-key-id": key_id, "secret-key": uri, "endpoint": emulator.url,
        "ca-bundle": emulator.ca, **underlined(settings)})


def underlined(settings):
    return {key.replace("_", "-"): value for key, value in settings.items()}
