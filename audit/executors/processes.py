"""Several processes on one machine, each with its own model and, where there are any, its GPU.

A process that dies is replaced, and its shard goes on after the last complete batch.
"""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from audit.executors.work import Work, make_shard, read_finished
from probes.errors import ExtractionError

if TYPE_CHECKING:
    from audit.executors.table import Crew

LOSSES = 3
"""Workers that may die for each one asked for before it is taken for a fault of the work."""

FAILED = 1
"""Exit code after an exception: another worker would meet it as well."""


@dataclass(slots=True, kw_only=True)
class _Pool:
    """Who works on what."""

    work: Work
    shares: list[list[int]]
    """Shards of each worker."""

    crew: "Crew"
    alive: dict[int, BaseProcess] = field(default_factory=dict)
    lost: int = 0


def run(work: Work, missing: Sequence[int], crew: "Crew") -> None:
    """Make the missing shards, each by one of the processes.

    Raises
    ------
    ExtractionError
        If a worker's work was refused, or workers keep dying.
    """
    count = min(crew.workers, len(missing))
    pool = _Pool(work=work, shares=[list(missing[i::count]) for i in range(count)], crew=crew)
    try:
        for worker in range(count):
            _start(pool, worker)
        while pool.alive:
            wait([process.sentinel for process in pool.alive.values()])
            _look_after(pool)
    finally:
        for process in pool.alive.values():
            process.terminate()


def environment_of(worker: int, devices: Sequence[str]) -> Mapping[str, str]:
    """Return what a worker's environment adds: the one GPU that it may see.

    Examples
    --------
    >>> [environment_of(i, ("0", "3"))["CUDA_VISIBLE_DEVICES"] for i in range(3)]
    ['0', '3', '0']
    >>> environment_of(1, ())
    {}
    """
    if not devices:
        return {}
    return {"CUDA_VISIBLE_DEVICES": devices[worker % len(devices)]}


def _start(pool: _Pool, worker: int) -> None:
    # a fork would share the threads and GPU contexts of whoever asked
    process = multiprocessing.get_context("spawn").Process(
        target=_work_off,
        args=(pool.work, pool.shares[worker], dict(environment_of(worker, pool.crew.devices))),
    )
    process.start()
    pool.alive[worker] = process


def _look_after(pool: _Pool) -> None:
    """Let those go that are done, replace those that died."""
    for worker, process in list(pool.alive.items()):
        if process.is_alive():
            continue
        process.join()
        del pool.alive[worker]
        if process.exitcode == 0:
            continue
        pool.lost += 1
        if process.exitcode == FAILED or pool.lost > LOSSES * pool.crew.workers:
            raise ExtractionError(
                f"Workers must finish their shards, but one ended with {process.exitcode} "
                f"({pool.lost} were lost); see its message above, then run again: finished "
                "shards and batches are kept."
            )
        pool.shares[worker] = [i for i in pool.shares[worker] if not read_finished(pool.work, i)]
        _start(pool, worker)


def _work_off(work: Work, share: Sequence[int], environment: Mapping[str, str]) -> None:
    """Run in the worker: the environment first, since libraries read it when they load."""
    os.environ.update(environment)
    encode = work.job.open()
    for index in share:
        make_shard(work, encode, index)
