"""Probes with a fixed number of units, read off the path of penalties.

The article describes classes by 3 units each. A fixed number makes probes comparable between
concepts and models, and between a concept and shuffled labels; what it costs in accuracy is seen
beside the probe whose penalty the data choose (`probes.sparse_logistic`).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.clusters import MIN_CLUSTERS, cluster_labels, cluster_means
from probes.errors import MeasureError
from probes.held_out import area, cross_validate, deal_folds
from probes.measurement import Estimate, undefined
from probes.sparse_path import SMALLEST_RATIO, posed, standardised
from probes.sparse_solvers import SOLVERS, Design, NotConverged, default_solver

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

ARTICLE_UNITS = 3
"""Units per class in the article's sparse probe."""

USED = 1e-6
"""Coefficients per standard deviation below this, or this share of the largest, are rounding
errors."""

_FINER = 8
"""Penalties tried between two neighbours that jump over the wanted number."""

_ROUNDS = 4


class LabelledClusters(NamedTuple):
    """One row of mean responses and one label per cluster."""

    means: Floats
    """Shape (n_clusters, n_units)."""

    labels: Labels
    """Shape (n_clusters,)."""

    def lack(self, minimum: int = MIN_CLUSTERS) -> str:
        """Why nothing can be fitted to these; empty where it can."""
        shown, hidden = int(self.labels.sum()), int((~self.labels).sum())
        if min(shown, hidden) < minimum:
            return (
                f"needs at least {minimum} clusters on each side; "
                f"got {shown} with the label and {hidden} without"
            )
        if not standardised(self.means).design.any():
            return "no unit varies over the clusters"
        return ""


def by_cluster(
    values: NDArray[np.floating[Any]], labels: Labels, clusters: NDArray[np.integer[Any]]
) -> LabelledClusters:
    """Average responses within clusters.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    labels : bool ndarray of shape (n_stimuli,)
        One label per cluster.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.

    Raises
    ------
    MeasureError
        If a cluster has both labels, shapes disagree or a response is not finite.
    """
    own, means = cluster_labels(labels, clusters), cluster_means(values, clusters)
    if not np.isfinite(means).all():
        raise MeasureError(
            "Responses must be finite; got NaN or infinity in units "
            f"{np.flatnonzero(~np.isfinite(means).all(axis=0))[:5].tolist()}. "
            "A model that answers so cannot be audited."
        )
    return LabelledClusters(means, own)


def balanced(labels: Labels, rows: Labels) -> Floats:
    """Weights that give both labels one half among some rows, and the other rows nothing.

    Examples
    --------
    >>> balanced(np.array([True, False, False, True]), np.array([True, True, True, False]))
    array([0.5 , 0.25, 0.25, 0.  ])
    """
    shown, hidden = labels & rows, ~labels & rows
    weights: Floats = shown / (2 * shown.sum()) + hidden / (2 * hidden.sum())
    return weights


def used(coefficients: Floats) -> Labels:
    """Which coefficients of each row are more than rounding errors, in the shape given.

    Examples
    --------
    >>> used(np.array([[0.4, 0.0, 1e-9], [1e-8, 0.0, 0.0]]))
    array([[ True, False, False],
           [False, False, False]])
    """
    largest = np.abs(coefficients).max(axis=-1, keepdims=True, initial=0)
    kept: Labels = np.abs(coefficients) > USED * np.maximum(largest, 1.0)
    return kept


class FewUnits(NamedTuple):
    """A fit that uses a wanted number of units, or the nearest below."""

    coefficients: Floats
    """In the units of the design, shape (n_units,)."""

    intercept: float
    deviations: Floats
    """Standard deviation of each unit in the weighted rows of the design, shape (n_units,)."""

    ratio: float
    """Penalty as a share of the largest."""


def few_units(
    design: Design,
    labels: Labels,
    weights: Floats,
    n_units: int,
    *,
    n_lambdas: int = 20,
    solver: str | None = None,
) -> FewUnits:
    """Walk down the path until one more step would use more units than wanted.

    Where a step jumps over the wanted number, finer steps are tried; units that enter together
    stay out together. The path ends at a tenth of the largest penalty, where fewer may be used.

    Parameters
    ----------
    design : ndarray of shape (n_rows, n_units)
        Of `probes.sparse_path.standardised`.
    labels : bool ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows,)
        Adding up to 1; 0 leaves a row out.
    n_units : int
        Wanted number of units.

    Raises
    ------
    NotConverged
        If the solver gives no answer.
    """
    solve = SOLVERS[solver or default_solver()]
    problem = posed(design, labels, weights, np.geomspace(1, SMALLEST_RATIO, n_lambdas))
    largest = problem.lambdas[0]
    for _ in range(_ROUNDS):
        path = solve(problem)
        counts = used(path.coefficients).sum(axis=1)
        over = np.flatnonzero(counts > n_units)
        at = max(int(over[0]) - 1, 0) if over.size else len(counts) - 1
        if not over.size or counts[at] == n_units:
            break
        ends = problem.lambdas[at], problem.lambdas[at + 1]
        problem = problem._replace(lambdas=np.geomspace(*ends, _FINER))
    coefficients = np.where(used(path.coefficients[at]), path.coefficients[at], 0.0)
    ratio = float(problem.lambdas[at] / largest)
    return FewUnits(coefficients, float(path.intercepts[at]), problem.factors, ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedProbe:
    """A probe with a fixed number of units and its held-out score."""

    units: NDArray[np.intp]
    """Units used, the strongest first; fewer than wanted where the path has no such step."""

    weights: Floats
    """Change of the log odds per standard deviation of each of ``units``."""

    coefficients: Floats
    """Change of the log odds per unit of activation of each of ``units``."""

    intercept: float
    ratio: float
    """Penalty as a share of the one at which no unit is used."""

    auroc: Estimate
    """Of held-out clusters; 1/2 is neutral."""

    wanted: int
    """Number of units asked for."""

    n: int
    clusters: int
    solver: str
    reason: str = ""
    """Why there is no probe; empty where there is one."""

    def scores(self, values: NDArray[np.floating[Any]]) -> Floats:
        """Return the log odds of each row of responses, shape (n_rows,); NaN without a probe."""
        odds: Floats = values[:, self.units].astype(np.float64) @ self.coefficients
        return odds + self.intercept


def fit_fixed_units(
    values: NDArray[np.floating[Any]],
    labels: Labels,
    clusters: NDArray[np.integer[Any]],
    *,
    rng: np.random.Generator,
    n_units: int = ARTICLE_UNITS,
    n_lambdas: int = 20,
    folds: int = 5,
    fold: NDArray[np.integer[Any]] | None = None,
    solver: str | None = None,
) -> FixedProbe:
    """Fit and score a probe that uses a fixed number of units.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    labels : bool ndarray of shape (n_stimuli,)
        True where the stimulus shows the concept; one label per cluster.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.
    rng : numpy.random.Generator
        Deals the folds.
    n_units : int
        Wanted number of units.
    folds : int
        Fewer are used where a side has fewer clusters.
    fold : int ndarray of shape (n_clusters,), optional
        Fold of each cluster, so that probes of one question are scored alike; dealt anew unless
        given.

    Returns
    -------
    FixedProbe
        Without units and with a reason where a side has fewer than ``MIN_CLUSTERS`` clusters, no
        unit varies or the solver gives no answer.

    Raises
    ------
    MeasureError
        If fewer than one unit or two folds are wanted, the given folds are not one per cluster or
        are fewer than two, a cluster has both labels, shapes disagree or a response is not finite.

    References
    ----------
    Goh et al. (2021), Distill, doi 10.23915/distill.00030: 3 units per class of ImageNet.
    """
    if n_units < 1 or folds < 2:
        raise MeasureError(f"A probe needs at least 1 unit and 2 folds; got {n_units} and {folds}.")
    name, given = solver or default_solver(), by_cluster(values, labels, clusters)
    lack = given.lack()
    if lack:
        return _no_probe(f"a probe {lack}", n_units, name, clusters)
    rows, own = standardised(given.means), given.labels
    if fold is None:
        fold = deal_folds(own, min(folds, int(own.sum()), int((~own).sum())), rng)
    _check_folds(fold, len(own))

    def fitted(training: Labels) -> FewUnits:
        weights = balanced(own, training)
        return few_units(rows.design, own, weights, n_units, n_lambdas=n_lambdas, solver=name)

    def margins_of(training: Labels) -> Floats:
        fit = fitted(training)
        return (rows.design @ fit.coefficients + fit.intercept)[:, None]

    try:
        held_out = cross_validate(margins_of, own, fold)
        final = fitted(np.ones_like(own))
    except NotConverged as error:
        return _no_probe(str(error), n_units, name, clusters)
    per_deviation = final.coefficients * final.deviations
    units = strongest_first(per_deviation)
    raw = final.coefficients / rows.scale
    return FixedProbe(
        units=units,
        weights=per_deviation[units],
        coefficients=raw[units],
        intercept=final.intercept - float(raw @ rows.mean),
        ratio=final.ratio,
        auroc=area(held_out.scores, own),
        wanted=n_units,
        n=len(clusters),
        clusters=len(own),
        solver=name,
    )


def _check_folds(fold: NDArray[np.integer[Any]], n_clusters: int) -> None:
    if fold.shape != (n_clusters,) or len(np.unique(fold)) < 2:
        raise MeasureError(
            "There must be one fold per cluster, of at least 2 folds; "
            f"got {len(np.unique(fold))} folds of {fold.size} clusters for {n_clusters} clusters."
        )


def strongest_first(weights: Floats) -> NDArray[np.intp]:
    """Return the units with a weight, by falling absolute weight.

    Examples
    --------
    >>> strongest_first(np.array([0.5, 0.0, -2.0]))
    array([2, 0])
    """
    order = np.lexsort((np.arange(len(weights)), -np.abs(weights)))
    units: NDArray[np.intp] = order[: int((weights != 0).sum())]
    return units


def _no_probe(
    reason: str, wanted: int, solver: str, clusters: NDArray[np.integer[Any]]
) -> FixedProbe:
    return FixedProbe(
        units=np.empty(0, dtype=np.intp),
        weights=np.empty(0),
        coefficients=np.empty(0),
        intercept=float("nan"),
        ratio=float("nan"),
        auroc=undefined(reason),
        wanted=wanted,
        n=len(clusters),
        clusters=len(np.unique(clusters)),
        solver=solver,
        reason=reason,
    )
