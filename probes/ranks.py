"""Places in the order of responses, and the scores that follow from them alone.

Ties are honoured everywhere: a place is a pair, how many respond less and how many respond no
more. Both scores visit only one class, so that small concepts among many clusters are cheap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each cluster stands in the order of responses of each unit."""

    below: Counts
    """How many of all clusters respond less, shape (n_units, n_picked)."""

    upto: Counts
    """How many respond less or the same, itself included, shape (n_units, n_picked)."""

    n: int
    """Clusters in the order, of which these are all or some."""

    def middle(self) -> Floats:
        """Mid-ranks, from 1 to ``n``."""
        return (self.below + self.upto + 1) / 2

    def pick(self, picked: NDArray[np.bool_]) -> "Places":
        """Return the places of some clusters, in rising order."""
        return Places(
            below=np.sort(self.below[:, picked], axis=1),
            upto=np.sort(self.upto[:, picked], axis=1),
            n=self.n,
        )


def places(by_unit: Floats) -> Places:
    """Order the clusters of every unit.

    Parameters
    ----------
    by_unit : ndarray of shape (n_units, n_clusters)

    Examples
    --------
    >>> places(np.array([[7.0, 2.0, 7.0]])).middle()
    array([[2.5, 1. , 2.5]])
    """
    # models answer in 32 bits: finer differences come from averaging and must not break ties
    rounded = by_unit.astype(np.float32)
    order = np.argsort(rounded, axis=1)
    ranked = np.take_along_axis(rounded, order, axis=1)
    first, after = _tied(ranked)
    below, upto = np.empty_like(first), np.empty_like(after)
    np.put_along_axis(below, order, first, axis=1)
    np.put_along_axis(upto, order, after, axis=1)
    return Places(below=below, upto=upto, n=ranked.shape[1])


def average_precision(shown: Places) -> Floats:
    """Return the average precision of every unit from the places of one class.

    At each cluster of the class: the share of the class among all that respond at least as much;
    then the mean over the class.

    Parameters
    ----------
    shown : Places
        Of the class alone, in rising order (``Places.pick``).

    Returns
    -------
    ndarray of shape (n_units,)
        ``chance_precision`` is neutral; NaN without a cluster in the class.
    """
    ours = shown.below.shape[1]
    if ours == 0:
        return np.full(len(shown.below), np.nan)
    first, _ = _tied(shown.below)
    precision: Floats = ((ours - first) / (shown.n - shown.below)).mean(axis=1)
    return precision


def chance_precision(n: int, n_with: NDArray[np.float64]) -> Floats:
    """Return the mean average precision over all orders of ``n`` clusters, without ties.

    It is above the base rate, and far above it where the class is small.

    References
    ----------
    Bestgen (2015), The Prague Bulletin of Mathematical Linguistics 103, 131-138.

    Examples
    --------
    >>> chance_precision(500, np.array([10.0])).round(4)
    array([0.0314])
    """
    harmonic = special.digamma(n + 1) + np.euler_gamma
    chance: Floats = (harmonic + (n_with - 1) / (n - 1) * (n - harmonic)) / n
    return chance


def delong_variances(shown: Places) -> tuple[Floats, Floats]:
    """Return DeLong's variance of the area under the curve from the places of one class.

    The other class is never visited: all of its clusters that lie between two neighbours of this
    class share one placement value.

    Parameters
    ----------
    shown : Places
        Of the class alone, in rising order (``Places.pick``).

    Returns
    -------
    tuple of ndarray of shape (n_units,)
        What this class and what the other adds to the variance; NaN below two clusters in either.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    below, ours = shown.below, shown.below.shape[1]
    others = shown.n - ours
    if min(ours, others) < 2:
        undefined = np.full(len(below), np.nan)
        return undefined, undefined
    first, after = _tied(below)
    ties = after - first
    tied_others = shown.upto - below - ties
    by_ours = (below - first + tied_others / 2) / others
    squares = _between(shown, first) + tied_others / ties * ((ours - after + ties / 2) / ours) ** 2
    area = by_ours.mean(axis=1)
    by_others = np.maximum(squares.sum(axis=1) - others * area**2, 0) / (others - 1)
    return by_ours.var(axis=1, ddof=1) / ours, by_others / others


def _between(shown: Places, first: Counts) -> Floats:
    """Squared placement values, summed over the other class just below each cluster of this."""
    ours = shown.below.shape[1]
    start = np.zeros((len(first), 1), dtype=np.int32)
    previous = np.hstack([start, shown.upto[:, :-1]])
    squares: Floats = np.maximum(shown.below - previous, 0) * ((ours - first) / ours) ** 2
    return squares


def _tied(ranked: NDArray[np.float32] | Counts) -> tuple[Counts, Counts]:
    """Place of the first of each entry's ties, and the place after the last, in sorted rows."""
    place = np.arange(ranked.shape[1], dtype=np.int32)
    edge = np.ones((len(ranked), 1), dtype=bool)
    rises = ranked[:, 1:] > ranked[:, :-1]
    starts = np.where(np.hstack([edge, rises]), place, np.int32(0))
    ends = np.where(np.hstack([rises, edge]), place + np.int32(1), np.int32(ranked.shape[1]))
    first = np.maximum.accumulate(starts, axis=1)
    after = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return first, after
