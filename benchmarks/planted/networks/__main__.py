"""Write a unit into many networks and see whether an ordinary audit finds and marks it.

    python -m benchmarks.planted.networks --out networks.json

A network takes about 20 seconds of one core. Run again, it goes on where it stopped.
docs/planted.md tells what is written, and shows the table that this redraws.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.planted.networks.scenes import FIT_PERSONS, FIT_SEED, Scenes, draw_photos, scenes_of
from benchmarks.planted.networks.shapes import CONFIGS, TRAINED
from benchmarks.planted.networks.table import redraw, table
from benchmarks.planted.networks.trial import VARIANTS, run_trial

FRESH = 3000
"""Seeds below were used while methods and sizes were chosen; these and above were not."""

FRESH_TRAINED = 4000
CONTRIBUTIONS = 3
"""Plants of natural contribution are audited in the first of every so many networks of a shape."""

PAGE = Path(__file__).parents[3] / "docs" / "planted.md"


def orders(networks: int, trained: int) -> list[tuple[str, int]]:
    """List shape and seed of every network, shapes in turn."""
    shapes = list(CONFIGS)
    random = [(shapes[i % len(shapes)], FRESH + i) for i in range(networks)]
    return [*random, *((TRAINED, FRESH_TRAINED + i) for i in range(trained))]


def finished(lines: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Read what earlier runs stored; a last line that was cut is made again."""
    found = {}
    for line in lines.read_text(encoding="utf-8").splitlines() if lines.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found[row["shape"], row["seed"]] = row
    return found


def _one(order: tuple[str, int], fitting: Scenes) -> dict[str, Any]:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    shape, seed = order
    third = shape != TRAINED and (seed - FRESH) // len(CONFIGS) % CONTRIBUTIONS == 0
    return run_trial(shape, seed, fitting, VARIANTS if third else VARIANTS[:2])


def made(todo: Sequence[tuple[str, int]], fitting: Scenes, jobs: int) -> Iterator[dict[str, Any]]:
    """Yield networks as they get ready."""
    work = partial(_one, fitting=fitting)
    if jobs == 1:
        yield from map(work, todo)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(work, todo)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, then write the file and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="JSON file; .jsonl lies beside it")
    parser.add_argument("--networks", type=int, default=42, help="of random weights")
    parser.add_argument("--trained", type=int, default=4, help="links written into the twin")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose table is redrawn")
    given = parser.parse_args(arguments)
    lines = given.out.with_suffix(".jsonl")
    wanted = orders(given.networks, given.trained)
    done = finished(lines)
    todo = [order for order in wanted if order not in done]
    _run(todo, lines, given.jobs, len(wanted))
    done = finished(lines)
    rows = [done[order] for order in wanted]
    given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    redraw(given.page, table(rows))


def _run(todo: Sequence[tuple[str, int]], lines: Path, jobs: int, total: int) -> None:
    if not todo:
        return
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        photos = draw_photos(Path(folder), FIT_SEED, persons=FIT_PERSONS, photos=1)
        fitting = scenes_of(photos)
    for count, row in enumerate(made(todo, fitting, jobs), start=1):
        with lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        left = (time.monotonic() - began) / count * (len(todo) - count) / 60
        plant = row["plant"]
        print(
            f"{total - len(todo) + count}/{total} {row['shape']} seed {row['seed']}: "
            f"T {plant['t']:.1f}, first {plant['first']}, causal {plant['causal']}; "
            f"{left:.0f} min left",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    main()
