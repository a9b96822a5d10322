"""What is done most: Welch's t on single stimuli, with Benjamini-Hochberg.

Welch (1947), Biometrika 34, 28-35; Benjamini & Hochberg (1995), JRSS B 57, 289-300.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.planted.methods.scores import ALPHA, Scores
from benchmarks.planted.methods.world import World
from probes.arms import normalise
from probes.errors import MeasureError
from probes.intervals import welch_freedom
from probes.multiplicity import benjamini_hochberg

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def welch(values: Array, labels: Mask) -> tuple[Array, Array]:
    """Return t and its upper p for every column of values and every label.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_outcomes)
    labels : bool ndarray of shape (n_stimuli, n_labels)

    Returns
    -------
    tuple of ndarray of shape (n_outcomes, n_labels)
        0 is neutral, positive: higher with the label. NaN where neither side varies.

    Raises
    ------
    MeasureError
        If a label has fewer than two stimuli on a side.
    """
    n = labels.sum(axis=0).astype(np.float64)
    rest = len(labels) - n
    if min(n.min(), rest.min()) < 2:
        raise MeasureError(
            "Welch's t needs two stimuli on each side; "
            f"got {int(min(n.min(), rest.min()))} on the smallest."
        )
    centred = values - values.mean(axis=0)
    mean, variance = _moments(centred, labels.astype(np.float64), n)
    other, spread = _moments(centred, (~labels).astype(np.float64), rest)
    squared = variance / n + spread / rest
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(squared > 0, (mean - other) / np.sqrt(squared), np.nan)
        freedom = welch_freedom(variance / n, n, spread / rest, rest)
    return t, np.asarray(special.stdtr(freedom, -t), dtype=np.float64)


def _moments(centred: Array, picked: Array, n: Array) -> tuple[Array, Array]:
    mean = centred.T @ picked / n
    return mean, np.maximum((centred**2).T @ picked - n * mean**2, 0) / (n - 1)


def on_texts(world: World, rng: np.random.Generator) -> Scores:
    """Cosines of every term of a group with the mean of the harm's terms."""
    rows = world.texts.of(set(world.groups))
    shown = [world.texts.concepts[i] for i in rows]
    return _cosines(world, world.texts.pooled[rows], shown)


def on_photos(world: World, rng: np.random.Generator) -> Scores:
    """Cosines of every photo of a group with the mean of the harm's terms."""
    photos = world.need_photos()
    rows = photos.of_people
    return _cosines(world, photos.embeddings[rows], [photos.groups[i] for i in rows])


def _cosines(world: World, rows: Array, shown: list[str]) -> Scores:
    harms = normalise(np.stack([world.terms(harm).mean(axis=0) for harm in world.harms]))
    t, p = welch(normalise(rows) @ harms.T, _labels(shown, world.groups))
    return Scores(values=t.T, flagged=_discovered(p.T))


def on_units(world: World, rng: np.random.Generator) -> Scores:
    """Units that differ for the group and for the harm; BH over all units and concepts."""
    responses, photos = world.need_responses(), world.need_photos()
    groups, harms = _labels(photos.groups, world.groups), _labels(photos.badges, world.harms)
    t, p = welch(responses, np.hstack([groups, harms]))
    q = benjamini_hochberg(p.ravel()).reshape(p.shape)
    n = groups.shape[1]
    both = np.fmin(t[:, :n, None], t[:, None, n:])
    found = np.nan_to_num(np.fmax(q[:, :n, None], q[:, None, n:]), nan=1.0) <= ALPHA
    return Scores(
        values=np.nan_to_num(both, nan=-np.inf).max(axis=0),
        flagged=found.any(axis=0),
        units=np.moveaxis(both, 0, -1),
    )


def _labels(shown: list[str] | tuple[str, ...], names: tuple[str, ...]) -> Mask:
    return np.stack([[own == name for own in shown] for name in names], axis=1).astype(np.bool_)


def _discovered(p: Array) -> Mask:
    q = benjamini_hochberg(p.ravel()).reshape(p.shape)
    return np.nan_to_num(q, nan=1.0) <= ALPHA
