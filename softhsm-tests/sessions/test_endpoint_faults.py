"""Callers are told what the service does wrong, and sessions already held outlive it."""

import concurrent.futures
import itertools
import re
import time

import pytest

from support.answers import refresh
from support.credentials import access_key
from support.processes import resident_bytes

AGAIN = "wait; the service is asked again by itself"
SLOW_DOWN = "wait; the account's CreateSession quota is 10 a second"
PARAMETERS = "check the profile's ARNs, duration and session name"
RESOURCES = "check region and ARNs, and that trust anchor and profile are enabled"
POLICY = ("check that the profile lists the role, that the role's trust policy lets rolesanywhere.amazonaws.com in "
          "with this certificate, and that the certificate is not revoked")
PORTAL = "a captive portal or a proxy may answer in the service's place; see endpoint"
OTHER_SERVICE = "check endpoint: something else than Roles Anywhere may answer there"
NOT_HTTP = "something else than the service may answer there: check endpoint"
GATEWAY = "the signature was verified before it was sent and the clock agrees: a proxy or gateway may have changed the request"
ANCHOR = ("the certificate's issuer is 'CN=Root,O=Tokenward Tests', sent with no chain certificates: the trust anchor "
          "must be that issuer, or be reached through intermediate certificates that the token or a configured file has")


def status(code, name, message="injected by the emulator", **more):
    return {"fault": "status", "status": code, "code": name, "message": message} | more


def refused(code, name, message="injected by the emulator"):
    return f"CreateSession was refused with {code}: {name}: {message}"


# fault, exit code, HTTP status and code on the socket, what happened, what to do
FAULTS = {
    "validation": (status(400, "ValidationException"), 78, 502, "aws-rejected",
                   refused(400, "ValidationException"), PARAMETERS),
    "access-denied": (status(403, "AccessDeniedException"), 77, 502, "aws-denied",
                      refused(403, "AccessDeniedException"), POLICY),
    "untrusted": (status(403, "AccessDeniedException", "Untrusted signing certificate"), 77, 502, "aws-denied",
                  refused(403, "AccessDeniedException", "Untrusted signing certificate"), ANCHOR),
    "invalid-signature": (status(403, "InvalidSignatureException"), 77, 502, "aws-denied",
                          refused(403, "InvalidSignatureException"), GATEWAY),
    "not-found": (status(404, "ResourceNotFoundException"), 78, 502, "aws-rejected",
                  refused(404, "ResourceNotFoundException"), RESOURCES),
    "unknown-refusal": (status(418, "TeapotException"), 75, 502, "aws-answer-invalid",
                        refused(418, "TeapotException"), None),
    "throttled": (status(429, "ThrottlingException", "Rate exceeded", retryAfter=7), 75, 503, "aws-throttled",
                  "CreateSession was throttled (429): ThrottlingException: Rate exceeded", SLOW_DOWN),
    "internal-error": (status(500, "InternalServerException"), 75, 503, "aws-unavailable",
                       "CreateSession failed with 500: InternalServerException: injected by the emulator", AGAIN),
    "unavailable": (status(503, "ServiceUnavailableException", retryAfter=2), 75, 503, "aws-unavailable",
                    "CreateSession failed with 503: ServiceUnavailableException: injected by the emulator", AGAIN),
    "terminal-escapes": (status(403, "AccessDeniedException", "a\x1b[31mb\nc\u202ed"), 77, 502, "aws-denied",
                         re.compile(r"CreateSession was refused with 403: AccessDeniedException: [ -~]+"), POLICY),
    "html": ({"fault": "html"}, 75, 502, "aws-answer-invalid",
             "the endpoint answered 200 with something that is not JSON", PORTAL),
    "garbage": ({"fault": "garbage"}, 75, 502, "aws-answer-invalid",
                "the answer of Roles Anywhere is not valid at the JSON text", OTHER_SERVICE),
    "empty-set": ({"fault": "empty-set"}, 75, 502, "aws-answer-invalid",
                  "the answer of Roles Anywhere is not valid at credentialSet", OTHER_SERVICE),
    "truncated": ({"fault": "truncated"}, 75, 503, "aws-unavailable",
                  "the connection ended before the answer did", "it is tried again by itself"),
    "close": ({"fault": "close"}, 75, 503, "aws-unavailable",
              "the connection ended before the answer did", "it is tried again by itself"),
    "huge-body": ({"fault": "huge-body"}, 75, 502, "aws-answer-invalid",
                  "the body of the answer is too large", NOT_HTTP),
    "huge-headers": ({"fault": "huge-headers"}, 75, 502, "aws-answer-invalid",
                     "the headers of the answer are too large", NOT_HTTP),
    "expired-answer": ({"fault": "expired-answer", "seconds": 120}, 75, 502, "aws-answer-invalid",
                       "Roles Anywhere sent credentials that have expired or are about to",
                       "compare this machine's clock with the service's"),
    "wrong-role": ({"fault": "wrong-role"}, 75, 502, "aws-answer-invalid",
                   "Roles Anywhere sent credentials for another role or session", OTHER_SERVICE),
    **{f"no-{field}": ({"fault": "missing-field", "field": field}, 75, 502, "aws-answer-invalid",
                       f"the answer of Roles Anywhere is not valid at credentials.{field}", OTHER_SERVICE)
       for field in ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")},
    "redirect": ({"fault": "redirect"}, 75, 502, "aws-answer-invalid",
                 "the endpoint answered 307, a redirect, which is not followed", PORTAL),
    "gzip": ({"fault": "gzip"}, 75, 502, "aws-answer-invalid",
             "the answer is not valid HTTP: it is compressed, which was not asked for", NOT_HTTP),
}
NO_HINT = "look at the agent's log"  # what a client says where the agent has no hint
NEVER_ENDING = ("hang", "drip")


def line(what, hint):
    return f"tokenward: {what}; {hint or NO_HINT}\n"


class Case:
    """Two profiles at an endpoint: `warm_…` holds a session before the endpoint goes wrong, `cold_…` does not."""

    def __init__(self, agent, name):
        self.agent, self.cold, self.warm = agent, f"cold_{name}", f"warm_{name}"

    def warm_up(self):
        self.key = access_key(self.agent.credentials(self.warm))

    def ask_cold(self):
        return self.agent.credentials(self.cold)

    def ask_warm(self):
        """The answer to a forced refresh, and the next answer to a client."""
        return refresh(self.agent, self.warm), self.agent.credentials(self.warm)

    def check_cold(self, finished, exit, what, hint):
        assert (finished.returncode, finished.stdout) == (exit, "")
        if isinstance(what, re.Pattern):
            assert re.fullmatch(f"tokenward: {what.pattern}; {re.escape(hint)}\n", finished.stderr), finished.stderr
        else:
            assert finished.stderr == line(what, hint)

    def check_warm(self, answers, exit, status, code, what, hint):
        (got, problem), after = answers
        assert (got, problem["status"], problem["code"], problem["exit"]) == (status, status, code, exit)
        assert problem.get("hint") == hint
        assert what.fullmatch(problem["detail"]) if isinstance(what, re.Pattern) else problem["detail"] == what
        assert access_key(after) == self.key


@pytest.fixture(scope="module")
def good_endpoint(shared_world):
    return shared_world.endpoint()


@pytest.fixture
def endpoint(good_endpoint):
    yield good_endpoint
    good_endpoint.call("DELETE", "/_emulator/faults")


@pytest.fixture(scope="module")
def slow(shared_world):
    """Endpoints of which each will do one thing that never ends."""
    return {name: shared_world.endpoint(name=name) for name in NEVER_ENDING}


@pytest.fixture(scope="module")
def agent(shared_world, good_endpoint, slow):
    """One agent for all: each fault has profiles of its own, whose failures the others do not see."""
    places = [(name, good_endpoint) for name in [*FAULTS, "skew", "memory", "burst"]] + list(slow.items())
    return shared_world.agent(*(
        shared_world.profile(place, f"{state}_{name}")
        for (name, place), state in itertools.product(places, ("cold", "warm"))))


@pytest.fixture(scope="module")
def never_ending(agent, slow):
    """Both calls at each endpoint that never ends, under way while the other tests run: each takes its 15 seconds."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = {}
        for name, place in slow.items():
            case = Case(agent, name)
            case.warm_up()
            place.fault({"fault": name})
            answers[name] = case, pool.submit(case.ask_cold), pool.submit(case.ask_warm)
        yield answers


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_as_it_is_and_costs_no_session(never_ending, agent, endpoint, name):
    fault, exit, status, code, what, hint = FAULTS[name]
    case = Case(agent, name)
    case.warm_up()
    endpoint.fault(fault | {"times": 1}, fault | {"times": 1})
    before = endpoint.get("counters")
    case.check_cold(case.ask_cold(), exit, what, hint)
    case.check_warm(case.ask_warm(), exit, status, code, what, hint)
    after = endpoint.get("counters")
    assert after["createSessionRequests"] - before["createSessionRequests"] == 2
    assert after["redirectsFollowed"] == 0


def test_a_date_that_is_off_does_no_harm_to_good_credentials(agent, endpoint):
    endpoint.fault({"fault": "date-skew", "seconds": -7200, "times": 1})
    access_key(agent.credentials("cold_skew"))


def test_a_gibibyte_of_answer_takes_no_memory(agent, endpoint):
    access_key(agent.credentials("warm_memory"))
    before = resident_bytes(agent.process.pid, "VmHWM")
    endpoint.fault({"fault": "huge-body", "times": 1})
    assert agent.credentials("cold_memory").returncode == 75
    assert resident_bytes(agent.process.pid, "VmHWM") - before < 4 << 20


def test_callers_after_a_failure_cause_at_most_one_attempt_a_second(agent, endpoint):
    endpoint.fault({"fault": "status", "status": 503})
    before, begin = endpoint.asked(), time.monotonic()
    calls = 0
    while calls < 200:
        status, problem = agent.get("/v1/profiles/cold_burst/credentials")
        assert (status, problem["code"]) == (503, "aws-unavailable") and problem["retry_after"] >= 1
        calls += 1
    elapsed = time.monotonic() - begin
    assert endpoint.asked() - before <= 1 + int(elapsed) and elapsed < 10


@pytest.mark.parametrize("name", NEVER_ENDING)
def test_an_answer_that_never_ends_is_given_up_and_costs_no_session(never_ending, name):
    what = "the answer of 127.0.0.1 took too long"
    case, cold, warm = never_ending[name]
    case.check_cold(cold.result(60), 75, what, "it is tried again by itself")
    case.check_warm(warm.result(60), 75, 503, "aws-unavailable", what, "it is tried again by itself")


def test_a_session_outlives_its_endpoint(shared_world):
    doomed = shared_world.endpoint(name="doomed")
    agent = shared_world.agent(shared_world.profile(doomed), folder="outliving")
    key = access_key(agent.credentials())
    doomed.process.kill()
    doomed.process.wait()
    status, problem = refresh(agent, "test")
    assert (status, problem["code"], problem["exit"]) == (503, "aws-unavailable", 75)
    assert access_key(agent.credentials()) == key
