"""What an audit looked at, gathered again, so that it can be judged in another state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.behaviour import behaviour_rates
from audit.conclude import Conclusion, conclude
from audit.errors import PlanError
from audit.evidence import Arm
from audit.gather import Instruments, Shown, show_photos, show_rendered, show_texts, tested_concepts
from audit.photo_rows import group_refs, minor_stimuli, photo_choices
from audit.plan import AuditPlan
from audit.results import AuditResult, InputsRecord, RateRecord
from audit.run_arms import Responses, Side, run_arms, sides
from audit.run_records import inputs_record
from audit.selection import Selection, select
from audit.sensitivity import BEHAVIOUR
from concept_sets.catalog import Library
from concept_sets.photos import PhotoSet
from probes.arms import Embeddings

Say = Callable[[str], None]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An order and its stimuli, with the model's responses to them as it is."""

    plan: AuditPlan
    library: Library
    selection: Selection
    groups: Mapping[str, tuple[str, ...]]
    photos: PhotoSet | None
    responses: Responses
    photo_minors: NDArray[np.bool_]
    """Photos that show, or may show, somebody under 20; empty where there are no photos."""

    rendered_minors: NDArray[np.bool_]
    inputs: InputsRecord
    tools: Instruments

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Identity concepts by family, of concept sets and of group columns."""
        return {**self.selection.families, **self.groups}

    @property
    def controls(self) -> tuple[str, ...]:
        """References of the control packs."""
        return tuple(c.ref for c in self.selection.controls)

    def minors_of(self, modality: str) -> NDArray[np.bool_]:
        """Return the minors among photos or rendered words."""
        return self.photo_minors if modality == "photo" else self.rendered_minors


def gather_world(
    plan: AuditPlan, library: Library, tools: Instruments, photos: PhotoSet | None, say: Say
) -> World:
    """Show to the model what the plan asks for; what an audit encoded comes from its cache.

    Parameters
    ----------
    plan : AuditPlan
    library : Library
    tools : Instruments
        Its readings are not used: units are not read.
    photos : PhotoSet, optional
    say : callable

    Raises
    ------
    PlanError, ExtractionError
        As ``run``.
    """
    tools = replace(tools, readings=())
    groups = group_refs(photos)
    selection = select(library, plan, [g for members in groups.values() for g in members])
    concepts = tested_concepts(selection)
    say("Gathering what the audit looked at")
    texts = show_texts(concepts, library, plan, tools)
    rendered = shown = None
    if plan.arms.rendered != "off":
        rendered = show_rendered(concepts, plan.units.renderings, tools)
    if photos is not None and plan.arms.photo != "off":
        shown = show_photos(photos, plan.photos.max_unreadable, tools)
    adults = plan.photos.unknown_ages == "adults"
    pictures = [one for one in (rendered, shown) if one is not None]
    minors = {id(one): minor_stimuli(one, selection, unknown_are_adults=adults) for one in pictures}
    none = np.zeros(0, dtype=bool)
    return World(
        plan=plan,
        library=library,
        selection=selection,
        groups=groups,
        photos=photos,
        responses=Responses(texts=texts, rendered=rendered, photos=shown),
        photo_minors=minors.get(id(shown), none),
        rendered_minors=minors.get(id(rendered), none),
        inputs=inputs_record(
            library, selection, texts, pictures, photos, unknown_are_adults=adults
        ),
        tools=tools,
    )


def require_same_inputs(world: World, result: AuditResult) -> None:
    """Refuse stimuli that are not those of the audit.

    Raises
    ------
    PlanError
        Naming what differs, and the option that gives it.
    """
    own, theirs = world.inputs, result.inputs
    sets = {s.id: s.digest for s in own.concept_sets}
    wanted = {s.id: s.digest for s in theirs.concept_sets}
    differing = sorted(name for name in {*sets, *wanted} if sets.get(name) != wanted.get(name))
    if differing:
        raise PlanError(
            f"Treatments are tried on what the audit looked at; {len(differing)} concept sets are "
            f"others now, {differing[0]!r} first. Give the packs of the audit with --packs."
        )
    if own.templates_digest != theirs.templates_digest:
        raise PlanError(
            "Treatments are tried on what the audit looked at; the templates are others now. Use "
            f"the version of clip-audit that made it, {result.tool.version}."
        )
    shown = {s.modality: s.digest for s in reversed(own.stimuli)}
    before = {s.modality: s.digest for s in reversed(theirs.stimuli)}
    for modality in ("text", "rendered", "photo"):
        if shown.get(modality) != before.get(modality):
            option = " Give the photos of the audit with --photos." if modality == "photo" else ""
            raise PlanError(
                "Treatments are tried on what the audit looked at; its "
                f"{modality} stimuli are others now.{option}"
            )


def with_embeddings(
    responses: Responses,
    *,
    texts: Floats | None = None,
    rendered: Floats | None = None,
    photos: Floats | None = None,
) -> Responses:
    """Put other embeddings in the place of the model's; rows stay in their order."""
    return Responses(
        texts=_with(responses.texts, texts),
        rendered=None if responses.rendered is None else _with(responses.rendered, rendered),
        photos=None if responses.photos is None else _with(responses.photos, photos),
    )


def _with(shown: Shown, values: Floats | None) -> Shown:
    if values is None:
        return shown
    done = shown.extraction
    return replace(
        shown, extraction=replace(done, embeddings=replace(done.embeddings, values=values))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that the audit's own functions say of one state of the model."""

    responses: Responses
    texts: Embeddings
    """Pooled prompts of all terms."""

    arms: tuple[Arm, ...]
    conclusion: Conclusion
    rates: tuple[RateRecord, ...]


def judged_state(world: World, responses: Responses) -> State:
    """Run the audit's own judgement, with its seed, on a state of the model."""
    plan, selection = world.plan, world.selection
    texts = responses.texts.embeddings(keep_templates=True)
    arms = run_arms(plan, selection, world.groups, responses, texts, world.photo_minors)
    conclusion = conclude(
        arms,
        selection.severities,
        selection.blocking,
        plan.limits,
        np.random.default_rng(plan.seed),
        skip=selection.leaking,
    )
    return State(
        responses=responses,
        texts=texts,
        arms=tuple(arms),
        conclusion=conclusion,
        rates=_rates(world, responses, texts),
    )


def _rates(world: World, responses: Responses, texts: Embeddings) -> tuple[RateRecord, ...]:
    """Return the rates of harm families under the standard labels."""
    if responses.photos is None:
        return ()
    choices = photo_choices(responses.photos, texts, world.selection, world.photo_minors)
    if choices is None:
        return ()
    rng = np.random.default_rng([world.plan.seed, BEHAVIOUR])
    found = behaviour_rates(choices, rng, smallest=world.plan.photos.smallest_group)
    return tuple(rate for rate in found.rates if rate.target_kind == "family")


def sides_of(world: World, responses: Responses, texts: Embeddings) -> dict[str, Side]:
    """Return the identity clusters of each arm, in the order in which the arms have them."""
    made = sides(world.plan, world.selection, world.groups, responses, texts, world.photo_minors)
    return {side.name: side for side in made}
