"""Roles and users of the emulator that the tests of STS switch between."""

import base64
import hashlib
import hmac
import struct
import time

from support.emulator import ACCOUNT, ROLE

ADMIN = "arn:aws:iam::444455556666:role/path/admin"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY")
SERIAL = f"arn:aws:iam::{ACCOUNT}:mfa/alice"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
ALL = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def trust(*principals, actions=ALL, **condition):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": actions, "Condition": condition}]}


def role(name):
    return f"{ADMIN}-{name}"


def code(step=0):
    """A TOTP code (RFC 6238), computed here from the seed."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.new(base64.b32decode(SEED), counter, hashlib.sha1).digest()
    offset = digest[19] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


ROLES = [
    {"arn": ADMIN, "maxSessionDuration": 7200, "trustPolicy": trust(f"arn:aws:iam::{ACCOUNT}:root")},
    {"arn": role("next"), "maxSessionDuration": 43200, "trustPolicy": trust(ADMIN, ACCOUNT)},
    {"arn": role("external"), "trustPolicy": trust(ACCOUNT, StringEquals={"sts:ExternalId": "agreed:7"})},
    {"arn": role("mfa"), "trustPolicy": trust(ACCOUNT, Bool={"aws:MultiFactorAuthPresent": "true"})},
    {"arn": role("named"), "trustPolicy": trust(ACCOUNT, StringEquals={"sts:SourceIdentity": "alice"})},
    {"arn": role("tagged"), "trustPolicy": trust(ACCOUNT, StringEquals={"aws:RequestTag/team": "blue"})},
    {"arn": role("certificate"),
     "trustPolicy": trust(ROLE, StringEquals={"aws:PrincipalTag/x509Subject/CN": "build"})},
    {"arn": role("plain"), "trustPolicy": trust(ACCOUNT, actions="sts:AssumeRole")},
    {"arn": role("closed")},
]
