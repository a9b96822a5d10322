"""Word-embedding association test: two groups of targets against two sets of attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.measurement import Estimate, undefined
from probes.permutation import Alternative
from probes.similarity.labels import LabelP, plain_label_p
from probes.similarity.standardised import (
    Ends,
    jackknife,
    standardised,
    standardised_interval,
    unbounded,
    unbounded_left_out,
)
from probes.similarity.vectors import checked_cosines, refuse_shared, unit_sets
from probes.subset_sums import THOROUGH, Effort

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Sample = NDArray[np.floating[Any]]

CONSTANT = "every target has the same association"


def association(targets: Sample, a: Sample, b: Sample) -> Floats:
    """Return how much closer each target lies to the attributes A than to B.

    Parameters
    ----------
    targets : ndarray of shape (n_targets, dim)
        Embeddings of any length but 0.
    a, b : ndarray of shape (n_a, dim) and (n_b, dim)
        Attributes.

    Returns
    -------
    ndarray of shape (n_targets,)
        Mean cosine with A minus mean cosine with B, between -2 and 2; 0 is neutral.

    Raises
    ------
    MeasureError
        If an embedding is zero or not finite, or dimensions differ.

    References
    ----------
    Caliskan, Bryson & Narayanan (2017), Science 356, 183-186.

    Examples
    --------
    >>> association(np.array([[2.0, 0.0]]), a=np.array([[1.0, 0.0]]), b=np.array([[0.0, 5.0]]))
    array([1.])
    """
    units, near, far = unit_sets(targets=targets, A=a, B=b)
    gap: Floats = units @ (near.mean(axis=0) - far.mean(axis=0))
    return gap


def effect_size(x: Sample, y: Sample, a: Sample, b: Sample) -> float:
    """Return WEAT's d: how differently two groups lie between two sets of attributes.

    Parameters
    ----------
    x, y : ndarray of shape (n_x, dim) and (n_y, dim)
        Targets: embeddings of any length but 0. Sizes may differ.
    a, b : ndarray of shape (n_a, dim) and (n_b, dim)
        Attributes.

    Returns
    -------
    float
        Difference of the mean associations in standard deviations (ddof 1, all targets alike);
        0 is neutral, positive: X lies closer to A, and Y closer to B. At most
        `probes.similarity.standardised.largest_effect`. NaN where all associations are the same.

    Raises
    ------
    MeasureError
        If an embedding is zero or not finite, or dimensions differ.

    Notes
    -----
    Members that stand in two of the sets are not refused here, because published tests have them
    (iEAT's Insect-Flower); `weat_estimate` does refuse them.

    References
    ----------
    Caliskan, Bryson & Narayanan (2017), Science 356, 183-186; for pictures Steed & Caliskan
    (2021), FAccT.

    Examples
    --------
    >>> x, y = np.array([[1.0, 0.1], [1.0, 0.2]]), np.array([[0.1, 1.0], [0.3, 1.0]])
    >>> round(effect_size(x, y, a=np.array([[1.0, 0.0]]), b=np.array([[0.0, 1.0]])), 3)
    1.722
    """
    shown, other, near, far = unit_sets(X=x, Y=y, A=a, B=b)
    gap: Floats = np.concatenate([shown, other]) @ (near.mean(axis=0) - far.mean(axis=0))
    return float(standardised(gap, np.arange(len(gap)) < len(shown)))


def weat_estimate(
    x: Sample,
    y: Sample,
    a: Sample,
    b: Sample,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "greater",
    max_exact: int = 20_000,
    draws: int | None = None,
) -> Estimate:
    """Return `effect_size` with its interval and its p.

    Parameters
    ----------
    x, y, a, b : ndarray of shape (n, dim)
        As in `effect_size`; two members or more in X and Y.
    rng : numpy.random.Generator
    alternative : {"greater", "less", "two-sided"}
        "greater", as in the paper: X lies closer to A.
    max_exact : int
        Arrangements of X and Y that are listed one by one at most.
    draws : int, optional
        Arrangements drawn where they are more; by default p is exact (to about 25 a side) or
        bounded, see `probes.subset_sums.subset_p`.

    Returns
    -------
    Estimate
        See `weat_of_cosines`.

    Raises
    ------
    MeasureError
        If an embedding is zero or not finite, dimensions differ, or a member stands in two sets.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(6, 8)) + np.eye(8)[0], rng.normal(size=(6, 8))
    >>> got = weat_estimate(x, y, np.eye(8)[:3], np.eye(8)[3:6], rng=rng)
    >>> got.certainty, got.n, got.clusters
    ('exact', 18, 12)
    """
    shown, other, near, far = unit_sets(X=x, Y=y, A=a, B=b)
    refuse_shared(shown, other, "X and Y")
    refuse_shared(near, far, "A and B")
    targets, attributes = np.concatenate([shown, other]), np.concatenate([near, far])
    return weat_of_cosines(
        targets @ attributes.T,
        np.arange(len(targets)) < len(shown),
        np.arange(len(attributes)) < len(near),
        rng=rng,
        alternative=alternative,
        max_exact=max_exact,
        draws=draws,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Cosines of the targets with one pair of attribute sets."""

    cosines: Floats
    """Shape (n_targets, n_attributes)."""

    is_a: Mask
    """Attributes of A, the others being of B, shape (n_attributes,)."""

    def gap(self) -> Floats:
        """Return the association of every target, shape (n_targets,)."""
        near, far = self.cosines[:, self.is_a], self.cosines[:, ~self.is_a]
        return np.asarray(near.mean(axis=1) - far.mean(axis=1), dtype=np.float64)

    def gap_left_out(self, *, of_a: bool) -> Floats:
        """Return the associations with each attribute of A, or of B, left out in turn.

        Shape (n_targets, attributes of the set).
        """
        side, sign = (self.is_a, 1) if of_a else (~self.is_a, -1)
        own, rest = self.cosines[:, side], self.cosines[:, ~side].mean(axis=1, keepdims=True)
        left = (own.sum(axis=1, keepdims=True) - own) / (own.shape[1] - 1)
        return np.asarray(sign * (left - rest), dtype=np.float64)


def weat_of_cosines(
    cosines: Sample,
    is_x: Mask,
    is_a: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "greater",
    max_exact: int = 20_000,
    draws: int | None = None,
) -> Estimate:
    """Return WEAT's d from cosines alone.

    Parameters
    ----------
    cosines : ndarray of shape (n_x + n_y, n_a + n_b)
        Of every target with every attribute.
    is_x : bool ndarray of shape (n_x + n_y,)
        Targets of X, the others being of Y; two or more of each.
    is_a : bool ndarray of shape (n_a + n_b,)
        Attributes of A, the others being of B.
    rng, alternative, max_exact, draws
        As in `weat_estimate`.

    Returns
    -------
    Estimate
        d; 0 is neutral. p from rearranging X and Y (Student's where both have more than
        `probes.similarity.labels.LARGE`). The interval covers other targets and other
        attributes of the same kinds (two-way jackknife); it needs two attributes on each side.
        ``n`` counts targets and attributes, ``clusters`` the targets.

    Raises
    ------
    MeasureError
        If a shape does not fit, a cosine is not finite or beyond 1, or a target is an attribute.

    Examples
    --------
    >>> table = np.array([[0.5, 0.1], [0.4, 0.2], [0.2, 0.2], [0.1, 0.3]])
    >>> got = weat_of_cosines(
    ...     table, np.arange(4) < 2, np.arange(2) < 1, rng=np.random.default_rng(0))
    >>> round(got.value, 3), round(got.p, 3), got.reason
    (1.549, 0.167, 'no interval: an attribute set has one member')
    """
    table = Attributes(cosines=np.asarray(cosines, dtype=np.float64), is_a=is_a)
    return weat_columns(
        [table], is_x, rng=rng, alternative=alternative, max_exact=max_exact, draws=draws
    )[0]


def weat_columns(
    tables: Sequence[Attributes],
    is_x: Mask,
    *,
    rng: np.random.Generator,
    alternative: Alternative = "greater",
    max_exact: int = 20_000,
    draws: int | None = None,
    effort: Effort = THOROUGH,
) -> tuple[Estimate, ...]:
    """Test the same targets against several pairs of attribute sets, with shared arrangements.

    Parameters
    ----------
    tables : sequence of Attributes
    is_x, rng, alternative, max_exact, draws
        As in `weat_of_cosines`, which says what is returned for each table.
    effort : Effort
        Of `probes.subset_sums.subset_p`.
    """
    if not tables:
        return ()
    for table in tables:
        checked_cosines(table.cosines, len(is_x), table.is_a)
    n = int(is_x.sum()), int((~is_x).sum())
    if min(n) < 2:
        reason = f"X and Y need 2 members each to be compared; got {n[0]} and {n[1]}"
        return tuple(undefined(reason, n=_count(t), clusters=sum(n)) for t in tables)
    gaps = np.stack([table.gap() for table in tables], axis=1)
    tested = plain_label_p(
        gaps,
        is_x,
        rng=rng,
        alternative=alternative,
        max_exact=max_exact,
        draws=draws,
        effort=effort,
    )
    values = standardised(gaps, is_x)
    return tuple(
        _estimate(table, is_x, float(values[k]), float(tested.p[k]), tested)
        for k, table in enumerate(tables)
    )


def _estimate(table: Attributes, is_x: Mask, value: float, p: float, tested: LabelP) -> Estimate:
    if np.isnan(value):
        return undefined(CONSTANT, n=_count(table), clusters=len(is_x))
    ends, reason = _interval(table, is_x)
    return Estimate(
        value=value,
        low=float(ends.low),
        high=float(ends.high),
        p=p,
        certainty=tested.certainty,
        n=_count(table),
        clusters=len(is_x),
        mde=float(ends.mde),
        reason=reason,
    )


def _interval(table: Attributes, is_x: Mask) -> tuple[Ends, str]:
    """Interval over targets and attributes, or the reason why there is none."""
    nothing = Ends(*(np.array(np.nan) for _ in range(3)))
    if min(table.is_a.sum(), (~table.is_a).sum()) < 2:
        return nothing, "no interval: an attribute set has one member"
    left = unbounded_left_out(table.gap(), is_x)
    ends = standardised_interval(
        unbounded(table.gap(), is_x),
        (int(is_x.sum()), int((~is_x).sum())),
        members=[jackknife(left[side]) for side in (is_x, ~is_x)],
        others=[
            jackknife(unbounded(table.gap_left_out(of_a=of_a), is_x)) for of_a in (True, False)
        ],
    )
    if np.isnan(ends.low):
        return nothing, "no interval: the members of a side do not differ from each other"
    return ends, ""


def _count(table: Attributes) -> int:
    return sum(table.cosines.shape)
