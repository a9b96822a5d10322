"""Areas under the curve and average precisions of a block that fits in memory, without error.

A sketch chooses and closes its bins at a cost that does not shrink with the rows, about half a
millisecond a unit. Below some ten thousand rows sorting is cheaper, and nothing is hidden.
"""

import numpy as np
from numpy.typing import NDArray

from probes.ranks import average_precision, places_of_classes
from probes.streaming.rank_sketch import ROUNDING, Bounded, Floats, Singles


def exact_ranks(by_unit: Singles, labels: NDArray[np.bool_]) -> tuple[Bounded, Bounded]:
    """Return the area under the curve and the average precision of every unit and concept.

    Parameters
    ----------
    by_unit : ndarray of shape (n_units, n_rows)
        Finite responses.
    labels : bool ndarray of shape (n_rows, n_concepts)

    Returns
    -------
    tuple of Bounded
        Neutral are 1/2 and the concept's share of the rows. The error is that of the arithmetic.

    Examples
    --------
    >>> area, precision = exact_ranks(
    ...     np.array([[1.0, 2, 3, 4]], np.float32), np.array([[0], [1], [0], [1]], bool))
    >>> float(area.value[0, 0]), float(precision.value[0, 0].round(4))
    (0.75, 0.8333)
    """
    here = labels.sum(axis=0).astype(np.float64)
    there = len(labels) - here
    ranks, precision = [], []
    for shown in places_of_classes(by_unit, labels):
        ranks.append(shown.middle().sum(axis=1))
        precision.append(average_precision(shown))
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (np.stack(ranks, axis=1) / here - (here + 1) / 2) / there
    return _bounded(area), _bounded(np.stack(precision, axis=1))


def _bounded(value: Floats) -> Bounded:
    return Bounded(value=value, error=np.where(np.isnan(value), np.nan, ROUNDING))
