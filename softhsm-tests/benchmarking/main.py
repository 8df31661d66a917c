"""Measures and prints. Started by softhsm-tests/benchmark."""

import argparse
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from cached_answers import command_with_credentials, socket_load, thin_client
from card_insertion import card_insertion
from crowd import crowd
from figure import as_json, markdown, write_readme
from first_session import first_session
from floods import floods
from idle_machine import machine
from iot_core import iot_core
from killed_workers import killed_workers
from memory import growth, idle_connections, idle_memory, profiles_and_listeners
from place import Place
from profiles import PROFILES, profile
from role_chain import role_chain
from signatures import signatures

ROWS = ("client", "socket", "memory", "connections", "signatures", "first", "iot", "chain", "crowd", "card", "kills", "floods")


def main():
    parser = argparse.ArgumentParser(
        prog="softhsm-tests/benchmark",
        description="Prints Tokenward's figures beside what they are measured against, as a Markdown table.",
        epilog="TOKENWARD_BIN names a folder of programs to measure instead of building them.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md as well")
    parser.add_argument("--only", action="append", choices=ROWS, help="measure this alone; can be repeated")
    parser.add_argument("--profile", choices=PROFILES, help="print what a figure's processes spend, and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some seconds, and rough figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokenward-benchmark-") as folder, Place(folder) as place:
        if options.profile:
            print(profile(place, options.profile))
            return
        figures = measure(place, options.only or ROWS, options.quick)
    print(as_json(figures) if options.json else f"{markdown(figures)}\n{machine.note()}")
    if options.readme:
        write_readme(markdown(figures))
    sys.exit(1 if any(figure.holds is False for figure in figures) else 0)


def measure(place, rows, quick):
    def begin(what):
        print(f"== {what}", file=sys.stderr)
        machine.wait()

    figures = []
    if {"client", "socket", "memory", "connections"} & set(rows):
        hsm, _ = place.softhsm("cached", "EC:prime256v1")
        agent = place.agent_on(hsm, place.endpoint(), "agent")
        assert agent.credentials().returncode == 0, agent.log()
        if "memory" in rows:
            figures += idle_memory(place, agent)
            figures += profiles_and_listeners(place, 3 if quick else 7)
        if "client" in rows:
            begin("thin client")
            figures += thin_client(place, agent, 200 if quick else 2000)
            begin("exec")
            figures += command_with_credentials(place, agent, 200 if quick else 2000)
        if "socket" in rows:
            begin("socket")
            figures += socket_load(place, agent, 3 if quick else 7, 5000 if quick else 20000)
        if "memory" in rows:
            begin("many requests")
            figures += growth(place, agent)
        # Last: the memory of these connections goes back to the kernel a while later, which would hide growth.
        if "connections" in rows:
            begin("idle connections")
            figures += idle_connections(place, agent)
        agent.stop()
    if "signatures" in rows:
        begin("signatures")
        figures += signatures(place, 3 if quick else 5, 1 if quick else 3)
    if "first" in rows:
        begin("first credential")
        figures += first_session(place, 3 if quick else 9)
    if "iot" in rows:
        begin("IoT Core")
        figures += iot_core(place, 3 if quick else 9)
    if "chain" in rows:
        begin("roles of roles")
        figures += role_chain(place, 5 if quick else 15)
    if "crowd" in rows:
        begin("a thousand certificates and keys")
        figures += crowd(place, 3 if quick else 5)
    if "card" in rows:
        begin("card insertion")
        figures += card_insertion(place, 3 if quick else 9)
    if "kills" in rows:
        begin("killed workers")
        figures += killed_workers(place, 50 if quick else 1000)
    if "floods" in rows:
        begin("floods")
        figures += floods(place, 5 if quick else 20)
    return figures


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
