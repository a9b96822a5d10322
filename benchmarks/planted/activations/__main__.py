"""Score every detection method on simulated layers whose links are known.

    python -m benchmarks.planted.activations --out activations.json

A world takes a few seconds of one core. Run again, it goes on where it stopped.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.planted.activations.embedded import draw_world
from benchmarks.planted.activations.spec import ActivationSpec
from benchmarks.planted.lines import append_line, read_lines
from benchmarks.planted.methods.judged import judged
from benchmarks.planted.methods.known import METHODS
from benchmarks.planted.methods.pages import alarms, replace_block, table
from benchmarks.planted.methods.plot import plot
from benchmarks.planted.scoring import Result, from_json

FRESH = 8000
"""Seeds below were used while methods and sizes were chosen; these and above were not."""

STRENGTHS = (1.0, 2.0, 3.0, 4.0)
MIDDLE = 3.0
SETTING = "activations"
INTERVALS = 77
"""Seed of the intervals of differences."""

Order = tuple[int, float, bool]


def orders(seeds: int, first: int = FRESH) -> list[Order]:
    """List seed, strength and whether it is planted, of every world; twins follow their partner."""
    return [
        (first + i, strength, planted)
        for i in range(seeds)
        for strength in STRENGTHS
        for planted in (True, False)
    ]


def finished(lines: Path) -> dict[Order, list[Result]]:
    """Read what earlier runs stored; a last line that was cut is made again."""
    found: dict[Order, list[Result]] = {}
    for rows in read_lines(lines):
        results = [from_json(row) for row in rows]
        if {row.method for row in results} == {method.name for method in METHODS}:
            one = results[0]
            found[one.seed, one.strength, not one.twin] = results
    return found


def score(order: Order, small: ActivationSpec | None = None) -> list[Result]:
    """Draw one world and let every method look at it."""
    seed, strength, planted = order
    base = small or ActivationSpec(seed=seed)
    world = draw_world(replace(base, seed=seed, strength=strength, planted=planted))
    return [
        judged(method, world, setting=SETTING, seed=seed, strength=strength, twin=not planted)
        for method in METHODS
    ]


def _run(todo: Sequence[Order], total: int) -> Iterator[list[Result]]:
    began = time.monotonic()
    for count, order in enumerate(todo, start=1):
        yield score(order)
        left = (time.monotonic() - began) / count * (len(todo) - count)
        print(
            f"{total - len(todo) + count}/{total}: {left:.0f} s left", file=sys.stderr, flush=True
        )


def shown(results: Sequence[Result]) -> str:
    """Return the block of Markdown: the table, and what our arms flagged in twins."""
    made = table(results, np.random.default_rng(INTERVALS), middle=MIDDLE)
    return f"{made}\n\nWhat our deciding arms flagged in twins:\n\n{alarms(results)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, write the file and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="JSON file; .jsonl lies beside it")
    parser.add_argument("--seeds", type=int, default=3, help=f"each at {len(STRENGTHS)} strengths")
    parser.add_argument("--first", type=int, default=FRESH, help="first seed")
    parser.add_argument("--page", type=Path, help="page whose table is redrawn")
    parser.add_argument("--plot", type=Path, help="SVG that is drawn")
    given = parser.parse_args(arguments)
    lines = given.out.with_suffix(".jsonl")
    wanted = orders(given.seeds, given.first)
    done = finished(lines)
    todo = [order for order in wanted if order not in done]
    for rows in _run(todo, len(wanted)):
        append_line(lines, [row.as_json() for row in rows])
    done = finished(lines)
    results = [row for order in wanted for row in done[order]]
    kept = [row.as_json() for row in results]
    given.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    _tell(results, given.page, given.plot)


def _tell(results: Sequence[Result], page: Path | None, drawing: Path | None) -> None:
    block = shown(results)
    print(block)
    if page is not None:
        replace_block(page, SETTING, block)
    if drawing is not None:
        title = "Links found in simulated layers"
        across = "answer of the linked unit, in SD of its noise"
        drawing.write_text(plot(results, title=title, across=across), encoding="utf-8")


if __name__ == "__main__":
    main()
