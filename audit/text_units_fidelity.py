"""How far weights of prompts go with the model's own scores, on the audit's own pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.causal_halves import Pictures
from audit.gather import Shown
from audit.numbers import number
from audit.photo_rows import cluster_codes
from audit.results import Undefined
from audit.text_units_record import FidelityRecord
from concept_sets.errors import PictureError
from concept_sets.pictures import load_picture
from probes.arms import normalise
from probes.errors import ModelError
from probes.linear_text import (
    Fidelity,
    HeadTables,
    UnitDirections,
    fidelity,
    head_weighted,
    linear_scores,
    text_weights,
)
from probes.progress import Progress

Floats = NDArray[np.float64]

MOST = 200
"""Pictures of the reference set at most, and as many to measure on."""

ENOUGH = 12
"""Clusters of each set below which nothing is measured."""

BLIND, WEIGHTED, RELAYED = "head-blind", "head-weighted", "second-order"
KEPT = 10
"""One in so many reference pictures, and at least so many, give a unit's second-order direction."""

NO_SCORE = (
    "a second-order strength is that of a unit's strongest pictures, so that there is no linear "
    "score to hold against the model's"
)
NOT_OPEN = "this encoder does not hand out the positions of its pictures"


@runtime_checkable
class Weighing(Protocol):
    """An encoder whose units can be weighed head by head."""

    def head_tables(
        self,
        pictures: Sequence[Image],
        directions: NDArray[np.floating[Any]],
        *,
        layer: str,
        progress: Progress | None = None,
    ) -> HeadTables:
        """Return what each head of the pooling makes of each unit, on a reference set."""
        ...

    def mean_responses(
        self, pictures: Sequence[Image], *, layer: str, progress: Progress | None = None
    ) -> Floats:
        """Return the responses that `head_tables` weigh, shape (n_pictures, n_units)."""
        ...


@runtime_checkable
class Relaying(Protocol):
    """An encoder whose units can be followed through later attention."""

    def second_order_directions(
        self,
        pictures: Sequence[Image],
        *,
        layer: str,
        kept: int,
        progress: Progress | None = None,
    ) -> UnitDirections:
        """Return where units of an earlier block push the embedding, on a reference set."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """One picture of each of some clusters, for reference, and of others, to measure on."""

    arm: str
    reference: Pictures
    measured: Pictures
    embeddings: Floats
    """Of the measured pictures, of length 1, shape (n_measured, dim)."""


def picture_halves(shown: Shown, root: Path | None, rng: np.random.Generator) -> Halves | None:
    """Split the pictures of one arm; None where there are too few clusters.

    Parameters
    ----------
    shown : Shown
        Photos or rendered words.
    root : Path, optional
        Folder that paths of photos start from.
    rng : numpy.random.Generator
        Chooses clusters, and a picture of each.
    """
    chosen = _one_of_each(shown, rng)
    half = min(MOST, len(chosen) // 2)
    if half < ENOUGH:
        return None
    load = partial(load_picture, root=root)
    reference, measured = chosen[:half], chosen[half : 2 * half]
    return Halves(
        arm=shown.stimuli[0].modality.value,
        reference=Pictures([shown.stimuli[i] for i in reference], load),
        measured=Pictures([shown.stimuli[i] for i in measured], load),
        embeddings=normalise(shown.extraction.embeddings.values[measured]),
    )


def layer_fidelity(
    encoder: Weighing,
    halves: Halves,
    directions: Floats,
    readout: NDArray[np.floating[Any]],
    layer: str,
    progress: Progress,
) -> tuple[FidelityRecord, ...]:
    """Measure the weights of one layer in both ways on the same pictures.

    Parameters
    ----------
    encoder : Weighing
    halves : Halves
    directions : ndarray of shape (n_texts, dim)
    readout : ndarray of shape (n_units, dim)
    layer : str
    progress : Progress

    Returns
    -------
    tuple of FidelityRecord
        Of head-blind and of head-weighted weights.
    """
    progress.start(len(halves.reference) + len(halves.measured), f"pictures for {layer}")
    try:
        tables = encoder.head_tables(halves.reference, directions, layer=layer, progress=progress)
        responses = encoder.mean_responses(halves.measured, layer=layer, progress=progress)
    except (PictureError, ModelError) as error:
        return unmeasured(layer, halves.arm, len(directions), str(error).rstrip("."))
    finally:
        progress.finish()
    exact = halves.embeddings @ directions.T
    ways = ((BLIND, text_weights(readout, directions)), (WEIGHTED, head_weighted(tables)))
    return tuple(
        _record(layer, how, halves.arm, linear_scores(responses, weights), exact)
        for how, weights in ways
    )


def relayed(
    encoder: Relaying, halves: Halves, layer: str, progress: Progress
) -> UnitDirections | None:
    """Return the second-order directions of an earlier layer; None where they are not known."""
    progress.start(len(halves.reference), f"pictures for {layer}")
    try:
        return encoder.second_order_directions(
            halves.reference,
            layer=layer,
            kept=max(KEPT, len(halves.reference) // KEPT),
            progress=progress,
        )
    except (PictureError, ModelError):
        return None
    finally:
        progress.finish()


def unmeasured(
    layer: str, arm: str, texts: int, reason: str, ways: Sequence[str] = (BLIND, WEIGHTED)
) -> tuple[FidelityRecord, ...]:
    """Say for each way of weighing why nothing was measured."""
    gone = Undefined(undefined=reason)
    return tuple(
        FidelityRecord(
            layer=layer, how=how, arm=arm, texts=texts, median=gone, lowest=gone, low=gone,
            high=gone, clusters=0, reason=reason,
        )
        for how in ways
    )  # fmt: skip


def _one_of_each(shown: Shown, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of one picture of each cluster, in random order; no picture twice."""
    codes = cluster_codes(shown.stimuli)
    chosen: dict[str, int] = {}
    seen: set[int] = set()
    for row in rng.permutation(len(codes)).tolist():
        digest = shown.stimuli[row].digest
        if codes[row] not in seen and digest not in chosen:
            seen.add(int(codes[row]))
            chosen[digest] = row
    return np.array(list(chosen.values()), dtype=np.intp)


def _record(layer: str, how: str, arm: str, linear: Floats, exact: Floats) -> FidelityRecord:
    """Summarise over prompts, without pictures with a unit that the reference set never saw."""
    known = ~np.isnan(linear).any(axis=1)
    if known.sum() < ENOUGH:
        reason = (
            f"{known.sum()} of {len(known)} measured pictures have no unit that was silent in the "
            f"whole reference set; at least {ENOUGH} are needed"
        )
        return unmeasured(layer, arm, exact.shape[1], reason, [how])[0]
    found = fidelity(linear[known], exact[known], np.arange(int(known.sum())))
    return _summary(layer, how, arm, found)


def _summary(layer: str, how: str, arm: str, found: Fidelity) -> FidelityRecord:
    order = np.argsort(found.correlation, kind="stable")
    order = order[~np.isnan(found.correlation[order])]
    why = "the prompts' scores do not vary over the pictures"
    middle = order[(len(order) - 1) // 2] if len(order) else 0
    return FidelityRecord(
        layer=layer,
        how=how,
        arm=arm,
        texts=len(found.correlation),
        median=number(float(found.correlation[middle]), why),
        lowest=number(float(found.correlation[order[0] if len(order) else 0]), why),
        low=number(float(found.low[middle]), "the correlation is 1 or undefined"),
        high=number(float(found.high[middle]), "the correlation is 1 or undefined"),
        clusters=found.clusters,
        reason="" if len(order) else why,
    )
