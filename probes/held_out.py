"""Cross-validation by cluster: folds, the choice of a penalty, and scores on what was left out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.intervals import Interval, area_interval, delong_variance, difference, newcombe
from probes.measurement import Estimate

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]


class HeldOut(NamedTuple):
    """What models say of clusters that they were not fitted to."""

    margins: Floats
    """Log odds for every strength of penalty, shape (n_clusters, n_strengths)."""

    scores: Floats
    """Log odds at the strength that the other folds choose, shape (n_clusters,)."""


def deal_folds(labels: Labels, folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return a fold for each cluster, each class dealt out evenly and at random.

    Examples
    --------
    >>> labels = np.array([True, False, True, False])
    >>> folds = deal_folds(labels, 2, np.random.default_rng(0))
    >>> np.bincount(folds[labels]), np.bincount(folds[~labels])
    (array([1, 1]), array([1, 1]))
    """
    fold = np.empty(len(labels), dtype=np.intp)
    for side in (labels, ~labels):
        fold[rng.permutation(np.flatnonzero(side))] = np.arange(int(side.sum())) % folds
    return fold


def cross_validate(
    margins_of: Callable[[Labels], Floats], labels: Labels, fold: NDArray[np.integer[Any]]
) -> HeldOut:
    """Fit once without each fold, and let the others choose the strength for it.

    Parameters
    ----------
    margins_of : callable
        Takes which clusters to train on, returns log odds of all clusters for every strength,
        the strongest penalty first: shape (n_clusters, n_strengths).
    labels : bool ndarray of shape (n_clusters,)
    fold : int ndarray of shape (n_clusters,)
    """
    left_out = [fold == number for number in np.unique(fold)]
    fitted = np.stack([margins_of(~inside) for inside in left_out])
    # rounding noise of 32-bit solvers must not decide where a model says nothing
    margins = np.select([inside[:, None] for inside in left_out], list(fitted.round(6)))
    scores = np.empty(len(labels))
    for inside in left_out:
        scores[inside] = margins[inside, sparsest(margins[~inside], labels[~inside])]
    return HeldOut(margins, scores)


def sparsest(margins: Floats, labels: Labels) -> int:
    """Return the strongest penalty within one standard error of the best balanced accuracy."""
    hits, passes = _rates(margins, labels)
    accuracy = (hits + passes) / 2
    best = int(np.argmax(accuracy))
    error = np.sqrt(
        hits[best] * (1 - hits[best]) / labels.sum()
        + passes[best] * (1 - passes[best]) / (~labels).sum()
    )
    return int(np.flatnonzero(accuracy >= accuracy[best] - error / 2 - 1e-12)[0])


def accuracies(margins: Floats, labels: Labels) -> Floats:
    """Return the balanced accuracy of every column of margins."""
    hits, passes = _rates(margins, labels)
    return (hits + passes) / 2


def balanced_accuracy(scores: Floats, labels: Labels) -> Estimate:
    """Return the mean of the two hit rates, with an interval from Newcombe's for their sum."""
    (hits,), (passes,) = _rates(scores[:, None], labels)
    with_it, without = int(labels.sum()), int((~labels).sum())
    ends = newcombe(hits * with_it, with_it, (1 - passes) * without, without)
    return Estimate(
        value=float((hits + passes) / 2),
        low=float((ends.low + 1) / 2),
        high=float((ends.high + 1) / 2),
    )


def area(scores: Floats, labels: Labels) -> Estimate:
    """Return the area under the curve of pooled held-out scores, with DeLong's interval.

    The models are taken as given: the interval leaves out that other clusters would have given
    other models.
    """
    shown, hidden = scores[labels], scores[~labels]
    value = float((np.sign(shown[:, None] - hidden[None, :]) / 2 + 0.5).mean())
    ends = area_interval(value, delong_variance(shown, hidden), len(shown), len(hidden))
    if np.ptp(scores) == 0:
        # a model without units says the same of everything: one half, and nothing to resample
        return Estimate(value=value)
    return Estimate(value=value, low=float(ends.low), high=float(ends.high))


def gap(one: Estimate, other: Estimate) -> Estimate:
    """Return ``one - other``, taken as independent."""
    ends = difference(one.value, _interval(one), other.value, _interval(other))
    return Estimate(value=one.value - other.value, low=float(ends.low), high=float(ends.high))


def _interval(estimate: Estimate) -> Interval:
    return Interval(np.array(estimate.low), np.array(estimate.high))


def _rates(margins: Floats, labels: Labels) -> tuple[Floats, Floats]:
    """Hit rates with and without the label for every column; a margin of 0 is half a hit."""
    positive = np.sign(margins) / 2 + 0.5
    return positive[labels].mean(axis=0), 1 - positive[~labels].mean(axis=0)
