"""Stability selection: the units that a sparse probe picks whichever half of the clusters it sees.

The units of one fit are not evidence each: units that go together replace each other from sample
to sample. Those that come back in most halves are stable, and how many of them are expected to be
there without reason has a bound.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probes.clusters import MIN_CLUSTERS
from probes.errors import MeasureError
from probes.fixed_units import LabelledClusters, balanced, by_cluster, used
from probes.sparse_batched import default_batch_solver, solve_all
from probes.sparse_path import SMALLEST_RATIO, posed, standardised
from probes.sparse_problem import Design, NotConverged, Path, Problem

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

THRESHOLD = 0.75
"""Share of halves in which a stable unit is picked."""

PAIRS = 50
"""Complementary pairs of halves."""

TOLERATED = 1.0
"""Bound on units picked without reason that the default number per half keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilitySelection:
    """How often each unit is picked, and which are picked often enough."""

    units: NDArray[np.intp]
    """Units picked in at least ``threshold`` of the halves, the most frequent first."""

    frequency: Floats
    """Share of halves in which a unit is picked, shape (n_units,); NaN where undefined."""

    simultaneous: Floats
    """Share of pairs in which both halves pick it, shape (n_units,); at least
    ``2 * frequency - 1`` and at most ``frequency``."""

    direction: Floats
    """Mean sign of its weight where it is picked, shape (n_units,): 1 speaks for the concept, -1
    against it; NaN where it is never picked."""

    expected_false: float
    """Bound on the expected number in ``units`` of units that a half picks no more often than a
    random draw of ``per_half`` units would."""

    threshold: float
    per_half: int
    """Units picked per half, at most."""

    mean_picked: float
    """Units picked per half, on average; below ``per_half`` where paths end early."""

    varying: int
    """Units that vary and could be picked."""

    pairs: int
    n: int
    clusters: int
    duality_gap: float
    """Largest relative gap of all fits: the share of its optimal objective by which a fit may
    exceed it; 0 is the optimum, NaN where nothing was fitted."""

    solver: str
    reason: str = ""
    """Why the numbers are NaN; empty where they are not."""

    def reading(self) -> str:
        """Say in one sentence what was found, or why nothing could be."""
        if self.reason:
            return f"Stable units could not be selected: {self.reason}."
        found = "no unit was" if not len(self.units) else f"{len(self.units)} were"
        return (
            f"Of {self.varying} units, {found} among the first {self.per_half} in at least "
            f"{self.threshold:.0%} of {2 * self.pairs} cluster halves; at most "
            f"{self.expected_false:.2g} such units are expected that a half picks no more often "
            "than a random draw would."
        )


def error_bound(per_half: float, threshold: float, n_units: int) -> float:
    """Bound the expected number of units that are stable without reason.

    ``q ** 2 / ((2 * threshold - 1) * n_units)``, with ``q`` units picked per half.

    Parameters
    ----------
    per_half : float
        Units picked per half, at most or on average.
    threshold : float
        Share of halves that makes a unit stable, above 1/2.
    n_units : int
        Units that could be picked.

    Raises
    ------
    MeasureError
        If the threshold is not above 1/2 and at most 1, where the bound does not hold.

    References
    ----------
    Meinshausen & Bühlmann (2010), JRSS B 72, 417-473; Shah & Samworth (2013), JRSS B 75, 55-80,
    theorem 1, under which it needs neither exchangeable units nor a good selection procedure.

    Examples
    --------
    >>> round(error_bound(30, 0.75, 2560), 2)
    0.7
    """
    if not 0.5 < threshold <= 1:
        raise MeasureError(
            f"The threshold must lie above 1/2 and be at most 1; got {threshold}. "
            "At 1/2 and below there is no bound on false selections."
        )
    return per_half**2 / ((2 * threshold - 1) * n_units)


def select_stable(
    values: NDArray[np.floating[Any]],
    labels: Labels,
    clusters: NDArray[np.integer[Any]],
    *,
    rng: np.random.Generator,
    per_half: int | None = None,
    threshold: float = THRESHOLD,
    pairs: int = PAIRS,
    n_lambdas: int = 12,
    solver: str | None = None,
) -> StabilitySelection:
    """Pick units on many complementary halves of the clusters, and keep those that come back.

    Clusters are halved label by label; where their number is odd, one sits out. On each half a
    path of L1 logistic regressions is walked down, both labels weighing the same, and the units
    that are used first are picked.

    Parameters
    ----------
    values : ndarray of shape (n_stimuli, n_units)
        Responses, in the units the layer emits.
    labels : bool ndarray of shape (n_stimuli,)
        True where the stimulus shows the concept; one label per cluster.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.
    rng : numpy.random.Generator
        Draws the halves.
    per_half : int, optional
        Units picked per half; by default as many as keep the bound at ``TOLERATED``, at least 1.
    threshold : float
        Share of halves that makes a unit stable, above 1/2.
    pairs : int
        Complementary pairs.
    n_lambdas : int
        Steps of the path; units that are first used in one step are ordered by their weight.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS`` or ``probes.sparse_batched.BATCHED``; by default
        `probes.sparse_batched.default_batch_solver`.

    Returns
    -------
    StabilitySelection
        NaN with a reason where a label has fewer than ``2 * MIN_CLUSTERS`` clusters (so that a
        half has ``MIN_CLUSTERS``), no unit varies or the solver gives no answer.

    Raises
    ------
    MeasureError
        If the threshold or a number is out of range, a cluster has both labels, shapes disagree
        or a response is not finite.

    References
    ----------
    Shah & Samworth (2013), Journal of the Royal Statistical Society B 75, 55-80.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shown, values = np.arange(60) < 20, rng.normal(size=(60, 40))
    >>> values[:, 7] += 3 * shown
    >>> select_stable(values, shown, np.arange(60), rng=rng, pairs=10, per_half=2).units
    array([7])
    """
    name, given = solver or default_batch_solver(), by_cluster(values, labels, clusters)
    design = standardised(given.means).design
    varying = int(design.any(axis=0).sum())
    wanted = _per_half(per_half, threshold, pairs, varying)
    lack = given.lack(2 * MIN_CLUSTERS)
    counts, reason = None, f"stability selection {lack}" if lack else ""
    if not lack:
        try:
            counts = _count(given, design, rng, _Choice(wanted, pairs, n_lambdas, name))
        except NotConverged as error:
            reason = str(error)
    counts = counts or _Counts.nothing(design.shape[1])
    frequency = counts.picked / (2 * pairs)
    stable = np.flatnonzero(frequency >= threshold - 1e-9)
    with np.errstate(invalid="ignore"):
        direction = counts.signs / counts.picked
    return StabilitySelection(
        units=stable[np.lexsort((stable, -counts.both[stable], -frequency[stable]))],
        frequency=frequency,
        simultaneous=counts.both / pairs,
        direction=direction,
        expected_false=float("nan") if reason else error_bound(wanted, threshold, varying),
        threshold=threshold,
        per_half=wanted,
        mean_picked=float(frequency.sum()),
        varying=varying,
        pairs=pairs,
        n=len(clusters),
        clusters=len(given.labels),
        duality_gap=counts.gap,
        solver=name,
        reason=reason,
    )


class _Choice(NamedTuple):
    """How units are picked."""

    per_half: int
    pairs: int
    n_lambdas: int
    solver: str


class _Counts(NamedTuple):
    """Over all halves or pairs, shape (n_units,) each, and the largest duality gap."""

    picked: Floats
    both: Floats
    signs: Floats
    gap: float

    @classmethod
    def nothing(cls, n_units: int) -> "_Counts":
        picked, both, signs = np.full((3, n_units), np.nan)
        return cls(picked, both, signs, float("nan"))


def _count(
    given: LabelledClusters, design: Design, rng: np.random.Generator, choice: _Choice
) -> _Counts:
    ratios = np.geomspace(1, SMALLEST_RATIO, choice.n_lambdas)
    # Halves are weights of 0 and not copies: all paths share the design.
    squares = design**2
    problems = [
        posed(design, given.labels, balanced(given.labels, half), ratios, squares=squares)
        for _ in range(choice.pairs)
        for half in halves(given.labels, rng)
    ]
    picked, both, summed = np.zeros((3, design.shape[1]))
    gaps = []
    paths = zip(problems, solve_all(problems, choice.solver), strict=True)
    for pair in zip(paths, paths, strict=True):
        signs = np.stack([_signs(problem, path, choice.per_half) for problem, path in pair])
        picked += np.abs(signs).sum(axis=0)
        both += np.abs(signs).prod(axis=0)
        summed += signs.sum(axis=0)
        gaps += [path.gap for _, path in pair]
    return _Counts(picked, both, summed, max(gaps))


def _signs(problem: Problem, path: Path, per_half: int) -> Floats:
    """Signs of the units picked on one half."""
    per_deviation = path.coefficients * problem.factors
    return first_used(path._replace(coefficients=per_deviation), per_half)


def halves(labels: Labels, rng: np.random.Generator) -> tuple[Labels, Labels]:
    """Draw two disjoint halves with the same number of each label.

    Parameters
    ----------
    labels : bool ndarray of shape (n_clusters,)

    Returns
    -------
    pair of bool ndarray of shape (n_clusters,)
        Where a label has an odd number of clusters, one is in neither.

    Examples
    --------
    >>> one, other = halves(np.array([True, False, True, False]), np.random.default_rng(0))
    >>> (one.astype(int) + other).tolist(), int(one.sum())
    ([1, 1, 1, 1], 2)
    """
    one, other = np.zeros_like(labels), np.zeros_like(labels)
    for side in (labels, ~labels):
        members = rng.permutation(np.flatnonzero(side))
        size = len(members) // 2
        one[members[:size]] = True
        other[members[size : 2 * size]] = True
    return one, other


def first_used(path: Path, count: int) -> Floats:
    """Return the signs of the units that a path uses first, and 0 for the others.

    Parameters
    ----------
    path : Path
        Weights per standard deviation, for falling penalties.
    count : int
        Units wanted; those first used in one step are ordered by their weight in it. Fewer where
        the path uses fewer.

    Returns
    -------
    ndarray of shape (n_units,)
        1, -1 or 0.
    """
    in_use = used(path.coefficients)
    entry = np.where(in_use.any(axis=0), in_use.argmax(axis=0), len(in_use))
    at_entry = path.coefficients[np.minimum(entry, len(in_use) - 1), np.arange(len(entry))]
    order = np.lexsort((np.arange(len(entry)), -np.abs(at_entry), entry))[:count]
    kept = order[entry[order] < len(in_use)]
    signs = np.zeros(len(entry))
    signs[kept] = np.sign(at_entry[kept])
    return signs


def _per_half(wanted: int | None, threshold: float, pairs: int, varying: int) -> int:
    one = error_bound(1, threshold, max(varying, 1))
    if pairs < 1 or (wanted is not None and wanted < 1):
        raise MeasureError(
            "Stability selection needs at least 1 pair of halves and 1 unit per half; "
            f"got {pairs} pairs and {wanted} units."
        )
    return wanted or max(int(np.sqrt(TOLERATED / one) + 1e-9), 1)
