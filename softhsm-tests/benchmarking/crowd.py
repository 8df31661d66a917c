"""A token with a thousand certificates and keys: how long its listing takes, and the owner's lock meanwhile."""

import concurrent.futures
import os
import statistics
import time

from figure import Figure, alternate
from support import configuration, mock_module

CROWD = 1000


def crowd(place, rounds):
    mock = mock_module.MockModule(place.path / "crowd", mock_module.build(place.path / "crowd.so"))
    with mock.batch():
        card = mock.card("crowd")
        for number in range(CROWD):
            card.identity(place.root, identifier=f"{number:04x}")

    def start():
        return place.start(
            place.path / "crowd-agent", configuration.mock(mock), configuration.token(place.pin_source))

    def listing():
        agent = start()
        (_, listed), milliseconds = timed(agent.get, "/v1/identities")
        assert len(listed) == CROWD and all(one["has_key"] for one in listed), agent.log()
        agent.stop()
        return milliseconds

    def lock():
        """The longest of several: each one ends the listing, which then begins anew."""
        agent = start()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            listing = pool.submit(agent.get, "/v1/identities")
            worst = 0
            while not listing.done():
                worst = max(worst, timed(agent.request, "POST", "/v1/lock")[1])
        agent.stop()
        return worst

    ours, locked, direct = alternate(
        rounds, listing, lock,
        lambda: float(place.run("direct_list", mock.path, mock_module.PIN, env={**os.environ, **mock.environment})))
    name = f"{CROWD:,} certificates and keys"
    return [
        Figure(f"{name}: a cold agent's listing", "ms", ours, reach=1000),
        Figure(f"{name}: reading them in C", "ms", direct),
        Figure(f"{name}: the owner's lock meanwhile, worst of a listing", "ms", locked, reach=100),
    ]


def timed(call, *arguments):
    """What a call gives, and its milliseconds."""
    began = time.monotonic()
    return call(*arguments), (time.monotonic() - began) * 1000
