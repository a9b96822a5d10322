"""Results become a table in Markdown, and a block of a page is replaced."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.planted.methods.known import DECIDING, METHODS
from benchmarks.planted.scoring import (
    FIRST,
    Difference,
    Power,
    Result,
    Share,
    average_precision,
    by_method,
    false_alarms,
    first_places,
    listed_alarms,
    paired_difference,
    power_of,
    recall,
)

HEAD = (
    "method",
    "links found",
    f"their unit in the first {FIRST}",
    "twins with an alarm",
    "average precision",
    "ours less this",
    "strength found with 80 %",
)


def table(results: Sequence[Result], rng: np.random.Generator, *, middle: float) -> str:
    """Return a table with one row per method.

    Parameters
    ----------
    results : sequence of Result
        Of worlds of one kind.
    rng : numpy.random.Generator
        For the intervals of differences.
    middle : float
        Strength at which links and units are counted; the other columns take all strengths.
    """
    found = by_method(results)
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for method in METHODS:
        if method.name in found:
            cells = _cells(found[method.name], found.get(DECIDING, []), rng, middle)
            name = f"**{method.title}**" if method.ours else method.title
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(
    rows: Sequence[Result], ours: Sequence[Result], rng: np.random.Generator, middle: float
) -> list[str]:
    at_middle = [row for row in rows if row.strength == middle and not row.twin]
    planted = [row for row in rows if any(row.planted)]
    precision = np.mean([average_precision(row) for row in planted]) if planted else np.nan
    same = bool(ours) and ours[0].method == rows[0].method
    return [
        share(recall(at_middle)),
        share(first_places(at_middle)),
        share(false_alarms(rows)),
        "-" if np.isnan(precision) else f"{precision:.2f}",
        "" if same else difference(paired_difference(ours, rows, rng)),
        strength(power_of(rows), sorted({row.strength for row in planted})),
    ]


def share(counted: Share) -> str:
    """Write a count with its interval.

    Examples
    --------
    >>> share(Share(hits=9, n=10))
    '9 of 10 (60 to 98 %)'
    """
    if not counted.n:
        return "-"
    ends = counted.interval
    return f"{counted.hits} of {counted.n} ({100 * ends.low:.0f} to {100 * ends.high:.0f} %)"


def difference(found: Difference) -> str:
    """Write a paired difference with its interval."""
    if np.isnan(found.value):
        return "-"
    if np.isnan(found.low):
        return f"{found.value:+.2f}"
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def strength(found: Power, tried: Sequence[float]) -> str:
    """Write the strength that is found with 80 %; what lies beyond those tried is said so."""
    if np.isnan(found.value):
        return "-"
    if np.isinf(found.value):
        return _end(found.value, tried)
    return f"{found.value:.2g} ({_end(found.low, tried)} to {_end(found.high, tried)})"


def _end(value: float, tried: Sequence[float]) -> str:
    if np.isfinite(value):
        return f"{value:.2g}"
    return f"above {tried[-1]:g}" if value > 0 else f"below {tried[0]:g}"


def alarms(results: Sequence[Result], method: str = DECIDING) -> str:
    """List what a method flagged in twins, one line each."""
    rows = [row for row in results if row.method == method]
    lines = [f"- {world}: {group} and {harm}" for world, (group, harm) in listed_alarms(rows)]
    return "\n".join(lines or ["- nothing"])


def replace_block(page: Path, name: str, block: str) -> None:
    """Put a block between the markers of its name on a page.

    Raises
    ------
    ValueError
        If the page lacks the markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text.split(begin, 1)[1]:
        raise ValueError(f"{page.name} must hold the markers {begin} and {end}, and does not.")
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    page.write_text(f"{before}{begin}\n{block}\n{end}{after}", encoding="utf-8")
