"""Workers start with the agent, and the connection to the service opens beside the look at the tokens."""

import socket
import time

import pytest

from support import configuration
from support.agent import read_again
from support.credentials import access_key
from support.waiting import in_background, wait_until


@pytest.fixture
def card(mock, root):
    card = mock.card("a")
    card.identity(root)
    return card


def others_handshakes(service):
    """How many TLS connections the service has taken, without those that ask for this number."""
    others_handshakes.asked += 1
    return service.get("counters")["tlsHandshakes"] - others_handshakes.asked


others_handshakes.asked = 0


def test_workers_of_configured_modules_list_before_anything_is_asked_and_log_in_to_nothing(
    start, mock, other, card, service, pin_file
):
    base = configuration.mock(mock) + configuration.token(pin_file) + configuration.profile(service)
    agent = start(base)
    wait_until(lambda: mock.count("C_FindObjectsFinal") > 0, "the first listing")
    [worker] = agent.workers()
    agent.configure(base + configuration.mock(other))
    read_again(agent)
    wait_until(lambda: other.count("C_GetTokenInfo") > 0, "the new module's listing")
    wait_until(lambda: len(agent.workers()) == 2 and worker not in agent.workers(), "new processes list after a reload")
    assert (mock.count("C_Login"), other.count("C_Login")) == (0, 0)
    access_key(agent.credentials())
    assert (mock.count("C_Login"), other.count("C_Login")) == (1, 0)


@pytest.mark.parametrize("function", ["C_Initialize", "C_GetTokenInfo"])
def test_a_module_that_hangs_holds_up_neither_the_start_nor_the_end_of_the_agent(start, mock, card, function):
    mock.on(function, "hang")
    begun = time.monotonic()
    agent = start(configuration.mock(mock))
    wait_until(lambda: mock.count(function) > 0, "the call that hangs")
    assert agent.get("/v1/health")[0] == 200
    assert agent.stop() == 0
    assert time.monotonic() - begun < 8


def test_a_module_that_crashes_when_it_is_loaded_costs_no_request(start, mock, card, service, pin_file):
    mock.on("C_Initialize", "crash", next=1)
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service))
    wait_until(lambda: mock.count("C_GetTokenInfo") > 0 or "worker lost" in agent.log(), "the start's end")
    access_key(agent.credentials())


def test_tls_stands_while_the_module_still_lists(start, mock, card, service, pin_file):
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service))
    wait_until(lambda: mock.count("C_GetTokenInfo") > 0, "the first listing")
    agent.get("/v1/tokens")  # has waited for it
    before = others_handshakes(service)
    rule = mock.on("C_GetTokenInfo", "hang")
    answer = in_background(agent.credentials)
    wait_until(lambda: others_handshakes(service) > before, "the connection")
    assert mock.count("C_Login") == 0
    mock.clear(rule)
    access_key(answer())


def test_a_token_that_is_not_there_is_told_although_the_service_is_silent(start, mock, card, service):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        agent = start(configuration.mock(mock), configuration.profile(
            service, certificate="pkcs11:token=b", endpoint=f"https://127.0.0.1:{silent.getsockname()[1]}"))
        begun = time.monotonic()
        assert agent.credentials().returncode == 66
        assert time.monotonic() - begun < 5


def test_a_request_whose_signature_took_long_goes_on_a_young_connection(start, mock, card, service, pin_file):
    """A server hangs up on a connection that stays silent, and the touch would be lost."""
    mock.on("C_Sign", delay=3500)
    agent = start(configuration.mock(mock), configuration.token(pin_file), configuration.profile(service))
    before = others_handshakes(service)
    access_key(agent.credentials())
    assert others_handshakes(service) - before == 2
    assert mock.count("C_Sign") == 1
