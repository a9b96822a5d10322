"""What a model is still good for: harmless concepts told apart, kept together and found again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.arms import normalise
from probes.errors import MeasureError
from probes.intervals import wilson
from probes.mean_intervals import mean_interval
from probes.measurement import Estimate

Array = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
Codes = NDArray[np.intp]

FEWEST = 2
"""Concepts among which something can be told apart."""

ALIKE = "every cluster came out as before, so there is nothing to resample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benign:
    """Values by cluster, so that two states of a model can be paired."""

    hits: Array
    """1 where a cluster is nearest to its own concept, shape (n_clusters,)."""

    margins: Array
    """Cosine with its own concept minus the mean with the others, shape (n_clusters,)."""

    precision: Array
    """Share of a concept's clusters among as many that it retrieves first, shape (n_concepts,)."""


def benign(clusters: Rows, concepts: Codes, classes: Rows) -> Benign:
    """Answer, associate and retrieve among harmless concepts.

    Parameters
    ----------
    clusters : ndarray of shape (n_clusters, embedding_size)
        Pictures or words of harmless concepts; normalised here.
    concepts : int ndarray of shape (n_clusters,)
        Row of ``classes`` that each shows; every one is shown.
    classes : ndarray of shape (n_concepts, embedding_size)
        Embedding of each concept's prompts.

    Returns
    -------
    Benign

    Raises
    ------
    MeasureError
        If there are fewer than 2 concepts, or one is not shown.

    Examples
    --------
    >>> found = benign(np.array([[1.0, 0.1], [0.2, 1.0]]), np.array([0, 1]), np.eye(2))
    >>> found.hits.tolist(), found.precision.tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """
    counts = np.bincount(concepts, minlength=len(classes))
    if len(classes) < FEWEST or len(counts) > len(classes) or (counts == 0).any():
        raise MeasureError(
            f"Harmless concepts must be {FEWEST} or more, each shown by a cluster; got "
            f"{len(classes)} concepts, of which {int((counts > 0).sum())} are shown."
        )
    cosines = normalise(clusters) @ normalise(classes).T
    rows = np.arange(len(concepts))
    own = cosines[rows, concepts]
    order = np.argsort(-cosines, axis=0, kind="stable")
    found = [(concepts[order[:n, k]] == k).mean() for k, n in enumerate(counts)]
    return Benign(
        hits=(cosines.argmax(axis=1) == concepts).astype(np.float64),
        margins=own - (cosines.sum(axis=1) - own) / (len(classes) - 1),
        precision=np.array(found, dtype=np.float64),
    )


def accuracy(state: Benign) -> Estimate:
    """Return the share of clusters that are nearest to their own concept, with Wilson's limits."""
    hits, n = int(state.hits.sum()), len(state.hits)
    ends = wilson(hits, n)
    return Estimate(value=hits / n, low=float(ends.low), high=float(ends.high))


def retrieval(state: Benign, rng: np.random.Generator) -> Estimate:
    """Return the mean over concepts of what each retrieves; concepts are the clusters here."""
    return _mean(state.precision, rng, "every concept retrieves alike")


def association(before: Benign, after: Benign, rng: np.random.Generator) -> Estimate:
    """Return the share of the mean margin that is left.

    Returns
    -------
    Estimate
        1 is neutral. The ratio of two means over the same clusters, with the interval of its
        linear part; NaN where there was no margin.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., section 6.3, for the ratio.
    """
    base = float(before.margins.mean())
    if base <= 0:
        return Estimate(value=float("nan"), reason="prompts and pictures did not go together")
    ratio = float(after.margins.mean()) / base
    linear = ratio + (after.margins - ratio * before.margins) / base
    found = _mean(linear, rng, ALIKE)
    return Estimate(value=ratio, low=found.low, high=found.high, reason=found.reason)


def change(before: Array, after: Array, rng: np.random.Generator) -> Estimate:
    """Return the mean difference of values of the same clusters; 0 is neutral."""
    return _mean(after - before, rng, ALIKE)


def _mean(values: Array, rng: np.random.Generator, alike: str) -> Estimate:
    value = float(values.mean())
    if len(values) < 2 or not np.ptp(values) > 0:
        return Estimate(value=value, reason=alike)
    ends = mean_interval(values, rng=rng)
    return Estimate(value=value, low=ends.low, high=ends.high, reason=ends.warning)
