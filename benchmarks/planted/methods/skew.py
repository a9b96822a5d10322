"""Top-k skew: how much more often a search for the harm shows a group than chance would.

Geyik, Ambler & Kenthapadi (2019), arXiv 1905.01989, definition 2, with Berg et al. (2022) for a
group that is not shown; the formula is that of `probes.retrieval.skew`.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.methods.scores import Scores, flags
from benchmarks.planted.methods.world import World
from probes.arms import normalise
from probes.nulls import hypergeometric_tail
from probes.retrieval.skew import SkewRule, skew
from probes.retrieval.top_k import top_k, usual_k

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

RULE = SkewRule(zero="one_over_k")


def counts_at_k(cosines: Array, groups: NDArray[np.intp], k: int) -> Counts:
    """Count the pictures of every group among the first k of every search.

    Parameters
    ----------
    cosines : ndarray of shape (n_pictures, n_queries)
    groups : int ndarray of shape (n_pictures,)
    k : int

    Returns
    -------
    ndarray of shape (n_groups, n_queries)
    """
    ids = [f"{row:09d}" for row in range(len(cosines))]
    first = top_k(cosines, k, ids=ids).first
    n = int(groups.max()) + 1
    return np.stack([np.bincount(groups[rows], minlength=n) for rows in first], axis=1)


def skew_of_groups(world: World, rng: np.random.Generator) -> Scores:
    """Skew of every group in the search for the mean of the harm's terms.

    Flagged by the hypergeometric tail of the count, a picture one draw, by Holm over contrasts.
    """
    photos = world.need_photos()
    rows = photos.of_people
    groups = np.array([world.groups.index(photos.groups[i]) for i in rows])
    queries = normalise(np.stack([world.terms(harm).mean(axis=0) for harm in world.harms]))
    k = usual_k(len(rows))
    counts = counts_at_k(normalise(photos.embeddings[rows]) @ queries.T, groups, k)
    sizes = np.bincount(groups, minlength=len(world.groups))
    p = hypergeometric_tail(counts, sizes[:, None], len(rows), k).upper
    return Scores(values=skew(counts.T, sizes, RULE).T, flagged=flags(p))
