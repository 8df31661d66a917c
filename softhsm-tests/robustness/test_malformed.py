"""Each malformed request is refused in its own words, and the agent goes on."""

import json

import pytest

from support.credentials import access_key
from support.malformed_uris import SECRET, URIS


def answers(data):
    """Every answer on a connection: status, fields and body."""
    found = []
    while data:
        head, separator, rest = data.partition(b"\r\n\r\n")
        assert separator, data
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(fields.get("content-length", 0))
        found.append((int(lines[0].split()[1]), fields, rest[:length]))
        data = rest[length:]
    return found


# --- HTTP

def request(line="GET /v1/health HTTP/1.1", *fields, body=b"", host="Host: t"):
    lines = [line, *([host] if host else []), "Connection: close", *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


POST = "POST /v1/lock HTTP/1.1"
BAD, BIG = (400, "bad-request"), (413, "request-too-large")
HTTP = {
    "no method": (request(" /v1/health HTTP/1.1"), BAD),
    "no version": (request("GET /v1/health"), BAD),
    "HTTP/0.9": (b"GET /v1/health\r\n\r\n", BAD),
    "HTTP/2.0": (request("GET /v1/health HTTP/2.0"), BAD),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    "a lower-case version": (request("GET /v1/health http/1.1"), BAD),
    "two spaces": (request("GET  /v1/health HTTP/1.1"), BAD),
    "a space in the path": (request("GET /v1/hea lth HTTP/1.1"), BAD),
    "a method of 17 letters": (request("A" * 17 + " /v1/health HTTP/1.1"), BAD),
    "a method with a colon": (request("G:T /v1/health HTTP/1.1"), BAD),
    "another method": (request("DELETE /v1/health HTTP/1.1"), (405, "method-not-allowed")),
    "a lower-case method": (request("get /v1/health HTTP/1.1"), (405, "method-not-allowed")),
    "HEAD": (request("HEAD /v1/health HTTP/1.1"), (405, None)),
    "an absolute target": (request("GET http://t/v1/health HTTP/1.1"), BAD),
    "a star": (request("OPTIONS * HTTP/1.1"), BAD),
    "CONNECT": (request("CONNECT t:443 HTTP/1.1"), BAD),
    "a query": (request("GET /v1/health?pin=" + SECRET + " HTTP/1.1"), BAD),
    "a fragment": (request("GET /v1/health#a HTTP/1.1"), BAD),
    "an escape": (request("GET /v1/%68ealth HTTP/1.1"), BAD),
    "a backslash": (request("GET /v1\\health HTTP/1.1"), BAD),
    "a NUL in the path": (request("GET /v1/health\0 HTTP/1.1"), BAD),
    "UTF-8 in the path": (request("GET /v1/hälth HTTP/1.1"), BAD),
    "dots in the path": (request("GET /v1/../v1/health HTTP/1.1"), (404, "not-found")),
    "two slashes": (request("GET //v1/health HTTP/1.1"), (404, "not-found")),
    "a slash at the end": (request("GET /v1/health/ HTTP/1.1"), (404, "not-found")),
    "another version of the interface": (request("GET /v2/health HTTP/1.1"), (404, "not-found")),
    "no profile": (request("GET /v1/profiles//credentials HTTP/1.1"), (404, "not-found")),
    "another profile": (request("GET /v1/profiles/other/credentials HTTP/1.1"), (404, "unknown-profile")),
    "a profile that is no name": (request("GET /v1/profiles/-x/credentials HTTP/1.1"), (404, "unknown-profile")),
    "a profile of 1000 letters": (request(f"GET /v1/profiles/{'a' * 1000}/credentials HTTP/1.1"), (404, "unknown-profile")),
    "no Host": (request(host=None), BAD),
    "two Hosts": (request("GET /v1/health HTTP/1.1", "Host: u"), BAD),
    "a line without a colon": (request("GET /v1/health HTTP/1.1", "nonsense"), BAD),
    "a space before the colon": (request("GET /v1/health HTTP/1.1", "X-A : b"), BAD),
    "a folded line": (request("GET /v1/health HTTP/1.1", "X-A: b", " c"), BAD),
    "a field without a name": (request("GET /v1/health HTTP/1.1", ": b"), BAD),
    "a NUL in a field": (request("GET /v1/health HTTP/1.1", "X-A: \0"), BAD),
    "bare line feeds": (request().replace(b"\r\n", b"\n"), BAD),
    "bare carriage returns": (request().replace(b"\r\n", b"\r") + b"\r\n", BAD),
    "65 fields": (request("GET /v1/health HTTP/1.1", *(f"X-{i}: a" for i in range(63))), BIG),
    "a head of 17 KiB": (request("GET /v1/health HTTP/1.1", "X-A: " + "a" * 17_000), BIG),
    "a path of 17 KiB": (request(f"GET /{'a' * 17_000} HTTP/1.1"), BIG),
    "two lengths": (request(POST, "Content-Length: 2", "Content-Length: 2", body=b"{}"), BAD),
    "a negative length": (request(POST, "Content-Length: -1"), BAD),
    "a signed length": (request(POST, "Content-Length: +2", body=b"{}"), BAD),
    "a length in hexadecimal": (request(POST, "Content-Length: 0x2", body=b"{}"), BAD),
    "a list of lengths": (request(POST, "Content-Length: 2, 2", body=b"{}"), BAD),
    "an empty length": (request(POST, "Content-Length:"), BAD),
    "a length of 20 digits": (request(POST, "Content-Length: " + "9" * 20), BAD),
    "a length above the limit": (request(POST, "Content-Length: 8193"), BIG),
    "a PIN where none is taken": (
        request("POST /v1/reload HTTP/1.1", "Content-Length: 14", body=b'{"pin":"8351"}'), BIG),
    "a PIN in the place of a code": (
        request("POST /v1/profiles/test/refresh HTTP/1.1", "Content-Length: 14", body=b'{"pin":"8351"}'), BAD),
    "chunks": (request(POST, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), BAD),
    "chunks and a length": (request(POST, "Content-Length: 2", "Transfer-Encoding: chunked", body=b"{}"), BAD),
    "an upgrade": (request("GET /v1/health HTTP/1.1", "Upgrade: h2c"), BAD),
    "a body where none belongs": (request("GET /v1/health HTTP/1.1", "Content-Length: 2", body=b"{}"), BIG),
    "a web page": (request("GET /v1/health HTTP/1.1", "Origin: http://localhost"), (403, "forbidden")),
    "a browser": (request("GET /v1/health HTTP/1.1", "Sec-Fetch-Mode: cors"), (403, "forbidden")),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n", BAD),
    "an SSH client": (b"SSH-2.0-OpenSSH_9.2\r\n", BAD),
    "zeros": (bytes(100_000), BAD),
}


@pytest.mark.parametrize("name", HTTP)
def test_a_malformed_request_is_refused(shared_agent, name):
    data, (status, code) = HTTP[name]
    [(got, fields, body)] = answers(shared_agent.http(data))
    assert (got, fields["cache-control"]) == (status, "no-store")
    assert SECRET.encode() not in body
    if code:
        problem = json.loads(body)
        assert fields["content-type"] == "application/problem+json"
        assert (problem["status"], problem["code"]) == (status, code), problem
        assert problem["detail"].isprintable() and problem["title"] and 64 <= problem["exit"] <= 81
    else:
        assert body == b""
    assert shared_agent.get("/v1/health") == (200, {"status": "ok"})


def test_bytes_after_a_malformed_request_are_not_read(shared_agent):
    smuggled = request("GET /v1/health HTTP/1.1")
    for name in ("two lengths", "chunks and a length", "bare line feeds", "a length above the limit"):
        assert len(answers(shared_agent.http(HTTP[name][0] + smuggled))) == 1, name


def test_requests_in_one_packet_are_answered_in_order(shared_agent):
    first = b"GET /v1/health HTTP/1.1\r\nHost: t\r\n\r\n"
    second = b"GET /v1/nothing HTTP/1.1\r\nHost: t\r\n\r\n"
    assert [status for status, _, _ in answers(shared_agent.http(first + second + request()))] == [200, 404, 200]


# --- JSON

UNLOCK = "/v1/tokens/unlock"
JSON = {
    "nothing": (UNLOCK, b"", "the body is not one JSON object"),
    "an array": (UNLOCK, b"[]", "the body is not one JSON object"),
    "two objects": (UNLOCK, b"{}{}", "the body is not one JSON object"),
    "half an object": (UNLOCK, b'{"uri":"pkcs11:"', "the body is not one JSON object"),
    "a trailing comma": (UNLOCK, b'{"uri":"pkcs11:",}', "the body is not one JSON object"),
    "a comment": (UNLOCK, b'{/**/"uri":"pkcs11:"}', "the body is not one JSON object"),
    "a byte order mark": (UNLOCK, b'\xef\xbb\xbf{"uri":"pkcs11:"}', "the body is not one JSON object"),
    "bare words": (UNLOCK, b'{uri:"pkcs11:"}', "the body is not one JSON object"),
    "no URI": (UNLOCK, b"{}", "the body has no uri"),
    "a PIN alone": (UNLOCK, b'{"pin":"8351"}', "the body has no uri"),
    "a number": (UNLOCK, b'{"uri":8351}', "a member of the body is not a string"),
    "a null": (UNLOCK, b'{"uri":"pkcs11:","pin":null}', "a member of the body is not a string"),
    "a deep array": (UNLOCK, b'{"uri":' + b"[" * 8000, "the body has too many levels or members"),
    "a member too many": (UNLOCK, b'{"uri":"pkcs11:","puk":"8351"}', "the body has a member that is not known here"),
    "another case": (UNLOCK, b'{"URI":"pkcs11:"}', "the body has a member that is not known here"),
    "a URI twice": (UNLOCK, b'{"uri":"pkcs11:","uri":"pkcs11:"}', "the body has a member twice"),
    "the same name, escaped": (UNLOCK, b'{"uri":"pkcs11:","ur\\u0069":"x"}', "the body has a member twice"),
    "no UTF-8": (UNLOCK, b'{"uri":"\xff"}', "the body is not UTF-8"),
    "an overlong sequence": (UNLOCK, b'{"uri":"\xc0\x80"}', "the body is not UTF-8"),
    "a raw control character": (UNLOCK, b'{"uri":"a\nb"}', "a string in the body is malformed"),
    "an unknown escape": (UNLOCK, b'{"uri":"\\x41"}', "a string in the body is malformed"),
    "half a surrogate pair": (UNLOCK, b'{"uri":"\\ud800"}', "a string in the body is malformed"),
    "an open string": (UNLOCK, b'{"uri":"pkcs11:', "a string in the body is malformed"),
    "an empty PIN": (UNLOCK, b'{"uri":"pkcs11:token=demo","pin":""}', "the PIN is empty"),
    "a PIN with a line end": (UNLOCK, b'{"uri":"pkcs11:token=demo","pin":"8351\\n"}', "the PIN holds a control character"),
    "a long PIN": (UNLOCK, b'{"uri":"pkcs11:token=demo","pin":"' + b"8351" * 1500 + b'"}', None),
    "a PIN for lock": ("/v1/lock", b'{"uri":"pkcs11:","pin":"8351"}', "the body has a member that is not known here"),
    "an array for lock": ("/v1/lock", b"[]", "the body is not one JSON object"),
}


@pytest.mark.parametrize("name", JSON)
def test_a_malformed_body_is_refused_and_not_repeated(shared_agent, name):
    path, body, detail = JSON[name]
    status, problem = shared_agent.request("POST", path, body)
    assert (status, problem["code"], problem["exit"]) == (400, "bad-request", 64), problem
    assert problem["detail"] == detail if detail else problem["detail"].startswith("the PIN is longer than ")
    assert SECRET not in json.dumps(problem)
    access_key(shared_agent.credentials())
    assert SECRET not in shared_agent.log()


# --- PKCS#11 URIs

@pytest.mark.parametrize("uri", URIS)
@pytest.mark.parametrize("path", [UNLOCK, "/v1/lock"])
def test_a_malformed_uri_on_the_socket_is_refused(shared_agent, path, uri):
    status, problem = shared_agent.request("POST", path, json.dumps({"uri": uri}, ensure_ascii=False).encode())
    assert (status, problem["code"], problem["exit"], problem["detail"]) == (400, "bad-request", 64, f"the URI: {URIS[uri]}")
    assert SECRET not in json.dumps(problem)
    access_key(shared_agent.credentials())
