"""Stimuli to show beside a unit: the strongest, the middle and a random draw, one of each cluster.

Top examples alone flatter: almost any unit looks like something in its nine strongest pictures.
Middle and random ones say what it answers to as a rule. They illustrate; they never decide.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.clusters import cluster_means
from probes.errors import MeasureError

Responses = NDArray[np.floating[Any]]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One stimulus, standing for its cluster."""

    stimulus: int
    """Row of the responses."""

    cluster: int
    response: float
    """Of this stimulus, in the units the layer emits."""

    cluster_response: float
    """Mean over the cluster: what it is ranked by."""

    rank: float
    """Share of the other clusters with a lower mean, ties counting half; NaN for a lone one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSet:
    """What is shown of one unit."""

    top: tuple[Example, ...]
    """Clusters of largest mean response, the largest first, by their strongest stimulus."""

    middle: tuple[Example, ...]
    """Clusters around the median, the largest first, by the stimulus nearest to their mean."""

    random: tuple[Example, ...]
    """Clusters drawn blindly, by a stimulus drawn blindly; may repeat the others."""

    n: int
    clusters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of a picture in pixels, right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int


def choose_examples(
    responses: Responses, clusters: Codes, *, rng: np.random.Generator, count: int = 9
) -> ExampleSet:
    """Choose what to show of a unit.

    Parameters
    ----------
    responses : ndarray of shape (n_stimuli,)
        Of one unit or direction, in the units the layer emits.
    clusters : int ndarray of shape (n_stimuli,)
        Cluster of each stimulus, 0 to n_clusters - 1.
    rng : numpy.random.Generator
        Of the random examples.
    count : int
        Clusters of each kind; fewer where there are fewer.

    Returns
    -------
    ExampleSet

    Raises
    ------
    MeasureError
        If there is nothing to choose from, a response is not finite, or shapes disagree.

    References
    ----------
    Borowski et al. (2021), ICLR, for what natural examples tell beside drawn ones.

    Examples
    --------
    >>> responses, clusters = np.array([0.0, 5.0, 1.0, 9.0, 2.0]), np.array([0, 0, 1, 2, 2])
    >>> found = choose_examples(responses, clusters, rng=np.random.default_rng(0), count=1)
    >>> found.top[0].stimulus, found.middle[0].cluster
    (3, 0)
    """
    values = _checked(responses, clusters, count)
    means = cluster_means(values[:, None], clusters)[:, 0]
    order = np.argsort(-means, kind="stable")
    start = max(0, (len(order) - count) // 2)
    made = _Chooser(values, np.asarray(clusters), means)
    drawn = rng.permutation(len(order))[:count]
    return ExampleSet(
        top=tuple(made.strongest(int(c)) for c in order[:count]),
        middle=tuple(made.nearest(int(c)) for c in order[start : start + count]),
        random=tuple(made.drawn(int(c), rng) for c in drawn),
        n=len(values),
        clusters=len(order),
    )


def strongest_position(position_map: Responses) -> tuple[int, int]:
    """Return row and column of the strongest response, the first where several are.

    Parameters
    ----------
    position_map : ndarray of shape (height, width)
        Responses of one unit to one picture, position by position.

    Raises
    ------
    MeasureError
        If the map has no position, or a response is not finite.

    Examples
    --------
    >>> strongest_position(np.array([[0.0, 1.0], [3.0, 2.0]]))
    (1, 0)
    """
    if position_map.ndim != 2 or not position_map.size or not np.isfinite(position_map).all():
        raise MeasureError(
            "A map must have rows and columns of finite responses; "
            f"got shape {position_map.shape}. A class token has no position."
        )
    row, column = np.unravel_index(int(position_map.argmax()), position_map.shape)
    return int(row), int(column)


def centre_square(size: tuple[int, int]) -> Box:
    """Return the part that a model sees which cuts the middle out of a picture.

    Parameters
    ----------
    size : tuple of int
        Width and height of the picture in pixels.

    Examples
    --------
    >>> centre_square((100, 60))
    Box(left=20, top=0, right=80, bottom=60)
    """
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return Box(left=left, top=top, right=left + side, bottom=top + side)


def crop_at(
    position: tuple[int, int], grid: tuple[int, int], seen: Box, *, share: float = 0.5
) -> Box:
    """Return the part of a picture around a position of a layer's map.

    The centre of the position is the centre of the crop, which is pushed back where it would
    leave what the model saw.

    Parameters
    ----------
    position : tuple of int
        Row and column.
    grid : tuple of int
        Rows and columns of the map.
    seen : Box
        What the model saw of the picture, in pixels: see `centre_square`.
    share : float
        Side of the crop as a share of the shorter side of ``seen``, above 0 to 1.

    Raises
    ------
    MeasureError
        If the position is not on the map, the share is none, or nothing was seen.

    Examples
    --------
    >>> crop_at((0, 3), (4, 4), Box(left=0, top=0, right=64, bottom=64), share=0.25)
    Box(left=48, top=0, right=64, bottom=16)
    """
    width, height = seen.right - seen.left, seen.bottom - seen.top
    if not all(0 <= place < length for place, length in zip(position, grid, strict=True)):
        raise MeasureError(f"The position must lie on a map of {grid}; got {position}.")
    if not 0 < share <= 1 or min(width, height) < 1:
        raise MeasureError(
            "A crop needs a share above 0 and up to 1 of a picture with pixels; "
            f"got {share} of {width} x {height}."
        )
    side = max(1, round(share * min(width, height)))
    left = _start((position[1] + 0.5) / grid[1] * width, side, width)
    top = _start((position[0] + 0.5) / grid[0] * height, side, height)
    return Box(
        left=seen.left + left,
        top=seen.top + top,
        right=seen.left + left + side,
        bottom=seen.top + top + side,
    )


def _start(centre: float, side: int, length: int) -> int:
    return min(max(round(centre - side / 2), 0), length - side)


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Makes an example of a cluster."""

    values: NDArray[np.float64]
    clusters: Codes
    means: NDArray[np.float64]

    def strongest(self, cluster: int) -> Example:
        inside = np.flatnonzero(self.clusters == cluster)
        return self._of(int(inside[self.values[inside].argmax()]))

    def nearest(self, cluster: int) -> Example:
        inside = np.flatnonzero(self.clusters == cluster)
        return self._of(int(inside[abs(self.values[inside] - self.means[cluster]).argmin()]))

    def drawn(self, cluster: int, rng: np.random.Generator) -> Example:
        return self._of(int(rng.choice(np.flatnonzero(self.clusters == cluster))))

    def _of(self, stimulus: int) -> Example:
        cluster = int(self.clusters[stimulus])
        mean = self.means[cluster]
        others = np.delete(self.means, cluster)
        rank = (np.sign(mean - others) / 2 + 0.5).mean() if len(others) else float("nan")
        return Example(
            stimulus=stimulus,
            cluster=cluster,
            response=float(self.values[stimulus]),
            cluster_response=float(mean),
            rank=float(rank),
        )


def _checked(responses: Responses, clusters: Codes, count: int) -> NDArray[np.float64]:
    values = np.asarray(responses, dtype=np.float64)
    if values.ndim != 1 or values.shape != np.shape(clusters) or not len(values):
        raise MeasureError(
            "Examples need one response and one cluster for each stimulus; "
            f"got shapes {values.shape} and {np.shape(clusters)}."
        )
    if not np.isfinite(values).all():
        raise MeasureError(
            f"Responses must be finite; got NaN or infinity for {(~np.isfinite(values)).sum()} "
            "stimuli. Leave them out, and say so."
        )
    if count < 1:
        raise MeasureError(f"At least one example of each kind must be asked for; got {count}.")
    return values
