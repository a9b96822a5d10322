"""Photos of ``run`` shared out to workers: the options, what they may be, and the doing."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from audit.cli.printing import note
from audit.errors import PlanError
from audit.executors.distribute import distribute, lacking
from audit.executors.on_ray import load_ray
from audit.executors.pictures import picture_job
from audit.executors.table import EXECUTORS, Crew
from audit.gather import Instruments, named_photos
from concept_sets.photos import PhotoSet
from probes.backends.cards import cards
from probes.encoder import Encoder

Command = Callable[..., Any]

WORKERS = 2
"""Workers where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What the command line asks of workers."""

    executor: str | None
    workers: int | None
    ray_address: str | None
    gpus: float | None


def sharing_options(command: Command) -> Command:
    """Add what workers may be asked; the command gets a `Sharing` as ``sharing``."""

    @wraps(command)
    def with_sharing(*arguments: Any, **given: Any) -> Any:
        asked = {name: given.pop(name) for name in OPTIONS}
        return command(*arguments, sharing=Sharing(**asked), **given)

    for option in reversed(OPTIONS.values()):
        with_sharing = option(with_sharing)
    return with_sharing


OPTIONS: dict[str, Command] = {
    "executor": click.option(
        "--executor",
        type=click.Choice(tuple(EXECUTORS)),
        help="Encode photos beforehand, in resumable shards: here (plain), in several processes, "
        "or on a Ray cluster.",
    ),
    "workers": click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"Processes or Ray workers, each with its own model; {WORKERS} by default.",
    ),
    "ray_address": click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="A running Ray cluster; without it one is started here for the time.",
    ),
    "gpus": click.option(
        "--gpus",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SHARE",
        help="Graphics cards, or share of one, for each Ray worker; 1 by default with "
        "--device cuda.",
    ),
}
"""Field of `Sharing` to the option that gives it."""


def crew_of(asked: Sharing, device: str) -> Crew:
    """Return who works, before anything is loaded.

    Raises
    ------
    PlanError
        If an option needs another executor or device.
    ExtractionError
        If Ray is asked for and not installed.
    """
    _refuse_without(asked.executor is not None, "--workers", asked.workers, "--executor")
    _refuse_without(asked.executor == "ray", "--ray-address", asked.ray_address, "--executor ray")
    _refuse_without(asked.executor == "ray", "--gpus", asked.gpus, "--executor ray")
    if asked.executor == "ray":
        load_ray()
    if asked.executor == "plain" and (asked.workers or 1) > 1:
        raise PlanError(
            f"The executor plain is this one process, so --workers must be 1; got {asked.workers}. "
            "Use --executor processes or --executor ray."
        )
    if asked.gpus is not None and not (device.startswith("cuda") and math.isfinite(asked.gpus)):
        raise PlanError(
            "--gpus must be a number of graphics cards, which --device cuda uses; got "
            f"--gpus {asked.gpus:g} with --device {device}. Correct one of them."
        )
    return Crew(
        workers=asked.workers or (1 if asked.executor == "plain" else WORKERS),
        devices=cards() if asked.executor == "processes" and device == "cuda" else (),
        gpus=asked.gpus or (1.0 if device.startswith("cuda") else 0.0),
        address=asked.ray_address or "",
    )


def share_photos(
    executor: str,
    crew: Crew,
    photos: PhotoSet | None,
    tools: Instruments,
    load: Callable[[], Encoder],
) -> None:
    """Let workers encode the photos that the cache lacks, so that the audit finds them there.

    Parameters
    ----------
    executor : str
    crew : Crew
    photos : PhotoSet or None
        None where the audit shows no photos.
    tools : Instruments
        What the audit will use.
    load : callable
        Loads the same model in a worker.

    Raises
    ------
    ExtractionError
        If workers fail, have another model, or the cache cannot be read or written.
    """
    if photos is None or not photos.stimuli:
        note(
            "There is nothing to share out: this audit has no photos; prompts and drawn words are "
            "encoded here."
        )
        return
    cache = tools.cache
    if cache is None:
        return
    pending = lacking(cache, tools.encoder, named_photos(photos), tools.readings)
    if not pending:
        note("There is nothing to share out: all photos are in the cache.")
        return
    job = picture_job(tools.encoder, pending, tools.readings, load=load, root=photos.root)
    note(f"Sharing out {len(pending)} photos to {executor}, workers: {crew.workers}")
    distribute(job, cache, executor, crew, tools.progress)


def _refuse_without(possible: bool, option: str, value: object, needed: str) -> None:
    if value is not None and not possible:
        raise PlanError(
            f"{option} needs {needed}; got {option} {value} without it. Add the one or leave out "
            "the other."
        )
