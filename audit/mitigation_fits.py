"""Treatments fitted to findings: each a function from strength to what the model then gives."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.causal_halves import Refused, halves_of, picture_side
from audit.causal_record import CausalRecord
from audit.gather import Shown
from audit.mitigation_prompts import balanced, composed_prompts, group_words
from audit.mitigation_record import Place, TreatmentName, TreatmentRecord
from audit.mitigation_world import Floats, State, World, sides_of, with_embeddings
from audit.results import FindingRecord
from audit.run_arms import Responses
from concept_sets.pictures import load_picture
from concept_sets.stimulus import Modality
from probes.arms import Embeddings
from probes.encoder import Encoder
from probes.extract import extract_pictures
from probes.interventions import Holding
from probes.treatments import (
    Ablation,
    basis_of,
    group_direction,
    mixed,
    project_out,
)

SEED = 53
"""Second word of the seed with which pictures are drawn that means are taken over."""

Soften = Callable[[Encoder, Ablation], Encoder]
"""Returns an encoder with an ablation in place, as `probes.backends.softened.soften`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of a treatment wherever it is named."""

    place: Place
    what: str
    cannot: str


TOLD: dict[TreatmentName, Told] = {
    "mean-ablate": Told(
        place="image tower",
        what=(
            "Draws the units that carry a finding towards their mean response: a response a "
            "becomes its share 1 \N{MINUS SIGN} s plus the share s of the mean. "
            "Nothing else is changed."
        ),
        cannot=(
            "It cannot touch links between prompts, which the text tower carries, nor what other "
            "units carry besides; the same units may serve harmless things."
        ),
    ),
    "project": Told(
        place="both towers",
        what=(
            "Takes the share s of the direction that sets the group apart from its family out of "
            "the embeddings of pictures and prompts."
        ),
        cannot=(
            "It makes the group harder to tell apart on purpose, for good uses too; other "
            "directions that go with the group stay, and can stand in for the one that went."
        ),
    ),
    "balanced-prompts": Told(
        place="prompts",
        what=(
            "Mixes the embedding of every label with the average of the same label named with "
            "each group of the family in turn, with weight s."
        ),
        cannot=(
            "It works where a product chooses among labels of its own; words that users type, and "
            "how pictures are seen, stay as they are."
        ),
    ),
}

HALF = "the 1st, 3rd, ... clusters and terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A treatment that can be applied."""

    record: TreatmentRecord
    apply: Callable[[float], Responses]
    """Strength above 0 to what the model then gives for the same stimuli."""

    ablation: Ablation | None = None
    """At full strength, where the treatment is one."""

    basis: NDArray[np.float64] | None = None
    """Of shape (n_directions, embedding_size), where the treatment is a projection."""


class Untreatable(Exception):
    """Why a treatment cannot be fitted, in a clause."""


def fit_treatment(
    name: TreatmentName,
    world: World,
    state: State,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord],
    soften: Soften,
) -> Fitted | TreatmentRecord:
    """Fit one treatment to findings, on the half that nothing is measured on.

    Parameters
    ----------
    name : str
    world : World
    state : State
        The model as it is.
    findings : sequence of FindingRecord
    causal : sequence of CausalRecord
        What silencing units did in the audit.
    soften : callable

    Returns
    -------
    Fitted or TreatmentRecord
        The latter where it cannot be fitted, with the reason.
    """
    try:
        if name == "mean-ablate":
            return _ablation(world, state, findings, causal, soften)
        if name == "project":
            return _projection(world, state, findings)
        return _balanced(world, findings)
    except (Untreatable, Refused) as why:
        return _record(name, (), fitted="", why_not=str(why))


def _record(
    name: TreatmentName,
    findings: Sequence[str],
    *,
    fitted: str,
    why_not: str = "",
    **more: object,
) -> TreatmentRecord:
    told = TOLD[name]
    return TreatmentRecord.model_validate(
        {
            "name": name,
            "tried": not why_not,
            "why_not": why_not,
            "place": told.place,
            "what": told.what,
            "cannot": told.cannot,
            "fitted": fitted,
            "findings": tuple(findings),
            **more,
        }
    )


def _ablation(
    world: World,
    state: State,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord],
    soften: Soften,
) -> Fitted:
    encoder = world.tools.encoder
    if not isinstance(encoder, Holding):
        raise Untreatable("units of this model cannot be held: its tower is not at hand")
    layers = {layer.name for layer in world.tools.encoder.layers}
    by_id = {f.id: f for f in findings}
    known = [c for c in causal if c.finding in by_id and c.units and c.layer in layers]
    elsewhere = {c.layer for c in causal if c.finding in by_id and c.units} - layers
    if not known and elsewhere:
        raise Untreatable(
            f"the audit silenced directions of {sorted(elsewhere)[0]}, which are no units of the "
            "model"
        )
    if not known:
        reasons = [c.reason for c in causal if c.finding in by_id]
        raise Untreatable(
            "the audit chose no units for these findings"
            + (f" ({reasons[0].rstrip('.')})" if reasons else "")
        )
    layer, where = known[0].layer, known[0].where
    held: dict[int, float] = {}
    for record in known:
        if (record.layer, record.where) == (layer, where):
            means = _means(world, encoder, state, by_id[record.finding], record)
            held = {**dict(zip(record.units, means, strict=True)), **held}
    full = Ablation(
        layer=layer, units=tuple(held), values=tuple(held.values()), where=where, strength=1.0
    )
    soften(world.tools.encoder, full)
    return Fitted(
        record=_record(
            "mean-ablate",
            [record.finding for record in known],
            fitted=f"Units and means come from {HALF} of the finding's pictures.",
            layer=layer,
            units=full.units,
            where=where,
        ),
        apply=partial(_ablated, world, full, soften),
        ablation=full,
    )


def _means(
    world: World, encoder: Holding, state: State, finding: FindingRecord, record: CausalRecord
) -> tuple[float, ...]:
    """Return the mean response of each unit on the half on which the audit chose it."""
    shown = {"photo": state.responses.photos, "rendered": state.responses.rendered}[
        record.arm or "photo"
    ]
    if shown is None:
        raise Untreatable(f"the {record.arm} stimuli are not at hand")
    families = world.families
    root = world.photos.root if world.photos is not None else None
    digest = hashlib.sha256(finding.id.encode()).digest()[:8]
    first, _ = halves_of(
        finding,
        picture_side(shown, world.minors_of(record.arm), families, root),
        state.texts,
        family=families.get(finding.family, ()),
        controls=world.controls,
        adults_only=finding.harm in world.selection.sexual,
        max_pictures=world.plan.causal.max_pictures,
        rng=np.random.default_rng([world.plan.seed, SEED, *digest]),
    )
    held = encoder.hold(first.pictures, record.layer, record.where)
    return tuple(float(v) for v in held.statistics.mean[list(record.units)])


def _ablated(world: World, full: Ablation, soften: Soften, strength: float) -> Responses:
    model = soften(world.tools.encoder, replace(full, strength=strength))
    label = f"mean-ablate at {strength:g}"
    return with_embeddings(
        world.responses,
        rendered=_again(world, world.responses.rendered, model, label),
        photos=_again(world, world.responses.photos, model, label),
    )


def _again(world: World, shown: Shown | None, model: Encoder, label: str) -> Floats | None:
    """Encode pictures again; nothing is kept in the cache, which holds the model as it is."""
    if shown is None:
        return None
    is_photo = bool(shown.stimuli) and shown.stimuli[0].modality is Modality.PHOTO
    root = world.photos.root if world.photos is not None and is_photo else None
    done = extract_pictures(
        model,
        shown.stimuli,
        load_picture=partial(load_picture, root=root),
        cache=None,
        progress=world.tools.progress,
        max_bad_fraction=0.0,
    )
    return done.embeddings.values


def _projection(world: World, state: State, findings: Sequence[FindingRecord]) -> Fitted:
    rows = sides_of(world, state.responses, state.texts)
    directions, served = [], []
    for finding in findings:
        for arm in finding.arms:
            if arm not in rows:
                continue
            keep = np.ones(len(rows[arm].is_minor), dtype=bool)
            if finding.harm in world.selection.sexual:
                keep = ~rows[arm].is_minor
            own = rows[arm].rows.take(np.flatnonzero(keep))
            members = world.families.get(finding.family, ())
            direction = first_half_direction(own, finding.identity, members)
            if direction is not None:
                directions.append(direction)
                served.append(finding.id)
    if not directions:
        raise Untreatable("no group has two clusters, one to fit to and one to measure on")
    basis = basis_of(directions)
    return Fitted(
        record=_record(
            "project",
            tuple(dict.fromkeys(served)),
            fitted=f"Directions come from {HALF} of each finding's family, arm by arm.",
            directions=len(basis),
        ),
        apply=partial(_projected, world, basis),
        basis=basis,
    )


def first_half_direction(
    rows: Embeddings, identity: str, family: Sequence[str]
) -> NDArray[np.float64] | None:
    """Return what sets a group apart on the half that is fitted to; None for a single cluster."""
    members = (identity, *(c for c in family if c != identity))
    found = [rows.of({member}) for member in members]
    if len(found[0]) < 2 or not any(len(index) for index in found[1:]):
        return None
    chosen = [index[0::2] for index in found]
    codes = np.repeat(np.arange(len(members)), [len(index) for index in chosen])
    return group_direction(rows.pooled[np.concatenate(chosen)], codes.astype(np.intp))


def _projected(world: World, basis: NDArray[np.float64], strength: float) -> Responses:
    def treated(shown: Shown | None) -> Floats | None:
        if shown is None:
            return None
        return project_out(shown.extraction.embeddings.values, basis, strength)

    own = world.responses
    return with_embeddings(
        own, texts=treated(own.texts), rendered=treated(own.rendered), photos=treated(own.photos)
    )


def _balanced(world: World, findings: Sequence[FindingRecord]) -> Fitted:
    families = tuple(dict.fromkeys(f.family for f in findings))
    words = group_words(world.selection, families)
    if len(words) < 2:
        raise Untreatable(
            "fewer than two groups of the family have a word that can stand before a label"
        )
    composed = composed_prompts(world, words)
    if not composed.stimuli:
        raise Untreatable("no label is a word that the name of a group can stand before")
    rows, averages = balanced(composed, len(words), world.tools)
    named = [f.id for f in findings if f.family in {c.family for c in world.selection.identities}]
    return Fitted(
        record=_record("balanced-prompts", named, fitted="", groups=words),
        apply=partial(_mixed, world, rows, averages),
    )


def _mixed(
    world: World, rows: NDArray[np.intp], averages: NDArray[np.float64], strength: float
) -> Responses:
    values = np.array(world.responses.texts.extraction.embeddings.values, dtype=np.float32)
    values[rows] = mixed(values[rows], averages, strength)
    return with_embeddings(world.responses, texts=values)
