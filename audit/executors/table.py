"""The table of executors: one row each, imported only when asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

from audit.executors.work import Work, finish, prepare
from probes.errors import ExtractionError
from probes.shards import ShardTable

EXECUTORS = {
    "plain": "audit.executors.plain:run",
    "processes": "audit.executors.processes:run",
    "ray": "audit.executors.on_ray:run",
}
"""Name to ``module:function`` that makes the shards asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many work, and with what."""

    workers: int = 1
    devices: tuple[str, ...] = ()
    """GPUs of this machine, as ``CUDA_VISIBLE_DEVICES`` names them; dealt out in turn."""

    gpus: float = 0.0
    """GPUs, or share of one, for each worker of a Ray cluster."""

    address: str = ""
    """Of a Ray cluster; empty starts one here."""


Run = Callable[[Work, Sequence[int], Crew], None]


def execute(work: Work, executor: str = "plain", crew: Crew | None = None) -> list[ShardTable]:
    """Make every missing shard and the manifests; the bytes do not tell who did it.

    Parameters
    ----------
    work : Work
    executor : str
        A row of `EXECUTORS`.
    crew : Crew, optional
        One worker by default.

    Returns
    -------
    list of ShardTable
        One for each table of the job.

    Raises
    ------
    LookupError
        If there is no such executor.
    ExtractionError
        If Ray is asked for and missing, a worker failed for good, or a shard cannot be written.
    """
    if executor not in EXECUTORS:
        near = get_close_matches(executor, EXECUTORS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise LookupError(f"No executor named {executor!r}; known: {', '.join(EXECUTORS)}.{hint}")
    crew = crew or Crew()
    if crew.workers < 1:
        raise ExtractionError(f"Somebody must do the work: at least 1 worker; got {crew.workers}.")
    module, _, function = EXECUTORS[executor].partition(":")
    missing = prepare(work)
    if missing:
        run: Run = getattr(import_module(module), function)
        run(work, missing, crew)
    return finish(work)
