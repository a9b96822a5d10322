"""How time and memory grow from a thousand to a million stimuli, out of core.

    python -m benchmarks.speed.growth --out growth.json --picture docs/images/growth.svg

Every size runs in a process of its own: it writes a table of 2,560 units in shards of halves,
measures ten concepts, and permutes cluster means (50 stimuli a cluster). Seconds are those of the
processor, which a busy machine stretches less than the clock's; both are kept.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.growth_picture import picture
from probes.shard_format import TableKey
from probes.shard_writer import ShardWriter
from probes.shards import ShardTable, open_table
from probes.streaming.columns import associate_table
from probes.streaming.permuted import permute_table

SIZES = (1_000, 4_000, 16_000, 64_000, 250_000, 1_000_000)
UNITS, CONCEPTS, A_CLUSTER = 2_560, 10, 50
DRAWS = 199
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What one size took."""

    rows: int
    append: float
    """Processor seconds; also of the next two."""

    associate: float
    permute: float
    wall: float
    """Seconds by the clock, all three."""

    peak: float
    """Largest memory of the process in MiB."""

    bound: float
    """Largest bound on the error of an area under the curve."""

    @property
    def per_stimulus(self) -> float:
        """Microseconds of the processor for one stimulus, all three."""
        return 1e6 * (self.append + self.associate + self.permute) / self.rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size, keep the figures, draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="JSON file; sizes in it are kept")
    parser.add_argument("--picture", type=Path, help="SVG file")
    parser.add_argument("--rows", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--scratch", type=Path, help="folder with 6 GB free")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        print(json.dumps(asdict(grown(given.child, given.scratch))))
        return
    found = json.loads(given.out.read_text()) if given.out.is_file() else []
    for rows in given.rows:
        found = [one for one in found if one["rows"] != rows]
        found.append(_in_a_process(rows, given.scratch))
        found.sort(key=lambda one: int(one["rows"]))
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(line(Grown(**found[[one["rows"] for one in found].index(rows)])), flush=True)
    if given.picture:
        all_of_them = [Grown(**one) for one in found]
        given.picture.write_text(
            picture([(g.rows, g.per_stimulus, g.peak) for g in all_of_them]), encoding="utf-8"
        )


def _in_a_process(rows: int, scratch: Path | None) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.speed.growth", "--out", os.devnull]
    command += ["--child", str(rows), *(["--scratch", str(scratch)] if scratch else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def line(grown: Grown) -> str:
    """One line of the docs' table."""
    return (
        f"| {grown.rows:,} | {grown.append:.2f} | {grown.associate:.2f} | {grown.permute:.2f} "
        f"| {grown.per_stimulus:.0f} | {grown.peak:.0f} | {grown.bound:.4f} |"
    )


def grown(rows: int, scratch: Path | None = None, *, units: int = UNITS) -> Grown:
    """Write, associate and permute one size."""
    folder = Path(tempfile.mkdtemp(prefix="growth-", dir=scratch))
    try:
        for warm in (256, rows):
            found = _grown(folder / f"{warm}-rows", warm, units)
        return found
    finally:
        shutil.rmtree(folder)


def _grown(folder: Path, rows: int, units: int) -> Grown:
    began = time.perf_counter()
    codes = np.arange(rows) // A_CLUSTER
    n_clusters = int(codes[-1]) + 1
    chosen = np.random.default_rng(5).random((n_clusters, CONCEPTS)) < 0.1
    # a cluster with and one without every concept, however few there are
    chosen[0], chosen[-1] = True, False
    labels = chosen[codes]
    block = made(units)
    append, _ = _timed(lambda: write(folder, rows, block))
    table = open_table(folder)
    associate, found = _timed(lambda: associate_table(table, labels))
    permute, _ = _timed(
        lambda: permute_table(table, labels[:, 0], codes, rng=np.random.default_rng(0), draws=DRAWS)
    )
    return Grown(
        rows=rows,
        append=append,
        associate=associate,
        permute=permute,
        wall=time.perf_counter() - began,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        bound=float(found.auroc.error.max()),
    )


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    done = work()
    return time.process_time() - began, done


def write(folder: Path, rows: int, block: NDArray[np.float16]) -> ShardTable:
    """Write responses like those behind a ReLU; every shard is another turn of one block."""
    key = TableKey(layer="l", pooling="p", encoder="e", n_units=block.shape[1], dtype="float16")
    with ShardWriter(folder, key) as writer:
        for first in range(0, rows, len(block)):
            turned = np.roll(block, 7919 * first // len(block), axis=1)[: rows - first]
            writer.append([f"photo:{first + i:020d}" for i in range(len(turned))], turned)
    return open_table(folder)


def made(units: int, rows: int = 4_096) -> NDArray[np.float16]:
    """Half of it zeros, the rest continuous."""
    values = np.random.default_rng(0).standard_normal((rows, units), dtype=np.float32)
    return np.maximum(values, 0).astype(np.float16)


if __name__ == "__main__":
    main()
