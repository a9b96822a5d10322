"""Intervals of any statistic by drawing clusters with replacement."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from probes.errors import MeasureError
from probes.intervals import Interval, tail

MIN_RESAMPLED = 12
"""Clusters below which a bootstrap covers too little (91 % instead of 95 % at 8 clusters)."""

Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.intp]], ArrayLike],
    n_clusters: int,
    *,
    rng: np.random.Generator,
    strata: Codes | None = None,
    draws: int = 2000,
    confidence: float = 0.95,
    corrected: bool = True,
) -> Interval:
    """Interval of any statistic by drawing clusters with replacement.

    Parameters
    ----------
    statistic : callable
        Takes the indices of the drawn clusters, returns a number or an array of fixed shape.
    n_clusters : int
        Fewer than ``MIN_RESAMPLED`` (in the smallest stratum) give NaN.
    rng : numpy.random.Generator
    strata : int ndarray of shape (n_clusters,), optional
        Clusters are drawn within their stratum, e.g. with and without the label.
    draws : int
    confidence : float
    corrected : bool
        Bias-corrected and accelerated (the default), or plain percentiles.

    References
    ----------
    Efron (1987), Journal of the American Statistical Association 82, 171-185.
    """
    groups = _strata(n_clusters, strata)
    observed = np.asarray(statistic(np.arange(n_clusters)), dtype=np.float64)
    missed = tail(confidence)
    if min(len(group) for group in groups) < MIN_RESAMPLED:
        undefined = np.full(observed.shape, np.nan)
        return Interval(undefined, undefined)
    drawn = np.stack(
        [
            np.asarray(
                statistic(np.concatenate([rng.choice(group, len(group)) for group in groups])),
                dtype=np.float64,
            )
            for _ in range(draws)
        ]
    )
    levels = np.array([missed, 1 - missed])[:, *([None] * observed.ndim)] + np.zeros(observed.shape)
    if corrected:
        levels = _corrected(levels, observed, drawn, _left_out(statistic, groups))
    return Interval(_quantiles(drawn, levels[0]), _quantiles(drawn, levels[1]))


def _strata(n_clusters: int, strata: Codes | None) -> list[NDArray[np.intp]]:
    if strata is None:
        return [np.arange(n_clusters)]
    if strata.shape != (n_clusters,):
        raise MeasureError(
            f"Strata must name one stratum per cluster; got shape {strata.shape} "
            f"for {n_clusters} clusters."
        )
    return [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]


def _left_out(
    statistic: Callable[[NDArray[np.intp]], ArrayLike], groups: list[NDArray[np.intp]]
) -> Floats:
    """Values of the statistic with one cluster left out, shape (n_clusters, ...)."""
    everyone = np.concatenate(groups)
    return np.stack(
        [
            np.asarray(statistic(np.delete(everyone, left_out)), dtype=np.float64)
            for left_out in range(len(everyone))
        ]
    )


def _corrected(levels: Floats, observed: Floats, drawn: Floats, left_out: Floats) -> Floats:
    """Percentile levels after the corrections for bias and for skew."""
    below = (np.sum(drawn < observed, axis=0) + np.sum(drawn <= observed, axis=0)) / 2
    shift = special.ndtri(below / len(drawn))
    pull = left_out.mean(axis=0) - left_out
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.sum(pull**3, axis=0) / (6 * np.sum(pull**2, axis=0) ** 1.5)
        reach = shift + special.ndtri(levels)
        moved: Floats = special.ndtr(shift + reach / (1 - skew * reach))
    return moved


def _quantiles(drawn: Floats, level: Floats) -> Floats:
    """Quantile of each statistic at its own level; NaN where the level or a draw is NaN."""
    flat, wanted = drawn.reshape(len(drawn), -1), np.ravel(level)
    each = [
        np.quantile(column, at) if np.isfinite(at) and np.isfinite(column).all() else np.nan
        for column, at in zip(flat.T, wanted, strict=True)
    ]
    return np.reshape(np.array(each, dtype=np.float64), drawn.shape[1:])
