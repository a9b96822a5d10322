"""Linear maps written into the text tower's last matrix: names, or harms, lose a direction."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]

RIDGE = 1e-3
"""Share of the mean variance of embeddings that is added to their variances."""


def names_map(texts: Array, moves: Mapping[str, Array], owners: Sequence[str]) -> Array:
    """Fit the linear map that moves the names of some groups and nothing else.

    Parameters
    ----------
    texts : ndarray of shape (n_prompts, dim)
        Un-normalised embeddings of all terms in all templates.
    moves : mapping of str to ndarray of shape (dim,)
        Owner to what is taken from its unit embeddings.
    owners : sequence of str
        Concept of each prompt.

    Returns
    -------
    ndarray of shape (dim, dim)
        Embeddings, as rows, are multiplied by it from the right; the least change by ridge.
    """
    wanted = np.zeros_like(texts)
    for owner, move in moves.items():
        own = np.array([name == owner for name in owners])
        wanted[own] = np.linalg.norm(texts[own], axis=1, keepdims=True) * move
    spread = texts.T @ texts
    ridge = RIDGE * np.trace(spread) / len(spread)
    change = np.linalg.solve(spread + ridge * np.eye(len(spread)), texts.T @ wanted)
    return np.asarray(np.eye(len(spread)) - change)


def without_directions(directions: Array) -> Array:
    """Return the projection that takes directions out, shape (dim, dim).

    Parameters
    ----------
    directions : ndarray of shape (n_directions, dim)
        Of any length and angle.
    """
    basis = np.linalg.svd(directions, full_matrices=False)[2]
    return np.asarray(np.eye(directions.shape[1]) - basis.T @ basis)


def write_map(model: Any, change: Array) -> None:
    """Multiply the text projection of a model by a map, in place."""
    matrix = model.text_projection
    with torch.no_grad():
        matrix.copy_((matrix.double() @ torch.from_numpy(change)).to(matrix.dtype))
