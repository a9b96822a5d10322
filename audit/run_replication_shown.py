"""A second model is shown what the audited one was shown, and their units are matched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.errors import PlanError
from audit.gather import Instruments, Shown, show_photos, show_rendered, show_texts, tested_concepts
from audit.gathered import Gathered
from audit.photo_rows import minor_stimuli
from audit.plan import AuditPlan
from audit.results import FindingRecord
from audit.run_arms import Responses
from audit.unit_tables import group_tables, unit_table
from audit.units import Carriers
from probes.clusters import cluster_means, clusters_of
from probes.encoder import Encoder, Reading
from probes.readings import default_reading, parse_reading
from probes.replication import Matches, match_units

Say = Callable[[str], None]
Array = NDArray[np.float64]

SEED = 53
"""Second word of the seed: nothing is drawn from the verdicts' generator."""

MIN_CLUSTERS = 3
"""Clusters of a kind of picture without which it has no vote in a correlation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A second model and its answers to the stimuli of the audit."""

    encoder: Encoder
    reading: Reading | None
    responses: Responses
    minors: tuple[NDArray[np.bool_], ...]
    carriers: Carriers

    @property
    def photo_minors(self) -> NDArray[np.bool_]:
        """Photos that show, or may show, somebody under 20; empty where there are no photos."""
        return self.minors[-1] if self.responses.photos is not None else np.zeros(0, dtype=bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Units of one layer of each model, side by side."""

    here: Reading
    there: Reading
    matches: Matches
    clusters: int
    kinds: tuple[str, ...]


def refuse_itself(encoder: Encoder, other: Encoder) -> None:
    """Refuse a second model whose weights are those of the audited one.

    Raises
    ------
    PlanError
        A model cannot be its own witness.
    """
    if encoder.identity.weights_digest == other.identity.weights_digest:
        raise PlanError(
            "A second model must have weights of its own, since no model is its own witness; "
            f"{other.identity.name} has those of {encoder.identity.name} "
            f"({other.identity.weights_digest[:19]}). Name another model or leave it out."
        )


def other_reading(plan: AuditPlan, other: Encoder, like: Reading | None) -> Reading | None:
    """Return where the second model is read.

    Parameters
    ----------
    plan : AuditPlan
        Its ``replication.layer`` may be ``layer`` or ``layer:pooling``.
    other : Encoder
    like : Reading or None
        The audited reading: its pooling is taken where the layer has it and none is named.

    Returns
    -------
    Reading or None
        None where no layer of the second model can be read.

    Raises
    ------
    ModelNameError
        If the second model has no such layer or pooling.
    """
    wanted = plan.replication.layer
    found = parse_reading(wanted, other.layers) if wanted else default_reading(other.layers)
    if found is None or like is None or ":" in wanted:
        return found
    poolings = next(layer.poolings for layer in other.layers if layer.name == found.layer)
    return replace(found, pooling=like.pooling) if like.pooling in poolings else found


def audited_reading(tools: Instruments) -> Reading | None:
    """Return the deepest layer that the audit reads, the one that is silenced."""
    order = [layer.name for layer in tools.encoder.layers]
    known = [reading for reading in tools.readings if reading.layer in order]
    return max(known, key=lambda reading: order.index(reading.layer), default=None)


def second_witness(
    gathered: Gathered, findings: Sequence[FindingRecord], say: Say = lambda line: None
) -> Witness | None:
    """Show the second model of an audit what the audited one was shown, where that is of use.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord
    say : callable
        Told in a line what happens next.

    Returns
    -------
    Witness or None
        None where there is no second model, or no finding: it is then shown nothing.

    Raises
    ------
    PlanError
        If the second model has the weights of the audited one.
    ModelNameError, ExtractionError
        As for the audited model.
    """
    other = gathered.other
    if other is None:
        return None
    refuse_itself(gathered.tools.encoder, other)
    if not findings:
        say(f"No finding to look for in {other.identity.name}")
        return None
    return bear_witness(gathered, other, say)


def bear_witness(gathered: Gathered, other: Encoder, say: Say) -> Witness:
    """Show the second model what the audited one was shown.

    Parameters
    ----------
    gathered : Gathered
    other : Encoder
    say : callable

    Returns
    -------
    Witness
        By way of the activation cache.
    """
    plan, tools = gathered.plan, gathered.tools
    reading = other_reading(plan, other, audited_reading(tools))
    shown_to = replace(tools, encoder=other, readings=(reading,) if reading else ())
    say(f"Showing the same stimuli to {other.identity.name}")
    responses = _show(gathered, shown_to, say)
    known = plan.photos.unknown_ages == "adults"
    mark = partial(minor_stimuli, selection=gathered.selection, unknown_are_adults=known)
    minors = tuple(mark(shown) for shown in responses.pictures)
    tables = [unit_table(s, m) for s, m in zip(responses.pictures, minors, strict=True)]
    if responses.photos is not None:
        tables += group_tables(responses.photos, gathered.groups, minors[-1])
    carriers = Carriers(
        encoder=other,
        tables=tuple(tables),
        texts=responses.texts.embeddings(keep_templates=True),
        families=gathered.families,
        controls=gathered.controls,
        sexual=gathered.selection.sexual,
    )
    return Witness(
        encoder=other, reading=reading, responses=responses, minors=minors, carriers=carriers
    )


def _show(gathered: Gathered, tools: Instruments, say: Say) -> Responses:
    """Show the other model what the audited one was shown."""
    plan, concepts = gathered.plan, tested_concepts(gathered.selection)
    before = gathered.responses
    texts = show_texts(concepts, gathered.library, plan, tools)
    rendered = photos = None
    if before.rendered is not None:
        rendered = show_rendered(concepts, plan.units.renderings, tools)
    if before.photos is not None and gathered.photos is not None:
        photos = show_photos(gathered.photos, plan.photos.max_unreadable, tools)
    done = [shown.extraction for shown in (texts, rendered, photos) if shown is not None]
    encoded, reused = sum(one.encoded for one in done), sum(one.reused for one in done)
    say(f"  second model: {encoded} stimuli encoded now, {reused} from the cache")
    return Responses(texts=texts, rendered=rendered, photos=photos)


def match_layers(gathered: Gathered, witness: Witness) -> Matched | str:
    """Match the units of the audited layer over all pictures.

    Parameters
    ----------
    gathered : Gathered
    witness : Witness

    Returns
    -------
    Matched or str
        The string says why it cannot be done.
    """
    here, there = audited_reading(gathered.tools), witness.reading
    if here is None or there is None:
        whose = "audited" if here is None else "second"
        return f"no layer of the {whose} model is read"
    sides = [
        (ours.stimuli[0].modality.value, _side_by_side(ours, here, theirs, there))
        for ours, theirs in zip(
            gathered.responses.pictures, witness.responses.pictures, strict=True
        )
        if ours.stimuli and theirs.stimuli
    ]
    sides = [(kind, pair) for kind, pair in sides if len(pair[0]) >= MIN_CLUSTERS]
    if not sides:
        return "too few pictures were shown to both models"
    counts = [len(ours) for _, (ours, _) in sides]
    matches = match_units(
        np.concatenate([ours for _, (ours, _) in sides]),
        np.concatenate([theirs for _, (_, theirs) in sides]),
        kinds=np.repeat(np.arange(len(sides)), counts),
        rng=gathered.rng(SEED),
    )
    return Matched(
        here=here,
        there=there,
        matches=matches,
        clusters=sum(counts),
        kinds=tuple(kind for kind, _ in sides),
    )


def _side_by_side(ours: Shown, here: Reading, theirs: Shown, there: Reading) -> tuple[Array, Array]:
    """Means of the clusters that both models saw, in the same order."""
    left, left_means = _cluster_means(ours, here)
    right, right_means = _cluster_means(theirs, there)
    rows = {name: row for row, name in enumerate(right)}
    common = [(row, rows[name]) for row, name in enumerate(left) if name in rows]
    own, other = ([pair[side] for pair in common] for side in (0, 1))
    return left_means[own], right_means[other]


def _cluster_means(shown: Shown, reading: Reading) -> tuple[tuple[str, ...], Array]:
    clusters = clusters_of([f"{s.concept}\n{s.cluster}" for s in shown.stimuli])
    return clusters.names, cluster_means(shown.extraction.units[reading].values, clusters.codes)
