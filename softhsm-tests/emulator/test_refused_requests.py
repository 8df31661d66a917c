"""The emulator refuses each wrong request with its exact words.

A row's last value is False for words that AWS has been seen to say, and True for words that the emulator made up.
"""

import base64

import pytest

from support.authority import make_key
from support.emulator import ACCOUNT, ROLE, SERVICE
from support.emulator_client import SignedRequest, amz_date, create_session, send
from support.refusals import DENIED, check, invalid, made_up

INVALID_SIGNATURE = (403, DENIED, "Invalid signature", False)


def replace_header(name, change):
    def tamper(target, headers, body):
        headers[name] = change(headers[name])
        return target, headers, body
    return tamper


def drop_header(name):
    def tamper(target, headers, body):
        del headers[name]
        return target, headers, body
    return tamper


AUTHORIZATION = "authorization"
MALFORMED = "The Authorization header is malformed: "
TAMPERED = {
    "another content type": (replace_header("content-type", lambda _: "text/plain"), INVALID_SIGNATURE),
    "another host": (replace_header("host", lambda _: "rolesanywhere.eu-west-2.amazonaws.com"), INVALID_SIGNATURE),
    "another body": (lambda t, h, b: (t, h, b.replace(b"3600", b"3601")), INVALID_SIGNATURE),
    "another query": (lambda t, h, b: (t.replace("build", "admin"), h, b), INVALID_SIGNATURE),
    "a query parameter more": (lambda t, h, b: (t + "&x=1", h, b), INVALID_SIGNATURE),
    "another date of the same day": (
        replace_header("x-amz-date", lambda date: amz_date(1) if amz_date(1)[:8] == date[:8] else amz_date(-1)),
        INVALID_SIGNATURE),
    "another signature": (
        replace_header(AUTHORIZATION, lambda text: text[:-2] + ("00" if text[-2:] != "00" else "01")), INVALID_SIGNATURE),
    "a signed header twice": (
        replace_header("content-type", lambda text: [text, text]),
        made_up("The signed header 'content-type' must arrive exactly once")),
    "a signed header missing": (
        drop_header("content-type"), made_up("The signed header 'content-type' must arrive exactly once")),
    "no Authorization": (drop_header(AUTHORIZATION), made_up("The request needs exactly one Authorization header")),
    "two Authorizations": (
        replace_header(AUTHORIZATION, lambda text: [text, text]),
        made_up("The request needs exactly one Authorization header")),
    "no parameters": (
        replace_header(AUTHORIZATION, lambda text: text.split(" ")[0]), made_up(MALFORMED + "it has no parameters")),
    "a parameter missing": (
        replace_header(AUTHORIZATION, lambda text: text.rsplit(",", 1)[0]),
        made_up(MALFORMED + "it needs Credential, SignedHeaders and Signature, and nothing else")),
    "a parameter twice": (
        replace_header(AUTHORIZATION, lambda text: text + ", Signature=00"), made_up(MALFORMED + "Signature stands twice")),
    "a parameter without value": (
        replace_header(AUTHORIZATION, lambda text: text + ", x"), made_up(MALFORMED + "a parameter has no value")),
    "a scope of four parts": (
        replace_header(AUTHORIZATION, lambda text: text.replace("/aws4_request", "")),
        made_up(MALFORMED + "Credential needs five parts")),
    "signed headers out of order": (
        replace_header(AUTHORIZATION, lambda text: text.replace("content-type;host", "host;content-type")),
        made_up(MALFORMED + "SignedHeaders must be sorted, each name once")),
    "a signed header named twice": (
        replace_header(AUTHORIZATION, lambda text: text.replace("content-type;host", "content-type;host;host")),
        made_up(MALFORMED + "SignedHeaders must be sorted, each name once")),
    "a signed header in capitals": (
        replace_header(AUTHORIZATION, lambda text: text.replace("content-type;", "Content-Type;")),
        made_up(MALFORMED + "SignedHeaders needs lower-case names separated by semicolons")),
    "a signature in capitals": (
        replace_header(AUTHORIZATION, lambda text: text[:-2] + "AB"),
        made_up(MALFORMED + "Signature must be lower-case hex")),
    "no certificate": (
        drop_header("x-amz-x509"), made_up("The X-Amz-X509 header does not hold one certificate in base64 DER")),
    "a certificate and a byte": (
        replace_header("x-amz-x509", lambda text: base64.b64encode(base64.b64decode(text) + b"\0").decode()),
        made_up("The X-Amz-X509 header does not hold one certificate in base64 DER")),
    "a certificate without padding": (
        replace_header("x-amz-x509", lambda text: text.rstrip("=") + "A"),
        made_up("The X-Amz-X509 header does not hold one certificate in base64 DER")),
    "no date": (
        drop_header("x-amz-date"),
        made_up("The X-Amz-Date header must stand once, in the form 20231001T120000Z")),
    "a day that does not exist": (
        replace_header("x-amz-date", lambda _: "20230231T120000Z"),
        made_up("The X-Amz-Date header must stand once, in the form 20231001T120000Z")),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_request_that_was_changed_after_signing(emulator, identity, case):
    tamper, expected = TAMPERED[case]
    check(emulator, SignedRequest(emulator, identity), expected, tamper)


SERIAL = "Credential does not name the certificate's serial number in decimal"
SIGNED = {
    "the serial in hex": ({"serial": lambda i: f"{i.certificate.serial_number:x}"}, made_up(SERIAL)),
    "the serial with a leading zero": ({"serial": lambda i: f"0{i.certificate.serial_number}"}, made_up(SERIAL)),
    "another serial": ({"serial": lambda i: str(i.certificate.serial_number + 1)}, made_up(SERIAL)),
    "another region": (
        {"region": lambda i: "us-east-1"}, made_up("Credential should be scoped to region 'eu-west-2'")),
    "another service": (
        {"service": lambda i: "sts"}, made_up("Credential should be scoped to service 'rolesanywhere'")),
    "another terminator": (
        {"terminator": lambda i: "aws5_request"}, made_up("Credential should be scoped with 'aws4_request'")),
    "another day in the scope": (
        {"scope_date": lambda i: "20230101"}, made_up("The date of the credential scope is not that of X-Amz-Date")),
    "the algorithm of another key type": (
        {"algorithm": lambda i: "AWS4-X509-RSA-SHA256"},
        made_up("The signing algorithm does not fit the certificate's key")),
    "an algorithm of access keys": (
        {"algorithm": lambda i: "AWS4-HMAC-SHA256"},
        made_up("The signing algorithm does not fit the certificate's key")),
    "another key": ({"key": lambda i: make_key("p256")}, INVALID_SIGNATURE),
    "host unsigned": ({"unsigned": lambda i: {"host"}}, made_up("The header 'host' must be signed")),
    "date unsigned": ({"unsigned": lambda i: {"x-amz-date"}}, made_up("The header 'x-amz-date' must be signed")),
    "certificate unsigned": ({"unsigned": lambda i: {"x-amz-x509"}}, made_up("The header 'x-amz-x509' must be signed")),
    "chain unsigned": (
        {"chain": lambda i: [i.certificate], "unsigned": lambda i: {"x-amz-x509-chain"}},
        made_up("The header 'x-amz-x509-chain' must be signed")),
    "content type unsigned": (
        {"unsigned": lambda i: {"content-type"}}, made_up("The header 'content-type' must be signed")),
    "a further header unsigned": (
        {"headers": lambda i: {"x-amz-meta": "1"}, "unsigned": lambda i: {"x-amz-meta"}},
        made_up("The header 'x-amz-meta' must be signed")),
    "another host": (
        {"host": lambda i: "rolesanywhere.eu-west-2.amazonaws.com"},
        made_up("The Host header names 'rolesanywhere.eu-west-2.amazonaws.com', where no such service is")),
    "another content type": (
        {"headers": lambda i: {"content-type": "text/plain"}},
        (415, "UnsupportedMediaTypeException", "The content type of the body must be application/json", True)),
    "one name twice in the query": (
        {"repeated": lambda i: "&trustAnchorArn=x"},
        (400, "ValidationException", "The parameter 'trustAnchorArn' stands twice", True)),
    "one name in query and body": (
        {"body": lambda i: {"roleArn": f"{ROLE}-tagged"}},
        (400, "ValidationException", "The parameter 'roleArn' stands twice", True)),
    "a body that is no JSON": (
        {"body": lambda i: b"durationSeconds=900"},
        (400, "SerializationException", "The request body is not the JSON object it should be", True)),
    "a duration in words": (
        {"body": lambda i: {"durationSeconds": "900"}},
        (400, "SerializationException", "The request body is not the JSON object it should be", True)),
    "a duration too short": (
        {"body": lambda i: {"durationSeconds": 899}},
        invalid(899, "durationSeconds", "have value greater than or equal to 900")),
    "a duration too long": (
        {"body": lambda i: {"durationSeconds": 43201}},
        invalid(43201, "durationSeconds", "have value less than or equal to 43200")),
    "a negative duration": (
        {"body": lambda i: {"durationSeconds": -1}},
        invalid(-1, "durationSeconds", "have value greater than or equal to 900")),
    "a session name where none is taken": (
        {"body": lambda i: {"roleSessionName": "build-7"}},
        (403, DENIED, "Not authorized to set roleSessionName.", False)),
    "a session name of one character": (
        {"body": lambda i: {"roleSessionName": "x"}},
        invalid("x", "roleSessionName", "have length greater than or equal to 2")),
    "a session name of 65 characters": (
        {"body": lambda i: {"roleSessionName": "x" * 65}},
        invalid("x" * 65, "roleSessionName", "have length less than or equal to 64")),
    "a session name with a space": (
        {"body": lambda i: {"roleSessionName": "build 7"}},
        invalid("build 7", "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*")),
    "51 instance properties": (
        {"body": lambda i: {"instanceProperties": {str(n): "x" for n in range(51)}}},
        invalid(51, "instanceProperties", "have length less than or equal to 50")),
}


@pytest.mark.parametrize("case", SIGNED)
def test_a_request_that_the_service_would_not_take(emulator, identity, case):
    changes, expected = SIGNED[case]
    request = SignedRequest(emulator, identity)
    for name, change in changes.items():
        setattr(request, name, change(identity))
    check(emulator, request, expected)


@pytest.mark.parametrize("offset, message", [
    (-310, r"Signature expired: "), (310, r"Signature not yet current: "), (-86400 * 400, r"Signature expired: ")])
def test_a_date_outside_five_minutes(emulator, identity, offset, message):
    request = SignedRequest(emulator, identity)
    request.date = amz_date(offset)
    status, code, text, is_made_up = create_session(emulator, request).refusal
    assert (status, code, is_made_up) == (403, DENIED, True)
    assert text.startswith(f"{message}{request.date} is ")


@pytest.mark.parametrize("offset", [-280, 280])
def test_a_date_within_five_minutes_is_taken(emulator, identity, offset):
    request = SignedRequest(emulator, identity)
    request.date = amz_date(offset)
    assert create_session(emulator, request).status == 201


ABROAD = "arn:aws:iam::999999999999:role/abroad"
RESOURCES = {
    "an unknown anchor": (
        {"trustAnchorArn": f"{SERVICE}:trust-anchor/none"},
        (404, "ResourceNotFoundException", f"Trust anchor not found: {SERVICE}:trust-anchor/none", True)),
    "an unknown profile": (
        {"profileArn": f"{SERVICE}:profile/none"},
        (404, "ResourceNotFoundException", f"Profile not found: {SERVICE}:profile/none", True)),
    "a disabled anchor": (
        {"trustAnchorArn": f"{SERVICE}:trust-anchor/disabled"}, made_up("The trust anchor is disabled")),
    "a disabled profile": ({"profileArn": f"{SERVICE}:profile/disabled"}, made_up("The profile is disabled")),
    "an anchor of another region": (
        {"trustAnchorArn": f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:trust-anchor/elsewhere"},
        made_up("The trust anchor and the profile are not in one account and region")),
    "a profile that wants instance properties": (
        {"profileArn": f"{SERVICE}:profile/properties"}, made_up("The profile requires instance properties")),
    "no ARN": (
        {"roleArn": "build"},
        invalid("build", "roleArn", "satisfy regular expression pattern: ^arn:aws(-[^/]+)?:.*$")),
} | {
    f"a role {why}": ({"roleArn": role}, (403, DENIED, f"Unable to assume role for {role}", False))
    for why, role in {
        "that the profile does not list": f"{ROLE}-unlisted",
        "that does not exist": f"{ROLE}-missing",
        "of another account": ABROAD,
        "that trusts another anchor": f"{ROLE}-sourced",
    }.items()
}


@pytest.mark.parametrize("case", RESOURCES)
def test_resources_that_do_not_go_together(emulator, identity, case):
    arns, expected = RESOURCES[case]
    check(emulator, SignedRequest(emulator, identity, **arns), expected)


@pytest.mark.parametrize("member", ["trustAnchorArn", "profileArn", "roleArn"])
def test_an_arn_that_is_missing(emulator, identity, member):
    request = SignedRequest(emulator, identity)
    del request.query[member]
    check(emulator, request, invalid(None, member, "not be null"))


def test_a_principal_tag_that_the_trust_policy_does_not_want(emulator, root):
    role = f"{ROLE}-tagged"
    request = SignedRequest(emulator, root.identity("other"), roleArn=role)
    check(emulator, request, (403, DENIED, f"Unable to assume role for {role}", False))
    assert emulator.get("last")["detail"] == "the trust policy wants aws:PrincipalTag/x509Subject/CN to be 'build'"


def test_a_duration_beyond_what_the_role_allows(emulator, identity):
    role = f"{ROLE}-short"
    request = SignedRequest(emulator, identity, roleArn=role)
    request.body = {"durationSeconds": 3601}
    check(emulator, request, (
        403, DENIED,
        f"Unable to assume role for {role}. The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        False))


@pytest.mark.parametrize("method, target", [("GET", "/sessions"), ("POST", "/x/sessions"), ("POST", "/sessions/")])
def test_another_operation(emulator, method, target):
    assert send(emulator, method, target).refusal == (
        404, "ResourceNotFoundException", "No operation has this method and path", True)
