"""Intervals for proportions, means, differences, correlations and areas under the curve.

All work elementwise on arrays and return NaN where an interval is undefined. The clusters are
the sample: pass the number of clusters, or one value per cluster, never stimuli.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from probes.errors import MeasureError

Floats = NDArray[np.float64]
Sample = NDArray[np.floating[Any]]


class Interval(NamedTuple):
    """Lower and upper ends, of one shape."""

    low: Floats
    high: Floats


def tail(confidence: float) -> float:
    """Return the share that an interval may miss on each side.

    Raises
    ------
    MeasureError
        If the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise MeasureError(f"A confidence must lie between 0 and 1; got {confidence}.")
    return (1 - confidence) / 2


def normal_quantile(confidence: float) -> float:
    """Return the standard normal quantile of a two-sided interval.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return -float(special.ndtri(tail(confidence)))


def t_quantile(freedom: ArrayLike, *, confidence: float = 0.95) -> Floats:
    """Return the two-sided quantile of Student's t, fast enough for millions of values.

    The expansion of Cornish and Fisher: within 0.1 % of the exact quantile from 4 degrees of
    freedom on at 95 %.

    Parameters
    ----------
    freedom : array_like
        Degrees of freedom, whole or not.

    References
    ----------
    Abramowitz & Stegun (1964), 26.7.5.

    Examples
    --------
    >>> float(t_quantile(10.0).round(3))
    2.228
    """
    z, v = normal_quantile(confidence), np.asarray(freedom, dtype=np.float64)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(z + sum(term / v ** (k + 1) for k, term in enumerate(terms)))


def wilson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Interval of a proportion by inverting the score test.

    Parameters
    ----------
    successes : array_like
        Count, or a sum of shares, between 0 and ``n``.
    n : array_like
        Independent trials; 0 gives NaN.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> low, high = wilson(0, 10)
    >>> float(low.round(3)), float(high.round(3))
    (0.0, 0.278)
    """
    hits, trials = _counts(successes, n)
    z = normal_quantile(confidence)
    share = hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    # rounding must not leave an end on the wrong side of an observed 0 or 1
    return Interval(
        np.minimum(np.maximum(centre - half, 0), share),
        np.maximum(np.minimum(centre + half, 1), share),
    )


def clopper_pearson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Exact interval of a proportion: never covers less than it says.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26, 404-413.
    """
    hits, trials = _counts(successes, n)
    missed = tail(confidence)
    low = np.where(hits > 0, stats.beta.ppf(missed, hits, trials - hits + 1), 0.0)
    high = np.where(hits < trials, stats.beta.ppf(1 - missed, hits + 1, trials - hits), 1.0)
    empty = np.isnan(trials)
    return Interval(np.where(empty, np.nan, low), np.where(empty, np.nan, high))


def exact_binomial_p(hits: int, n: int, rate: float, *, alternative: str = "greater") -> float:
    """Exact p of ``hits`` in ``n`` trials when each succeeds with ``rate``; for calibration.

    Examples
    --------
    >>> round(exact_binomial_p(3, 3, 0.5), 3)
    0.125
    """
    if not 0 <= hits <= n or n < 1:
        raise MeasureError(f"Hits must lie between 0 and the trials; got {hits} of {n}.")
    return float(stats.binomtest(hits, n, rate, alternative=alternative).pvalue)


def newcombe(
    successes: ArrayLike,
    n: ArrayLike,
    other_successes: ArrayLike,
    other_n: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Interval of a difference of two independent proportions, from their Wilson intervals.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    hits, trials = _counts(successes, n)
    other_hits, other_trials = _counts(other_successes, other_n)
    return difference(
        hits / trials,
        wilson(hits, trials, confidence=confidence),
        other_hits / other_trials,
        wilson(other_hits, other_trials, confidence=confidence),
    )


def difference(
    value: ArrayLike, interval: Interval, other: ArrayLike, other_interval: Interval
) -> Interval:
    """Interval of ``value - other`` from the intervals of two independent estimates.

    References
    ----------
    Zou & Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    here, there = np.asarray(value, dtype=np.float64), np.asarray(other, dtype=np.float64)
    gap = here - there
    down = np.hypot(here - interval.low, other_interval.high - there)
    up = np.hypot(interval.high - here, there - other_interval.low)
    return Interval(gap - down, gap + up)


def fisher_z(r: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Interval of a correlation over ``n`` clusters; NaN below 4.

    References
    ----------
    Fisher (1921), Metron 1, 3-32.
    """
    given = np.asarray(r, dtype=np.float64)
    free = np.asarray(n, dtype=np.float64) - 3
    with np.errstate(divide="ignore", invalid="ignore"):
        half = normal_quantile(confidence) / np.sqrt(np.where(free > 0, free, np.nan))
        z = np.arctanh(given)
        return Interval(np.tanh(z - half), np.tanh(z + half))


def t_interval(values: Sample, *, confidence: float = 0.95) -> Interval:
    """Interval of the mean over clusters (first axis); NaN below 2 clusters.

    Examples
    --------
    >>> low, high = t_interval(np.array([1.0, 2.0, 3.0]))
    >>> float(low.round(2)), float(high.round(2))
    (-0.48, 4.48)
    """
    missed = tail(confidence)
    n = len(values)
    if n < 2:
        undefined = np.full(values.shape[1:], np.nan)
        return Interval(undefined, undefined)
    mean = values.mean(axis=0, dtype=np.float64)
    error = values.std(axis=0, ddof=1, dtype=np.float64) / np.sqrt(n)
    half = stats.t.ppf(1 - missed, n - 1) * error
    return Interval(mean - half, mean + half)


def welch_freedom(
    part: ArrayLike, n: ArrayLike, other_part: ArrayLike, other_n: ArrayLike
) -> Floats:
    """Return the degrees of freedom of a variance that is the sum of two parts.

    Parameters
    ----------
    part, other_part : array_like
        What each sample adds to the variance of the estimate.
    n, other_n : array_like
        Clusters in each sample.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.
    """
    here, there = np.asarray(part, dtype=np.float64), np.asarray(other_part, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = here**2 / (np.asarray(n) - 1) + there**2 / (np.asarray(other_n) - 1)
        return np.asarray((here + there) ** 2 / spread, dtype=np.float64)


def delong_variance(shown: Sample, hidden: Sample) -> tuple[float, float]:
    """Return what each of two samples of scores adds to the variance of their area.

    Parameters
    ----------
    shown, hidden : ndarray
        One score per cluster, with and without the concept.

    Returns
    -------
    tuple of float
        The parts of ``shown`` and of ``hidden``; NaN below two clusters in either.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    if min(len(shown), len(hidden)) < 2:
        return float("nan"), float("nan")
    ahead = np.sign(shown[:, None] - hidden[None, :]) / 2 + 0.5
    return (
        float(ahead.mean(axis=1).var(ddof=1) / len(shown)),
        float(ahead.mean(axis=0).var(ddof=1) / len(hidden)),
    )


def area_interval(
    area: ArrayLike,
    parts: tuple[ArrayLike, ArrayLike],
    n_shown: ArrayLike,
    n_hidden: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Interval of an area under the curve, on the logit scale, with Student's t.

    Where the samples separate completely the variance is 0, but the truth need not be 1: their
    ``m = min(n_shown, n_hidden)`` disjoint pairs are all in order with probability at most
    ``area ** m``, so the far end is the area at which that probability is what the interval may
    miss on one side.

    Parameters
    ----------
    area : array_like
        Area under the curve.
    parts : pair of array_like
        DeLong's variance of it, as what each sample adds.
    n_shown, n_hidden : array_like
        Clusters with and without the concept.

    References
    ----------
    Pepe (2003), The Statistical Evaluation of Medical Tests, section 5.2; Brunner & Munzel
    (2000), Biometrical Journal 42, 17-25, for the degrees of freedom.
    """
    given = np.asarray(area, dtype=np.float64)
    one, other = (np.asarray(part, dtype=np.float64) for part in parts)
    certain = (given <= 0) | (given >= 1)
    inner = np.where(certain, 0.5, given)
    quantile = t_quantile(welch_freedom(one, n_shown, other, n_hidden), confidence=confidence)
    half = quantile * np.sqrt(one + other) / (inner * (1 - inner))
    with np.errstate(divide="ignore"):
        reach = tail(confidence) ** (1 / np.minimum(n_shown, n_hidden))
    low, high = (
        special.expit(special.logit(inner) - half),
        special.expit(special.logit(inner) + half),
    )
    return Interval(
        np.where(given >= 1, reach, np.where(given <= 0, 0.0, low)),
        np.where(given <= 0, 1 - reach, np.where(given >= 1, 1.0, high)),
    )


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Check that counts fit, with NaN in place of 0 trials."""
    hits, trials = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    )
    wrong = (hits < 0) | (hits > trials * (1 + 1e-9)) | (trials < 0)
    if wrong.any():
        at = np.flatnonzero(np.ravel(wrong))[0]
        raise MeasureError(
            "Successes must lie between 0 and the number of trials; "
            f"got {np.ravel(hits)[at]:g} of {np.ravel(trials)[at]:g}."
        )
    return np.minimum(hits, trials), np.where(trials > 0, trials, np.nan)
