"""The emulator does wrong on request, in every way that its faults name."""

import datetime
import email.utils
import gzip
import http.client
import json
import socket

import pytest

from support.authority import pem
from support.emulator import ARNS, ROLE, resources
from support.emulator_client import SignedRequest, create_session, send


@pytest.fixture(scope="module")
def faulty(start, root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "emulator.json").write_text(json.dumps(resources(folder, root)))
    return start("--config", folder / "emulator.json", arns=ARNS)


@pytest.fixture
def ask(faulty, identity):
    """Sets faults and asks once; the next request meets none of them."""
    def run(*faults):
        faulty.fault(*faults)
        return create_session(faulty, SignedRequest(faulty, identity))

    yield run
    assert send(faulty, "DELETE", "/_emulator/faults").status == 204
    assert create_session(faulty, SignedRequest(faulty, identity)).status == 201


def fault(kind, times=1, **more):
    return {"fault": kind, "times": times} | more


def credentials(answer):
    assert answer.status == 201
    return answer.json["credentialSet"][0]["credentials"]


def test_a_status_with_code_and_retry_after(ask):
    answer = ask(fault("status", status=429, code="ThrottlingException", message="Rate exceeded", retryAfter=2))
    assert answer.refusal == (429, "ThrottlingException", "Rate exceeded", False)
    assert answer.headers["retry-after"] == "2"


def test_a_fault_is_counted_off(faulty, identity, ask):
    assert ask(fault("status", times=3)).status == 503
    statuses = [create_session(faulty, SignedRequest(faulty, identity)).status for _ in range(3)]
    assert statuses == [503, 503, 201]


def test_a_captive_portal(ask):
    answer = ask(fault("html"))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_garbage(ask):
    answer = ask(fault("garbage"))
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json


def test_an_empty_set(ask):
    answer = ask(fault("empty-set"))
    assert (answer.status, answer.json["credentialSet"]) == (201, [])


def test_an_expired_answer(ask):
    expiration = credentials(ask(fault("expired-answer", seconds=120)))["expiration"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(expiration)
    assert 119 <= age.total_seconds() < 140


def test_a_wrong_role(ask):
    answer = ask(fault("wrong-role")).json["credentialSet"][0]
    assert answer["roleArn"] == f"{ROLE}-of-somebody-else"
    assert "assumed-role/build-of-somebody-else/" in answer["assumedRoleUser"]["arn"]


@pytest.mark.parametrize("field", ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"])
def test_a_missing_field(ask, field):
    all_fields = {"accessKeyId", "secretAccessKey", "sessionToken", "expiration"}
    assert set(credentials(ask(fault("missing-field", field=field)))) == all_fields - {field}


def test_a_body_that_stops_half_way(ask):
    with pytest.raises(http.client.IncompleteRead) as error:
        ask(fault("truncated"))
    assert len(error.value.partial) > 100 and error.value.expected > 100


@pytest.mark.parametrize("kind, errors", [
    ("close", (http.client.RemoteDisconnected, ConnectionResetError))])
def test_a_connection_that_ends_before_any_byte(ask, kind, errors):
    with pytest.raises(errors):
        ask(fault(kind))


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_an_answer_that_takes_for_ever(faulty, identity, kind):
    faulty.fault(fault(kind))
    target, headers, body = SignedRequest(faulty, identity).finish()
    connection = http.client.HTTPConnection("127.0.0.1", faulty.port, timeout=1.5)
    connection.request("POST", target, body, headers)
    if kind == "hang":
        with pytest.raises(socket.timeout):
            connection.getresponse()
    else:
        response = connection.getresponse()
        assert response.read(1) == b"{" and int(response.headers["content-length"]) > 100
    connection.close()


def test_a_body_of_a_gibibyte(faulty, identity):
    faulty.fault(fault("huge-body"))
    target, headers, body = SignedRequest(faulty, identity).finish()
    connection = http.client.HTTPConnection("127.0.0.1", faulty.port, timeout=10)
    connection.request("POST", target, body, headers)
    response = connection.getresponse()
    assert int(response.headers["content-length"]) == 2**30
    assert len(response.read(8 << 20)) == 8 << 20
    connection.close()


def test_headers_of_a_mebibyte(faulty, identity):
    faulty.fault(fault("huge-headers"))
    target, headers, body = SignedRequest(faulty, identity).finish()
    with socket.create_connection(("127.0.0.1", faulty.port), timeout=10) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST {target} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
    assert answer.index(b"\r\n\r\n") > 1_000_000


def test_a_redirect_is_noticed_when_it_is_followed(faulty, ask):
    answer = ask(fault("redirect"))
    assert (answer.status, answer.headers["location"]) == (307, "/_emulator/redirected")
    assert faulty.get("counters")["redirectsFollowed"] == 0
    send(faulty, "POST", answer.headers["location"])
    assert faulty.get("counters")["redirectsFollowed"] == 1


def test_a_date_header_that_is_off(ask):
    date = email.utils.parsedate_to_datetime(ask(fault("date-skew", seconds=-7200)).headers["date"])
    age = datetime.datetime.now(datetime.timezone.utc) - date
    assert 7199 <= age.total_seconds() < 7220


def test_a_body_that_is_compressed_unasked(ask):
    answer = ask(fault("gzip"))
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["credentialSet"]


def test_faults_come_in_order_and_only_for_their_endpoint(faulty, identity, ask):
    assert ask(fault("status", status=500), fault("html"), fault("status", status=502, on="sts")).status == 500
    assert create_session(faulty, SignedRequest(faulty, identity)).status == 200
    assert send(faulty, "POST", "/").status == 502
    assert send(faulty, "POST", "/").status == 403


@pytest.mark.parametrize("body", [
    b"", b"{}", b'{"fault":"flood"}', b'{"fault":"status","status":99}', b'{"fault":"status","code":"a\\r\\nb: c"}'])
def test_an_unknown_fault_is_refused(faulty, body):
    assert send(faulty, "PUT", "/_emulator/faults", body=body).status == 400


@pytest.mark.parametrize("argument, status", [("status:502", 502), ("html", 200), ("empty-set", 201)])
def test_a_fault_of_the_command_line_stays(start, tmp_path, root, identity, argument, status):
    (tmp_path / "anchor.pem").write_bytes(pem(root.certificate))
    service = "arn:aws:rolesanywhere:eu-west-2:123456789012"
    emulator = start(
        "--trust-anchor-pem", tmp_path / "anchor.pem", "--region", "eu-west-2", "--account", "123456789012", "--fault",
        argument, arns={
            "trustAnchorArn": f"{service}:trust-anchor/00000000-0000-4000-8000-000000000001",
            "profileArn": f"{service}:profile/00000000-0000-4000-8000-000000000002",
            "roleArn": "arn:aws:iam::123456789012:role/tokenward-demo"})
    request = SignedRequest(emulator, identity)
    assert [create_session(emulator, request).status for _ in range(3)] == [status] * 3
    assert emulator.get("counters")["faults"] == 3


def test_throttling_and_latency(start, tmp_path, root, identity):
    (tmp_path / "emulator.json").write_text(json.dumps(resources(tmp_path, root)))
    emulator = start("--config", tmp_path / "emulator.json", "--rate", 2, "--latency-ms", 50, arns=ARNS)
    begin = datetime.datetime.now()
    answers = [create_session(emulator, SignedRequest(emulator, identity)) for _ in range(8)]
    assert datetime.datetime.now() - begin >= datetime.timedelta(milliseconds=400)
    throttled = [answer for answer in answers if answer.status == 429]
    assert answers[0].status == answers[1].status == 201
    assert throttled and {answer.refusal for answer in throttled} == {(429, "ThrottlingException", "Rate exceeded", True)}
    counters = emulator.get("counters")
    assert counters["createSessionRequests"] == 8
    assert counters["refused"] == {"ThrottlingException": len(throttled)}
    assert counters["sessionsCreated"] == 8 - len(throttled)


def test_one_fault_needs_no_list(faulty, identity):
    answer = send(faulty, "PUT", "/_emulator/faults", body=b' {"fault": "status", "status": 500, "times": 1}')
    assert answer.status == 204
    assert [create_session(faulty, SignedRequest(faulty, identity)).status for _ in range(2)] == [500, 201]
