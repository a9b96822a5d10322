"""Treatments of embeddings: what is taken out of them, and what is mixed into them.

A treatment has a strength from 0 (nothing is changed, bit by bit) to 1 (all of it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from probes.arms import normalise
from probes.errors import MeasureError

Array = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
Codes = NDArray[np.intp]

DEPENDENT = 1e-8
"""A direction that adds less than this share of its length to the others is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Units that are drawn towards fixed values while pictures are encoded."""

    layer: str
    units: tuple[int, ...]
    values: tuple[float, ...]
    """What each unit is held at when the strength is 1, as the next layer sees it."""

    where: Literal["everywhere", "class"] = "everywhere"
    strength: float = 1.0
    """A response ``a`` becomes ``(1 - strength) a + strength value``."""

    def __post_init__(self) -> None:
        """Refuse what does not name each unit once, with a value."""
        require_strength(self.strength)
        if len(set(self.units)) != len(self.units) or len(self.units) != len(self.values):
            raise MeasureError(
                "An ablation needs different units and a value for each; got "
                f"{len(self.units)} units ({len(set(self.units))} different) and "
                f"{len(self.values)} values."
            )
        if not np.isfinite(self.values).all():
            raise MeasureError("Values that units are held at must be finite; got NaN or infinity.")


def require_strength(strength: float) -> float:
    """Return a strength from 0 to 1.

    Raises
    ------
    MeasureError
        If it is another number.
    """
    if not 0 <= strength <= 1:
        raise MeasureError(
            f"The strength of a treatment must be a number from 0 to 1; got {strength:g}."
        )
    return strength


def group_direction(embeddings: Rows, concepts: Codes) -> Array:
    """Return what sets a group apart from the rest of its family.

    Parameters
    ----------
    embeddings : ndarray of shape (n_clusters, embedding_size)
        Of any length; each is normalised.
    concepts : int ndarray of shape (n_clusters,)
        0 is the group, the others its family; each has one vote.

    Returns
    -------
    ndarray of shape (embedding_size,)
        The group's mean minus the mean over the means of the others; not of length 1.

    Raises
    ------
    MeasureError
        If the group or the rest of its family has no cluster.

    Examples
    --------
    >>> group_direction(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0, 1]))
    array([ 1., -1.])
    """
    found = np.unique(concepts)
    if 0 not in found or len(found) < 2:
        raise MeasureError(
            "A direction of a group needs clusters of the group (0) and of another concept of its "
            f"family; got concepts {found.tolist()}."
        )
    rows = normalise(embeddings)
    others = np.mean([rows[concepts == code].mean(axis=0) for code in found if code], axis=0)
    return np.asarray(rows[concepts == 0].mean(axis=0) - others, dtype=np.float64)


def basis_of(directions: Sequence[Array]) -> Array:
    """Return perpendicular rows of length 1 that span some directions.

    Parameters
    ----------
    directions : sequence of ndarray of shape (embedding_size,)

    Returns
    -------
    ndarray of shape (n_rows, embedding_size)
        Fewer rows than directions where some depend on others.

    Raises
    ------
    MeasureError
        If there is no direction, or one is 0 or not finite.

    Examples
    --------
    >>> basis_of([np.array([3.0, 4.0]), np.array([6.0, 8.0])])
    array([[0.6, 0.8]])
    """
    rows: list[Array] = []
    for direction in directions:
        length = float(np.linalg.norm(direction))
        if not np.isfinite(length) or length == 0:
            raise MeasureError(
                "Directions that are taken out must be finite and not 0; got one of length "
                f"{length:g}. The group is the same as its family there."
            )
        rest = direction / length
        for _ in range(2):  # once more, since the first pass leaves rounding behind
            for row in rows:
                rest = rest - (rest @ row) * row
        left = float(np.linalg.norm(rest))
        if left > DEPENDENT:
            rows.append(rest / left)
    if not rows:
        raise MeasureError("At least one direction must be given to take out; got none.")
    return np.array(rows)


def project_out(embeddings: Rows, basis: Array, strength: float) -> NDArray[np.float32]:
    """Take a share of the part along some directions out of embeddings.

    Parameters
    ----------
    embeddings : ndarray of shape (n, embedding_size)
        As the model gives them, of any length.
    basis : ndarray of shape (n_rows, embedding_size)
        From `basis_of`.
    strength : float
        0 returns the embeddings as they are; 1 leaves nothing along the directions.

    Returns
    -------
    ndarray of shape (n, embedding_size)

    References
    ----------
    Bolukbasi et al. (2016), NeurIPS 29; Chuang et al. (2023), arXiv:2302.00070, for embeddings of
    prompts.

    Examples
    --------
    >>> project_out(np.array([[2.0, 1.0]]), np.array([[1.0, 0.0]]), 0.5)
    array([[1., 1.]], dtype=float32)
    """
    if require_strength(strength) == 0:
        return np.asarray(embeddings, dtype=np.float32)
    wide = np.asarray(embeddings, dtype=np.float64)
    return np.asarray(wide - strength * (wide @ basis.T) @ basis, dtype=np.float32)


def mixed(embeddings: Rows, others: Rows, strength: float) -> NDArray[np.float32]:
    """Mix normalised embeddings with others, row by row.

    Parameters
    ----------
    embeddings, others : ndarray of shape (n, embedding_size)
    strength : float
        Weight of the others; 0 returns the embeddings as they are.

    Returns
    -------
    ndarray of shape (n, embedding_size)

    Examples
    --------
    >>> mixed(np.array([[2.0, 0.0]]), np.array([[0.0, 3.0]]), 0.5)
    array([[0.5, 0.5]], dtype=float32)
    """
    if require_strength(strength) == 0:
        return np.asarray(embeddings, dtype=np.float32)
    both = (1 - strength) * normalise(embeddings) + strength * normalise(others)
    return np.asarray(both, dtype=np.float32)


def dominated(harms: Array, benefits: Array) -> NDArray[np.intp]:
    """Return for each point another that is no worse in anything and better in something.

    Parameters
    ----------
    harms : ndarray of shape (n_points, n_harms)
        Smaller is better, each for itself: nothing is averaged over harms.
    benefits : ndarray of shape (n_points, n_benefits)
        Larger is better, each for itself. A point with a number that is not known is not compared.

    Returns
    -------
    int ndarray of shape (n_points,)
        The first of those that nothing dominates; -1 where no point dominates.

    Examples
    --------
    >>> dominated(np.array([[2.0], [1.0], [1.0]]), np.array([[0.9], [0.9], [0.8]]))
    array([ 1, -1,  1])
    """
    goods = np.hstack([-harms, benefits])
    known = np.isfinite(goods).all(axis=1)
    beats = np.array(
        [
            known & known[i] & (goods >= own).all(axis=1) & (goods > own).any(axis=1)
            for i, own in enumerate(goods)
        ]
    ).reshape(len(goods), len(goods))
    free = ~beats.any(axis=1)
    first = (beats & free).argmax(axis=1)
    return np.where(free, -1, first).astype(np.intp)
