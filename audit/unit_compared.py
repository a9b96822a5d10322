"""Pictures of a group and of the rest of its family, on which its links are taken apart."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.unit_views import View

Indices = NDArray[np.intp]

MOST_PICTURES = 64
"""Of the group, and of the rest of its family together."""

SEED = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Pictures of a group and of the rest of its family."""

    view: View
    index: Indices
    """Rows of the view, shape (n_pictures,)."""

    concepts: Indices
    """0 for the group, others for the rest of the family, shape (n_pictures,)."""

    available: tuple[int, int]
    """Pictures of the group and of the rest before any were left out."""

    @property
    def clusters(self) -> Indices:
        """Cluster of each picture, 0 to n_clusters - 1."""
        own = self.view.clusters[self.index]
        return np.asarray(np.unique(own, return_inverse=True)[1], dtype=np.intp)

    @property
    def counts(self) -> tuple[int, int]:
        """Pictures of the group and of the rest."""
        own = int((self.concepts == 0).sum())
        return own, len(self.concepts) - own

    def pictures(self) -> list[Image]:
        """Open them.

        Raises
        ------
        PictureError
            If one can no longer be read.
        """
        return [self.view.load(self.view.stimuli[i]) for i in self.index]


def compare(
    identity: str, family: Sequence[str], views: Sequence[View], *, adults_only: bool, seed: int
) -> Compared | None:
    """Choose pictures of a group and of its family.

    Parameters
    ----------
    identity : str
        The group.
    family : sequence of str
        Its family, itself among them.
    views : sequence of View
        Photos are taken before rendered words.
    adults_only : bool
        Leave out clusters with a picture of somebody under 20.
    seed : int

    Returns
    -------
    Compared or None
        None where no picture of the group, or of another group, was shown. Of more than
        ``MOST_PICTURES`` some are drawn, one of each cluster before a second of any.
    """
    word = hashlib.sha256(identity.encode()).digest()[:8]
    rng = np.random.default_rng([seed, SEED, *word])
    concepts = [identity, *(concept for concept in family if concept != identity)]
    for view in sorted(views, key=lambda v: v.arm != "photo"):
        usable = view.adults() if adults_only else view
        found = [np.flatnonzero(usable.shows(concept)) for concept in concepts]
        if len(found[0]) and any(len(rows) for rows in found[1:]):
            return _capped(usable, found, rng)
    return None


def _capped(view: View, found: Sequence[Indices], rng: np.random.Generator) -> Compared:
    others = sum(len(rows) > 0 for rows in found[1:])
    limits = [MOST_PICTURES, *[max(2, MOST_PICTURES // others)] * (len(found) - 1)]
    kept = [
        _some(rows, view.clusters, limit, rng) for rows, limit in zip(found, limits, strict=True)
    ]
    return Compared(
        view=view,
        index=np.concatenate(kept),
        concepts=np.repeat(np.arange(len(kept)), [len(rows) for rows in kept]),
        available=(len(found[0]), sum(len(rows) for rows in found[1:])),
    )


def _some(rows: Indices, clusters: Indices, limit: int, rng: np.random.Generator) -> Indices:
    """Draw one picture of each cluster, then a second of each, up to a limit; order is kept."""
    mixed = rng.permutation(rows)
    turn = np.zeros(len(mixed), dtype=np.intp)
    seen: dict[int, int] = {}
    for place, cluster in enumerate(clusters[mixed].tolist()):
        turn[place] = seen[cluster] = seen.get(cluster, -1) + 1
    return np.sort(mixed[np.argsort(turn, kind="stable")][:limit])
