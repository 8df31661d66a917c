"""The emulator's STS judges as the real one does, and AWS's clients work with it."""

import datetime
import time

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore.config import Config

from support.emulator import REGION
from support.emulator_client import SignedRequest, create_session
from support.sts_roles import ADMIN, KEY, SERIAL, USER, code, role


def client(service, key=KEY, region=REGION):
    return boto3.client(
        "sts", region_name=region, endpoint_url=service.url, aws_access_key_id=key[0], aws_secret_access_key=key[1],
        aws_session_token=key[2] if len(key) > 2 else None, config=Config(retries={"max_attempts": 0}))


@pytest.fixture
def user(service):
    return client(service)


@pytest.fixture
def session(service, identity):
    """A client with credentials of CreateSession."""
    [entry] = create_session(service, SignedRequest(service, identity)).json["credentialSet"]
    credentials = entry["credentials"]
    return client(
        service, (credentials["accessKeyId"], credentials["secretAccessKey"], credentials["sessionToken"]))


def assume(sts, arn=ADMIN, **parameters):
    return sts.assume_role(RoleArn=arn, RoleSessionName="session-1", **parameters)


def switched(service, answer):
    credentials = answer["Credentials"]
    return client(
        service, (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]))


def refusal(call, *arguments, **parameters):
    """Status, code and message of a refusal."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(*arguments, **parameters)
    answer = error.value.response
    assert answer["Error"]["Type"] == "Sender"
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_session_of_create_session_assumes_a_role_and_that_one_the_next(service, session):
    first = assume(session)
    assert first["AssumedRoleUser"]["Arn"] == "arn:aws:sts::444455556666:assumed-role/admin/session-1"
    assert first["SourceIdentity"] == "CN=build"
    assert first["Credentials"]["AccessKeyId"].startswith("ASIA")
    left = first["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=3580) < left <= datetime.timedelta(seconds=3600)
    admin = switched(service, first)
    assert admin.get_caller_identity()["Arn"] == first["AssumedRoleUser"]["Arn"]
    second = assume(admin, role("next"))
    assert second["SourceIdentity"] == "CN=build"
    assert switched(service, second).get_caller_identity()["Account"] == "444455556666"


def test_a_user_has_no_source_identity_and_longer_sessions(service, user):
    answer = assume(user, DurationSeconds=7200)
    assert "SourceIdentity" not in answer and "PackedPolicySize" not in answer
    left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=7180) < left <= datetime.timedelta(seconds=7200)
    assert user.get_caller_identity()["Arn"] == USER


CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def test_a_chained_role_lasts_an_hour_at_most(service, session, user):
    assert refusal(assume, session, DurationSeconds=3601) == (400, "ValidationError", CHAINED)
    token = switched(service, user.get_session_token())
    assert refusal(assume, token, DurationSeconds=3601) == (400, "ValidationError", CHAINED)
    assert refusal(assume, user, DurationSeconds=7201) == (400, "ValidationError", LONG)


@pytest.mark.parametrize("name, given", [
    ("external", {"ExternalId": "agreed:7"}), ("named", {"SourceIdentity": "alice"}),
    ("tagged", {"Tags": [{"Key": "team", "Value": "blue"}]})])
def test_a_trust_policy_decides_by_its_conditions(user, name, given):
    wrong = {"ExternalId": "agreed:8", "SourceIdentity": "bob", "Tags": [{"Key": "team", "Value": "red"}]}
    denied = (403, "AccessDenied", f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: {role(name)}")
    assert refusal(assume, user, role(name)) == denied
    assert refusal(assume, user, role(name), **{key: wrong[key] for key in given}) == denied
    assert assume(user, role(name), **given)["AssumedRoleUser"]["Arn"].endswith(f"admin-{name}/session-1")


@pytest.mark.parametrize("name", ["closed", "missing"])
def test_a_role_that_trusts_nobody_and_one_that_is_not_there_are_not_told_apart(user, name):
    message = f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: {role(name)}"
    assert refusal(assume, user, role(name)) == (403, "AccessDenied", message)


def test_attributes_of_the_certificate_open_a_role(session, user):
    assert assume(session, role("certificate"))
    assert refusal(assume, user, role("certificate"))[1] == "AccessDenied"


def test_tags_and_source_identities_need_a_permission_of_their_own(session, user):
    assert assume(user, role("plain"))
    for action, given in [("sts:TagSession", {"Tags": [{"Key": "a", "Value": "b"}]}),
                          ("sts:SetSourceIdentity", {"SourceIdentity": "alice"})]:
        message = f"User: {USER} is not authorized to perform: {action} on resource: {role('plain')}"
        assert refusal(assume, user, role("plain"), **given) == (403, "AccessDenied", message)
    # The session has the certificate's source identity, which would stay.
    assert "sts:SetSourceIdentity" in refusal(assume, session, role("plain"))[2]
    assert "sts:SetSourceIdentity" in refusal(assume, session, SourceIdentity="other")[2]


def test_transitive_tags_stay_and_cannot_be_set_again(service, user):
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "room", "Value": "7"}]
    first = switched(service, assume(user, Tags=tags, TransitiveTagKeys=["team"]))
    assert assume(first, role("next"), Tags=[{"Key": "room", "Value": "8"}])
    assert refusal(assume, first, role("next"), Tags=[{"Key": "TEAM", "Value": "red"}])[1] == "InvalidParameterValue"
    assert refusal(assume, user, TransitiveTagKeys=["team"])[1] == "InvalidParameterValue"
    both = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert refusal(assume, user, Tags=both)[1] == "InvalidParameterValue"


def test_policies_and_tags_are_packed(user):
    policy = '{"Version": "2012-10-17", "Statement": []}'
    answer = assume(user, Policy=policy, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
    assert 0 < answer["PackedPolicySize"] < 100
    assert refusal(assume, user, Policy="{") == (
        400, "MalformedPolicyDocument", "This policy contains invalid Json")
    status, name, message = refusal(
        assume, user, Tags=[{"Key": f"key-{n}", "Value": "v" * 200} for n in range(20)])
    assert (status, name) == (400, "PackedPolicyTooLarge")
    assert message.startswith("Packed size of session tags consumes ") and message.endswith("% of allotted space.")


@pytest.mark.parametrize("given, place, constraint", [
    ({"RoleSessionName": "a b"}, "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*"),
    ({"RoleSessionName": "é" * 2}, "roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]*"),
    ({"RoleSessionName": "a" * 65}, "roleSessionName", "have length less than or equal to 64"),
    ({"ExternalId": "a!"}, "externalId", "satisfy regular expression pattern: [\\w+=,.@:/-]*"),
    ({"DurationSeconds": 43201}, "durationSeconds", "have value less than or equal to 43200"),
    ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "tags", "have length less than or equal to 50"),
])
def test_parameters_are_validated_in_the_words_of_aws(user, given, place, constraint):
    status, name, message = refusal(user.assume_role, **{"RoleArn": ADMIN, "RoleSessionName": "ss"} | given)
    assert (status, name) == (400, "ValidationError")
    assert message.startswith("1 validation error detected: Value '")
    assert message.endswith(f"' at '{place}' failed to satisfy constraint: Member must {constraint}")


INVALID = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def test_a_session_token_is_bound_to_its_key(service, user):
    one, two = (assume(user)["Credentials"] for _ in range(2))
    mixed = client(service, (one["AccessKeyId"], one["SecretAccessKey"], two["SessionToken"]))
    assert refusal(mixed.get_caller_identity) == INVALID
    assert refusal(client(service, (*KEY, one["SessionToken"])).get_caller_identity) == INVALID
    assert refusal(client(service, ("AKIAUNKNOWN000000000", "x" * 40)).get_caller_identity) == INVALID
    assert refusal(client(service, (KEY[0], "x" * 40)).get_caller_identity)[1] == "SignatureDoesNotMatch"


def test_a_signature_for_another_region_is_refused(service):
    elsewhere = client(service, region="us-east-1")
    assert refusal(elsewhere.get_caller_identity) == (
        403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region.")


def test_a_code_opens_a_session_once_and_that_session_the_role(service, user):
    given = {"SerialNumber": SERIAL, "TokenCode": code()}
    token = switched(service, user.get_session_token(**given))
    assert refusal(assume, user, role("mfa"))[1] == "AccessDenied"
    assert assume(token, role("mfa"))
    failed = "MultiFactorAuthentication failed"
    assert refusal(user.get_session_token, **given) == (
        403, "AccessDenied", f"{failed} with invalid MFA one time pass code. ")
    assert refusal(user.get_session_token, SerialNumber=SERIAL, TokenCode=f"{(int(code()) + 1) % 1_000_000:06}")[2] == (
        f"{failed} with invalid MFA one time pass code. ")
    assert refusal(user.get_session_token, SerialNumber=f"{SERIAL}-2", TokenCode=code(1))[2] == (
        f"{failed}, unable to validate MFA code.  "
        "Please verify your MFA serial number is valid and associated with this user.")
    assert refusal(user.get_session_token, SerialNumber=SERIAL)[2] == (
        f"{failed}, must provide both MFA serial number and one time pass code.")
    assert assume(user, role("mfa"), SerialNumber=SERIAL, TokenCode=code(1))
    assert service.get("last")["parameters"]["TokenCode"] == "‹redacted›"
    assert refusal(assume, token, SerialNumber=SERIAL, TokenCode=code(-1))[1] == "AccessDenied"


def test_a_session_gets_no_session_token(service, session, user):
    denied = (403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    assert refusal(session.get_session_token) == denied
    assert refusal(switched(service, user.get_session_token()).get_session_token) == denied
    assert user.get_session_token(DurationSeconds=129600)
    assert refusal(user.get_session_token, DurationSeconds=129601)[1] == "ValidationError"


def test_unknown_actions_are_refused(user):
    assert refusal(user.get_federation_token, Name="bob") == (
        400, "InvalidAction", "Could not find operation GetFederationToken for version 2011-06-15")


@pytest.mark.parametrize("fault, expected", [
    ({"fault": "status", "status": 503, "code": "ServiceUnavailable"}, "ServiceUnavailable"),
    ({"fault": "status", "status": 400, "code": "Throttling", "message": "Rate exceeded"}, "Throttling"),
    ({"fault": "garbage"}, "ResponseParserError"), ({"fault": "html"}, "ResponseParserError|KeyError"),
    ({"fault": "truncated"}, "ResponseStreamingError|ConnectionClosedError|IncompleteRead"),
    ({"fault": "close"}, "ConnectionClosedError"),
])
def test_faults_meet_sts_as_well(service, user, fault, expected):
    service.fault(fault | {"on": "sts", "times": 1})
    try:
        with pytest.raises(Exception) as error:
            assume(user)
        assert any(name in f"{type(error.value).__name__}: {error.value}" for name in expected.split("|"))
    finally:
        service.call("DELETE", "/_emulator/faults")
    assert assume(user)


def test_answers_can_be_spoilt(service, user):
    service.fault(*({"fault": kind, "on": "sts", "times": 1} for kind in ["wrong-role", "expired-answer", "missing-field"]))
    assert assume(user)["AssumedRoleUser"]["Arn"].endswith("/admin-of-somebody-else/session-1")
    assert assume(user)["Credentials"]["Expiration"] < datetime.datetime.now(datetime.timezone.utc)
    assert "SecretAccessKey" not in assume(user)["Credentials"]


def test_an_answer_can_be_late(service, user):
    service.fault({"fault": "delay", "seconds": 2, "on": "sts", "times": 1})
    start = time.monotonic()
    assume(user)
    assert time.monotonic() - start > 1.9


def test_requests_and_sessions_are_counted(service, user):
    before = service.get("counters")
    assume(user)
    user.get_session_token()
    refusal(assume, user, role("closed"))
    after = service.get("counters")
    names = "stsCalls", "assumeRoleRequests", "getSessionTokenRequests", "stsSessions"
    assert [after[name] - before[name] for name in names] == [3, 2, 1, 2]
    assert service.get("last")["parameters"]["RoleArn"] == role("closed")
