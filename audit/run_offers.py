"""What the photos of ``run`` choose among: the standard labels, and the product's own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.behaviour import Choices
from audit.deployment import Deployed, deployed_photos, deployment_stimuli
from audit.deployment_check import check_deployment
from audit.gather import Instruments, Shown, show_texts
from audit.label_sets import UNMARKED, battery_concepts
from audit.photo_rows import people_of, photo_choices
from audit.plan import AuditPlan
from audit.selection import Selection
from concept_sets.catalog import Library
from concept_sets.concept import Concept
from concept_sets.minors import concept_sexualises
from probes.arms import Embeddings, normalise
from probes.extract import extract_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Labels that photos choose among, and the prompts that were encoded for them."""

    standard: Choices | None = None
    deployed: Deployed | None = None
    further: tuple[Shown, ...] = ()
    """Prompts beside those of the concepts: the battery of label sets, the product's labels."""

    unmarked: Embeddings | None = None
    """Words for a person of no group; None where the battery was not offered."""

    @property
    def choices(self) -> tuple[Choices, ...]:
        """Every set of labels that rates are measured for."""
        own = self.deployed.choices if self.deployed is not None else None
        return tuple(c for c in (self.standard, own) if c is not None)


def refuse_deployment(plan: AuditPlan, library: Library) -> None:
    """Check ``[deployment]`` before anything is encoded.

    Raises
    ------
    PlanError
        As `audit.deployment_check.check_deployment`.
    """
    check_deployment(plan.deployment, _severities(library), _sexual(library))


def photo_offers(
    plan: AuditPlan,
    library: Library,
    selection: Selection,
    photos: Shown | None,
    texts: Embeddings,
    photo_minors: NDArray[np.bool_],
    tools: Instruments,
) -> Offers:
    """Encode the labels that no concept has, and let photos of people choose.

    Parameters
    ----------
    plan, library, selection
        The order, and what it names.
    photos : Shown, optional
        None where no photo was shown.
    texts : Embeddings
        Terms of every tested concept.
    photo_minors : bool ndarray of shape (n_photos,)
    tools : Instruments

    Returns
    -------
    Offers
        Empty where no photo shows a group. The battery's own labels are English: they are offered
        beside the built-in concept sets only.
    """
    if photos is None:
        return Offers()
    kept, _ = people_of(photos.stimuli, selection)
    if not len(kept):
        return Offers()
    battery = show_texts(_battery(), library, plan, tools) if plan.concepts.builtin else None
    extra = battery.embeddings(keep_templates=False) if battery is not None else None
    standard = photo_choices(photos, texts, selection, photo_minors, extra)
    own = _product(plan, tools) if standard is not None and plan.deployment.labels else None
    deployed = None
    if own is not None and standard is not None:
        pictures = normalise(photos.extraction.embeddings.values[kept])
        choices = deployed_photos(
            plan.deployment,
            standard,
            pictures,
            own.embeddings(keep_templates=True),
            _severities(library),
            _sexual(library),
        )
        deployed = Deployed(
            choices=choices,
            ids=tuple(photos.stimuli[i].content for i in kept),
            section=plan.deployment,
            scale=tools.encoder.identity.logit_scale,
        )
    further = tuple(shown for shown in (battery, own) if shown is not None)
    person = {battery_concepts()[UNMARKED].ref}
    unmarked = extra.take(extra.of(person)) if extra is not None else None
    return Offers(standard=standard, deployed=deployed, further=further, unmarked=unmarked)


def _battery() -> tuple[Concept, ...]:
    return tuple(battery_concepts().values())


def _product(plan: AuditPlan, tools: Instruments) -> Shown:
    stimuli = deployment_stimuli(plan.deployment)
    extraction = extract_texts(tools.encoder, stimuli, cache=tools.cache, progress=tools.progress)
    return Shown(stimuli=stimuli, extraction=extraction)


def _severities(library: Library) -> dict[str, int]:
    return {harm.ref: harm.severity or 1 for harm in library.harms()}


def _sexual(library: Library) -> frozenset[str]:
    return frozenset(harm.ref for harm in library.harms() if concept_sexualises(harm))
