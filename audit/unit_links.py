"""What units contribute to a found link, exactly, and what each does when silenced alone."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.gathered import Gathered
from audit.results import FindingRecord
from audit.unit_views import View
from concept_sets.errors import PictureError
from probes.attribution import UnitDifferences, harm_direction, unit_double_difference
from probes.causal import Link, cluster_margins, drop
from probes.encoder import Pooling, Reading
from probes.errors import ModelError
from probes.inspectable import Attributed, Floats
from probes.interventions import Holding, Where, silence
from probes.readings import find_layer

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

MOST_PICTURES = 64
"""Of the group, and of the rest of its family together, that a link is taken apart on."""

SEED = 53
AT_ONCE = 16


@runtime_checkable
class Attributing(Protocol):
    """An encoder whose scores can be taken apart, see `probes.inspectable`."""

    def attribute(
        self,
        pictures: Sequence[Image],
        directions: Floats,
        *,
        layer: str | None = None,
        maps: Sequence[int] = (),
        double: bool = False,
    ) -> Attributed:
        """Take dot products with directions apart into contributions of units."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Pictures of a group and of the rest of its family."""

    view: View
    index: Indices
    """Rows of the view, shape (n_pictures,)."""

    concepts: NDArray[np.intp]
    """0 for the group, others for the rest of the family, shape (n_pictures,)."""

    available: tuple[int, int]
    """Pictures of the group and of the rest before any were left out."""

    @property
    def clusters(self) -> NDArray[np.intp]:
        """Cluster of each picture, 0 to n_clusters - 1."""
        own = self.view.clusters[self.index]
        return np.asarray(np.unique(own, return_inverse=True)[1], dtype=np.intp)

    @property
    def counts(self) -> tuple[int, int]:
        """Pictures of the group and of the rest."""
        own = int((self.concepts == 0).sum())
        return own, len(self.concepts) - own

    def pictures(self) -> list[Image]:
        """Open them."""
        return [self.view.load(self.view.stimuli[i]) for i in self.index]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkParts:
    """A found link, taken apart."""

    finding: FindingRecord
    compared: Compared | None
    """None where no pictures of the group and its family were shown."""

    direction: Array
    """Where the harm lies from the control packs, shape (embedding_size,)."""

    units: UnitDifferences | None = None
    """Contribution of every unit, as a cosine; None where it is not known."""

    others: Mapping[str, float] = field(default_factory=dict)
    """Contributions of named parts; with ``units`` they add up to ``total``."""

    total: float = float("nan")
    """The link: double difference of cosines on these pictures."""

    alone: Mapping[int, float] = field(default_factory=dict)
    """Drop of the link when one unit is held at its mean."""

    why: str = ""
    """Why contributions are not known."""

    def share(self, unit: int) -> float:
        """Return a unit's part of the link; NaN where there is none to share."""
        if self.units is None or not self.total > 0:
            return float("nan")
        return float(self.units.value[unit]) / self.total

    def place(self, unit: int) -> int:
        """Return 1 for the unit that contributes most."""
        value = np.nan_to_num(self.units.value) if self.units is not None else np.zeros(unit + 1)
        return int((value > value[unit]).sum()) + 1


def take_apart(
    gathered: Gathered,
    finding: FindingRecord,
    reading: Reading,
    views: Sequence[View],
    alone: Sequence[int] = (),
) -> LinkParts:
    """Take a found link apart into contributions of the units of a layer.

    Parameters
    ----------
    gathered : Gathered
    finding : FindingRecord
    reading : Reading
        Where the units are.
    views : sequence of View
        Pictures that may be used; photos come before rendered words.
    alone : sequence of int
        Units that are also silenced one by one, where the model can be opened.

    Returns
    -------
    LinkParts
        On at most ``MOST_PICTURES`` pictures of the group and as many of the rest of its family,
        drawn by the audit's seed and the finding's id. Harm is every term of the pack, against
        all control packs.
    """
    direction = harm_direction(
        _terms(gathered, finding.harm), [_terms(gathered, pack) for pack in gathered.controls]
    )
    compared = _compared(gathered, finding, views)
    if compared is None:
        why = "no pictures of this group and of another one of its family were shown"
        return LinkParts(finding=finding, compared=None, direction=direction, why=why)
    try:
        pictures = compared.pictures()
    except PictureError as error:
        why = f"a picture can no longer be read: {error}"
        return LinkParts(finding=finding, compared=None, direction=direction, why=why)
    parts, others, total, why = _contributions(gathered, pictures, direction, reading, compared)
    return LinkParts(
        finding=finding,
        compared=compared,
        direction=direction,
        units=parts,
        others=others,
        total=total,
        alone=_alone(gathered, finding, pictures, reading, compared, alone),
        why=why,
    )


def _terms(gathered: Gathered, pack: str) -> Array:
    return gathered.texts.pooled[gathered.texts.of({pack})]


def _compared(gathered: Gathered, finding: FindingRecord, views: Sequence[View]) -> Compared | None:
    sexual = finding.harm in gathered.selection.sexual
    family = gathered.families.get(finding.family, ())
    concepts = [finding.identity, *(c for c in family if c != finding.identity)]
    word = hashlib.sha256(finding.id.encode()).digest()[:8]
    rng = np.random.default_rng([gathered.plan.seed, SEED, *word])
    for view in sorted(views, key=lambda v: v.arm != "photo"):
        usable = view.adults() if sexual else view
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


def _some(
    rows: Indices, clusters: NDArray[np.intp], limit: int, rng: np.random.Generator
) -> Indices:
    """Draw one picture of each cluster, then a second of each, up to a limit; order is kept."""
    mixed = rng.permutation(rows)
    turn = np.zeros(len(mixed), dtype=np.intp)
    seen: dict[int, int] = {}
    for place, cluster in enumerate(clusters[mixed].tolist()):
        turn[place] = seen[cluster] = seen.get(cluster, -1) + 1
    return np.sort(mixed[np.argsort(turn, kind="stable")][:limit])


def _contributions(
    gathered: Gathered,
    pictures: Sequence[Image],
    direction: Array,
    reading: Reading,
    compared: Compared,
) -> tuple[UnitDifferences | None, dict[str, float], float, str]:
    encoder, progress = gathered.tools.encoder, gathered.tools.progress
    if not isinstance(encoder, Attributing):
        return None, {}, float("nan"), "this model cannot be taken apart: its tower is not at hand"
    done = []
    progress.start(len(pictures), "taking a link apart")
    try:
        for start in range(0, len(pictures), AT_ONCE):
            batch = pictures[start : start + AT_ONCE]
            done.append(encoder.attribute(batch, direction[None], layer=reading.layer))
            progress.advance(len(batch))
    except ModelError as error:
        return None, {}, float("nan"), str(error)
    finally:
        progress.finish()
    units = np.concatenate([_cosine(one.units[:, 0], one) for one in done])
    named = {
        name: np.concatenate([_cosine(_column(one, name), one) for one in done])
        for name in (*done[0].others, "constant")
    }
    whole = np.concatenate([_cosine(one.products, one) for one in done])
    return (
        _differences(units, compared),
        {name: float(_differences(values, compared).value[0]) for name, values in named.items()},
        float(_differences(whole, compared).value[0]),
        "",
    )


def _column(one: Attributed, name: str) -> Floats:
    return one.constant if name == "constant" else one.others[name]


def _cosine(values: Floats, one: Attributed) -> Array:
    """Divide by lengths of embeddings, shape (n_pictures, n)."""
    wide: Array = values.astype(np.float64) / one.lengths.astype(np.float64)[:, None]
    return wide


def _differences(values: Array, compared: Compared) -> UnitDifferences:
    return unit_double_difference(
        values,
        compared.clusters,
        compared.concepts,
        identity=0,
        family=np.unique(compared.concepts).tolist(),
    )


def _alone(
    gathered: Gathered,
    finding: FindingRecord,
    pictures: Sequence[Image],
    reading: Reading,
    compared: Compared,
    units: Sequence[int],
) -> dict[int, float]:
    """Hold units at their mean one by one; nothing where the model cannot be opened."""
    encoder = gathered.tools.encoder
    if not isinstance(encoder, Holding) or not units:
        return {}
    layer = find_layer(reading.layer, encoder.layers)
    where: Where = "class" if reading.pooling is Pooling.CLS else "everywhere"
    held, link = encoder.hold(pictures, layer.name, where), _link(gathered, finding, compared)
    before, mean = cluster_margins(held.embeddings, link), held.statistics.mean
    edits = (silence(layer.name, [u], mean[[u]], n_units=layer.n_units, where=where) for u in units)
    return {
        unit: drop(before, cluster_margins(embeddings, link), link.concepts).value
        for unit, embeddings in zip(units, held.encode_edited_many(edits), strict=True)
    }


def _link(gathered: Gathered, finding: FindingRecord, compared: Compared) -> Link:
    clusters = compared.clusters
    first = np.unique(clusters, return_index=True)[1]
    return Link(
        clusters=clusters,
        concepts=compared.concepts[first],
        harm=_terms(gathered, finding.harm),
        controls=tuple(_terms(gathered, pack) for pack in gathered.controls),
    )
