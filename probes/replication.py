"""Does a link found in one model come back in another: units that answer alike, and what they do.

The rows are clusters (see ``probes.clusters``) of the same stimuli, shown to both models.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.permutation import permutation_p

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Codes = NDArray[np.integer[Any]]
Sample = NDArray[np.floating[Any]]

LEVEL = 0.05
"""Share of unrelated units or sets of units that may pass for a match or for a link."""

_UNITS_AT_ONCE = 1024

_SHUFFLES = 2000
"""Shuffled units that the quantile of chance rests on, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The best partner of every unit of one model in another."""

    partner: Whole
    """Unit there that goes most with each unit here, shape (n_units_here,); -1 where the unit
    here gives the same response to everything."""

    correlation: Floats
    """Pearson's, with the partner, over clusters, or its mean over kinds of pictures; shape
    (n_units_here,)."""

    mutual: NDArray[np.bool_]
    """Whether the unit here is also the best partner of its partner."""

    by_chance: float
    """Correlation that a unit reaches with its best partner in ``1 - LEVEL`` of cases when the
    stimuli of the other model are shuffled."""

    @property
    def matched(self) -> NDArray[np.bool_]:
        """Mutual partners that go together more than by chance, shape (n_units_here,)."""
        return self.mutual & (self.correlation > self.by_chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Whether the partners of a link's units carry the same link in another model."""

    units: tuple[int, ...]
    """Units of the link here that have a partner there, in the order given."""

    partners: tuple[int, ...]
    without_partner: tuple[int, ...]
    carried: float
    """Mean contribution of the partners to the link there; NaN where no unit has a partner."""

    elsewhere: float
    """Mean contribution there of all matched units: what a set chosen at random carries."""

    p: float
    """Share of equally many matched units, drawn at random, that carry as much."""

    reason: str = ""
    """Why nothing can be said."""

    @property
    def replicates(self) -> bool:
        """Whether the partners carry the link there, more than sets chosen at random."""
        return self.carried > 0 and self.p <= LEVEL


def response_correlations(here: Sample, there: Sample) -> Floats:
    """Correlate every unit of one model with every unit of another.

    Parameters
    ----------
    here : ndarray of shape (n_clusters, n_units_here)
        Cluster means.
    there : ndarray of shape (n_clusters, n_units_there)
        Of the same clusters, in the same order.

    Returns
    -------
    ndarray of shape (n_units_here, n_units_there)
        Pearson's correlation; 0 is neutral; NaN where either unit does not vary.

    Raises
    ------
    MeasureError
        If the clusters are not the same number, fewer than 3, or a value is not finite.

    Examples
    --------
    >>> response_correlations(np.array([[1.0], [2], [3]]), np.array([[2.0], [4], [6]])).round(6)
    array([[1.]])
    """
    _check(here, there)
    found: Floats = _standard(here).T @ _standard(there)
    return np.clip(found, -1, 1)


def match_units(
    here: Sample, there: Sample, *, rng: np.random.Generator, kinds: Codes | None = None
) -> Matches:
    """Find the best-matching unit of another model for every unit of this one.

    Parameters
    ----------
    here : ndarray of shape (n_clusters, n_units_here)
        Cluster means; one row per cluster, never per stimulus.
    there : ndarray of shape (n_clusters, n_units_there)
        Of the same clusters, in the same order.
    rng : numpy.random.Generator
        Shuffles clusters, for each unit anew, for ``by_chance``.
    kinds : int ndarray of shape (n_clusters,), optional
        Kind of picture of each cluster, e.g. 0 for rendered words and 1 for photos. Units are
        then correlated within each kind, every kind has one vote, and clusters are shuffled
        within their kind: that all units tell words from photos makes no partners. A unit that
        does not vary in a kind goes with nobody there.

    Returns
    -------
    Matches

    Raises
    ------
    MeasureError
        If the clusters are not the same number, a kind has fewer than 3, or a value is not
        finite.

    Notes
    -----
    Partners are sought among positive correlations: a unit that answers where another is silent
    is another unit. What is matched here are responses to what was shown and nothing else.

    References
    ----------
    Li et al. (2015), Convergent learning, arXiv 1511.07543; Dravid et al. (2023), Rosetta
    neurons, ICCV, for mutual nearest neighbours.
    """
    _check(here, there)
    rows = _rows_of_kinds(len(here), kinds)
    left, right = _standard_within(here, rows), _standard_within(there, rows)
    partner, correlation = _best(left, right)
    back, _ = _best(right, left)
    mutual = (partner >= 0) & (back[partner] == np.arange(len(partner)))
    return Matches(
        partner=partner,
        correlation=correlation,
        mutual=mutual,
        by_chance=_by_chance(left, right, rows, rng),
    )


def replicate(
    units: Collection[int],
    matches: Matches,
    carried_there: Sample,
    *,
    rng: np.random.Generator,
    draws: int = 9999,
) -> Replication:
    """Ask whether the partners of a link's units carry the same link in the other model.

    Parameters
    ----------
    units : collection of int
        Units that carry the link here, as chosen here: nothing of the other model may have been
        looked at.
    matches : Matches
        Of this model's units in the other one.
    carried_there : ndarray of shape (n_units_there,)
        Contribution of each unit there to the same contrast, e.g. double difference of its
        response times the harm direction's weight on it; 0 is neutral, positive carries the link.
    rng : numpy.random.Generator
    draws : int
        Sets of equally many matched units that are drawn without regard to the link.

    Returns
    -------
    Replication
        ``replicates`` is true where the partners carry the link (``carried > 0``) and at most
        5 % of random sets carry as much.

    Raises
    ------
    MeasureError
        If a unit is not one of this model's or a partner's contribution is missing.
    """
    asked = _asked(units, matches)
    pool = matches.partner[matches.matched]
    _check_contributions(carried_there, pool)
    with_one = [u for u in asked if matches.matched[u]]
    without = tuple(u for u in asked if not matches.matched[u])
    values = np.asarray(carried_there, dtype=np.float64)[pool]
    elsewhere = float(values.mean()) if len(values) else float("nan")
    if not with_one or len(pool) <= len(with_one):
        why = "no unit of the link has a partner" if not with_one else "no other unit has a partner"
        return Replication(
            units=tuple(with_one), partners=(), without_partner=without,
            carried=float("nan"), elsewhere=elsewhere, p=float("nan"), reason=why,
        )  # fmt: skip
    partners = matches.partner[with_one]
    carried = float(np.asarray(carried_there, dtype=np.float64)[partners].mean())
    drawn = [float(rng.choice(values, len(with_one), replace=False).mean()) for _ in range(draws)]
    return Replication(
        units=tuple(with_one),
        partners=tuple(int(u) for u in partners),
        without_partner=without,
        carried=carried,
        elsewhere=elsewhere,
        p=permutation_p(carried, drawn, exact=False),
    )


def _check(here: Sample, there: Sample) -> None:
    if here.ndim != 2 or there.ndim != 2 or len(here) != len(there) or len(here) < 3:
        raise MeasureError(
            "Both models need one row for each of the same clusters, at least 3; "
            f"got shapes {here.shape} and {there.shape}."
        )
    if not (here.shape[1] and there.shape[1]):
        raise MeasureError(f"Both models need a unit; got {here.shape[1]} and {there.shape[1]}.")
    if not (np.isfinite(here).all() and np.isfinite(there).all()):
        raise MeasureError("Responses must be finite; got NaN or infinity.")


def _rows_of_kinds(n: int, kinds: Codes | None) -> list[Whole]:
    """Rows of each kind of picture."""
    if kinds is None:
        return [np.arange(n)]
    counts = np.unique(kinds, return_counts=True)[1]
    if kinds.shape != (n,) or counts.min() < 3:
        raise MeasureError(
            f"Every one of {n} clusters needs a kind, and every kind at least 3 clusters; got "
            f"shape {kinds.shape} and kinds of {counts.tolist()} clusters."
        )
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]


def _standard_within(values: Sample, rows: Sequence[Whole]) -> Floats:
    """Centre and scale columns within each kind; one that varies in none becomes NaN.

    The product of two columns is the mean over kinds of their correlations.
    """
    parts = [_standard(values[index]) for index in rows]
    still = np.all([np.isnan(part[0]) for part in parts], axis=0)
    scaled = np.empty(values.shape, dtype=np.float64)
    for index, part in zip(rows, parts, strict=True):
        scaled[index] = np.nan_to_num(part) / np.sqrt(len(rows))
    return np.where(still, np.nan, scaled)


def _standard(values: Sample) -> Floats:
    """Centre and scale columns to length 1; one that does not vary becomes NaN."""
    wide = np.asarray(values, dtype=np.float64)
    centred = wide - wide.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    varies = length > 1e-12 * np.maximum(1e-300, np.abs(wide).max(axis=0)) * np.sqrt(len(wide))
    scaled: Floats = centred / np.where(varies, length, np.nan)
    return scaled


def _best(left: Floats, right: Floats) -> tuple[Whole, Floats]:
    """Partner on the right of each unit on the left, and their correlation."""
    n = left.shape[1]
    partner, best = np.full(n, -1, dtype=np.intp), np.full(n, np.nan)
    lively = np.flatnonzero(~np.isnan(right[0]))
    if not len(lively):
        return partner, best
    for first in range(0, n, _UNITS_AT_ONCE):
        block = slice(first, first + _UNITS_AT_ONCE)
        found = left[:, block].T @ right[:, lively]
        known = ~np.isnan(found[:, 0])
        place = np.argmax(np.nan_to_num(found, nan=-np.inf), axis=1)
        partner[block] = np.where(known, lively[place], -1)
        best[block] = np.where(known, found[np.arange(len(found)), place], np.nan)
    return partner, np.clip(best, -1, 1)


def _by_chance(
    left: Floats, right: Floats, rows: Sequence[Whole], rng: np.random.Generator
) -> float:
    """Upper quantile of the best correlation of units whose clusters are shuffled, each anew."""
    rounds = -(-_SHUFFLES // left.shape[1])
    drawn = [_best(_shuffled(left, rows, rng), right)[1] for _ in range(rounds)]
    best = np.concatenate(drawn)
    known = best[~np.isnan(best)]
    if not len(known):
        return float("nan")
    return float(np.quantile(known, 1 - LEVEL, method="higher"))


def _shuffled(values: Floats, rows: Sequence[Whole], rng: np.random.Generator) -> Floats:
    moved = np.empty_like(values)
    for index in rows:
        moved[index] = rng.permuted(values[index], axis=0)
    return moved


def _asked(units: Collection[int], matches: Matches) -> list[int]:
    asked = list(dict.fromkeys(int(u) for u in units))
    strange = [u for u in asked if not 0 <= u < len(matches.partner)]
    if strange or not asked:
        raise MeasureError(
            f"The units of a link must be among the {len(matches.partner)} of this model; "
            f"got {strange[:5] if strange else 'none'}."
        )
    return asked


def _check_contributions(carried: Sample, pool: Whole) -> None:
    enough = carried.ndim == 1 and (not len(pool) or len(carried) > int(pool.max()))
    if not enough or not np.isfinite(carried[pool]).all():
        raise MeasureError(
            "Every matched unit of the other model needs a finite contribution; "
            f"got shape {carried.shape}."
        )
