"""Pictures dealt out to workers, and their rows filed where an audit looks for them.

Workers leave shards below the cache of activations; from there rows go into the cache itself, so
that the audit finds every picture encoded. An audit that is interrupted goes on with its shards.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import numpy as np

from audit.executors.pictures import MODALITY, PictureJob
from audit.executors.table import Crew, execute
from audit.executors.work import Work, n_shards
from concept_sets.stimulus import Stimulus
from probes.cache import ActivationCache, Space
from probes.directions import beneath
from probes.encoder import Encoder, Reading
from probes.errors import ExtractionError
from probes.extract import distinct
from probes.progress import Progress
from probes.shards import ShardTable, read_ids, read_units

FOLDER = "shards"
"""Below the cache; what lies there may be removed once its rows are filed."""

LOOK_EVERY = 1.0
"""Seconds between two looks at how many shards are there."""


def lacking(
    cache: ActivationCache,
    encoder: Encoder,
    stimuli: Sequence[Stimulus],
    readings: Sequence[Reading],
) -> list[Stimulus]:
    """Return the distinct pictures of which the cache lacks the embedding or a reading.

    Raises
    ------
    ExtractionError
        If the cache cannot be read.
    """
    model, read = beneath(encoder, readings)
    spaces = [cache.space(model.identity, MODALITY, key) for key in (None, *read)]
    whole = set.intersection(*(space.digests() for space in spaces))
    return [stimulus for stimulus in distinct(stimuli) if stimulus.digest not in whole]


def distribute(
    job: PictureJob,
    cache: ActivationCache,
    executor: str,
    crew: Crew,
    progress: Progress,
) -> list[ShardTable]:
    """Let workers encode pictures, then file the rows in the cache.

    Parameters
    ----------
    job : PictureJob
    cache : ActivationCache
        Gets the rows that it lacks; the shards lie below it, one folder for each job.
    executor : str
        A row of `audit.executors.table.EXECUTORS`.
    crew : Crew
    progress : Progress
        Told how many shards are there.

    Returns
    -------
    list of ShardTable
        The embedding, then the readings.

    Raises
    ------
    ExtractionError
        If another process is at the same pictures, a worker failed for good, or the cache cannot
        be read or written.
    """
    out = (cache.root / FOLDER / job.digest[:32]).absolute()
    work = Work(job=job, out=out, batch=job.batch)
    with _alone(out), _told(work, progress):
        tables = execute(work, executor, crew)
    # the embedding last: until it is filed a picture counts as lacking, the job keeps its name,
    # and its shards are found again
    for key, table in reversed(list(zip(job.tables, tables, strict=True))):
        _file(table, cache.space(job.identity, MODALITY, key))
    return tables


def _file(table: ShardTable, space: Space) -> None:
    """Add the rows that a space lacks, a shard at a time."""
    there = space.digests()
    for part in table.parts:
        ids = read_ids(table.folder, part)
        new = [i for i, digest in enumerate(ids) if digest not in there]
        rows = read_units(table, part, 0, table.key.n_units).T[new]
        space.write([ids[i] for i in new], np.ascontiguousarray(rows, np.float32))
    space.compact()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process from the logs of the same shards."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ExtractionError(
            f"The folder {folder} must be writable, but: {error.strerror or error}; correct its "
            "permissions or name another cache."
        ) from error
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    # where a file system has no such locks, nobody is kept out
    with suppress(OSError):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExtractionError(
                f"One audit at a time may share out the same photos, but another is writing "
                f"{folder}; wait for it, or leave out --executor."
            ) from None


@contextmanager
def _told(work: Work, progress: Progress) -> Iterator[None]:
    """Tell how many shards are there while somebody else makes them, wherever that is."""
    ended = Event()
    progress.start(n_shards(work), "shards")
    watch = Thread(target=_watch, args=(work, progress, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
        progress.finish()


def _watch(work: Work, progress: Progress, ended: Event) -> None:
    # a shard is there when its last table has it: tables are written in order
    folder, told, last = work.folder(len(work.job.keys()) - 1), 0, False
    while not last:
        last = ended.wait(LOOK_EVERY)
        there = sum(1 for _ in folder.glob("part-*.json"))
        if there > told:
            progress.advance(there - told)
            told = there
