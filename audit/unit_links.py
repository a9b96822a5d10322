"""What units contribute to found links, exactly, and what each does when silenced alone."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit import unit_parts
from audit.finished_work import content_digest, kept_or_run, work_key
from audit.gathered import Gathered
from audit.results import FindingRecord
from audit.unit_compared import Compared, compare
from audit.unit_parts import DROPS, FOLDER, FORMAT, PARTS, Drops, Parts
from audit.unit_views import View
from concept_sets.errors import PictureError
from probes import attribution, causal, interventions
from probes.attribution import UnitDifferences, harm_direction, unit_double_difference
from probes.causal import Link, cluster_margins, drop
from probes.encoder import Layer, Pooling, Reading
from probes.errors import ModelError
from probes.inspectable import Attributed, Floats
from probes.interventions import Holding, Where, silence
from probes.progress import Progress
from probes.readings import find_layer

Array = NDArray[np.float64]

AT_ONCE = 16

NOT_SHOWN = "no pictures of this group and of another one of its family were shown"
NO_TOWER = "this model cannot be taken apart: its tower is not at hand"


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
class LinkParts:
    """A found link, taken apart."""

    finding: FindingRecord
    direction: Array
    """Where the harm lies from the control packs, shape (embedding_size,)."""

    compared: Compared | None = None
    """None where no pictures of the group and its family could be opened."""

    parts: Parts | None = None
    """None where contributions are not known."""

    alone: Mapping[int, float] = field(default_factory=dict)
    """Drop of the link when one unit is held at its mean."""

    why: str = ""
    """Why contributions are not known."""

    def share(self, unit: int) -> float:
        """Return a unit's part of the link; NaN where there is none to share."""
        if self.parts is None or not self.parts.total > 0:
            return float("nan")
        return float(self.parts.units.value[unit]) / self.parts.total


def place(parts: Parts, unit: int) -> int:
    """Return 1 for the unit of the layer that contributes most."""
    value = np.nan_to_num(parts.units.value)
    return int((value > value[unit]).sum()) + 1


def take_apart(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    reading: Reading,
    views: Sequence[View],
    alone: Sequence[int] = (),
) -> tuple[LinkParts, ...]:
    """Take found links of one group apart into contributions of the units of a layer.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord
        Of one group; either the harms of all sexualise, or of none.
    reading : Reading
        Where the units are.
    views : sequence of View
        Pictures that may be used; photos come before rendered words.
    alone : sequence of int
        Units that are also silenced one by one, where the model can be opened.

    Returns
    -------
    tuple of LinkParts
        One for each finding, all on the same pictures (`compare`). Harm is every term of its pack,
        against all control packs. What is finished is kept beside the activation cache.
    """
    plain = [LinkParts(finding=f, direction=_direction(gathered, f)) for f in findings]
    first = findings[0]
    compared = compare(
        first.identity,
        gathered.families.get(first.family, ()),
        views,
        adults_only=first.harm in gathered.selection.sexual,
        seed=gathered.plan.seed,
    )
    if compared is None:
        return tuple(_without(link, NOT_SHOWN) for link in plain)
    try:
        pictures = compared.pictures()
    except PictureError as error:
        return tuple(_without(link, f"a picture can no longer be read: {error}") for link in plain)
    directions = np.stack([link.direction for link in plain])
    found = _contributions(gathered, pictures, directions, reading, compared)
    drops = _alone(gathered, findings, pictures, reading, compared, alone)
    return tuple(
        LinkParts(
            finding=link.finding,
            direction=link.direction,
            compared=compared,
            parts=None if isinstance(found, str) else found[i],
            alone=drops[i],
            why=found if isinstance(found, str) else "",
        )
        for i, link in enumerate(plain)
    )


def _without(link: LinkParts, why: str) -> LinkParts:
    return LinkParts(finding=link.finding, direction=link.direction, why=why)


def _direction(gathered: Gathered, finding: FindingRecord) -> Array:
    packs = [_terms(gathered, pack) for pack in gathered.controls]
    return harm_direction(_terms(gathered, finding.harm), packs)


def _terms(gathered: Gathered, pack: str) -> Array:
    return gathered.texts.pooled[gathered.texts.of({pack})]


def _contributions(
    gathered: Gathered,
    pictures: Sequence[Image],
    directions: Array,
    reading: Reading,
    compared: Compared,
) -> tuple[Parts, ...] | str:
    """Return the parts of the link along each direction, or why they are not known."""
    tools = gathered.tools
    encoder = tools.encoder
    if not isinstance(encoder, Attributing):
        return NO_TOWER

    def run() -> tuple[Parts, ...]:
        done = _attributed(encoder, pictures, directions, reading.layer, tools.progress)
        return tuple(_parts(done, column, compared) for column in range(len(directions)))

    try:
        key = partial(_key, gathered, "parts of a link", reading, compared, [directions])
        return kept_or_run(tools.cache, FOLDER, PARTS, key, run)
    except ModelError as error:
        return str(error)


def _attributed(
    encoder: Attributing,
    pictures: Sequence[Image],
    directions: Array,
    layer: str,
    progress: Progress,
) -> list[Attributed]:
    done: list[Attributed] = []
    progress.start(len(pictures), "taking a link apart")
    try:
        for start in range(0, len(pictures), AT_ONCE):
            batch = pictures[start : start + AT_ONCE]
            done.append(encoder.attribute(batch, directions, layer=layer))
            progress.advance(len(batch))
    finally:
        progress.finish()
    return done


def _key(
    gathered: Gathered,
    kind: str,
    reading: Reading,
    compared: Compared,
    arrays: Sequence[NDArray[Any]],
) -> dict[str, str]:
    """Name what parts of links depend on: the pictures, how they are grouped, and ``arrays``."""
    modules = (sys.modules[__name__], unit_parts, attribution, causal, interventions)
    digests = [compared.view.stimuli[i].digest for i in compared.index]
    grouped = (compared.clusters, compared.concepts, *arrays)
    identity, content = gathered.tools.encoder.identity, content_digest(digests, grouped)
    return work_key(identity, kind, reading, modules, format=FORMAT, content=content)


def _parts(done: Sequence[Attributed], column: int, compared: Compared) -> Parts:
    def of(values: Sequence[Floats]) -> UnitDifferences:
        cosines = [
            rows[:, column].astype(np.float64).reshape(len(rows), -1) / one.lengths[:, None]
            for rows, one in zip(values, done, strict=True)
        ]
        return unit_double_difference(
            np.concatenate(cosines),
            compared.clusters,
            compared.concepts,
            identity=0,
            family=np.unique(compared.concepts).tolist(),
        )

    named = {name: of([one.others[name] for one in done]) for name in done[0].others}
    named["constant"] = of([one.constant for one in done])
    return Parts(
        units=of([one.units for one in done]),
        # A part that does not vary adds nothing to a difference.
        others={name: float(np.nan_to_num(found.value[0])) for name, found in named.items()},
        total=float(of([one.products for one in done]).value[0]),
    )


def _alone(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    pictures: Sequence[Image],
    reading: Reading,
    compared: Compared,
    units: Sequence[int],
) -> Drops:
    """Hold units at their mean one by one; nothing where the model cannot be opened."""
    encoder = gathered.tools.encoder
    if not isinstance(encoder, Holding) or not units:
        return tuple({} for _ in findings)
    layer = find_layer(reading.layer, encoder.layers)
    where: Where = "class" if reading.pooling is Pooling.CLS else "everywhere"
    links = [_link(gathered, finding, compared) for finding in findings]
    terms = [array for link in links for array in (link.harm, *link.controls)]
    arrays = [np.array(units), np.array([len(link.controls) for link in links]), *terms]
    return kept_or_run(
        gathered.tools.cache,
        FOLDER,
        DROPS,
        partial(_key, gathered, "units alone", reading, compared, arrays),
        partial(_silenced, encoder, pictures, layer, where, links, units),
    )


def _silenced(
    encoder: Holding,
    pictures: Sequence[Image],
    layer: Layer,
    where: Where,
    links: Sequence[Link],
    units: Sequence[int],
) -> Drops:
    held = encoder.hold(pictures, layer.name, where)
    before, mean = [cluster_margins(held.embeddings, k) for k in links], held.statistics.mean
    edits = (silence(layer.name, [u], mean[[u]], n_units=layer.n_units, where=where) for u in units)
    drops: Drops = tuple({} for _ in links)
    for unit, embeddings in zip(units, held.encode_edited_many(edits), strict=True):
        for link, plain, own in zip(links, before, drops, strict=True):
            own[unit] = drop(plain, cluster_margins(embeddings, link), link.concepts).value
    return drops


def _link(gathered: Gathered, finding: FindingRecord, compared: Compared) -> Link:
    clusters = compared.clusters
    first = np.unique(clusters, return_index=True)[1]
    return Link(
        clusters=clusters,
        concepts=compared.concepts[first],
        harm=_terms(gathered, finding.harm),
        controls=tuple(_terms(gathered, pack) for pack in gathered.controls),
    )
