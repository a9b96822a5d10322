"""INVERT's score: how well a unit's responses rank the pictures that fit a formula of concepts.

Bykov et al. (2023), Labeling Neural Representations with Inverse Recognition, NeurIPS,
arXiv 2311.13594. Re-implemented from the formula; the p is the paper's, Mann and Whitney's over
single pictures, here Bonferroni over all units, because the unit is chosen by its score.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.planted.methods.scores import Scores, flags
from benchmarks.planted.methods.world import World
from probes.errors import MeasureError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def auroc(responses: Array, labels: Mask) -> Array:
    """Return the area under the curve of every unit for every formula.

    Parameters
    ----------
    responses : ndarray of shape (n_pictures, n_units)
    labels : bool ndarray of shape (n_pictures, n_formulas)
        True where the picture fits the formula.

    Returns
    -------
    ndarray of shape (n_units, n_formulas)
        1/2 is neutral; above: the unit answers more where the formula holds.

    Raises
    ------
    MeasureError
        If a formula fits no picture or every picture.
    """
    n_with = labels.sum(axis=0)
    _check(responses, labels, n_with)
    ranks = stats.rankdata(responses, axis=0)
    area = (ranks.T @ labels - n_with * (n_with + 1) / 2) / (n_with * (len(labels) - n_with))
    return np.asarray(area, dtype=np.float64)


def mann_whitney_p(responses: Array, labels: Mask) -> Array:
    """Return the upper p of every area by the normal limit, ties allowed for.

    Parameters and shape as in `auroc`.
    """
    n, n_with = len(labels), labels.sum(axis=0)
    gap = auroc(responses, labels) - 0.5
    tied = np.array([_ties(column) for column in responses.T])[:, None]
    variance = (n + 1 - tied / (n * (n - 1))) / (12.0 * n_with * (n - n_with))
    z = np.divide(gap, np.sqrt(variance), out=np.zeros_like(gap), where=variance > 0)
    return np.asarray(stats.norm.sf(z), dtype=np.float64)


def _ties(values: Array) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts**3 - counts).sum())


def _check(responses: Array, labels: Mask, n_with: NDArray[np.int64]) -> None:
    if responses.ndim != 2 or labels.ndim != 2 or len(responses) != len(labels):
        raise MeasureError(
            "Responses must be (n_pictures, n_units) and labels (n_pictures, n_formulas); "
            f"got {responses.shape} and {labels.shape}."
        )
    bad = np.flatnonzero((n_with == 0) | (n_with == len(labels)))
    if bad.size:
        raise MeasureError(
            "A formula must hold for some pictures and not for all; "
            f"formula {bad[0]} holds for {n_with[bad[0]]} of {len(labels)}."
        )


def either(world: World, rng: np.random.Generator) -> Scores:
    """Best unit for the formula "group or harm", as INVERT composes formulas."""
    responses, groups, harms = _asked(world)
    labels = (groups[:, :, None] | harms[:, None, :]).reshape(len(responses), -1)
    shape = (responses.shape[1], groups.shape[1], harms.shape[1])
    return _best(
        auroc(responses, labels).reshape(shape), mann_whitney_p(responses, labels).reshape(shape)
    )


def both(world: World, rng: np.random.Generator) -> Scores:
    """Best unit by the smaller of its areas for the group and for the harm."""
    responses, groups, harms = _asked(world)
    area = np.minimum(auroc(responses, groups)[:, :, None], auroc(responses, harms)[:, None, :])
    p = np.maximum(
        mann_whitney_p(responses, groups)[:, :, None], mann_whitney_p(responses, harms)[:, None, :]
    )
    return _best(area, p)


def _asked(world: World) -> tuple[Array, Mask, Mask]:
    responses, photos = world.need_responses(), world.need_photos()
    groups = np.stack([photos.show_group(group) for group in world.groups], axis=1)
    harms = np.stack([photos.show_badge(harm) for harm in world.harms], axis=1)
    return responses, groups, harms


def _best(area: Array, p: Array) -> Scores:
    """Take the best unit of every pair, from shape (n_units, n_groups, n_harms)."""
    return Scores(
        values=area.max(axis=0),
        flagged=flags(np.minimum(1.0, len(p) * p.min(axis=0))),
        units=np.moveaxis(area, 0, -1),
    )
