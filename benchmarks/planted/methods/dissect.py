"""CLIP-Dissect's SoftWPMI: which concept a unit's strongest pictures have in common.

Oikarinen & Weng (2023), CLIP-Dissect, ICLR, arXiv 2204.10965. Re-implemented from the formula.
The second CLIP of the paper is the audited one: a world has no other.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.planted.methods.scores import Scores, beside_controls, flags
from benchmarks.planted.methods.world import World
from probes.arms import normalise
from probes.errors import MeasureError

Array = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]

SHARPNESS = 10.0
"""What cosines are multiplied by before the softmax over concepts."""

TOP = 100
FIRST, LAST = 0.998, 0.97
"""Weight of the strongest picture, and of the one after the last."""

_UNITS_AT_ONCE = 32

LEAST = 1e-7
LAMBDA = 1.0

SHARE = 20
"""The top is at most a picture in so many: 100 is 1 % of the paper's pictures, and all of ours."""


def soft_wpmi(responses: Array, cosines: Array, *, top: int = TOP) -> Array:
    """Return how much better than by chance a concept explains a unit's strongest pictures.

    Parameters
    ----------
    responses : ndarray of shape (n_pictures, n_units)
    cosines : ndarray of shape (n_pictures, n_concepts)
        Of every picture with every concept.
    top : int
        Strongest pictures that are looked at.

    Returns
    -------
    ndarray of shape (n_units, n_concepts)
        Only differences between concepts of a unit mean anything, and only in one set-up: the
        chance term is averaged over the units that are given.

    Raises
    ------
    MeasureError
        If shapes disagree, or there are fewer pictures than ``top``.
    """
    if responses.ndim != 2 or cosines.ndim != 2 or len(responses) != len(cosines):
        raise MeasureError(
            "Responses must be (n_pictures, n_units) and cosines (n_pictures, n_concepts); "
            f"got {responses.shape} and {cosines.shape}."
        )
    if not 1 <= top <= len(responses):
        raise MeasureError(f"The top must lie between 1 and {len(responses)} pictures; got {top}.")
    shares = special.softmax(SHARPNESS * cosines, axis=1)
    explained = summed_logs(shares, strongest_first(responses, top))
    chance = special.logsumexp(explained, axis=0) - np.log(len(explained))
    return np.asarray(explained - LAMBDA * chance, dtype=np.float64)


def strongest_first(responses: Floats, top: int) -> NDArray[np.intp]:
    """Return each unit's strongest pictures, the earlier of equal ones first.

    Examples
    --------
    >>> strongest_first(np.array([[1.0], [3.0], [3.0], [2.0]]), 3)
    array([[1, 2, 3]])
    """
    falling = np.ascontiguousarray(-responses.T)
    least = np.partition(falling, top - 1, axis=1)[:, top - 1 : top]
    found = np.empty((len(falling), top), dtype=np.intp)
    for unit, (row, bar) in enumerate(zip(falling, least, strict=True)):
        near = np.flatnonzero(row <= bar)
        found[unit] = near[np.argsort(row[near], kind="stable")[:top]]
    return found


def summed_logs(shares: Floats, strongest: NDArray[np.intp]) -> Floats:
    """Return the sum of ``log(1 + weight * (share - 1) + LEAST)`` over a unit's strongest pictures.

    A weight taken out of each factor leaves the share and a number: factors are multiplied, some
    units at a time so that they stay in the cache, and one log is taken of as many as cannot
    underflow.

    Parameters
    ----------
    shares : ndarray of shape (n_pictures, n_concepts)
        Of each concept in a picture, adding up to 1; in 32 bits the result is right to 1e-5.
    strongest : int ndarray of shape (n_units, top)

    Examples
    --------
    >>> shares = np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> summed_logs(shares, np.array([[0, 1]])).round(3)
    array([[-0.964, -2.058]])
    """
    top = strongest.shape[1]
    weights = FIRST - np.arange(top) / top * (FIRST - LAST)
    offsets = ((1 - weights + LEAST) / weights).astype(shares.dtype)
    # the smallest factor is about 1 - FIRST: so many of them stay above the smallest number
    size = int(np.log(np.finfo(shares.dtype).tiny) / np.log(offsets.min())) - 1
    logs = np.full((len(strongest), shares.shape[1]), np.log(weights).sum(), dtype=np.float64)
    for first in range(0, len(strongest), _UNITS_AT_ONCE):
        rows = np.ascontiguousarray(strongest[first : first + _UNITS_AT_ONCE].T)
        product, factor = (
            np.empty((rows.shape[1], shares.shape[1]), shares.dtype) for _ in range(2)
        )
        for start in range(0, top, size):
            product.fill(1)
            for place in range(start, min(start + size, top)):
                np.take(shares, rows[place], axis=0, out=factor, mode="clip")
                factor += offsets[place]
                product *= factor
            logs[first : first + _UNITS_AT_ONCE] += np.log(product)
    return logs


def dissect(world: World, rng: np.random.Generator) -> Scores:
    """Best unit by the smaller of its SoftWPMI for the group and for the harm.

    Published without a test: flagged beside the scores of the control packs in place of the harm.
    """
    responses, photos = world.need_responses(), world.need_photos()
    names = (*world.groups, *world.harms, *world.controls)
    concepts = normalise(np.stack([world.terms(name).mean(axis=0) for name in names]))
    top = min(TOP, max(10, len(responses) // SHARE), len(responses))
    found = soft_wpmi(responses, normalise(photos.embeddings) @ concepts.T, top=top)
    n_groups = len(world.groups)
    group, other = found[:, :n_groups, None], found[:, None, n_groups:]
    pairs = np.minimum(group, other)
    best, n_harms = pairs.max(axis=0), len(world.harms)
    values = best[:, :n_harms]
    return Scores(
        values=values,
        flagged=flags(beside_controls(values, best[:, n_harms:])),
        units=np.moveaxis(pairs[:, :, :n_harms], 0, -1),
    )
