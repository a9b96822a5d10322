"""How large natural units are: the limits that a planted unit keeps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

NATURAL = 0.95
"""A plant is no larger than this quantile of natural units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The 95th percentile of natural units in each size that a plant has."""

    response: float
    """Double difference of the unit's own best group against its family, as the layer emits it."""

    response_sd: float
    """The same over the unit's standard deviation over pictures."""

    reach: float
    """Length of what the unit writes, in the embedding."""

    weight: float
    """Length of the unit's output weights themselves."""

    contribution: float
    """Double difference times reach along a pack's direction: the unit's largest, over all groups
    and packs of harms and controls."""


def differences(responses: Array, groups: Codes) -> Array:
    """Return each unit's mean response to every group less that to the others.

    Parameters
    ----------
    responses : ndarray of shape (n_pictures, n_units)
    groups : int ndarray of shape (n_pictures,)
        0 to n_groups - 1; every group's mean has one vote among the others.

    Returns
    -------
    ndarray of shape (n_groups, n_units)
    """
    means = np.stack([responses[groups == code].mean(axis=0) for code in np.unique(groups)])
    return np.asarray(means - (means.sum(axis=0) - means) / (len(means) - 1))


def natural_sizes(
    responses: Array, groups: Codes, outputs: Array, reach: Array, directions: Array
) -> Sizes:
    """Measure natural units; those that give the same to every picture are none.

    Parameters
    ----------
    responses : ndarray of shape (n_pictures, n_units)
        What each unit hands on.
    groups : int ndarray of shape (n_pictures,)
    outputs : ndarray of shape (stream_size, n_units)
    reach : ndarray of shape (stream_size, embedding_size)
    directions : ndarray of shape (n_packs, embedding_size)
        From the control packs to each pack.
    """
    live = alive(responses)
    doubled = differences(responses, groups)[:, live]
    rows = outputs.T[live] @ reach
    parts = np.einsum("gu,up->gpu", doubled, rows @ directions.T)
    each = {
        "response": doubled.max(axis=0),
        "response_sd": (doubled / responses[:, live].std(axis=0)).max(axis=0),
        "reach": np.linalg.norm(rows, axis=1),
        "weight": np.linalg.norm(outputs[:, live], axis=0),
        "contribution": parts.max(axis=(0, 1)),
    }
    return Sizes(**{name: float(np.quantile(sizes, NATURAL)) for name, sizes in each.items()})


def alive(responses: Array) -> NDArray[np.bool_]:
    """Return which units tell pictures apart, shape (n_units,)."""
    spread = responses.std(axis=0)
    return np.asarray(spread > 1e-6 * max(float(spread.max()), 1e-12))
