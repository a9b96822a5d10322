"""Finished trials of the causal check: a run that was cut goes on after the last of them.

A trial of a large model takes minutes to hours; see `audit.finished_work` for how it is kept.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from audit import causal_halves, causal_trial
from audit.causal_halves import Half, Refused
from audit.causal_trial import Bench, Trial
from audit.finished_work import (
    FinishedWork,
    Form,
    Key,
    content_digest,
    generator_digest,
    work_key,
)
from probes import causal, causal_behaviour, interventions, matched_sets
from probes.encoder import EncoderIdentity, Reading

FORMAT = "clip-audit causal trial 1"
FOLDER = "causal"
"""Beside the spaces of activations."""

NOT_IN_TRIAL = {"alpha"}
"""Settings that only the verdict depends on."""

_MODULES = (causal_halves, causal_trial, causal, causal_behaviour, matched_sets, interventions)
_TRIAL = TypeAdapter(Trial)


class TrialCache:
    """A folder of finished trials.

    Parameters
    ----------
    root : Path
        Of the activation cache.
    """

    def __init__(self, root: Path) -> None:
        """Use a folder below ``root``, which need not exist."""
        form: Form[Trial | Refused] = Form(one="trial", write=_body, read=_trial)
        self._finished = FinishedWork(root / FOLDER, form)

    def outcome(self, key: Key, run: Callable[[], Trial]) -> Trial:
        """Return the kept trial, or run it and keep it.

        Parameters
        ----------
        key : mapping of str to str
            From `trial_key`.
        run : callable
            Returns the trial or raises `Refused`, which is kept too.

        Raises
        ------
        Refused
            If the trial was refused, now or when it was kept.
        ExtractionError
            If the folder cannot be read or written.
        """
        known = self._finished.outcome(key, lambda: _outcome(run))
        if isinstance(known, Refused):
            raise known
        return known


def trial_key(
    bench: Bench, identity: EncoderIdentity, reading: Reading, choosing: Half, measuring: Half
) -> dict[str, str]:
    """Name everything that the numbers of a trial depend on.

    Parameters
    ----------
    bench : Bench
        With its generator as the trial finds it.
    identity : EncoderIdentity
    reading : Reading
    choosing, measuring : Half

    Returns
    -------
    dict of str to str
        Model, layer, settings, generator, both halves, and what computes: this tool with the
        modules of the trial, and libraries with their full versions, since a cut run is gone on
        with where it was started.
    """
    settings = {k: v for k, v in asdict(bench.settings).items() if k not in NOT_IN_TRIAL}
    return work_key(
        identity,
        "causal",
        reading,
        _MODULES,
        format=FORMAT,
        where=bench.where,
        settings=json.dumps(settings, sort_keys=True),
        generator=generator_digest(bench.rng),
        choosing=half_digest(choosing),
        measuring=half_digest(measuring),
    )


def half_digest(half: Half) -> str:
    """Digest pictures, how they are grouped, and text embeddings of a half, in order."""
    link = half.link
    arrays = (link.clusters, link.concepts, link.harm, *link.controls)
    return content_digest(half.pictures.digests, arrays)


def _outcome(run: Callable[[], Trial]) -> Trial | Refused:
    try:
        return run()
    except Refused as why:
        return why


def _body(outcome: Trial | Refused) -> str:
    """Write an outcome as text; Python's floats come back bit by bit."""
    if isinstance(outcome, Refused):
        return json.dumps({"refused": str(outcome)})
    return json.dumps({"trial": asdict(outcome)})


def _trial(body: str) -> Trial | Refused:
    read = json.loads(body)
    return Refused(read["refused"]) if "refused" in read else _TRIAL.validate_python(read["trial"])
