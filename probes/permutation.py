"""Permutation tests over clusters: every arrangement where that is feasible, else some of them.

One convention throughout: an arrangement is as extreme as what was observed if its statistic is
at least as large, up to a relative tolerance of ``TIE`` (sums of the same numbers in another
order differ in their last digits). Where every arrangement is counted, the observed one is among
them and p is their share; where some are drawn, p is ``(b + 1) / (m + 1)``. So p is never 0.

Arrangements move labels between clusters without replacement: group sizes stay what they are.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from probes.arrangements import arrangements, strata_of
from probes.errors import MeasureError
from probes.studentised import side_differences

TIE = 1e-8
"""Relative difference below which two statistics count as equal."""

Alternative = Literal["two-sided", "greater", "less"]
Floats = NDArray[np.float64]
Sample = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]

_CELLS_AT_ONCE = 4_000_000
"""Arrangements times outcomes that are held together."""


class Permuted(NamedTuple):
    """What a permutation test says."""

    p: float
    """NaN where there is nothing to rearrange."""

    certainty: Literal["", "exact", "sampled"]
    """Whether every arrangement was counted or some were drawn; empty where p is NaN."""

    arrangements: int
    """Different arrangements that were counted, or drawn."""


class PermutedColumns(NamedTuple):
    """What permutation tests of several outcomes with the same labels say."""

    p: Floats
    """Shape (n_outcomes,)."""

    certainty: Literal["", "exact", "sampled"]
    arrangements: int


def permutation_p(
    observed: float,
    drawn: ArrayLike,
    *,
    exact: bool,
    alternative: Alternative = "greater",
) -> float:
    """Return the p of an observed statistic among those of the arrangements.

    Parameters
    ----------
    observed : float
        NaN gives NaN.
    drawn : array_like of shape (n_arrangements,)
        Where ``exact``, of every arrangement, the observed one included; else of some drawn at
        random. An arrangement without a value (NaN) counts as extreme.
    exact : bool
    alternative : {"greater", "less", "two-sided"}
        Two-sided compares absolute values: the statistic must be neutral at 0.

    Returns
    -------
    float
        ``b / m`` where exact, ``(b + 1) / (m + 1)`` otherwise, for b extreme ones among m.

    References
    ----------
    Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1), 39.

    Examples
    --------
    >>> permutation_p(3.0, [1.0, 2.0, 3.0, 0.0], exact=True)
    0.25
    >>> permutation_p(4.0, [1.0, 2.0, 3.0, 0.0], exact=False)
    0.2
    """
    values = np.asarray(drawn, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise MeasureError(
            f"A p needs at least one arrangement, in one dimension; got shape {values.shape}."
        )
    if math.isnan(observed):
        return math.nan
    # sums that should be 0 are not quite: their size says nothing about their rounding
    scale = float(np.nan_to_num(np.median(np.abs(values)), posinf=0.0))
    hits = int(_extreme(np.array(observed), values, alternative, scale).sum())
    if not exact:
        return (hits + 1) / (len(values) + 1)
    if hits == 0:
        raise MeasureError(
            "Where every arrangement is counted, the observed one must be among them; "
            f"none of {len(values)} reaches {observed}."
        )
    return hits / len(values)


def two_sample(
    values: Sample,
    shown: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    strata: Codes | None = None,
    studentised: bool = True,
    max_exact: int = 20_000,
    draws: int = 9_999,
) -> Permuted:
    """Test whether clusters with the label have other values than those without.

    Parameters
    ----------
    values : ndarray of shape (n_clusters,)
        One value per cluster.
    shown : bool ndarray of shape (n_clusters,)
    rng : numpy.random.Generator
    alternative : {"two-sided", "greater", "less"}
        "greater": those with the label are higher.
    strata : int ndarray of shape (n_clusters,), optional
        Labels move within a stratum only, and sides are compared within it.
    studentised : bool
        Divide the difference of means by its standard error (Welch), so that the test of means
        stays near its level where the sides differ in spread; else the plain difference.
    max_exact : int
        Every arrangement is counted if there are at most this many.
    draws : int
        Arrangements drawn otherwise.

    Returns
    -------
    Permuted
        p is NaN where no stratum has clusters on both sides.

    Raises
    ------
    MeasureError
        If shapes disagree, or a value is not finite.

    References
    ----------
    Janssen (1997), Statistics & Probability Letters 36, 9-21; Chung & Romano (2013), Annals of
    Statistics 41, 484-507.

    Examples
    --------
    >>> values, shown = np.array([5.0, 6, 7, 1, 2, 3]), np.arange(6) < 3
    >>> two_sample(values, shown, rng=np.random.default_rng(0))
    Permuted(p=0.1, certainty='exact', arrangements=20)
    """
    each = two_sample_columns(
        values[:, None],
        shown,
        rng=rng,
        alternative=alternative,
        strata=strata,
        studentised=studentised,
        max_exact=max_exact,
        draws=draws,
    )
    return Permuted(float(each.p[0]), each.certainty, each.arrangements)


def two_sample_columns(
    values: Sample,
    shown: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    strata: Codes | None = None,
    studentised: bool = True,
    max_exact: int = 20_000,
    draws: int = 9_999,
) -> PermutedColumns:
    """Test several outcomes of the same clusters with shared arrangements, see `two_sample`.

    Parameters
    ----------
    values : ndarray of shape (n_clusters, n_outcomes)
    shown : bool ndarray of shape (n_clusters,)
    """
    groups = strata_of(len(shown), strata)
    check_clusters(values, shown)
    if not any(0 < shown[group].sum() < len(group) for group in groups):
        return PermutedColumns(np.full(values.shape[1], np.nan), "", 0)
    moved = arrangements(shown, rng=rng, strata=strata, max_exact=max_exact, draws=draws)
    observed = side_differences(values, shown[None], groups, studentised=studentised)[0]
    hits = np.zeros(values.shape[1], dtype=np.int64)
    for block in _blocks(moved.shown, values.shape[1]):
        drawn = side_differences(values, block, groups, studentised=studentised)
        hits += _extreme(observed, drawn, alternative).sum(axis=0)
    count = len(moved.shown)
    if moved.exact:
        # rounding must not lose the observed arrangement, which is among them
        return PermutedColumns(np.maximum(hits, 1) / count, "exact", count)
    return PermutedColumns((hits + 1) / (count + 1), "sampled", count)


def paired(
    differences: Sample,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "two-sided",
    max_exact: int = 20_000,
    draws: int = 9_999,
) -> Permuted:
    """Test whether pairs differ, by turning the sign of each difference.

    Parameters
    ----------
    differences : ndarray of shape (n_pairs,)
        0 is neutral. The mean and Student's t of them give the same p.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21.

    Examples
    --------
    >>> paired(np.array([1.0, 2.0, 3.0]), rng=np.random.default_rng(0), alternative="greater")
    Permuted(p=0.125, certainty='exact', arrangements=8)
    """
    if differences.ndim != 1 or not np.isfinite(differences).all():
        raise MeasureError(
            "Differences must be one finite number per pair; "
            f"got shape {differences.shape} with {int((~np.isfinite(differences)).sum())} "
            "that are not finite. Leave out pairs that miss a side."
        )
    n = len(differences)
    if n == 0:
        return Permuted(math.nan, "", 0)
    exact = n < 63 and 2**n <= max_exact
    if exact:
        turned = np.arange(2**n)[:, None] >> np.arange(n) & 1
    else:
        turned = rng.integers(0, 2, size=(draws, n))
    drawn = (1.0 - 2.0 * turned) @ differences.astype(np.float64)
    observed = float(differences.sum(dtype=np.float64))
    p = permutation_p(observed, drawn, exact=exact, alternative=alternative)
    return Permuted(p, "exact" if exact else "sampled", len(drawn))


def relabelled(
    statistic: Callable[[NDArray[np.intp]], ArrayLike],
    codes: Codes,
    *,
    rng: np.random.Generator,
    strata: Codes | None = None,
    draws: int = 1999,
) -> Floats:
    """Draw any statistic under relabelled clusters: its null if groups do not matter.

    Parameters
    ----------
    statistic : callable
        Takes the group of each cluster, returns a number or an array of fixed shape.
    codes : int ndarray of shape (n_clusters,)
        Group of each cluster; every draw holds the same codes in another order.
    rng : numpy.random.Generator
    strata : int ndarray of shape (n_clusters,), optional
        Codes move within a stratum only.
    draws : int

    Returns
    -------
    ndarray of shape (draws, ...)

    Examples
    --------
    >>> codes = np.array([0, 0, 1, 1])
    >>> first = lambda codes: float(codes[0])
    >>> relabelled(first, codes, rng=np.random.default_rng(0), draws=4).shape
    (4,)
    """
    if codes.ndim != 1 or draws < 1:
        raise MeasureError(
            "Relabelling needs one code per cluster and at least one draw; "
            f"got shape {codes.shape} and {draws} draws."
        )
    groups, order = strata_of(len(codes), strata), np.arange(len(codes))
    drawn = []
    for _ in range(draws):
        for group in groups:
            order[group] = rng.permutation(group)
        drawn.append(np.asarray(statistic(codes[order].astype(np.intp)), dtype=np.float64))
    return np.stack(drawn)


def _extreme(observed: Floats, drawn: Floats, alternative: Alternative, scale: float = 0.0) -> Mask:
    """Mark the arrangements that are at least as extreme, ties within `TIE` included."""
    if alternative not in ("two-sided", "greater", "less"):
        raise MeasureError(
            f'An alternative must be "two-sided", "greater" or "less"; got {alternative!r}.'
        )
    if alternative == "two-sided":
        observed, drawn = np.abs(observed), np.abs(drawn)
    elif alternative == "less":
        observed, drawn = -observed, -drawn
    size = np.where(np.isfinite(observed), np.abs(observed), 0.0)
    extreme: Mask = ~(drawn < observed - TIE * np.maximum(size, scale))
    return extreme


def check_clusters(values: Sample, shown: Mask) -> None:
    """Refuse values that are not one finite number and one label per cluster."""
    if values.ndim != 2 or shown.shape != values.shape[:1] or shown.dtype != np.bool_:
        raise MeasureError(
            "A test needs one value and one true-or-false label per cluster; "
            f"got values of shape {values.shape} and labels of shape {shown.shape} "
            f"({shown.dtype})."
        )
    bad = int((~np.isfinite(values)).any(axis=1).sum())
    if bad:
        raise MeasureError(
            f"Every cluster needs a finite value; {bad} of {len(values)} have none. "
            "Leave these clusters out."
        )


def _blocks(labels: Mask, n_outcomes: int) -> Iterator[Mask]:
    size = max(1, _CELLS_AT_ONCE // max(n_outcomes, 1))
    for first in range(0, len(labels), size):
        yield labels[first : first + size]
