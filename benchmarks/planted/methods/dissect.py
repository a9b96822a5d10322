"""CLIP-Dissect's SoftWPMI: which concept a unit's strongest pictures have in common.

Oikarinen & Weng (2023), CLIP-Dissect, ICLR, arXiv 2204.10965. Re-implemented from the formula.
The second CLIP of the paper is the audited one: a world has no other.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.planted.methods.scores import Scores, beside_controls, flags
from benchmarks.planted.methods.world import World
from probes.arms import normalise
from probes.errors import MeasureError

Array = NDArray[np.float64]

SHARPNESS = 10.0
"""What cosines are multiplied by before the softmax over concepts."""

TOP = 100
FIRST, LAST = 0.998, 0.97
"""Weight of the strongest picture, and of the one after the last."""

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
    weights = FIRST - np.arange(top) / top * (FIRST - LAST)
    strongest = np.argsort(-responses, axis=0, kind="stable")[:top]
    missing = special.softmax(SHARPNESS * cosines, axis=1) - 1
    explained = np.stack(
        [np.log(1 + weights[:, None] * missing[rows] + LEAST).sum(axis=0) for rows in strongest.T]
    )
    chance = special.logsumexp(explained, axis=0) - np.log(len(explained))
    return np.asarray(explained - LAMBDA * chance, dtype=np.float64)


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
