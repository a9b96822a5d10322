"""The same audit on what somebody else computed: no model needed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.assemble import Draft, mark_behaviour
from audit.behaviour import Choices, shown_rates
from audit.conclude import conclude
from audit.deployment import Deployed, deployed_scores
from audit.deployment_check import check_deployment
from audit.evidence import Arm
from audit.label_sets import CHILD, NAMES, UNMARKED
from audit.measurements import catalogue
from audit.patterns import matching
from audit.plan import AuditPlan
from audit.results import (
    ConceptRecord,
    ConceptSetRecord,
    InputsRecord,
    ModelRecord,
    RateRecord,
    StimuliRecord,
    canonical_json,
)
from audit.score_arms import identity_ref, photo_arm, text_arm
from audit.score_atlas import GivenAtlas, given_atlas, with_units
from audit.score_inputs import (
    ScoreInputs,
    Terms,
    group_counts,
    minor_terms,
    sexual_terms,
    term_cosines,
)
from audit.score_material import score_material
from audit.score_notes import exclusions, not_tested, notes, untested_labels
from audit.score_packs import make_packs
from audit.sensitivity import BEHAVIOUR, measure_behaviour
from probes.measurement import Measurement
from probes.progress import Progress, SilentProgress

Kind = Literal["identity", "harm", "control"]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

KINDS = {"identity": NAMES, "unmarked": UNMARKED, "positive": "mirror"}
"""Role of a label to its kind in the battery of label sets; other roles are kinds themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A draft, and what only the tables carry."""

    draft: Draft
    rates: tuple[RateRecord, ...]
    values: tuple[Measurement, ...]
    """Every value of the catalogue."""

    atlas: GivenAtlas
    """Units that were given."""


def score_audit(
    inputs: ScoreInputs,
    plan: AuditPlan,
    *,
    name: str,
    title: str,
    progress: Progress | None = None,
) -> Scored:
    """Audit scores, embeddings or unit responses.

    Parameters
    ----------
    inputs : ScoreInputs
        Checked and lined up.
    plan : AuditPlan
        Thresholds, arms and blocking patterns.
    name, title : str
        What the audited model is called, and the report.
    progress : Progress, optional
        Told how far the probes of units are.

    Returns
    -------
    Scored
        Photo-text and text-text arms as far as the inputs go, the rates of every group, and the
        units that were given.
    """
    rng = np.random.default_rng(plan.seed)
    terms = inputs.terms
    packs = make_packs(terms) if terms is not None else None
    arms: list[Arm] = []
    if terms is not None and packs is not None and packs.controls:
        made = (
            text_arm(inputs, terms, packs, plan.arms.text),
            photo_arm(inputs, terms, packs, plan.arms.photo),
        )
        arms = [arm for arm in made if arm is not None]
    severities = dict(terms.severities) if terms is not None else {}
    blocking = blocking_pairs(arms, severities, plan)
    conclusion = conclude(arms, severities, blocking, plan.limits, rng)
    if terms is not None:
        check_deployment(plan.deployment, terms.severities, terms.sexual)
    standard = _choices(inputs, terms) if terms is not None else None
    deployed = scored_deployment(inputs, terms, plan, standard) if terms and standard else None
    offers = [*([standard] if standard else []), *([deployed.choices] if deployed else [])]
    behaviour = measure_behaviour(offers, plan, np.random.default_rng([plan.seed, BEHAVIOUR]))
    material = score_material(inputs, terms, plan, blocking) if terms is not None else None
    values = catalogue(material, plan.seed, deployed=deployed)
    atlas = given_atlas(inputs, plan, progress or SilentProgress())
    marked = mark_behaviour(conclusion.findings, behaviour.rates, plan.limits.false_discovery_rate)
    clustered = inputs.groups is not None and inputs.groups.clustered
    draft = Draft(
        title=title,
        model=_model(inputs, name, atlas),
        inputs=_inputs_record(inputs, terms),
        plan=plan,
        blocking=blocking,
        conclusion=conclusion,
        findings=with_units(marked, atlas, inputs, terms, packs),
        probes=atlas.probes,
        rates=shown_rates(behaviour.rates),
        measures=values.definitions(),
        catalogue=values.shown(),
        undefined=behaviour.undefined,
        not_tested=(
            *not_tested(inputs, terms, arms),
            *(untested_labels(standard, plan.deployment) if standard else ()),
            *behaviour.not_tested,
        ),
        notes=(*inputs.notes, *notes(inputs.groups, packs, len(blocking), clustered)),
    )
    return Scored(draft=draft, rates=behaviour.rates, values=values.values, atlas=atlas)


def blocking_pairs(
    arms: Sequence[Arm], severities: Mapping[str, int], plan: AuditPlan
) -> tuple[tuple[str, str], ...]:
    """Resolve the plan's blocking patterns against the groups and harms that are there."""
    identities = list(
        dict.fromkeys(i for arm in arms for s in arm.scores for f in s.families.values() for i in f)
    )
    offered = {
        (i, harm)
        for arm in arms
        for s in arm.scores
        for f in s.families.values()
        for i in f
        for harm in s.controls
    }
    pairs: dict[tuple[str, str], None] = {}
    for index, entry in enumerate(plan.blocking if identities else ()):
        who = matching(identities, entry.identities, f"blocking.{index}.identities", {})
        what = matching(list(severities), entry.harms, f"blocking.{index}.harms", severities)
        pairs.update({(i, h): None for i in who for h in what if (i, h) in offered})
    return tuple(pairs)


def scored_deployment(
    inputs: ScoreInputs, terms: Terms, plan: AuditPlan, standard: Choices
) -> Deployed | None:
    """Return the choices among the product's own labels; None where the plan names none."""
    if not plan.deployment.labels or inputs.groups is None:
        return None
    return Deployed(
        choices=deployed_scores(plan.deployment, standard, inputs, terms),
        ids=inputs.groups.ids,
        section=plan.deployment,
        scale=inputs.scale,
    )


def _choices(inputs: ScoreInputs, terms: Terms) -> Choices | None:
    """Let the images choose among all labels of the table."""
    cosines = term_cosines(inputs, terms)
    if cosines is None or inputs.groups is None:
        return None
    harm, minor = set(terms.of("harm").tolist()), minor_terms(terms)
    slots = terms.slots if len(terms.slots) > 1 else ()
    return Choices(
        cosines=cosines,
        labels=terms.names,
        families=tuple(f if i in harm else "" for i, f in enumerate(terms.families)),
        severities=terms.severities,
        sexual=sexual_terms(terms),
        minor_labels=minor,
        is_minor=inputs.is_minor,
        columns=inputs.groups.columns,
        clusters=np.unique(inputs.groups.clusters, return_inverse=True)[1],
        kinds=tuple(
            CHILD if young else KINDS.get(role, role)
            for role, young in zip(terms.roles, minor, strict=True)
        ),
        slots={slot: partial(_slot_cosines, inputs, terms, slot) for slot in slots},
    )


def _slot_cosines(
    inputs: ScoreInputs, terms: Terms, slot: str, rows: Indices, labels: Indices
) -> Floats:
    cosines = term_cosines(inputs, terms, slot)
    return np.zeros((0, 0)) if cosines is None else cosines[np.ix_(rows, labels)]


def _model(inputs: ScoreInputs, name: str, atlas: GivenAtlas) -> ModelRecord:
    given = inputs.images if inputs.images is not None else inputs.texts
    return ModelRecord(
        kind="scores" if given is None else "embeddings",
        name=name,
        embedding_size=None if given is None else given.shape[1],
        layers=atlas.layers,
    )


def _inputs_record(inputs: ScoreInputs, terms: Terms | None) -> InputsRecord:
    return InputsRecord(
        concept_sets=_concept_sets(inputs, terms),
        templates_version="",
        templates_digest="",
        prompts={},
        stimuli=_stimuli(inputs, terms),
        files=inputs.files,
        groups=group_counts(inputs.groups) if inputs.groups is not None else (),
        excluded=exclusions(inputs, terms),
    )


def _stimuli(inputs: ScoreInputs, terms: Terms | None) -> tuple[StimuliRecord, ...]:
    out = []
    if terms is not None:
        labels = [label.label for label in terms.labels]
        out.append(_stimulus_record("text", labels, len(terms.names)))
    if inputs.groups is not None:
        ids = list(inputs.groups.ids)
        out.append(_stimulus_record("photo", ids, len(set(inputs.groups.clusters))))
    return tuple(out)


def _stimulus_record(modality: str, names: list[str], n_clusters: int) -> StimuliRecord:
    return StimuliRecord(
        modality="text" if modality == "text" else "photo",
        n_stimuli=len(names),
        n_distinct=len(set(names)),
        n_clusters=n_clusters,
        source="given by the user",
        licence="not stated",
        digest="sha256:" + hashlib.sha256(canonical_json(names)).hexdigest(),
    )


def _concept_sets(inputs: ScoreInputs, terms: Terms | None) -> tuple[ConceptSetRecord, ...]:
    """Describe group columns and label families like concept sets, so that reports read alike."""
    sets: list[ConceptSetRecord] = []
    for column, values in inputs.groups.columns.items() if inputs.groups is not None else ():
        concepts = tuple(
            ConceptRecord(ref=f"{column}/{v}", name=v, role="identity", terms=())
            for v in sorted(set(values) - {""})
        )
        sets.append(_set(column, "identity", concepts))
    if terms is not None:
        sets += _label_sets(terms)
    return tuple(sets)


def _label_sets(terms: Terms) -> list[ConceptSetRecord]:
    """Describe label families: identity families hold groups, the others are one pack each."""
    packs: dict[tuple[Kind, str, str], list[str]] = {}
    for name, member, role in zip(terms.names, terms.members, terms.roles, strict=True):
        label = terms.labels[member[0]]
        if role == "identity":
            key: tuple[Kind, str, str] = ("identity", label.family, identity_ref(label))
        elif role == "harm":
            key = ("harm", label.family, label.family)
        else:
            key = ("control", f"{role}:{label.family}", f"{role}:{label.family}")
        packs.setdefault(key, []).append(name)
    sets: dict[tuple[Kind, str], list[ConceptRecord]] = {}
    for (kind, family, ref), names in packs.items():
        concept = ConceptRecord(
            ref=ref,
            name=ref.rpartition("/")[2].replace("_", " "),
            role=kind,
            severity=terms.severities.get(family) if kind == "harm" else None,
            terms=tuple(names),
        )
        sets.setdefault((kind, family), []).append(concept)
    return [_set(family, kind, tuple(concepts)) for (kind, family), concepts in sets.items()]


def _set(name: str, role: Kind, concepts: tuple[ConceptRecord, ...]) -> ConceptSetRecord:
    content = canonical_json([concept.model_dump(mode="json") for concept in concepts])
    return ConceptSetRecord(
        id=name,
        name=name,
        version="given",
        role=role,
        language="not stated",
        digest="sha256:" + hashlib.sha256(content).hexdigest(),
        concepts=concepts,
    )
