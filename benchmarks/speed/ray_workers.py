"""Two local Ray workers against a plain loop: stimuli per second and worker, start excluded."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.executors.table import Crew, execute
from audit.executors.work import Encoded, Work
from benchmarks.speed.measure import Row, seconds
from probes.shard_format import TableKey

ROWS_PER_SHARD, BATCH, UNITS = 512, 16, 512
FEW, MANY, WORKERS, ROUNDS = 4, 24, 2, 3
"""Shards of a short and a long run: the slope between them has no start in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductJob:
    """Matrix products that take about as long as pictures through a small model."""

    shards: int
    depth: int = 12

    def keys(self) -> list[TableKey]:
        """One table of 512 units."""
        key = TableKey(
            layer="embedding", pooling="", encoder="sha256:products", n_units=UNITS,
            rows_per_shard=ROWS_PER_SHARD,
        )  # fmt: skip
        return [key]

    def count(self) -> int:
        """Whole shards."""
        return self.shards * ROWS_PER_SHARD

    def open(self) -> Callable[[int, int], Encoded]:
        """Make the weights."""
        weights = np.random.default_rng(0).standard_normal((UNITS, UNITS), np.float32)
        weights /= np.float32(UNITS**0.5)

        def encode(first: int, after: int) -> Encoded:
            rows = np.random.default_rng(first).standard_normal((64 * BATCH, UNITS), np.float32)
            for _ in range(self.depth):
                rows = np.maximum(rows @ weights, 0)
            ids = tuple(f"photo:{i}" for i in range(first, after))
            return Encoded(ids=ids, tables=(rows[: after - first],))

        return encode


def measure() -> list[Row]:
    """Extract 4 and 24 shards with each; compare the slopes."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    try:
        rounds = [
            (_slope(folder, "ray", WORKERS), _slope(folder, "plain", 1)) for _ in range(ROUNDS)
        ]
        same = _bytes(folder / "ray") == _bytes(folder / "plain")
    finally:
        shutil.rmtree(folder)
    ratios = tuple(theirs / ours / WORKERS for ours, theirs in rounds)
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        Row(
            path=f"{(MANY - FEW) * ROWS_PER_SHARD:,} stimuli on Ray, {WORKERS} local workers",
            against="plain loop, start excluded, by worker",
            goal=0.9,
            ratios=ratios,
            ours=statistics.median(ours for ours, _ in rounds),
            theirs=statistics.median(theirs for _, theirs in rounds),
            difference="0, bit for bit" if same else "NOT EQUAL",
            note=f"slope between {FEW} and {MANY} shards; {free} cores, which must be free",
        )
    ]


def _slope(folder: Path, executor: str, workers: int) -> float:
    """Seconds that the shards between few and many take."""
    times = []
    for shards in (FEW, MANY):
        out = folder / executor
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        work = Work(job=ProductJob(shards=shards), out=out, batch=BATCH)
        times.append(seconds(lambda w=work: execute(w, executor, Crew(workers=workers))))  # type: ignore[misc]
    return max(times[1] - times[0], 1e-9)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
