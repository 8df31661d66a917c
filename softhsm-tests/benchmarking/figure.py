"""Figures: what was measured, what it is measured against, and what it must reach."""

import json
import pathlib
import statistics
from dataclasses import asdict, dataclass

from idle_machine import machine

COLUMNS = ["figure", "Tokenward", "measured against", "ratio", "reach", "holds"]
README = pathlib.Path(__file__).parents[2] / "README.md"
MARK = "<!-- softhsm-tests/benchmark --readme writes this table -->\n"


@dataclass
class Figure:
    name: str
    unit: str
    ours: float
    reference: float | None = None
    """The figure of the program compared with; None if the reach is a plain number."""
    against: str = ""
    reach: float | None = None
    """At most this, or at least this, times the reference; without one, the number itself. None: for information."""
    at_least: bool = False

    @property
    def ratio(self):
        return self.ours / self.reference if self.reference else None

    @property
    def holds(self):
        if self.reach is None:
            return None
        value = self.ours if self.ratio is None else self.ratio
        return value >= self.reach if self.at_least else value <= self.reach

    def cells(self):
        sign = ("≥ " if self.at_least else "≤ ") + f"{self.reach:g}" if self.reach is not None else ""
        if self.reach is not None and self.reference:
            sign += " ×"
        return [
            self.name,
            f"{number(self.ours)} {self.unit}",
            f"{number(self.reference)} ({self.against})" if self.reference else "",
            f"{self.ratio:.2f}" if self.ratio is not None else "",
            sign,
            {True: "yes", False: "**no**", None: ""}[self.holds],
        ]


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.1f}"


def markdown(figures):
    rows = [COLUMNS, ["---"] + ["---:"] * 4 + ["---"], *(figure.cells() for figure in figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write_readme(table):
    before, _, after = README.read_text().partition(MARK)
    README.write_text(before + MARK + table + after[after.index("\n\n") + 1:])


def as_json(figures):
    return json.dumps([asdict(f) | {"ratio": f.ratio, "holds": f.holds} for f in figures], indent=2, ensure_ascii=False)


def alternate(rounds, *measures):
    """The median of each measure, taken in turn, so that a busy moment of the machine hits all of them alike."""
    results = []
    for _ in range(rounds):
        machine.wait()
        results.append([measure() for measure in measures])
    return [statistics.median(column) for column in zip(*results)]
