"""Classes as sums of units: "piggy bank = 2.5 finance + 1.1 porcelain".

One sparse probe per class against all others, with one penalty for all classes, chosen so that
classes have a wanted number of units on average, as in the article. What a sum is worth is told by
how often it finds the class of clusters that it was not fitted to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.clusters import MIN_CLUSTERS, cluster_means, cluster_sizes
from probes.errors import MeasureError
from probes.fixed_units import ARTICLE_UNITS, balanced, strongest_first, used
from probes.intervals import wilson
from probes.measurement import Estimate, undefined
from probes.sparse_path import posed, standardised
from probes.sparse_solvers import SOLVERS, Design, NotConverged, default_solver

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]
Codes = NDArray[np.integer[Any]]

SMALLEST = 1e-2
"""Where the path ends, as a share of the penalty at which no class uses a unit."""

TOP = 5
"""Places in which a class must be found for the second accuracy."""


class Term(NamedTuple):
    """One unit of a class."""

    unit: int
    weight: float
    """Change of the class's log odds per standard deviation; negative speaks against it."""

    name: str
    """Given name, or ``unit 12``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """Sparse weights of every class."""

    classes: tuple[str, ...]
    """Sorted."""

    weights: Floats
    """Change of the log odds per standard deviation of each unit, shape (n_classes, n_units); NaN
    for a class without a probe."""

    penalty: float
    """The one of all classes, as a share of that at which no class uses a unit."""

    mean_units: float
    """Units per class that the penalty gives."""

    accuracy: Estimate
    """Share of held-out clusters whose class scores highest, of classes with a probe; ``neutral``
    is one over their number. Ties count as misses."""

    top_accuracy: Estimate
    """Share whose class is among the ``TOP`` highest."""

    reasons: Mapping[str, str]
    """Why a class has no probe."""

    n: int
    clusters: int
    solver: str

    def terms(self, name: str, *, names: Mapping[int, str] | None = None) -> tuple[Term, ...]:
        """Return the units of a class, the strongest first.

        Parameters
        ----------
        name : str
            One of ``classes``.
        names : mapping from unit to name, optional
            What people call units.

        Raises
        ------
        MeasureError
            If there is no such class.
        """
        if name not in self.classes:
            raise MeasureError(f"No class {name!r} was decomposed; there are {self.classes}.")
        weights = np.nan_to_num(self.weights[self.classes.index(name)])
        given = names or {}
        return tuple(
            Term(int(u), float(weights[u]), given.get(int(u), f"unit {u}"))
            for u in strongest_first(weights)
        )

    def equation(self, name: str, *, names: Mapping[int, str] | None = None) -> str:
        """Write a class as a sum of its units, rounded to two digits, the strongest first."""
        if name in self.reasons:
            return f"{name}: {self.reasons[name]}"
        terms = self.terms(name, names=names)
        if not terms:
            return f"{name} = no unit at this penalty"
        first, *others = (
            f"{'−' if t.weight < 0 else '+'} {abs(t.weight):.2g} {t.name}" for t in terms
        )
        return f"{name} = " + " ".join([first.replace("+ ", "").replace("− ", "−"), *others])


def decompose(
    values: NDArray[np.floating[Any]],
    labels: Sequence[str],
    clusters: Codes,
    *,
    rng: np.random.Generator,
    mean_units: float = ARTICLE_UNITS,
    n_penalties: int = 30,
    folds: int = 5,
    solver: str | None = None,
    after_each: Callable[[], None] = lambda: None,
) -> Decomposition:
    """Describe each class by the few units that tell it from all others.

    Units are standardised over clusters, a class and its rest weigh the same, and the penalty is
    the one at which the mean number of units per class comes nearest to ``mean_units``. Held-out
    clusters have no say in the penalty of their fold.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    labels : sequence of str
        Class of each stimulus; one per cluster.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.
    rng : numpy.random.Generator
        Deals the folds.
    mean_units : float
        Wanted units per class, on average.
    n_penalties : int
        Steps of the path.
    folds : int
        Fewer are used where a class has fewer clusters.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS``.
    after_each : callable
        Called after every path that was walked, `n_paths` times.

    Returns
    -------
    Decomposition
        Classes with fewer than ``MIN_CLUSTERS`` clusters have a reason instead of weights; their
        clusters stay among the rest of the other classes.

    Raises
    ------
    MeasureError
        If a number is out of range, fewer than two classes have enough clusters, a cluster has two
        classes, shapes disagree, a response is not finite, no unit varies or the solver gives no
        answer.

    References
    ----------
    Goh et al. (2021), Distill, doi 10.23915/distill.00030: 3 units per class on average. It gives
    neither the penalty nor the scale of its weights; ours are per standard deviation.
    """
    if not mean_units > 0 or folds < 2:
        raise MeasureError(
            "A decomposition needs more than 0 units per class and at least 2 folds; "
            f"got {mean_units:g} and {folds}."
        )
    own = _class_of_cluster(labels, clusters)
    classes = tuple(sorted(set(own.tolist())))
    sizes = {name: int((own == name).sum()) for name in classes}
    reasons = {
        name: f"needs at least {MIN_CLUSTERS} clusters, has {size}"
        for name, size in sizes.items()
        if size < MIN_CLUSTERS
    }
    fitted = [name for name in classes if name not in reasons]
    design = _design(cluster_means(values, clusters), fitted)
    among = np.stack([own == name for name in fitted], axis=1)
    name = solver or default_solver()

    def fit(training: Labels) -> _Fit:
        return _fit(design, among, training, _Wanted(mean_units, n_penalties, name, after_each))

    try:
        whole = fit(np.ones(len(own), dtype=bool))
        places = _held_out_places(fit, design, among, min(folds, *(sizes[c] for c in fitted)), rng)
    except NotConverged as error:
        raise MeasureError(f"No decomposition: {error}. Ask for fewer penalties.") from error
    weights = np.full((len(classes), design.shape[1]), np.nan)
    weights[[classes.index(kept) for kept in fitted]] = whole.weights
    return Decomposition(
        classes=classes,
        weights=weights,
        penalty=whole.penalty,
        mean_units=float((whole.weights != 0).sum(axis=1).mean()),
        accuracy=_share(places, 1, len(fitted)),
        top_accuracy=_share(places, TOP, len(fitted)),
        reasons=reasons,
        n=len(labels),
        clusters=len(own),
        solver=name,
    )


def n_paths(labels: Sequence[str], clusters: Codes, folds: int = 5) -> int:
    """Return how many paths `decompose` walks: one per class and fold, and one more per class.

    Examples
    --------
    >>> n_paths(["a"] * 6 + ["b"] * 7 + ["c"], np.arange(14))
    12
    """
    counts = np.unique(_class_of_cluster(labels, clusters), return_counts=True)[1]
    sizes: list[int] = counts[counts >= MIN_CLUSTERS].tolist()
    return len(sizes) * (1 + min([folds, *sizes]))


class _Fit(NamedTuple):
    weights: Floats
    """Per standard deviation, shape (n_classes, n_units)."""

    coefficients: Floats
    """In the units of the design."""

    intercepts: Floats
    penalty: float


class _Wanted(NamedTuple):
    mean_units: float
    n_penalties: int
    solver: str
    after_each: Callable[[], None]


def _fit(design: Design, among: Labels, training: Labels, wanted: _Wanted) -> _Fit:
    """Fit all classes at the penalty of the nearest mean number of units, the sparser if equal."""
    one = np.ones(1)
    problems = [posed(design, c, balanced(c, training), one) for c in among.T]
    top = max(float(p.lambdas[0]) for p in problems)
    ratios = np.geomspace(1, SMALLEST, wanted.n_penalties)
    paths = []
    for problem in problems:
        paths.append(SOLVERS[wanted.solver](problem._replace(lambdas=top * ratios)))
        wanted.after_each()
    coefficients = np.stack([path.coefficients for path in paths], axis=1)
    in_use = used(coefficients)
    at = int(np.argmin(np.abs(in_use.sum(axis=2).mean(axis=1) - wanted.mean_units)))
    kept: Floats = np.where(in_use[at], coefficients[at], 0.0)
    return _Fit(
        kept * np.stack([p.factors for p in problems]),
        kept,
        np.array([path.intercepts[at] for path in paths]),
        float(ratios[at]),
    )


def _held_out_places(
    fit: Callable[[Labels], _Fit],
    design: Design,
    among: Labels,
    folds: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """How many classes score at least as high as a held-out cluster's own, itself included."""
    known = among.any(axis=1)
    fold = np.zeros(len(among), dtype=np.intp)
    for members in among.T:
        fold[rng.permutation(np.flatnonzero(members))] = np.arange(int(members.sum())) % folds
    places = np.zeros(len(among), dtype=np.int64)
    for number in range(folds):
        inside = known & (fold == number)
        fitted = fit(~inside)
        scores = design[inside] @ fitted.coefficients.T + fitted.intercepts
        own = scores[among[inside]][:, None]
        places[inside] = (scores.round(6) >= own.round(6)).sum(axis=1)
    among_known: NDArray[np.int64] = places[known]
    return among_known


def _share(places: NDArray[np.int64], top: int, n_classes: int) -> Estimate:
    if n_classes <= top:
        return undefined(f"there are only {n_classes} classes", clusters=len(places))
    hits = int((places <= top).sum())
    ends = wilson(hits, len(places))
    return Estimate(
        value=hits / len(places),
        low=float(ends.low),
        high=float(ends.high),
        neutral=top / n_classes,
        clusters=len(places),
    )


def _class_of_cluster(labels: Sequence[str], clusters: Codes) -> NDArray[np.str_]:
    given, sizes = np.asarray(labels, dtype=np.str_), cluster_sizes(clusters)
    if given.shape != clusters.shape:
        raise MeasureError(
            f"There must be one class per stimulus; got {len(given)} for {len(clusters)} stimuli."
        )
    first = np.full(len(sizes), -1, dtype=np.intp)
    first[clusters[::-1]] = np.arange(len(given))[::-1]
    own: NDArray[np.str_] = given[first]
    other = np.flatnonzero(own[clusters] != given)
    if len(other):
        raise MeasureError(
            "All stimuli of a cluster must be of one class; "
            f"cluster {clusters[other[0]]} has {own[clusters[other[0]]]!s} and {given[other[0]]!s}."
        )
    return own


def _design(means: Floats, fitted: Sequence[str]) -> Design:
    if len(fitted) < 2:
        raise MeasureError(
            f"A decomposition needs at least 2 classes of {MIN_CLUSTERS} clusters; "
            f"got {len(fitted)}. Add stimuli."
        )
    if not np.isfinite(means).all():
        raise MeasureError(
            "Responses must be finite; got NaN or infinity in units "
            f"{np.flatnonzero(~np.isfinite(means).all(axis=0))[:5].tolist()}. "
            "A model that answers so cannot be audited."
        )
    design = standardised(means).design
    if not design.any():
        raise MeasureError("No unit varies over the clusters; there is no decomposition.")
    return design
