"""Associations from disk: time for one stimulus when the table grows fourfold."""

import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.speed.growth import made, write
from benchmarks.speed.measure import Row, in_turn, row
from probes.shards import ShardTable
from probes.streaming.columns import StreamedAssociations, associate_table
from probes.streaming.rank_sketch import RankSketch, edges_of

SMALL, LARGE, UNITS, CONCEPTS = 32_768, 131_072, 128, 10


def measure() -> list[Row]:
    """Associate 131,072 rows and 32,768 rows of 128 units with ten concepts."""
    folder = Path(tempfile.mkdtemp(prefix="out-of-core-"))
    try:
        tables = [write(folder / f"{rows}", rows, made(UNITS)) for rows in (LARGE, SMALL)]
        return [_grown(tables[0], tables[1])]
    finally:
        shutil.rmtree(folder)


def _grown(large: ShardTable, small: ShardTable) -> Row:
    timed = in_turn(
        partial(associated, large),
        partial(associated, small),
        rounds=3,
        share=small.n_rows / large.n_rows,
    )
    found = associated(large)
    return row(
        timed,
        path=f"d, r, Welch, AUROC, AP of {large.n_rows:,} x {UNITS} x {CONCEPTS} from disk",
        against=f"the same at {small.n_rows:,} rows, times {large.n_rows // small.n_rows}",
        goal=1.2,
        at_most=True,
        difference=f"AUROC at most {largest_miss(large, found):.1e} from exact, "
        f"bound {found.auroc.error.max():.1e}",
        note="from 1,000 to 1,000,000 rows in docs/scale.md",
    )


def labels_of(rows: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """A tenth of the rows show each concept."""
    return np.random.default_rng(1).random((rows, CONCEPTS)) < 0.1


def associated(table: ShardTable) -> StreamedAssociations:
    """Ours."""
    return associate_table(table, labels_of(table.n_rows))


def largest_miss(table: ShardTable, found: StreamedAssociations, units: int = 4) -> float:
    """How far the areas of some units lie from those of a bin for every value."""
    values = table.units(0, units).astype(np.float32)
    # in 16 bits there are at most 65,536 values: a bin for each is exact
    sketch = RankSketch.empty(edges_of(values, 2 * 2**16 + 2), CONCEPTS)
    sketch.add(values, labels_of(table.n_rows))
    return float(np.abs(sketch.auroc().value - found.auroc.value[:units]).max())
