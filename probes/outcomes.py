"""Selection rates and impact ratios of decisions that really were made.

It asks what came out for people of each category, and knows neither a model nor its units. The
definitions are those of New York City's rules for automated employment decision tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.intervals import wilson
from probes.ratios import koopman

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

UNKNOWN = -1
"""Code of people whose category is not known."""

SMALL_SHARE = 0.02
"""Categories below this share of the data may be left out of ratios, with a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Rates and ratios of every category; arrays have shape (n_categories,)."""

    n: Counts
    """People in each category."""

    selected: Counts
    rate: Floats
    """Share of the category that was selected; NaN for a category without people."""

    low: Floats
    """Lower end of the Wilson interval of the rate."""

    high: Floats
    share: Floats
    """Share of the category among people of known category."""

    left_out: Flags
    """Categories that take no part in ratios, neither above nor below the line."""

    ratio: Floats
    """Rate over the highest rate; 1 is neutral, below 1 less often selected, NaN if left out."""

    ratio_low: Floats
    """Lower end of the score interval of the ratio; NaN for the highest category itself."""

    ratio_high: Floats
    highest: int
    """Category with the highest rate; `UNKNOWN` where there is none."""

    unknown: int
    """People whose category is not known: counted here and nowhere else."""


def outcomes(
    categories: NDArray[np.integer[Any]],
    selected: Flags,
    n_categories: int,
    *,
    leave_out_below: float = 0.0,
    confidence: float = 0.95,
) -> Outcomes:
    """Compute selection rates, and their ratios to the highest.

    Parameters
    ----------
    categories : int ndarray of shape (n_people,)
        Category of each person, 0 to ``n_categories - 1``; `UNKNOWN` where it is not known.
    selected : bool ndarray of shape (n_people,)
        Whether each was selected, or scored above the median (`above_median`).
    n_categories : int
    leave_out_below : float
        Share of the people of known category below which a category takes no part in ratios; its
        count and rate are there all the same. 0 leaves none out.
    confidence : float

    Returns
    -------
    Outcomes
        Ratios are NaN where nobody at all was selected. Where two categories share the highest
        rate, the first is the highest. Intervals take the highest category as if it had been
        named beforehand.

    Raises
    ------
    MeasureError
        If the arrays differ in length, are empty, or a code names no category.

    References
    ----------
    Rules of the City of New York, title 6, 5-301.

    Examples
    --------
    >>> found = outcomes(np.array([0, 0, 1, 1]), np.array([True, True, True, False]), 2)
    >>> found.rate, found.ratio
    (array([1. , 0.5]), array([1. , 0.5]))
    """
    _check(categories, selected, n_categories)
    known = categories != UNKNOWN
    n = np.bincount(categories[known], minlength=n_categories)
    hits = np.bincount(categories[known & selected], minlength=n_categories)
    share = n / max(int(n.sum()), 1)
    left_out = (n == 0) | (share < leave_out_below)
    rate = hits / np.where(n > 0, n, np.nan)
    low, high = wilson(hits, n, confidence=confidence)
    highest = _highest(rate, left_out)
    ratio, ratio_low, ratio_high = _ratios(hits, n, highest, left_out, confidence)
    return Outcomes(
        n=n,
        selected=hits,
        rate=rate,
        low=low,
        high=high,
        share=share,
        left_out=left_out,
        ratio=ratio,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        highest=highest,
        unknown=int((~known).sum()),
    )


def above_median(scores: NDArray[np.floating[Any]]) -> Flags:
    """Tell whose score lies above the median of the whole sample.

    Parameters
    ----------
    scores : ndarray of shape (n_people,)
        Scores of everybody, people of unknown category among them.

    Returns
    -------
    bool ndarray of shape (n_people,)
        False for a score that equals the median.

    Raises
    ------
    MeasureError
        If there is no score, or one is no finite number.

    Examples
    --------
    >>> above_median(np.array([1.0, 2.0, 3.0]))
    array([False, False,  True])
    """
    if scores.ndim != 1 or not scores.size:
        raise MeasureError(f"A median needs one score per person; got shape {scores.shape}.")
    wrong = np.flatnonzero(~np.isfinite(scores))
    if wrong.size:
        raise MeasureError(
            f"Every score must be a finite number; {wrong.size} are not, the first at position "
            f"{int(wrong[0])}."
        )
    above: Flags = scores > np.median(scores)
    return above


def crossed(codes: Sequence[NDArray[np.integer[Any]]], sizes: Sequence[int]) -> NDArray[np.int64]:
    """Return the category of each person at the crossing of several groupings.

    Parameters
    ----------
    codes : sequence of int ndarray of shape (n_people,)
        Category of each person in each grouping, `UNKNOWN` where it is not known.
    sizes : sequence of int
        How many categories each grouping has.

    Returns
    -------
    int ndarray of shape (n_people,)
        Position in the product of all groupings, the last running fastest; `UNKNOWN` where any of
        them is.

    Examples
    --------
    >>> crossed([np.array([0, 1, -1]), np.array([2, 0, 1])], [2, 3])
    array([ 2,  3, -1])
    """
    position = np.zeros(len(codes[0]), dtype=np.int64)
    unknown = np.zeros(len(codes[0]), dtype=bool)
    for code, size in zip(codes, sizes, strict=True):
        position = position * size + code
        unknown |= code == UNKNOWN
    return np.where(unknown, UNKNOWN, position)


def _check(
    categories: NDArray[np.integer[Any]], selected: NDArray[np.bool_], n_categories: int
) -> None:
    if categories.shape != selected.shape or categories.ndim != 1 or not categories.size:
        raise MeasureError(
            "Outcomes need one category and one decision per person; got shapes "
            f"{categories.shape} and {selected.shape}."
        )
    wrong = (categories < UNKNOWN) | (categories >= n_categories)
    if wrong.any():
        raise MeasureError(
            f"Categories must lie between {UNKNOWN} and {n_categories - 1}; got "
            f"{int(categories[wrong][0])}."
        )


def _highest(rate: Floats, left_out: Flags) -> int:
    taking_part = np.where(left_out, -1.0, rate)
    if not taking_part.size or taking_part.max() < 0:
        return UNKNOWN
    return int(taking_part.argmax())


def _ratios(
    hits: Counts, n: Counts, highest: int, left_out: Flags, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Return ratio and interval; NaN where there is nothing to divide by."""
    nothing = np.full(len(n), np.nan)
    if highest == UNKNOWN or not hits[highest]:
        return nothing, nothing, nothing
    out = left_out | (n == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(out, np.nan, (hits / n) / (hits[highest] / n[highest]))
    low, high = koopman(hits, n, hits[highest], n[highest], confidence=confidence)
    itself = np.arange(len(n)) == highest
    return ratio, np.where(out | itself, np.nan, low), np.where(out | itself, np.nan, high)
