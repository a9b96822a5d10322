"""Sparse codes of words: the few units that tell a word's prompts from those of all other words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.errors import MeasureError
from probes.sparse_solvers import (
    LARGEST_GAP,
    SOLVERS,
    NotConverged,
    Problem,
    default_solver,
    largest_lambda,
)

Floats = NDArray[np.float64]
Values = NDArray[np.floating[Any]]

PUBLISHED_SIZES = (0.26, 1.5, 3.1, 4.7)
"""Mean number of units per word in the published codes of 126 emotions."""

ROUNDING = 1e-6
"""Largest penalties below this come from rounding in 32 bits: units have a spread of about 1."""

SMALLEST = 1e-3
"""Where the path ends, as a share of the penalty at which no word uses a unit."""

USED = 1e-6
"""Coefficients below this share of the largest are rounding errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseCodes:
    """Codes of all words at one penalty."""

    words: tuple[str, ...]
    weights: Floats
    """Coefficients over the largest absolute one of the word, shape (n_words, n_units): 1 is the
    strongest unit, 0 is not used, negative speaks against the word."""

    penalty: float
    """As a share of the one at which no word uses a unit."""

    mean_units: float
    """Units used per word."""


def sparse_codes(
    vectors: Values,
    labels: Sequence[str],
    *,
    sizes: Sequence[float] = PUBLISHED_SIZES,
    left_out: Sequence[int] = (),
    n_penalties: int = 60,
    solver: str | None = None,
) -> tuple[SparseCodes, ...]:
    """Describe words by the few units that tell their prompts apart.

    One L1 logistic regression per word, against the prompts of all other words, with one penalty
    for all: words that ask for no unit at that penalty have none. Units are not standardised: a
    unit that weighs little in every text stays small.

    Parameters
    ----------
    vectors : ndarray of shape (n_prompts, n_units)
        Weights of units in each prompt, several templates per word (`probes.linear_text`).
    labels : sequence of str
        The word of each prompt.
    sizes : sequence of float
        Wanted mean number of units per word; for each the penalty that comes nearest.
    left_out : sequence of int
        Units that may not be used, such as those that read letters.
    n_penalties : int
        Steps of the path, from no unit to a thousandth of that penalty.
    solver : str, optional
        Name in ``probes.sparse_solvers.SOLVERS``.

    Returns
    -------
    tuple of SparseCodes
        One per size; words in order of their first prompt.

    Raises
    ------
    MeasureError
        If there are fewer than two words, shapes disagree or a weight is not finite; if no unit
        tells words apart; if the solver fails.

    References
    ----------
    Goh et al. (2021), Distill, doi 10.23915/distill.00030, "Emotion composition".

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [1.1, 0.1], [0.0, 1.0], [0.1, 1.1]])
    >>> codes = sparse_codes(vectors, ["glad", "glad", "sad", "sad"], sizes=[1.0])
    >>> codes[0].words
    ('glad', 'sad')
    """
    words = tuple(dict.fromkeys(labels))
    _check(vectors, labels, words)
    design = _scaled(vectors, left_out)
    given = np.array(list(labels), dtype=object)
    problems = [_posed(design, given == word) for word in words]
    top = max(largest_lambda(problem) for problem in problems)
    if not top > 0:
        raise MeasureError("No unit weighs differently in different prompts; there is no code.")
    ratios = np.geomspace(1, SMALLEST, n_penalties)
    # Where words differ by rounding alone, so does the gap, and no fit is better than another.
    tolerance = LARGEST_GAP if top > ROUNDING else np.inf
    solve = SOLVERS[solver or default_solver()]
    try:
        paths = np.stack(
            [
                solve(p._replace(lambdas=top * ratios, tolerance=tolerance)).coefficients
                for p in problems
            ],
            axis=1,
        )
    except NotConverged as error:
        raise MeasureError(f"No sparse codes: {error}. Ask for fewer penalties.") from error
    # Exactly at the largest penalty rounding may let one unit in.
    paths[0] = 0
    return tuple(_nearest(words, paths, ratios, size) for size in sizes)


def _nearest(words: tuple[str, ...], paths: Floats, ratios: Floats, size: float) -> SparseCodes:
    """Codes at the penalty whose mean number of units is nearest to a size, the sparser if equal.

    ``paths`` has shape (n_penalties, n_words, n_units).
    """
    largest = np.abs(paths).max(axis=2, keepdims=True)
    used = np.abs(paths) > USED * np.maximum(largest, 1e-12)
    counts = used.sum(axis=2).mean(axis=1)
    at = int(np.argmin(np.abs(counts - size)))
    scale = np.where(largest[at] > 0, largest[at], 1.0)
    return SparseCodes(
        words=words,
        weights=np.where(used[at], paths[at] / scale, 0.0),
        penalty=float(ratios[at]),
        mean_units=float(counts[at]),
    )


def _scaled(vectors: Values, left_out: Sequence[int]) -> NDArray[np.float32]:
    """Centred weights with one scale for all units, which only helps the numbers."""
    values = vectors.astype(np.float64)
    values[:, list(left_out)] = 0
    values -= values.mean(axis=0)
    spread = values.std()
    return np.asfortranarray(values / (spread if spread > 0 else 1.0), dtype=np.float32)


def _posed(design: NDArray[np.float32], labels: NDArray[np.bool_]) -> Problem:
    n, n_units = design.shape
    return Problem(
        design=design,
        labels=labels,
        weights=np.full(n, 1 / n),
        factors=np.ones(n_units),
        lambdas=np.ones(1),
    )


def _check(vectors: Values, labels: Sequence[str], words: tuple[str, ...]) -> None:
    if vectors.ndim != 2 or len(vectors) != len(labels) or len(words) < 2:
        raise MeasureError(
            "Sparse codes need one row of weights per prompt and prompts of at least 2 words; "
            f"got shape {vectors.shape}, {len(labels)} prompts and {len(words)} words."
        )
    if not np.isfinite(vectors).all():
        raise MeasureError(
            "Weights must be finite; leave out units without a weight, got NaN or infinity in "
            f"units {np.flatnonzero(~np.isfinite(vectors).all(axis=0))[:5].tolist()}."
        )
