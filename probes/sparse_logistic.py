"""Sparse logistic probes: the few units that, taken together, tell a concept from the rest.

A probe describes where a concept is readable; it decides nothing. Its units are not evidence each:
units that go together replace each other freely. Its score is held out by cluster, and stands
beside the score of the same procedure on shuffled labels.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from probes.clusters import MIN_CLUSTERS, cluster_labels, cluster_means
from probes.errors import MeasureError
from probes.held_out import (
    HeldOut,
    accuracies,
    area,
    balanced_accuracy,
    cross_validate,
    deal_folds,
    gap,
    sparsest,
)
from probes.measurement import Estimate
from probes.sparse_path import SMALLEST_RATIO, posed, standardised
from probes.sparse_problem import Design, NotConverged, Path, Problem
from probes.sparse_solvers import SOLVERS, default_solver, solve_dense

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

_DENSE_STRENGTHS = np.array([1e-1, 1e-3, 1e-5])
"""Shrinkage of the dense baseline per unit, the strongest first."""

_NO_ESTIMATE = Estimate(value=float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseProbe:
    """A sparse probe of one concept, its held-out score and its control."""

    units: NDArray[np.intp]
    """Units used, the strongest first."""

    weights: Floats
    """Change of the log odds per standard deviation of each of ``units``."""

    auroc: Estimate
    """Of held-out clusters; 1/2 is neutral."""

    balanced_accuracy: Estimate
    """Mean of the hit rates with and without the concept, held out; 1/2 is neutral."""

    control_auroc: Estimate
    """The same procedure on labels shuffled over clusters."""

    control_balanced_accuracy: Estimate
    selectivity: Estimate
    """Balanced accuracy minus that of the control; 0 is neutral."""

    dense_auroc: Estimate
    """Area of an L2 probe on all units, held out by the same folds; NaN unless asked for."""

    ratios: Floats
    """Penalties of the path as shares of the largest, shape (n_lambdas,)."""

    path_accuracy: Floats
    """Cross-validated balanced accuracy at each, shape (n_lambdas,)."""

    chosen: int
    """Index of the penalty of ``units``: the sparsest within one standard error of the best."""

    n: int
    clusters: int
    folds: int
    fold: NDArray[np.intp]
    """Fold of each cluster, shape (n_clusters,), for other probes of the same question; empty
    where there are none."""

    duality_gap: float
    """Largest relative gap of all sparse fits behind these numbers: the share of its optimal
    objective by which a fit may exceed it; 0 is the optimum, NaN where nothing was fitted."""

    solver: str
    reason: str = ""
    """Why the numbers are NaN; empty where they are not."""


def fit_sparse_probe(
    values: NDArray[np.floating[Any]],
    labels: Labels,
    clusters: NDArray[np.integer[Any]],
    *,
    rng: np.random.Generator,
    n_lambdas: int = 20,
    folds: int = 5,
    dense: bool = False,
    solver: str | None = None,
) -> SparseProbe:
    """Fit and score a sparse probe of one concept.

    One row per cluster, both classes weighing the same. Clusters are dealt into folds class by
    class; units are standardised by the training folds alone. The penalty is the largest whose
    balanced accuracy is within one standard error of the best; the score of a fold uses the
    penalty that the *other* folds choose, so that choosing does not flatter it.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    labels : bool ndarray of shape (n_stimuli,)
        True where the stimulus shows the concept; one label per cluster.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.
    rng : numpy.random.Generator
        Deals the folds and shuffles the control's labels.
    n_lambdas : int
    folds : int
        Fewer are used where a class has fewer clusters.
    dense : bool
        Also score an L2 probe on all units: what sparseness costs.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS``.

    Raises
    ------
    MeasureError
        If a class has fewer than ``MIN_CLUSTERS`` clusters, a cluster has both labels, shapes
        disagree or a response is not finite.

    References
    ----------
    Goh et al. (2021), Distill; Hewitt & Liang (2019), EMNLP, for control tasks.
    """
    own = cluster_labels(labels, clusters)
    rows = standardised(_checked(values, own, clusters))
    name, ratios = solver or default_solver(), np.geomspace(1, SMALLEST_RATIO, n_lambdas)
    if not rows.design.any():
        return _undefined(ratios, name, clusters, "no unit varies over the clusters")
    folds = min(folds, int(own.sum()), int((~own).sum()))
    shuffled = rng.permutation(own)
    fold = deal_folds(own, folds, rng)
    fits = _Fits(rows.design, rows.design**2, ratios, name, [])
    try:
        ours = _held_out(fits, own, fold)
        control = _held_out(fits, shuffled, deal_folds(shuffled, folds, rng))
        chosen = sparsest(ours.margins, own)
        units, weights = _selected(fits._replace(ratios=ratios[: chosen + 1]), own)
        full = _dense_area(rows.design, own, fold) if dense else _NO_ESTIMATE
    except NotConverged as error:
        return _undefined(ratios, name, clusters, str(error))
    found = balanced_accuracy(ours.scores, own)
    by_chance = balanced_accuracy(control.scores, shuffled)
    return SparseProbe(
        units=units,
        weights=weights,
        auroc=area(ours.scores, own),
        balanced_accuracy=found,
        control_auroc=area(control.scores, shuffled),
        control_balanced_accuracy=by_chance,
        selectivity=gap(found, by_chance),
        dense_auroc=full,
        ratios=ratios,
        path_accuracy=accuracies(ours.margins, own),
        chosen=chosen,
        n=len(clusters),
        clusters=len(own),
        folds=folds,
        fold=fold,
        duality_gap=max(fits.gaps),
        solver=name,
    )


def _balanced(labels: Labels, training: Labels) -> Floats:
    """Weights of clusters that give both classes one half and leave out what is not trained on."""
    shown, hidden = labels & training, ~labels & training
    weights: Floats = shown / (2 * shown.sum()) + hidden / (2 * hidden.sum())
    return weights


class _Fits(NamedTuple):
    """Paths of one design, and how far from their optima they are."""

    design: Design
    squares: Design
    ratios: Floats
    solver: str
    gaps: list[float]
    """Largest relative duality gap of each path, in the order of fitting."""

    def path(self, labels: Labels, rows: Labels) -> tuple[Problem, Path]:
        """Fit to some rows, both classes weighing the same."""
        weights = _balanced(labels, rows)
        problem = posed(self.design, labels, weights, self.ratios, squares=self.squares)
        path = SOLVERS[self.solver](problem)
        self.gaps.append(path.gap)
        return problem, path


def _held_out(fits: _Fits, labels: Labels, fold: NDArray[np.intp]) -> HeldOut:
    def margins_of(training: Labels) -> Floats:
        return fits.path(labels, training)[1].margins(fits.design)

    return cross_validate(margins_of, labels, fold)


def _dense_area(design: Design, labels: Labels, fold: NDArray[np.intp]) -> Estimate:
    def margins_of(training: Labels) -> Floats:
        problem = posed(design, labels, _balanced(labels, training), _DENSE_STRENGTHS)
        strengths = float(design.shape[1]) * _DENSE_STRENGTHS
        return solve_dense(problem._replace(lambdas=strengths)).margins(design)

    # Products of this size are slower on many threads.
    with threadpool_limits(1, user_api="blas"):
        return area(cross_validate(margins_of, labels, fold).scores, labels)


def _selected(fits: _Fits, labels: Labels) -> tuple[NDArray[np.intp], Floats]:
    """Units of the fit to all clusters at the last penalty, and weights per standard deviation."""
    problem, path = fits.path(labels, np.ones_like(labels))
    weights = path.coefficients[-1] * problem.factors
    strength = np.abs(weights)
    order = np.lexsort((np.arange(len(weights)), -strength))
    units = order[: int((strength > 1e-6 * max(strength.max(), 1e-12)).sum())]
    return units, weights[units]


def _checked(
    values: NDArray[np.floating[Any]], labels: Labels, clusters: NDArray[np.integer[Any]]
) -> Floats:
    """Cluster means, if a probe can be fitted to them."""
    shown, hidden = int(labels.sum()), int((~labels).sum())
    if min(shown, hidden) < MIN_CLUSTERS:
        raise MeasureError(
            f"A probe needs at least {MIN_CLUSTERS} clusters on each side; "
            f"got {shown} with the concept and {hidden} without. Add terms or pictures."
        )
    means = cluster_means(values, clusters)
    if not np.isfinite(means).all():
        raise MeasureError(
            "Responses must be finite; got NaN or infinity in units "
            f"{np.flatnonzero(~np.isfinite(means).all(axis=0))[:5].tolist()}. "
            "A model that answers so cannot be audited."
        )
    return means


def _undefined(
    ratios: Floats, solver: str, clusters: NDArray[np.integer[Any]], reason: str
) -> SparseProbe:
    return SparseProbe(
        units=np.empty(0, dtype=np.intp),
        weights=np.empty(0),
        auroc=_NO_ESTIMATE,
        balanced_accuracy=_NO_ESTIMATE,
        control_auroc=_NO_ESTIMATE,
        control_balanced_accuracy=_NO_ESTIMATE,
        selectivity=_NO_ESTIMATE,
        dense_auroc=_NO_ESTIMATE,
        ratios=ratios,
        path_accuracy=np.full(len(ratios), np.nan),
        chosen=0,
        folds=0,
        fold=np.empty(0, dtype=np.intp),
        n=len(clusters),
        clusters=len(np.unique(clusters)),
        duality_gap=float("nan"),
        solver=solver,
        reason=reason,
    )
