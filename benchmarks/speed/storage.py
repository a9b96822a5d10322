"""Activations on disk: appended in shards at 400 MB/s, one unit read back against a memmap."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.measure import Row, in_turn, row
from probes.shard_format import TableKey
from probes.shard_writer import ShardWriter
from probes.shards import open_table

ROWS, UNITS, BATCH = 50_000, 2_560, 4_096
WANTED = 400e6
"""Bytes a second."""
Halves = NDArray[np.float16]


def measure() -> list[Row]:
    """Append 50,000 rows of 2,560 halves (256 MB), then read one unit, as shards and as memmap."""
    folder = Path(tempfile.mkdtemp(prefix="storage-"))
    try:
        return _measured(folder, ROWS, UNITS)
    finally:
        shutil.rmtree(folder)


def _measured(folder: Path, n_rows: int, n_units: int) -> list[Row]:
    values = np.random.default_rng(0).standard_normal((BATCH, n_units)).astype(np.float16)
    shards, flat = folder / "shards", folder / "flat"
    timed = in_turn(
        partial(append_shards, shards, values, n_rows),
        partial(append_flat, flat, values, n_rows),
        rounds=5,
    )
    size = n_rows * n_units * 2
    table = open_table(shards)
    units = cycle(range(n_units))
    read = in_turn(
        lambda: table.unit(next(units)),
        lambda: column(flat, next(units), n_rows, n_units),
        rounds=25,
        warm=3,
    )
    same = np.array_equal(table.unit(n_units - 1), column(flat, n_units - 1, n_rows, n_units))
    difference = "0, bit for bit" if same else "NOT EQUAL"
    shape = f"{n_rows:,} x {n_units:,} halves"
    ours = float(np.median(timed.ours))
    return [
        Row(
            path=f"append {shape}, durable, with names, SHA-256 and CRC-32",
            against=f"{WANTED / 1e6:.0f} MB/s",
            goal=1,
            ratios=tuple(size / WANTED / each for each in timed.ours),
            ours=ours,
            theirs=size / WANTED,
            difference=difference,
            note=(
                f"{size / 1e6 / ours:.0f} MB/s; {float(np.median(timed.speedups)):.2g} of the "
                "speed of a flat file without names, checksums or order, durable at its end; "
                "a second core takes part where one is free"
            ),
        ),
        row(
            read,
            path=f"one unit of {shape}, warm, CRC-32 checked",
            against="numpy memmap, row by row",
            goal=3,
            difference=difference,
            note=f"{1e3 * float(np.median(read.ours)):.2f} ms; about 1 ms is wanted",
        ),
    ]


def batches(values: Halves, n_rows: int) -> Iterator[Halves]:
    """Yield the same rows again and again, until there are enough."""
    for first in range(0, n_rows, len(values)):
        yield values[: n_rows - first]


def append_shards(folder: Path, values: Halves, n_rows: int) -> None:
    """Ours: shards with checksums, each made durable."""
    shutil.rmtree(folder, ignore_errors=True)
    key = TableKey(layer="l", pooling="p", encoder="e", n_units=values.shape[1], dtype="float16")
    with ShardWriter(folder, key) as writer:
        first = 0
        for piece in batches(values, n_rows):
            writer.append([f"photo:{first + i:020d}" for i in range(len(piece))], piece)
            first += len(piece)


def append_flat(path: Path, values: Halves, n_rows: int) -> None:
    """Theirs: one file, row by row, without names or checksums, made durable at the end."""
    path.unlink(missing_ok=True)
    flat: np.memmap[Any, Any] = np.memmap(path, np.float16, "w+", shape=(n_rows, values.shape[1]))
    first = 0
    for piece in batches(values, n_rows):
        flat[first : first + len(piece)] = piece
        first += len(piece)
    flat.flush()


def column(path: Path, unit: int, n_rows: int, n_units: int) -> Halves:
    """Theirs: one column of the row-major file."""
    flat: np.memmap[Any, Any] = np.memmap(path, np.float16, "r", shape=(n_rows, n_units))
    return np.array(flat[:, unit])
