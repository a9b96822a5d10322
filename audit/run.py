"""An audit of a model: concept sets go in, a judged draft comes out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.assemble import Draft, mark_behaviour
from audit.behaviour import shown_rates
from audit.concept_probes import add_probes, concept_probes
from audit.conclude import conclude
from audit.directions import direction_digests
from audit.gather import (
    Instruments,
    Shown,
    show_photos,
    show_rendered,
    show_texts,
    tested_concepts,
)
from audit.gathered import Gathered
from audit.measurements import catalogue
from audit.photo_rows import group_refs, minor_stimuli
from audit.plan import AuditPlan
from audit.results import InputsRecord, ProbeRecord, RateRecord
from audit.run_arms import Responses, run_arms
from audit.run_causal import silence_units
from audit.run_material import run_material
from audit.run_offers import Offers, photo_offers, refuse_deployment
from audit.run_records import inputs_record, model_record, run_not_tested
from audit.selection import Selection, select
from audit.sensitivity import BEHAVIOUR, measure_behaviour
from audit.unit_evidence import unit_evidence
from audit.unit_tables import UnitTable, association_frames, group_tables, unit_table
from audit.units import Carriers, add_units
from concept_sets.catalog import Library
from concept_sets.photos import PhotoSet
from probes.encoder import Encoder, kernels_of
from probes.measurement import Measurement

Say = Callable[[str], None]

RATES_NOTE = (
    "Behaviour rates let each photo of a person choose among all harm and control terms; the names "
    "of groups were not offered."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A draft, and what only the tables carry."""

    draft: Draft
    rates: tuple[RateRecord, ...]
    values: tuple[Measurement, ...]
    """Every value of the catalogue."""

    tables: tuple[UnitTable, ...]
    concepts: tuple[str, ...]
    sexual: frozenset[str]
    encoded: dict[str, int]
    reused: dict[str, int]

    def unit_frames(self) -> Iterator[pd.DataFrame]:
        """Yield every unit x concept of every modality."""
        for table in self.tables:
            yield from association_frames(table, self.concepts, self.sexual)
        if self.draft.units is not None:
            yield from self.draft.units.frames


def run_audit(
    plan: AuditPlan,
    library: Library,
    tools: Instruments,
    *,
    photos: PhotoSet | None = None,
    other: Encoder | None = None,
    say: Say = lambda line: None,
) -> Audited:
    """Audit a model.

    Parameters
    ----------
    plan : AuditPlan
        What was ordered.
    library : Library
        Concept sets and templates.
    tools : Instruments
        Encoder, cache, progress and readings.
    photos : PhotoSet, optional
        Photos for the photo arm.
    other : Encoder, optional
        A second model in which the links of findings are looked for.
    say : callable
        Told in a line what happens next.

    Returns
    -------
    Audited
        Judged, with units, probes and rates attached.

    Raises
    ------
    PlanError, ExtractionError, ModelError
        As the steps do.
    """
    refuse_deployment(plan, library)
    gathered = _gather(plan, library, tools, photos, other, say)
    selection, responses, texts = gathered.selection, gathered.responses, gathered.texts
    photo_minors = gathered.photo_minors
    rng = np.random.default_rng(plan.seed)
    arms = run_arms(plan, selection, gathered.groups, responses, texts, photo_minors)
    say("Judging contrasts")
    conclusion = conclude(
        arms, selection.severities, selection.blocking, plan.limits, rng, skip=selection.leaking
    )
    offers = photo_offers(plan, library, selection, responses.photos, texts, photo_minors, tools)
    behaviour = measure_behaviour(offers.choices, plan, gathered.rng(BEHAVIOUR))
    say("Measuring the catalogue")
    scale = tools.encoder.identity.logit_scale
    material = run_material(plan, selection, responses, texts, photo_minors, scale, offers.unmarked)
    values = catalogue(material, plan.seed, deployed=offers.deployed)
    probes = _probes(gathered, rng)
    marked = mark_behaviour(conclusion.findings, behaviour.rates, plan.limits.false_discovery_rate)
    found = add_probes(add_units(marked, _carriers(gathered)), probes)
    units = unit_evidence(gathered, *silence_units(gathered, found), probes, say)
    draft = Draft(
        title=plan.title or f"Audit of {tools.encoder.identity.name}",
        model=model_record(tools),
        inputs=_inputs(gathered, offers),
        plan=plan,
        blocking=selection.blocking,
        conclusion=conclusion,
        findings=units.findings,
        units=units,
        probes=units.probes,
        rates=shown_rates(behaviour.rates),
        measures=values.definitions(),
        catalogue=values.shown(),
        undefined=behaviour.undefined,
        not_tested=(
            *run_not_tested(library, selection, plan, photos),
            *behaviour.not_tested,
            *units.not_tested,
        ),
        notes=(RATES_NOTE,) if behaviour.rates else (),
        kernels=kernels_of(tools.encoder.identity),
    )
    shown = [("text", s) for s in (responses.texts, *offers.further)]
    shown += [(s.stimuli[0].modality.value, s) for s in responses.pictures]
    return Audited(
        draft=draft,
        rates=behaviour.rates,
        values=values.values,
        tables=gathered.tables,
        concepts=tuple(c.ref for c in tested_concepts(selection)),
        sexual=selection.sexual,
        encoded=_sums([(m, s.extraction.encoded) for m, s in shown]),
        reused=_sums([(m, s.extraction.reused) for m, s in shown]),
    )


def _gather(
    plan: AuditPlan,
    library: Library,
    tools: Instruments,
    photos: PhotoSet | None,
    other: Encoder | None,
    say: Say,
) -> Gathered:
    """Show everything to the model."""
    groups = group_refs(photos)
    selection = select(library, plan, [g for members in groups.values() for g in members])
    responses = _show(plan, library, selection, tools, photos, say)
    minors = _minors(plan, selection, responses)
    photo_minors = minors[-1] if responses.photos is not None else np.zeros(0, dtype=bool)
    return Gathered(
        plan=plan,
        library=library,
        selection=selection,
        groups=groups,
        responses=responses,
        texts=responses.texts.embeddings(keep_templates=True),
        minors=tuple(minors),
        photos=photos,
        tools=tools,
        tables=tuple(unit_table(s, m) for s, m in zip(responses.pictures, minors, strict=True)),
        group_tables=_group_tables(responses, groups, photo_minors),
        other=other,
    )


def _inputs(gathered: Gathered, offers: Offers) -> InputsRecord:
    record = inputs_record(
        gathered.library,
        gathered.selection,
        gathered.responses.texts,
        gathered.responses.pictures,
        gathered.photos,
        unknown_are_adults=gathered.plan.photos.unknown_ages == "adults",
        further=offers.further,
    )
    digests = direction_digests(gathered.tools.encoder)
    return record.model_copy(update={"files": {**record.files, **digests}})


def _show(
    plan: AuditPlan,
    library: Library,
    selection: Selection,
    tools: Instruments,
    photos: PhotoSet | None,
    say: Say,
) -> Responses:
    concepts = tested_concepts(selection)
    say(f"Encoding prompts of {len(concepts)} concepts")
    texts = show_texts(concepts, library, plan, tools)
    say(_counts("text", texts))
    rendered = None
    if plan.arms.rendered != "off":
        rendered = show_rendered(concepts, plan.units.renderings, tools)
        say(_counts("rendered", rendered))
    pictures = None
    if photos is not None and plan.arms.photo != "off":
        pictures = show_photos(photos, plan.photos.max_unreadable, tools)
        say(_counts("photo", pictures))
    return Responses(texts=texts, rendered=rendered, photos=pictures)


def _sums(counts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Add up by modality."""
    return {
        modality: sum(n for other, n in counts if other == modality)
        for modality in dict.fromkeys(modality for modality, _ in counts)
    }


def _counts(modality: str, shown: Shown) -> str:
    done = shown.extraction
    damaged = f"; {len(done.set_aside)} damaged cache files set aside" if done.set_aside else ""
    return (
        f"  {modality}: {done.encoded} stimuli encoded now, {done.reused} from the cache{damaged}"
    )


def _minors(plan: AuditPlan, selection: Selection, responses: Responses) -> list[NDArray[np.bool_]]:
    """For each modality of pictures, those that show or may show somebody under 20."""
    adults = plan.photos.unknown_ages == "adults"
    return [
        minor_stimuli(shown, selection, unknown_are_adults=adults) for shown in responses.pictures
    ]


def _group_tables(
    responses: Responses,
    groups: Mapping[str, tuple[str, ...]],
    photo_minors: NDArray[np.bool_],
) -> tuple[UnitTable, ...]:
    if responses.photos is None:
        return ()
    return group_tables(responses.photos, groups, photo_minors)


def _carriers(gathered: Gathered) -> Carriers:
    return Carriers(
        encoder=gathered.tools.encoder,
        tables=(*gathered.tables, *gathered.group_tables),
        texts=gathered.texts,
        families=gathered.families,
        controls=gathered.controls,
        sexual=gathered.selection.sexual,
    )


def _probes(gathered: Gathered, rng: np.random.Generator) -> tuple[ProbeRecord, ...]:
    concepts = tested_concepts(gathered.selection)
    return tuple(
        probe
        for shown, is_minor in zip(gathered.responses.pictures, gathered.minors, strict=True)
        for probe in concept_probes(
            shown,
            concepts,
            gathered.plan.probes,
            rng,
            gathered.tools.progress,
            sexual=gathered.selection.sexual,
            is_minor=is_minor,
        )
    )
