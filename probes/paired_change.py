"""How much a contrast changed between two models, paired over the same stimuli.

The same group, harm and control terms were shown to both. What is asked is the audit's own question
of the change: did this group and this harm move together by more than the group and harmless packs
did? Effects of each model are first divided by its own control standard deviation, since cosines
of two models have no common scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from probes.errors import MeasureError

Array = NDArray[np.float64]

FEWEST_CONTROLS = 3
"""Fewer control packs have no spread to speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Scores of one contrast in one model, in its own control standard deviations."""

    clusters: Mapping[str, Array]
    """Identity concept of the family to shape (n_clusters,): mean over the harm's terms minus mean
    over control packs, for each cluster (a person, a word)."""

    harm: Array
    """Family difference of every harm term, shape (n_terms,)."""

    controls: Mapping[str, Array]
    """Control pack to the family differences of its terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedChange:
    """Effect after minus effect before, in control standard deviations; 0 is neutral."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided; 1 where nothing changed at all."""

    se: float
    """The larger of the two below."""

    se_controls: float
    """From how far control packs changed."""

    se_stimuli: float
    """From how unevenly clusters and terms changed."""

    df: float
    n_clusters: int
    """Of the identity."""

    n_terms: int
    n_controls: int


def paired_change(
    identity: str, before: Margins, after: Margins, *, confidence: float = 0.95
) -> PairedChange:
    """Estimate a change and how sure it is.

    Parameters
    ----------
    identity : str
        The concept whose contrast it is; the other keys of ``clusters`` are the rest of its family.
    before, after : Margins
        Of the same stimuli in the same order.
    confidence : float
        Of the interval.

    Returns
    -------
    PairedChange
        Its standard error is the larger of two: how far harmless control packs moved from the
        group (a change that everything went through is none of this harm), and how unevenly the
        clusters of the family and the terms moved (a change that rests on one person or one
        term is none of the group).

    Raises
    ------
    MeasureError
        If the stimuli of both do not agree, or there are fewer than 3 control packs.

    References
    ----------
    decision.md, steps 3 to 5, applied to differences; Welch (1947) for the degrees of freedom.

    Examples
    --------
    >>> same = Margins(clusters={"a": np.array([1.0, 2.0]), "b": np.array([0.0, 1.0])},
    ...     harm=np.array([1.0, 1.0]), controls={k: np.array([0.0]) for k in "xyz"})
    >>> found = paired_change("a", same, same)
    >>> found.value, found.low, found.high, found.p
    (0.0, 0.0, 0.0, 1.0)
    """
    _require_alike(identity, before, after)
    moved = {name: after.clusters[name] - rows for name, rows in before.clusters.items()}
    terms = after.harm - before.harm
    packs = np.array([(after.controls[c] - t).mean() for c, t in before.controls.items()])
    others = [rows for name, rows in moved.items() if name != identity]
    value = float(moved[identity].mean() - np.mean([rows.mean() for rows in others]))
    n_controls = len(packs)
    se_controls = float(packs.std(ddof=1) * np.sqrt(1 + 1 / n_controls))
    parts = [_part(moved[identity], 1.0), *(_part(rows, 1 / len(others)) for rows in others)]
    parts += [_part(terms, 1.0), _part(packs, 1.0)]
    variance = sum(part for part, _ in parts)
    se_stimuli = float(np.sqrt(variance))
    by_controls = se_controls >= se_stimuli
    df = float(n_controls - 1) if by_controls else _welch(parts, variance)
    se = max(se_controls, se_stimuli)
    reach = float(stats.t.ppf((1 + confidence) / 2, df)) * se if se > 0 else 0.0
    return PairedChange(
        value=value,
        low=value - reach,
        high=value + reach,
        p=_p_value(value, se, df),
        se=se,
        se_controls=se_controls,
        se_stimuli=se_stimuli,
        df=df,
        n_clusters=len(moved[identity]),
        n_terms=len(terms),
        n_controls=n_controls,
    )


def _p_value(value: float, se: float, df: float) -> float:
    if se == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stats.t.sf(abs(value) / se, df))


def _part(values: Array, weight: float) -> tuple[float, int]:
    """Return the variance of a weighted mean, and its degrees of freedom."""
    n = len(values)
    if n < 2:
        return 0.0, 1
    return float(weight**2 * values.var(ddof=1) / n), n - 1


def _welch(parts: list[tuple[float, int]], variance: float) -> float:
    spread = sum(part**2 / df for part, df in parts)
    return variance**2 / spread if spread > 0 else float(parts[0][1])


def _require_alike(identity: str, before: Margins, after: Margins) -> None:
    sides = (before.clusters, after.clusters), (before.controls, after.controls)
    shapes = [
        {name: rows.shape for name, rows in one.items()} == {n: r.shape for n, r in other.items()}
        for one, other in sides
    ]
    if not all(shapes) or before.harm.shape != after.harm.shape:
        raise MeasureError(
            "A paired change needs the same clusters, terms and control packs on both sides; they "
            "differ. Pair what both have, and leave out the rest."
        )
    if identity not in before.clusters or len(before.clusters) < 2:
        raise MeasureError(
            f"A paired change needs the clusters of {identity} and of another concept of its "
            f"family; got {sorted(before.clusters)}."
        )
    if len(before.controls) < FEWEST_CONTROLS:
        raise MeasureError(
            f"A paired change needs {FEWEST_CONTROLS} control packs at least; got "
            f"{len(before.controls)}."
        )
