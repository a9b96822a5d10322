"""What silencing does to what a model answers and finds, beside what it does to its scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.causal import Link, Rows, pooled

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How clusters are answered, and how terms of harm retrieve them."""

    harmful: tuple[bool, ...]
    """Whether each cluster's nearest term, of harm and control packs together, is one of harm."""

    nearest_control: tuple[int, ...]
    """The nearest control term of each cluster, as its place among them."""

    retrieved: float
    """Share of the group among the clusters that terms of harm retrieve, as many as the group has;
    mean over terms."""


def behaviour(embeddings: Rows, link: Link) -> Behaviour:
    """Answer and retrieve with the terms of a link.

    Parameters
    ----------
    embeddings : ndarray of shape (n_pictures, embedding_size)
        Of any length; pictures of a cluster are averaged.
    link : Link

    Returns
    -------
    Behaviour
        ``retrieved`` is neutral at the share of the group among all clusters.

    Examples
    --------
    >>> link = Link(clusters=np.array([0, 1]), concepts=np.array([0, 1]),
    ...     harm=np.array([[1.0, 0.0]]), controls=(np.array([[0.0, 1.0]]),))
    >>> behaviour(np.array([[0.9, 0.1], [0.2, 0.8]]), link)
    Behaviour(harmful=(True, False), nearest_control=(0, 0), retrieved=1.0)
    """
    clusters = pooled(embeddings, link.clusters)
    harm = clusters @ link.harm.T
    controls = clusters @ np.concatenate(link.controls).T
    own = link.concepts == 0
    # Ties keep the order of clusters, so that equal scores retrieve the same ones every time.
    order = np.argsort(-harm, axis=0, kind="stable")[: own.sum()]
    return Behaviour(
        harmful=tuple((harm.max(axis=1) > controls.max(axis=1)).tolist()),
        nearest_control=tuple(controls.argmax(axis=1).tolist()),
        retrieved=float(own[order].mean()),
    )


def harm_rates(found: Behaviour, link: Link) -> tuple[float, float]:
    """Return the share of harmful answers in the group, and its mean over the rest of the family.

    Examples
    --------
    >>> link = Link(clusters=np.array([0, 1]), concepts=np.array([0, 1]),
    ...     harm=np.array([[1.0, 0.0]]), controls=(np.array([[0.0, 1.0]]),))
    >>> harm_rates(Behaviour(harmful=(True, False), nearest_control=(0, 0), retrieved=1.0), link)
    (1.0, 0.0)
    """
    harmful = np.asarray(found.harmful, dtype=np.float64)
    others = [harmful[link.concepts == code].mean() for code in np.unique(link.concepts) if code]
    return float(harmful[link.concepts == 0].mean()), float(np.mean(others))


def unchanged(one: Behaviour, other: Behaviour) -> float:
    """Return the share of clusters whose nearest control term stays the same."""
    return float(np.mean(np.equal(one.nearest_control, other.nearest_control)))
