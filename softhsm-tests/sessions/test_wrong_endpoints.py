"""An endpoint that is wrong or away is named, and the token is asked for nothing."""

import re
import socket

import pytest

from support import configuration
from support.authority import Authority, der
from support.credentials import access_key
from support.softhsm import PIN
from support.world import World

ANCHOR = ("the certificate's issuer is 'CN=Root,O=Tokenward Tests', sent with no chain certificates: the trust anchor "
          "must be that issuer, or be reached through intermediate certificates that the token or a configured file has")


NO_HINT = "look at the agent's log"  # what a client says where the agent has no hint


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def places(shared_world):
    """The emulator of each, and where it is said to be."""
    wrong_name = shared_world.endpoint("--tls-name", "elsewhere.example", name="wrong-name")
    behind = shared_world.endpoint("--clock-offset=-7200", name="clock-behind")
    ahead = shared_world.endpoint("--clock-offset=7200", name="clock-ahead")
    stranger = shared_world.endpoint(name="stranger", root=Authority("Another Root"))
    return {
        "wrong-name": (wrong_name, {}),
        "unknown-ca": (stranger, {"ca_bundle": behind.ca}),
        "refused": (behind, {"endpoint": f"https://127.0.0.1:{closed_port()}"}),
        "untrusted-issuer": (stranger, {}),
        "clock-behind": (behind, {}),
        "clock-ahead": (ahead, {}),
        "no-bundle": (stranger, {"ca_bundle": f"{shared_world.folder}/missing.pem"}),
    }


@pytest.fixture(scope="module")
def placed_agent(shared_world, places):
    profiles = [shared_world.profile(emulator, name, **settings) for name, (emulator, settings) in places.items()]
    return shared_world.agent(*profiles, folder="placed")


TLS = "a proxy may open TLS; if that is meant, name its root in ca-bundle"
WRONG_PLACES = {
    "wrong-name": (75, r"the server's certificate is not for 127\.0\.0\.1",
     "check endpoint; a captive portal or a proxy may answer in the service's place"),
    "unknown-ca": (75, r"the certificate of 127\.0\.0\.1 is from an authority that is not trusted", TLS),
    "refused": (75, r"no connection to 127\.0\.0\.1: .*", "check the network, a firewall, and https_proxy"),
    "untrusted-issuer": (77, r"CreateSession was refused with 403: AccessDeniedException: Untrusted Signing Certificate",
     ANCHOR),
    "clock-behind": (78, r"CreateSession was refused with 403: .*",
     "the clock is 2 hours fast by the service's Date: set it (timedatectl, chronyc)"),
    "clock-ahead": (78, r"CreateSession was refused with 403: .*",
     "the clock is 2 hours slow by the service's Date: set it (timedatectl, chronyc)"),
    "no-bundle": (78, r"the CA bundle cannot be read: .*",
     "correct endpoint or ca-bundle, or let the agent read them"),
}


@pytest.mark.parametrize("name", WRONG_PLACES)
def test_an_endpoint_that_is_wrong_is_told_as_it_is(placed_agent, name):
    exit, what, hint = WRONG_PLACES[name]
    finished = placed_agent.credentials(name)
    assert (finished.returncode, finished.stdout) == (exit, "")
    assert re.fullmatch(f"tokenward: {what}; {re.escape(hint or NO_HINT)}\n", finished.stderr), finished.stderr


def test_the_token_is_asked_for_nothing_while_the_endpoint_is_down(tmp_path):
    with World(tmp_path, spy=True) as world:
        endpoint = world.endpoint()
        url = f"https://127.0.0.1:{closed_port()}"
        agent = world.agent(world.profile(endpoint, "down", endpoint=url), world.profile(endpoint, "up"))
        for _ in range(3):
            assert agent.credentials("down").returncode == 75
        assert world.spy.count("C_GetTokenInfo") > 0, "the trace works"
        assert world.spy.counts("C_Login", "C_Sign") == (0, 0)
        access_key(agent.credentials("up"))
        assert world.spy.counts("C_Login", "C_Sign") == (1, 1)
        with open(world.spy.path) as file:
            assert PIN not in agent.log() and file.read()


@pytest.mark.parametrize("source", ["stored", "prompt"])
def test_no_login_looks_for_a_hidden_certificate_while_the_endpoint_is_down(tmp_path, certificate_writer, source):
    with World(tmp_path, spy=True) as world:
        token = world.hsm.token("hidden")
        certificate = world.root.issue("client", token.generate("client", "01"))
        certificate_writer(token, {("client", 1): der(certificate)}, is_private=True)
        endpoint = world.endpoint()
        rule = configuration.token(world.pin_source, "pkcs11:token=hidden")
        ends = {"down": f"https://127.0.0.1:{closed_port()}", "up": endpoint.url}
        agent = world.agent(rule if source == "stored" else "", *(
            world.profile(endpoint, name, endpoint=url, certificate="pkcs11:token=hidden") for name, url in ends.items()))
        for _ in range(2):
            result = agent.credentials("down")
            assert result.returncode == 75 and "connect" in result.stderr, result
        assert world.spy.count("C_Login") == 0
        if source == "stored":
            access_key(agent.credentials("up"))
            assert world.spy.counts("C_Login", "C_Sign") == (1, 1)
        else:
            assert agent.credentials("up").returncode == 80
            assert world.spy.count("C_Login") == 0
