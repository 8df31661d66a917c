"""The README's figures are a table that the benchmark has written, and each verdict is that of its numbers."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "benchmarking"))

from figure import COLUMNS, MARK, README  # noqa: E402


def rows():
    _, mark, after = README.read_text().partition(MARK)
    assert mark
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in after.partition("\n\n")[0].splitlines()]


def value(text):
    """The first number of a cell; none where it has none."""
    found = re.search(r"[\d,]+(\.\d+)?(e[+-]?\d+)?", text)
    return float(found[0].replace(",", "")) if found else None


def test_each_verdict_is_that_of_its_numbers():
    head, _, *figures = rows()
    assert head == COLUMNS
    assert len(figures) > 40, "a run without some of the parts"
    for name, ours, _, ratio, reach, verdict in figures:
        if not reach:
            assert verdict == "", name
            continue
        measured, limit = value(ratio) if ratio else value(ours), value(reach)
        holds = measured >= limit if reach.startswith("≥") else measured <= limit
        assert verdict == ("yes" if holds else "**no**") or abs(measured - limit) <= 0.01 * limit, name
