"""Single-category association: one target at a time between two sets of attributes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.measurement import Estimate, undefined
from probes.permutation import Alternative
from probes.power import detectable_from_se
from probes.similarity.labels import plain_label_p
from probes.similarity.standardised import (
    bounded,
    jackknife,
    standardised,
    standardised_interval,
    t_reach,
    total,
    unbounded,
    unbounded_left_out,
)
from probes.similarity.vectors import checked_cosines, refuse_shared, unit_sets
from probes.subset_sums import THOROUGH, Effort

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Sample = NDArray[np.floating[Any]]

CONSTANT = "the target lies equally close to every attribute"


def sc_weat(targets: Sample, a: Sample, b: Sample) -> Floats:
    """Return the standardised association of each target with A rather than B.

    Parameters
    ----------
    targets : ndarray of shape (n_targets, dim)
        Embeddings of any length but 0.
    a, b : ndarray of shape (n_a, dim) and (n_b, dim)
        Attributes.

    Returns
    -------
    ndarray of shape (n_targets,)
        Difference of the mean cosines with A and with B in standard deviations of all of them
        (ddof 1); 0 is neutral, positive: closer to A. NaN where all cosines are the same.

    Raises
    ------
    MeasureError
        If an embedding is zero or not finite, or dimensions differ.

    References
    ----------
    Caliskan, Bryson & Narayanan (2017), Science 356, 183-186 (WEFAT); Toney & Caliskan (2021),
    EMNLP (SC-WEAT); for pictures and captions Ghate et al. (2025), NAACL.

    Examples
    --------
    >>> sc_weat(np.array([[1.0, 0.0]]), a=np.array([[1.0, 0], [1, 1]]), b=np.array([[0.0, 1.0]]))
    array([1.66029006])
    """
    units, near, far = unit_sets(targets=targets, A=a, B=b)
    attributes = np.concatenate([near, far])
    return standardised(attributes @ units.T, np.arange(len(attributes)) < len(near))


def sc_weat_estimates(
    targets: Sample,
    a: Sample,
    b: Sample,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    max_exact: int = 20_000,
    draws: int | None = None,
) -> tuple[Estimate, ...]:
    """Return `sc_weat` of each target with its interval and its p.

    Parameters
    ----------
    targets, a, b : ndarray of shape (n, dim)
        As in `sc_weat`; two members or more in A and B.
    rng : numpy.random.Generator
    alternative : {"two-sided", "greater", "less"}
        "greater": closer to A.
    max_exact : int
        Arrangements of A and B that are listed one by one at most.
    draws : int, optional
        Arrangements drawn where they are more; by default p is exact (to about 25 a side) or
        bounded, see `probes.subset_sums.subset_p`.

    Returns
    -------
    tuple of Estimate
        See `sc_weat_of_cosines`.

    Raises
    ------
    MeasureError
        If an embedding is zero or not finite, dimensions differ, or a member stands in two sets.
    """
    units, near, far = unit_sets(targets=targets, A=a, B=b)
    refuse_shared(near, far, "A and B")
    attributes = np.concatenate([near, far])
    return sc_weat_of_cosines(
        units @ attributes.T,
        np.arange(len(attributes)) < len(near),
        rng=rng,
        alternative=alternative,
        max_exact=max_exact,
        draws=draws,
    )


def sc_weat_of_cosines(
    cosines: Sample,
    is_a: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    max_exact: int = 20_000,
    draws: int | None = None,
) -> tuple[Estimate, ...]:
    """Return SC-WEAT of each target from cosines alone.

    Parameters
    ----------
    cosines : ndarray of shape (n_targets, n_a + n_b)
    is_a : bool ndarray of shape (n_a + n_b,)
        Attributes of A, the others being of B; two or more of each.
    rng, alternative, max_exact, draws
        As in `sc_weat_estimates`.

    Returns
    -------
    tuple of Estimate
        One per target; 0 is neutral. p from rearranging A and B, the interval over other
        attributes of the same kinds (jackknife). ``n`` and ``clusters`` count the attributes.

    Raises
    ------
    MeasureError
        If a shape does not fit, a cosine is not finite or beyond 1, or a target is an attribute.

    Examples
    --------
    >>> table = np.array([[0.5, 0.4, 0.2, 0.1], [0.3, 0.3, 0.3, 0.3]])
    >>> first, second = sc_weat_of_cosines(table, np.arange(4) < 2, rng=np.random.default_rng(0))
    >>> round(first.value, 3), round(first.p, 3), second.reason
    (1.643, 0.333, 'the target lies equally close to every attribute')
    """
    each = checked_cosines(cosines, None, is_a).T
    n, count = (int(is_a.sum()), int((~is_a).sum())), len(is_a)
    if min(n) < 2:
        return tuple(undefined(_few(n), n=count, clusters=count) for _ in cosines)
    tested = plain_label_p(
        each,
        is_a,
        rng=rng,
        alternative=alternative,
        max_exact=max_exact,
        draws=draws,
    )
    left = unbounded_left_out(each, is_a)
    parts = [jackknife(left[side]) for side in (is_a, ~is_a)]
    ends = standardised_interval(unbounded(each, is_a), n, parts)
    return tuple(
        undefined(CONSTANT, n=count, clusters=count)
        if np.isnan(value)
        else Estimate(
            value=float(value),
            low=float(ends.low[k]),
            high=float(ends.high[k]),
            p=float(tested.p[k]),
            certainty=tested.certainty,
            n=count,
            clusters=count,
            mde=float(ends.mde[k]),
            reason="no interval: the attributes do not differ" if np.isnan(ends.low[k]) else "",
        )
        for k, value in enumerate(standardised(each, is_a))
    )


def sc_weat_mean_of_cosines(
    cosines: Sample,
    is_a: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    max_exact: int = 20_000,
    draws: int | None = None,
    effort: Effort = THOROUGH,
) -> Estimate:
    """Return the mean SC-WEAT of several targets of one kind, e.g. all terms of a group.

    Parameters
    ----------
    cosines : ndarray of shape (n_targets, n_a + n_b)
    is_a : bool ndarray of shape (n_a + n_b,)
    rng, alternative, max_exact, draws
        As in `sc_weat_estimates`.
    effort : Effort
        Of `probes.subset_sums.subset_p`.

    Returns
    -------
    Estimate
        0 is neutral. p from rearranging A and B for all targets at once; the interval over other
        targets and other attributes of the same kinds (two-way jackknife, Student's t), which
        needs two targets. ``n`` counts targets and attributes, ``clusters`` the attributes.

    Raises
    ------
    MeasureError
        As `sc_weat_of_cosines`.
    """
    each = checked_cosines(cosines, None, is_a).T
    n, count = (int(is_a.sum()), int((~is_a).sum())), sum(each.shape)
    if min(n) < 2:
        return undefined(_few(n), n=count, clusters=len(is_a))
    by_target = standardised(each, is_a)
    if np.isnan(by_target).any():
        return undefined(f"for a term {CONSTANT}", n=count, clusters=len(is_a))
    value = float(by_target.mean())
    # in standard deviations of each target the mean over targets is one value per attribute
    pooled = (each / each.std(axis=0, ddof=1)).mean(axis=1)
    tested = plain_label_p(
        pooled[:, None],
        is_a,
        rng=rng,
        alternative=alternative,
        max_exact=max_exact,
        draws=draws,
        effort=effort,
    )
    parts = [jackknife(left) for left in _mean_left_out(each, is_a)]
    if len(by_target) > 1:
        off = (by_target.sum() - by_target) / (len(by_target) - 1)
        parts.append(jackknife(off))
    variance, freedom = total(parts)
    known = len(by_target) > 1 and variance > 0
    error = float(np.sqrt(variance)) if known else np.nan
    half = float(t_reach(freedom)) * error if known else np.nan
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        p=float(tested.p[0]),
        certainty=tested.certainty,
        n=count,
        clusters=len(is_a),
        mde=detectable_from_se(error, float(freedom)) if known else np.nan,
        reason="" if known else "no interval: 2 targets that differ are needed",
    )


def _mean_left_out(each: Floats, is_a: Mask) -> list[Floats]:
    """Mean over targets with each attribute of A, and of B, left out in turn."""
    left, n = unbounded_left_out(each, is_a), (int(is_a.sum()), int((~is_a).sum()))
    return [
        bounded(left[is_a], (n[0] - 1, n[1])).mean(axis=1),
        bounded(left[~is_a], (n[0], n[1] - 1)).mean(axis=1),
    ]


def _few(n: tuple[int, int]) -> str:
    return f"A and B need 2 members each to be compared; got {n[0]} and {n[1]}"
