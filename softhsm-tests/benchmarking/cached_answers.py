"""Answers from the cache: the thin client's whole process, and the socket under load."""

import contextlib
import os

from figure import Figure, alternate
from place import CREDENTIALS, PROFILE
from support.processes import binary

RIVAL_SESSION_MS = 80
"""A fresh session of a credential helper without a cache, as its users measure it on a fast line."""


def thin_client(place, agent, rounds):
    text = place.run(
        "spawn_bench", rounds,
        "ours", binary("tokenward-credential-process"), "--socket", agent.socket, PROFILE, "--",
        "static", place.program("thin_client_static"), agent.socket, PROFILE, "--",
        "dynamic", place.program("thin_client_dynamic"), agent.socket, PROFILE,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    median = {line.split()[0]: float(line.split()[1]) for line in text.splitlines()[1:]}
    name = "thin client, whole process"
    return [
        Figure(name, "ms", median["ours"], median["static"], "C, static", 1.05),
        Figure(name, "ms", median["ours"], median["dynamic"], "C, dynamic", 1),
        Figure(f"{name}: a session of {RIVAL_SESSION_MS} ms costs", "×", RIVAL_SESSION_MS / median["ours"], reach=150, at_least=True),
    ]


def command_with_credentials(place, agent, rounds):
    """`exec` of a shell that is true(1), because `--` ends a command of spawn_bench."""
    text = place.run(
        "spawn_bench", rounds,
        "ours", binary("tokenward"), "exec", PROFILE, "--env", "--socket", agent.socket, "--",
        "alone", "/usr/bin/true",
        env={"PATH": "/usr/bin:/bin", "SHELL": "/usr/bin/true"},
    )  # fmt: skip
    median = {line.split()[0]: float(line.split()[1]) for line in text.splitlines()[1:]}
    return [Figure("exec of true(1), beside true(1) alone: takes longer by", "ms", median["ours"] - median["alone"], reach=10)]


def socket_load(place, agent, rounds, requests):
    server, c_socket = epoll_server(place, agent)

    def load(socket, *arguments):
        words = place.run("load_client", socket, CREDENTIALS, *arguments).split()
        return dict(zip(words[::2], map(float, words[1::2])))

    figures = []
    for clients, reach in ((1, 1), (64, 0.8)):
        ours, reference = alternate(
            rounds,
            lambda: load(agent.socket, "close", clients, requests)["requests"],
            lambda: load(c_socket, "close", clients, requests)["requests"],
        )
        name = f"connection per request, {clients} client{'s' * (clients > 1)}"
        figures.append(Figure(name, "/s", ours, reference, "C epoll", reach, at_least=True))
    # A processor that slept takes longer to wake than an answer takes, so each row says where both programs are.
    processors = sorted(os.sched_getaffinity(0))[:2]
    for where, client in zip(("the server's processor", "another processor"), processors):
        with on_processors({agent.process.pid: processors[0], server.pid: processors[0], os.getpid(): client}):
            ours, reference = alternate(
                rounds,
                lambda: load(agent.socket, "keep", requests)["p50"],
                lambda: load(c_socket, "keep", requests)["p50"],
            )
        figures.append(Figure(f"keep-alive, client on {where}, median", "µs", ours, reference, "C epoll", 1.2))
    return figures


@contextlib.contextmanager
def on_processors(places):
    """Keeps each process, with all its threads and what it starts, on its processor meanwhile."""
    everywhere = os.sched_getaffinity(0)

    def keep(pid, processors):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(int(thread), processors)

    try:
        for pid, processor in places.items():
            keep(pid, {processor})
        yield
    finally:
        for pid in places:
            keep(pid, everywhere)


def epoll_server(place, agent):
    """Started with the agent's own two answers; returns its process and its socket."""
    head = f"GET {CREDENTIALS} HTTP/1.1\r\nHost: tokenward\r\n"
    closing = agent.http(f"{head}Connection: close\r\n\r\n".encode())
    (place.path / "closing").write_bytes(closing)
    both = agent.http(f"{head}\r\n{head}Connection: close\r\n\r\n".encode())
    assert both.endswith(closing) and closing.startswith(b"HTTP/1.1 200"), both
    (place.path / "keeping").write_bytes(both.removesuffix(closing))
    path = place.path / "epoll.sock"
    server = place.begin(place.program("epoll_server"), path, place.path / "closing", place.path / "keeping")
    assert server.stdout.readline() == "listening\n"
    return server, path
