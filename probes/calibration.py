"""The audit's own error rates, measured on its own scores (decision.md, step 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from probes.arms import ArmScores
from probes.contrast import RESOLUTION, contrasts, control_null, family_differences
from probes.errors import MeasureError
from probes.intervals import clopper_pearson, exact_binomial_p
from probes.moderation import moderated_variance
from probes.widths import Widths

Array = NDArray[np.float64]

NOMINAL = 0.05
STOP = 0.001
"""An exact binomial p below this says that the null does not hold on this model."""

STRENGTHS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Strengths of the plants, in control standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudoHarms:
    """Every control pack in turn tested as if it were a harm; arrays are flat and aligned."""

    t: Array
    """T of each (identity concept, control pack)."""

    sd: Array
    """Control standard deviation of the same test."""

    effect: Array
    se: Array
    df: Array
    """Degrees of freedom: one less than the control packs that were left."""


def pseudo_harms(
    differences: Array, *, widths: Array | None = None, df: float | None = None
) -> PseudoHarms:
    """Test each control pack against the others, for every identity concept of a family.

    Parameters
    ----------
    differences : ndarray of shape (n_concepts, n_controls)
        Family differences of the control packs.
    widths : ndarray of shape (n_concepts, n_controls), optional
        How much wider each pack lies from everybody, as harm packs get it; 1 by default.
    df : float, optional
        Degrees of freedom, where the widths were estimated; two less than the packs by default.

    Returns
    -------
    PseudoHarms
        Flat arrays of n_controls x n_concepts tests, control by control.

    Raises
    ------
    MeasureError
        If fewer than two control packs are left as the null.
    """
    n_controls = differences.shape[1]
    if n_controls < 3:
        raise MeasureError(
            "Controls can be tested against each other from 3 packs on; "
            f"got {n_controls}. Add control packs."
        )
    rest = n_controls - 1
    centred = differences - differences.mean(axis=1, keepdims=True)
    # Mean and variance of the others follow from those of all: n fits become one.
    effect = centred * n_controls / rest
    squares = (centred**2).sum(axis=1, keepdims=True) - centred**2 * n_controls / rest
    sd = np.sqrt(moderated_variance(np.maximum(squares, 0) / (rest - 1), rest - 1))
    sd = np.where(sd > RESOLUTION, sd, np.nan)
    se = sd * np.sqrt(1 + 1 / rest) * (1.0 if widths is None else widths)
    return PseudoHarms(
        t=(effect / se).T.ravel(),
        sd=sd.T.ravel(),
        effect=effect.T.ravel(),
        se=se.T.ravel(),
        df=np.full(effect.size, float(rest - 1) if df is None else df),
    )


def dealt_pseudo_harms(differences: Array, pack_size: int, rng: np.random.Generator) -> PseudoHarms:
    """Test packs dealt from single labels, each against the labels that are left.

    Parameters
    ----------
    differences : ndarray of shape (n_concepts, n_labels)
        Family differences of the single labels.
    pack_size : int
        Labels of a pack.
    rng : numpy.random.Generator
        Deals the packs; every label is in one at most.

    Returns
    -------
    PseudoHarms
        Flat arrays of n_packs x n_concepts tests, pack by pack.
    """
    order = rng.permutation(differences.shape[1])
    packs = []
    for start in range(0, len(order) - pack_size + 1, pack_size):
        chosen = np.s_[start : start + pack_size]
        pack, rest = order[chosen], np.delete(order, chosen)
        null = control_null(differences[:, rest], pack_size)
        test = contrasts(differences[:, pack].mean(axis=1, keepdims=True), null)
        packs.append(
            PseudoHarms(
                t=test.t[:, 0],
                sd=test.sd[:, 0],
                effect=test.effect[:, 0],
                se=test.se[:, 0],
                df=np.full(len(test.t), float(test.df)),
            )
        )
    return join(packs)


def join(parts: Sequence[PseudoHarms]) -> PseudoHarms:
    """Put the pseudo-harm tests of several families together."""
    return PseudoHarms(
        t=np.concatenate([part.t for part in parts]),
        sd=np.concatenate([part.sd for part in parts]),
        effect=np.concatenate([part.effect for part in parts]),
        se=np.concatenate([part.se for part in parts]),
        df=np.concatenate([part.df for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionRate:
    """How often harmless packs were called harmful."""

    tests: int
    rejections: int
    low: float
    high: float
    """Exact 95 % (Clopper-Pearson) interval of the rate."""

    p_value: float
    """Exact binomial p of this many rejections or more at the nominal rate; NaN without tests."""

    @property
    def passed(self) -> bool:
        """Whether the null may be believed on this model; never where nothing was tested."""
        return self.p_value >= STOP


def rejection_rate(t: Array, df: Array, *, nominal: float = NOMINAL) -> RejectionRate:
    """Count rejections among tests whose null is true and compare them with nominal.

    Parameters
    ----------
    t, df : ndarray of shape (n_tests,)
        Statistics and their degrees of freedom; NaN is left out.
    nominal : float
        One-sided level of each test.

    Returns
    -------
    RejectionRate
        The binomial test treats the tests as independent; they share controls, so the p is a
        threshold for stopping, not an estimate.

    Examples
    --------
    >>> rejection_rate(np.array([0.0, 0.1, 5.0, -1.0]), np.full(4, 39.0)).rejections
    1
    """
    keep = ~np.isnan(t)
    known = t[keep]
    if not len(known):
        return RejectionRate(tests=0, rejections=0, low=0.0, high=1.0, p_value=float("nan"))
    rejections = int((stats.t.sf(known, df[keep]) < nominal).sum())
    interval = clopper_pearson(rejections, len(known))
    return RejectionRate(
        tests=len(known),
        rejections=rejections,
        low=float(interval.low),
        high=float(interval.high),
        p_value=exact_binomial_p(rejections, len(known), nominal),
    )


def recall(
    harmless: PseudoHarms, *, critical: float, delta0: float, strengths: Sequence[float] = STRENGTHS
) -> Array:
    """Share of plants that the rule *found* would find, by strength.

    Parameters
    ----------
    harmless : PseudoHarms
        Contrasts without a link; a plant adds ``strength`` control SD to each in turn.
    critical : float
        Simultaneous critical value of the audit's blocking list.
    delta0 : float
        Smallest effect that matters, in control SD.
    strengths : sequence of float
        In control SD.

    Returns
    -------
    ndarray of shape (n_strengths,)
        Shares in [0, 1]; NaN where there is nothing to plant in.
    """
    known = ~np.isnan(harmless.t)
    if not known.any():
        return np.full(len(strengths), np.nan)
    effect, se, sd = harmless.effect[known], harmless.se[known], harmless.sd[known]
    return np.array([((effect + s * sd - critical * se) > delta0 * sd).mean() for s in strengths])


def smallest_seen(
    harmless: PseudoHarms, *, critical: float, delta0: float, power: float = 0.8
) -> float:
    """Return the smallest plant that the rule *found* finds with the given probability.

    Parameters
    ----------
    harmless, critical, delta0
        As in `recall`.
    power : float
        Share of the plants that must be found.

    Returns
    -------
    float
        In control SD; NaN where there is nothing to plant in.

    Examples
    --------
    >>> flat = PseudoHarms(t=np.zeros(5), sd=np.ones(5), effect=np.zeros(5), se=np.ones(5),
    ...     df=np.full(5, 38.0))
    >>> smallest_seen(flat, critical=3.0, delta0=1.0)
    4.0
    """
    known = ~np.isnan(harmless.t)
    if not known.any():
        return float("nan")
    effect, se, sd = harmless.effect[known], harmless.se[known], harmless.sd[known]
    needed = delta0 + (critical * se - effect) / sd
    return float(np.quantile(needed, power, method="higher"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Control packs against what the null predicts; on the diagonal the null holds."""

    expected: Array
    """Standard normal quantiles."""

    observed: Array
    """T of each pseudo-harm as the normal deviate with the same tail probability."""


def quantiles(t: Array, df: Array, *, n_points: int = 61) -> Quantiles:
    """Return matched quantiles of the pseudo-harm statistics and of the null."""
    keep = ~np.isnan(t)
    # Tails are taken on the near side: the far one rounds to 1, whose deviate is infinite.
    tails = np.maximum(stats.t.sf(np.abs(t[keep]), df[keep]), np.finfo(np.float64).tiny)
    observed = np.sort(np.sign(t[keep]) * stats.norm.isf(tails))
    if not len(observed):
        return Quantiles(expected=np.empty(0), observed=np.empty(0))
    levels = (np.arange(len(observed)) + 0.5) / len(observed)
    chosen = np.unique(np.linspace(0, len(observed) - 1, n_points).round().astype(int))
    return Quantiles(
        expected=np.asarray(stats.norm.ppf(levels[chosen]), dtype=np.float64),
        observed=np.asarray(observed[chosen], dtype=np.float64),
    )


def relabelled_rejections(
    scores: ArmScores,
    packs: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    *,
    rounds: int = 20,
) -> float:
    """Rejection rate after shuffling terms over packs: a check of the code, not of the null.

    Parameters
    ----------
    scores : ArmScores
        Scores of the arm.
    packs : mapping
        Family to its control packs.
    rng : numpy.random.Generator
        Source of the shuffles.
    rounds : int
        Number of shuffles.

    Returns
    -------
    float
        Share of rejections at nominal 5 %; about 0.05 when the code is right.
    """
    by_column = {
        family: np.stack(
            [scores.scores[scores.identities[c]].mean(axis=0) for c in scores.families[family]]
        )
        for family in packs
    }
    tests = join([_shuffled(by_column, scores, packs, rng) for _ in range(rounds)])
    return rejection_share(tests.t, tests.df)


def _shuffled(
    by_column: Mapping[str, Array],
    scores: ArmScores,
    packs: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
) -> PseudoHarms:
    """Test control packs whose terms were shuffled, every family alike."""
    differences = {}
    for family, controls in packs.items():
        sizes = np.array([len(scores.packs[c]) for c in controls])
        shuffled = rng.permutation(np.concatenate([scores.packs[c] for c in controls]))
        starts = np.cumsum(sizes) - sizes
        totals = np.add.reduceat(by_column[family][:, shuffled], starts, axis=1)
        differences[family] = family_differences(totals / sizes)
    return join([pseudo_harms(values) for values in differences.values()])


def widened_pseudo_harms(controls: Mapping[str, Array], widths: Widths) -> PseudoHarms:
    """Test each control pack against the others in every family, as wide as it lies.

    Parameters
    ----------
    controls : mapping of str to ndarray
        Family to family differences of shape (n_concepts, n_controls).
    widths : Widths
        From `probes.widths.pack_widths`.
    """
    return join(
        [
            pseudo_harms(values, widths=widths.controls[family], df=widths.df(values.shape[1] - 2))
            for family, values in controls.items()
        ]
    )


def widths_as_harms(widths: Widths) -> dict[str, Array]:
    """Return how wide a harm pack in the place of each control pack would lie.

    A plant stands for a link to a harm pack, so it is judged as one: with the pack's own width and
    with what harm packs in general are wider than control packs.

    Parameters
    ----------
    widths : Widths
        From `probes.widths.pack_widths`.

    Returns
    -------
    dict of str to ndarray
        Family to factors of shape (n_concepts, n_controls), none below those of the controls.
    """
    more = (1 - widths.weight) * (widths.common**2 - 1)
    return {family: np.sqrt(own**2 + more) for family, own in widths.controls.items()}


def widened(tests: PseudoHarms, factors: Array) -> PseudoHarms:
    """Return tests with standard errors widened by factors of the shape of ``tests.t``."""
    return replace(tests, se=tests.se * factors, t=tests.t / factors)


def rejection_share(t: Array, df: Array, *, nominal: float = NOMINAL) -> float:
    """Share of one-sided rejections at ``nominal``; NaN where nothing was tested."""
    keep = ~np.isnan(t)
    rejected = stats.t.sf(t[keep], df[keep]) < nominal
    return float(rejected.mean()) if keep.any() else float("nan")
