"""Input rows to one shard of every table, resumable: what every executor runs.

A shard under way is a log of batches. Whoever takes the shard up again starts after the last
complete batch, with the same batches as an undisturbed run, so that the bytes agree.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from probes.errors import ExtractionError
from probes.shard_format import TableKey
from probes.shard_writer import BatchLog, begin, open_log, write_shard
from probes.shards import ShardTable, read_part, seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What an encoder made of one batch of inputs."""

    ids: tuple[str, ...]
    """Of the inputs that have a row, in order."""

    tables: tuple[NDArray[np.float32], ...]
    """For each table, shape (n_ids, n_units)."""

    bad: tuple[tuple[str, str], ...] = ()
    """Inputs without a row, each with the reason."""


class Job(Protocol):
    """An extraction; plain data that travels to other processes, so no model is in it."""

    def keys(self) -> Sequence[TableKey]:
        """Return what each table holds; all with the same number of rows in a shard."""
        ...

    def count(self) -> int:
        """Return how many inputs there are."""
        ...

    def open(self) -> Callable[[int, int], Encoded]:
        """Load the model once; return what encodes the inputs from one number up to another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job, and where its shards go."""

    job: Job
    out: Path
    """A folder that all workers see; table 0 lies in ``table-0``."""

    batch: int = 16
    """Inputs between two writes: what a killed worker loses."""

    def folder(self, table: int) -> Path:
        """Where a table lies."""
        return self.out / f"table-{table}"


def prepare(work: Work) -> list[int]:
    """Make the folders; return the numbers of the shards that are missing.

    Raises
    ------
    ExtractionError
        If a folder holds another table, or the job is empty or uneven.
    """
    keys = work.job.keys()
    if not keys or work.job.count() < 1 or len({key.rows_per_shard for key in keys}) != 1:
        raise ExtractionError(
            "An extraction must have inputs and tables with one number of rows in a shard; "
            f"got {work.job.count()} inputs and {len(keys)} tables."
        )
    for table, key in enumerate(keys):
        begin(work.folder(table), key)
    return [index for index in range(n_shards(work)) if not read_finished(work, index)]


def n_shards(work: Work) -> int:
    """Count the shards of every table."""
    return -(-work.job.count() // work.job.keys()[0].rows_per_shard)


def finish(work: Work) -> list[ShardTable]:
    """Write the manifest of every table.

    Raises
    ------
    ExtractionError
        If a shard is missing.
    """
    keys = work.job.keys()
    return [seal(work.folder(table), key, n_shards(work)) for table, key in enumerate(keys)]


def make_shard(work: Work, encode: Callable[[int, int], Encoded], index: int) -> int:
    """Encode what is missing of one shard and write it; return the batches that were encoded.

    Parameters
    ----------
    work : Work
        After `prepare`.
    encode : callable
        From ``Job.open``.
    index : int
        Number of the shard.

    Raises
    ------
    ExtractionError
        If a response is not a finite number, or the folder cannot be written.
    """
    if read_finished(work, index):
        return 0
    keys = work.job.keys()
    log = open_log(work.out / f".shard-{index:06d}.log", sum(key.n_units for key in keys))
    first = index * keys[0].rows_per_shard
    after = min(first + keys[0].rows_per_shard, work.job.count())
    encoded = 0
    for start in range(first + log.batches * work.batch, after, work.batch):
        found = encode(start, min(start + work.batch, after))
        log.add(found.ids, _side_by_side(found), found.bad)
        encoded += 1
    _write(work, log, index)
    return encoded


def _write(work: Work, log: BatchLog, index: int) -> None:
    values, left = log.values(), 0
    for table, key in enumerate(work.job.keys()):
        columns = values[:, left : left + key.n_units]
        write_shard(work.folder(table), index, log.ids, columns, key, log.bad)
        left += key.n_units
    log.remove()


def _side_by_side(found: Encoded) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(one, np.float32) for one in found.tables], axis=1)


def read_finished(work: Work, index: int) -> bool:
    """Tell whether a shard is there, of every table."""
    return all(
        read_part(work.folder(table), index) is not None for table in range(len(work.job.keys()))
    )


def bad_inputs(tables: Sequence[ShardTable]) -> list[Any]:
    """Return the inputs without a row, with the reason, from the parts of the first table."""
    folder = tables[0].folder
    parts = ((folder / part.name).with_suffix(".json") for part in tables[0].parts)
    return [one for path in parts for one in json.loads(path.read_text(encoding="utf-8"))["bad"]]
