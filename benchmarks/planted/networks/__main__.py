"""Write a unit into many networks and see whether an ordinary audit finds and marks it.

    python -m benchmarks.planted.networks --out networks.json

A network takes about 20 seconds of one core. Run again, it goes on where it stopped.
docs/planted.md tells what is written, and shows the table that this redraws.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.planted.lines import append_line
from benchmarks.planted.methods.pages import replace_block
from benchmarks.planted.networks.making import finished, made, orders
from benchmarks.planted.networks.scenes import FIT_PERSONS, FIT_SEED, draw_photos, scenes_of
from benchmarks.planted.networks.table import table

PAGE = Path(__file__).parents[3] / "docs" / "planted.md"


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
    replace_block(given.page, "networks", table(rows))


def _run(todo: Sequence[tuple[str, int]], lines: Path, jobs: int, total: int) -> None:
    if not todo:
        return
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        photos = draw_photos(Path(folder), FIT_SEED, persons=FIT_PERSONS, photos=1)
        fitting = scenes_of(photos)
    for count, row in enumerate(made(todo, fitting, jobs), start=1):
        append_line(lines, row)
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
