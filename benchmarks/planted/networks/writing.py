"""A unit is written: the function that it copies, and the harm that its output serves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted.networks.sizes import Sizes, differences

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

RIDGE = 1.0
"""Share of the mean variance that is added to the variances of features."""

RATE = 0.8
"""Share of positions at which a written unit answers above 0: most, so that its answers follow
what it reads and groups that it reads alike get like answers."""

MIXTURES = 90
"""Steps from the fitted reading to the rest of the unit's own."""

SCALINGS = 40
RIDGES = np.logspace(-6, 6, 61)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """``act(weights . features + bias)``: what a written unit is, at every position."""

    weights: Array
    bias: float
    fitted: float
    """Share of the fitted reading in the mixture with the rest of the unit's own, 0 to 1."""

    response: float
    """Double difference for the group on the pictures that it was fitted on."""

    response_sd: float
    mean: float
    """Over those pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Group means of features, and the covariance by which readings are weighed."""

    spread: Array
    """Within groups, ridged, shape (n_features, n_features)."""

    means: Array
    """About their own mean, shape (n_groups, n_features)."""

    @classmethod
    def of(cls, fitting: tuple[Array, Codes], shown: tuple[Array, Codes]) -> "Readings":
        """Take covariances from some pictures and means from others.

        Parameters
        ----------
        fitting, shown : tuple of ndarray of shape (n_pictures, n_features) and group codes
        """
        parts = _by_group(*fitting)
        cover = np.cov(np.concatenate([rows - rows.mean(axis=0) for rows in parts]).T)
        ridge = RIDGE * np.trace(cover) / len(cover)
        means = np.stack([rows.mean(axis=0) for rows in _by_group(*shown)])
        return cls(spread=cover + ridge * np.eye(len(cover)), means=means - means.mean(axis=0))

    def for_group(self, group: int) -> Array:
        """Return Fisher's reading under which the group lies apart and all others lie alike."""
        wanted = (np.arange(len(self.means)) == group) - 1 / len(self.means)
        return np.asarray(self._from_means() @ wanted)

    def without_groups(self, reading: Array) -> Array:
        """Return what of a reading gives every group the same mean."""
        return np.asarray(reading - self._from_means() @ (self.means @ reading))

    def _from_means(self) -> Array:
        """Return the readings that give groups wanted means, shape (n_features, n_groups)."""
        solved = np.linalg.solve(self.spread, self.means.T)
        return np.asarray(solved @ np.linalg.pinv(self.means @ solved, rcond=1e-6))


def _by_group(features: Array, groups: Codes) -> list[Array]:
    return [features[groups == code] for code in np.unique(groups)]


def copy_function(
    features: Array,
    groups: Codes,
    group: int,
    fitted: Array,
    rest: Array,
    limits: Sizes,
    act: Callable[[Array], Array],
) -> Copied:
    """Find the reading that answers to a group as strongly as natural units may.

    Parameters
    ----------
    features : ndarray of shape (n_pictures, n_positions, n_features)
    groups : int ndarray of shape (n_pictures,)
    group : int
        Which group the unit shall answer to.
    fitted, rest : ndarray of shape (n_features,)
        From `Readings`: for the group, and what the unit read before, without groups.
    limits : Sizes
    act : callable

    Returns
    -------
    Copied
        The largest share of the fitted reading at which neither size exceeds its limit.

    Raises
    ------
    ValueError
        If no mixture answers to the group.
    """
    means = features.mean(axis=1)
    fitted, rest = (row / (means @ row).std() for row in (fitted, rest))
    for angle in np.linspace(0, np.pi / 2, MIXTURES, endpoint=False):
        mixed = np.cos(angle) * fitted + np.sin(angle) * rest
        scaled = _to_size(features @ mixed, groups, group, limits.response, act)
        if scaled is not None and scaled[3] <= limits.response_sd:
            size, bias, response, response_sd, mean = scaled
            return Copied(
                weights=size * mixed,
                bias=bias,
                fitted=float(np.cos(angle)),
                response=response,
                response_sd=response_sd,
                mean=mean,
            )
    raise ValueError("No mixture of the fitted reading and the unit's own answers to the group.")


def _to_size(
    drive: Array, groups: Codes, group: int, limit: float, act: Callable[[Array], Array]
) -> tuple[float, float, float, float, float] | None:
    """Scale a reading until its double difference is just below the limit.

    Returns scale, bias, double difference, that over the standard deviation, and the mean.
    """
    threshold = float(np.quantile(drive, 1 - RATE))
    low, high = 0.0, 1.0
    while _answer(high * (drive - threshold), groups, group, act)[0] < limit:
        low, high = high, 2 * high
        if high > 1e6:
            return None
    for _ in range(SCALINGS):
        middle = (low + high) / 2
        below = _answer(middle * (drive - threshold), groups, group, act)[0] <= limit
        low, high = (middle, high) if below else (low, middle)
    return low, -low * threshold, *_answer(low * (drive - threshold), groups, group, act)


def _answer(
    before: Array, groups: Codes, group: int, act: Callable[[Array], Array]
) -> tuple[float, float, float]:
    handed = act(before).mean(axis=1)[:, None]
    value = float(differences(handed, groups)[group, 0])
    spread = float(handed.std())
    return value, value / spread if spread > 0 else float("inf"), float(handed.mean())


def serve(reach: Array, direction: Array, limits: Sizes) -> Array:
    """Return the output weights that take the embedding furthest towards a direction.

    Parameters
    ----------
    reach : ndarray of shape (stream_size, embedding_size)
        What the stream does to the embedding.
    direction : ndarray of shape (embedding_size,)
    limits : Sizes
        Neither the weights nor what they do to the embedding is longer than its limit.

    Returns
    -------
    ndarray of shape (stream_size,)
    """
    gram, pull = reach @ reach.T, reach @ direction
    size = np.trace(gram) / len(gram)
    tried = [np.linalg.solve(gram + r * size * np.eye(len(gram)), pull) for r in RIDGES]
    columns = [to_limits(column, reach, limits) for column in tried]
    return max(columns, key=lambda column: float(column @ pull))


def to_limits(column: Array, reach: Array, limits: Sizes) -> Array:
    """Make output weights as long as both limits allow."""
    factor = min(
        limits.reach / np.linalg.norm(column @ reach), limits.weight / np.linalg.norm(column)
    )
    return np.asarray(column * factor)


def turned(column: Array, reach: Array, rng: np.random.Generator) -> Array:
    """Return output weights of the same reach in a direction drawn at random."""
    drawn = rng.standard_normal(len(column))
    length = np.linalg.norm(column @ reach) / np.linalg.norm(drawn @ reach)
    return np.asarray(drawn * length)
