"""Does a label matter: by rearranging it, or by Student's t where that has come to the same."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from probes.intervals import welch_freedom
from probes.measurement import Certainty
from probes.permutation import Alternative, two_sample_columns
from probes.studentised import side_differences
from probes.subset_sums import THOROUGH, Effort, subset_p

LARGE = 200
"""Clusters a side above which p is Student's: drawing thousands of arrangements of thousands of
clusters would take seconds and could not give a p below one in the number of draws."""

Floats = NDArray[np.float64]
Sample = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


class LabelP(NamedTuple):
    """What a test of several outcomes with the same labels says."""

    p: Floats
    """Shape (n_outcomes,)."""

    certainty: Certainty
    low: Floats | None = None
    """Where p is bounded, the smallest that can be meant; ``p`` is then the largest."""


def label_p(
    values: Sample,
    shown: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    studentised: bool = True,
    max_exact: int = 20_000,
    draws: int = 9_999,
) -> LabelP:
    """Test whether clusters with the label have other means than those without.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_outcomes)
    shown : bool ndarray of shape (n_clusters,)
    rng : numpy.random.Generator
    alternative : {"two-sided", "greater", "less"}
        "greater": those with the label are higher.
    studentised : bool
        Welch's t of every arrangement (and Welch's t above `LARGE`), or the plain difference (and
        Student's t).
    max_exact, draws : int
        Arrangements that are counted at most, else drawn.

    Examples
    --------
    >>> values, shown = np.arange(6.0)[:, None], np.arange(6) > 2
    >>> label_p(values, shown, rng=np.random.default_rng(0))
    LabelP(p=array([0.1]), certainty='exact', low=None)
    """
    if min(shown.sum(), (~shown).sum()) > LARGE:
        return LabelP(_by_t(values.astype(np.float64), shown, alternative, studentised), "model")
    found = two_sample_columns(
        values,
        shown,
        rng=rng,
        alternative=alternative,
        studentised=studentised,
        max_exact=max_exact,
        draws=draws,
    )
    return LabelP(found.p, found.certainty)


def plain_label_p(
    values: Sample,
    shown: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    max_exact: int = 20_000,
    draws: int | None = None,
    effort: Effort = THOROUGH,
) -> LabelP:
    """Test the plain difference of means, of which every arrangement can be counted.

    Parameters
    ----------
    values, shown, alternative
        As in `label_p`.
    rng : numpy.random.Generator
        Used only where arrangements are drawn.
    max_exact : int
        Arrangements that are listed one by one at most.
    draws : int, optional
        Arrangements drawn where they are more; by default none are: p comes from
        `probes.subset_sums.subset_p`, exact or between bounds (and from Student's t above `LARGE`).
    effort : Effort
        Of `probes.subset_sums.subset_p`.

    Examples
    --------
    >>> values, shown = np.arange(40.0)[:, None] % 7, np.arange(40) > 19
    >>> plain_label_p(values, shown, rng=np.random.default_rng(0)).certainty
    'exact'
    """
    n, k = len(shown), int(shown.sum())
    if draws is not None or min(k, n - k) > LARGE or math.comb(n, k) <= max_exact:
        return label_p(
            values,
            shown,
            rng=rng,
            alternative=alternative,
            studentised=False,
            max_exact=max_exact,
            draws=draws or 1,
        )
    found = subset_p(values, shown, alternative=alternative, effort=effort)
    low = found.low if found.certainty == "bounded" else None
    return LabelP(found.p, found.certainty, low)


def _by_t(values: Floats, shown: Mask, alternative: Alternative, studentised: bool) -> Floats:
    here, there = values[shown], values[~shown]
    if studentised:
        everyone = [np.arange(len(values))]
        t = side_differences(values, shown[None], everyone)[0]
        freedom = welch_freedom(
            here.var(axis=0, ddof=1) / len(here),
            len(here),
            there.var(axis=0, ddof=1) / len(there),
            len(there),
        )
        freedom = np.where(np.isfinite(freedom), freedom, len(values) - 2)
        tails = stats.t.cdf(t, freedom), stats.t.sf(t, freedom)
    else:
        t = stats.ttest_ind(here, there).statistic
        tails = stats.t.cdf(t, len(values) - 2), stats.t.sf(t, len(values) - 2)
    # a p is never 0, whatever the smallest number that a computer holds
    below, above = (
        np.maximum(np.asarray(side, dtype=np.float64), np.finfo(np.float64).tiny) for side in tails
    )
    if alternative == "two-sided":
        return np.asarray(2 * np.minimum(below, above), dtype=np.float64)
    return np.asarray(below if alternative == "less" else above, dtype=np.float64)
