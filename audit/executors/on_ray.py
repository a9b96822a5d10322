"""The workers of a Ray cluster, by Ray Data: a pool of actors, each with its model and GPU share.

What travels is the numbers of shards; rows never leave the worker that made them but for the
shared folder. An actor that dies is replaced by Ray, and its shard goes on after the last
complete batch.
"""

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from audit.executors.work import Work, make_shard
from probes.errors import ExtractionError

if TYPE_CHECKING:
    from audit.executors.table import Crew


class ShardActor:
    """Loads the model once, then makes the shards whose numbers it is given."""

    def __init__(self, work: Work) -> None:
        """Load the model."""
        self._work = work
        self._encode = work.job.open()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make some shards; return how many batches had to be encoded for each."""
        made = [make_shard(self._work, self._encode, int(index)) for index in batch["id"]]
        return {"id": batch["id"], "encoded": made}


def run(work: Work, missing: Sequence[int], crew: "Crew") -> None:
    """Make the missing shards on a cluster, or on one that is started here for the time.

    Raises
    ------
    ExtractionError
        If Ray is not installed, or it gives up on a shard.
    """
    ray, data = load_ray()
    started = not ray.is_initialized()
    if started:
        ray.init(
            include_dashboard=False, log_to_driver=False, configure_logging=False, **_where(crew)
        )
    try:
        _map(data, work, missing, crew)
    except ray.exceptions.RayError as error:
        raise ExtractionError(
            f"Ray must finish every shard, but: {str(error).splitlines()[-1]}; run again: "
            "finished shards and batches are kept."
        ) from error
    finally:
        if started:
            ray.shutdown()


def _where(crew: "Crew") -> dict[str, Any]:
    """Name the cluster, or size one that is started here."""
    if crew.address:
        return {"address": crew.address}
    # "local", since Ray would join a cluster that somebody else started on this machine and refuse
    # the number; one more than workers, since Ray Data has tasks of its own beside them
    return {"address": "local", "num_cpus": crew.workers + 1}


def _map(data: Any, work: Work, missing: Sequence[int], crew: "Crew") -> None:
    """Deal the numbers out to a pool of actors; Ray replaces one that dies, without limit."""
    data.DataContext.get_current().enable_progress_bars = False
    # it announces plans and log files; whoever asked shows how many shards are there
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    numbers = data.from_items(
        [{"id": index} for index in missing], override_num_blocks=len(missing)
    )
    numbers.map_batches(
        ShardActor,
        fn_constructor_args=(work,),
        batch_size=1,
        compute=data.ActorPoolStrategy(size=min(crew.workers, len(missing))),
        num_cpus=1,
        num_gpus=crew.gpus or None,
    ).materialize()


def load_ray() -> tuple[Any, Any]:
    """Import Ray and Ray Data.

    Raises
    ------
    ExtractionError
        If they are not installed.
    """
    try:
        return import_module("ray"), import_module("ray.data")
    except ImportError as error:
        raise ExtractionError(
            "The executor ray needs the extra of that name, which is not installed "
            f"({error}): pip install 'clip-bias-audit[ray]', or use --executor processes."
        ) from error
