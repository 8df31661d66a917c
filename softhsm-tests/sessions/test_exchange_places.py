"""A service that takes connections and then hangs, for more profiles than there are places for exchanges."""

import concurrent.futures
import os
import socket
import types

from support.waiting import wait_until
from support.world import World

PROFILES = 100
PLACES = 64
"""Threads that exchanges have, as ExchangePlaces has them."""


def test_a_hundred_profiles_of_a_service_that_hangs_keep_sixty_four_threads_and_all_are_answered(tmp_path):
    with World(tmp_path) as world, socket.create_server(("127.0.0.1", 0), backlog=PROFILES) as listener:
        emulator = world.endpoint()
        hanging = types.SimpleNamespace(
            arns=emulator.arns, ca=emulator.ca, url=f"https://127.0.0.1:{listener.getsockname()[1]}")
        agent = world.agent(
            world.profile(emulator), *(world.profile(hanging, f"p{number}") for number in range(PROFILES)))
        assert agent.credentials().returncode == 0
        before = threads(agent)
        with concurrent.futures.ThreadPoolExecutor(PROFILES) as pool:
            answers = [pool.submit(agent.get, f"/v1/profiles/p{number}/credentials") for number in range(PROFILES)]
            # Threads that have looked at files wait some seconds for more to do; those of exchanges are at work for ten.
            wait_until(
                lambda: before + PLACES <= threads(agent) <= before + PLACES + 8, "as many exchanges as there are places")
            assert agent.get("/v1/status")[0] == 200
            listener.close()
            for answer in answers:
                status, problem = answer.result(60)
                assert (status, problem["exit"]) == (503, 75), problem


def threads(agent):
    return len(os.listdir(f"/proc/{agent.process.pid}/task"))
