"""The product's own labels, in its own templates: what a plan's ``[deployment]`` tells."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from audit.behaviour import Choices
from audit.deployment_check import ALONE
from audit.errors import PlanError
from audit.plan import DeploymentSection
from audit.results import NotTested
from audit.score_inputs import ScoreInputs, Terms
from concept_sets.entry import near
from concept_sets.minors import denotes_minor, sexualises
from concept_sets.stimulus import Modality, Stimulus
from probes.arms import Embeddings, normalise

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

CONCEPT = "deployment"
"""Concept of the prompts that carry the product's labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Pictures that choose among the product's labels, and what the product does with scores."""

    choices: Choices
    ids: tuple[str, ...]
    """Stable names of the pictures: ties between them are broken by these."""

    section: DeploymentSection
    scale: float
    """What cosines are multiplied by before a softmax."""


def prompts_of(section: DeploymentSection, label: str) -> dict[str, str]:
    """Return the prompt of a label in each of the product's templates.

    Examples
    --------
    >>> prompts_of(DeploymentSection(labels=("a", "b"), templates=("one {t}",)), "a")
    {'one {t}': 'one a'}
    """
    templates = dict.fromkeys(section.templates or (ALONE,))
    return {template: template.replace(ALONE, label) for template in templates}


def deployment_stimuli(section: DeploymentSection) -> tuple[Stimulus, ...]:
    """Return every label of the product in every one of its templates."""
    return tuple(
        Stimulus(
            modality=Modality.TEXT,
            content=prompt,
            concept=CONCEPT,
            cluster=label,
            template=template,
            digest=sha256(prompt.encode()).hexdigest(),
        )
        for label in section.labels
        for template, prompt in prompts_of(section, label).items()
    )


def deployed_photos(
    section: DeploymentSection,
    standard: Choices,
    pictures: Array,
    labels: Embeddings,
    severities: Mapping[str, int],
    sexual: Collection[str],
) -> Choices:
    """Let photos of people choose among the product's labels.

    Parameters
    ----------
    section : DeploymentSection
        Checked.
    standard : Choices
        The same photos among the standard labels.
    pictures : ndarray of shape (n_photos, dim)
        Unit length, in the order of ``standard``.
    labels : Embeddings
        Of `deployment_stimuli`, one cluster per label.
    severities : mapping of str to int
        Known harm packs.
    sexual : collection of str
        Packs that sexualise.
    """
    order = [labels.names.index(label) for label in section.labels]

    def cosines(template: str | None) -> Array:
        vectors = labels.pooled if template is None else labels.by_template[template]
        product: Array = pictures @ vectors[order].T
        return product

    return _choices(section, standard, cosines, severities, sexual)


def deployed_scores(
    section: DeploymentSection, standard: Choices, inputs: ScoreInputs, terms: Terms
) -> Choices:
    """Let scored images choose among those labels of the table that the product has.

    Raises
    ------
    PlanError
        If a label, in one of the product's templates, is no label of the table.
    """
    known = {label.label: i for i, label in enumerate(terms.labels)}
    rows: dict[str, list[int]] = {}
    for name in section.labels:
        for template, prompt in prompts_of(section, name).items():
            if prompt not in known:
                raise PlanError(
                    "Every label of deployment.labels, in every template, must be a label of "
                    f"--labels; {prompt!r} is not.{near(prompt, tuple(known))}"
                )
            rows.setdefault(template, []).append(known[prompt])

    def cosines(template: str | None) -> Array:
        wanted = [rows[template]] if template is not None else list(rows.values())
        if inputs.cosines is not None:
            mean: Array = np.mean([inputs.cosines[:, part] for part in wanted], axis=0)
            return mean
        return _embedded(inputs, wanted)

    return _choices(section, standard, cosines, terms.severities, terms.sexual)


def _embedded(inputs: ScoreInputs, rows: Sequence[Sequence[int]]) -> Array:
    """Average the embeddings of a label's prompts, renormalise, and multiply."""
    if inputs.images is None or inputs.texts is None:
        raise PlanError("deployment.labels need scores, or image and text embeddings.")
    mean = np.mean([inputs.texts[part] for part in rows], axis=0)
    product: Array = inputs.images @ normalise(mean).T
    return product


def _choices(
    section: DeploymentSection,
    standard: Choices,
    cosines: Callable[[str | None], Array],
    severities: Mapping[str, int],
    sexual: Collection[str],
) -> Choices:
    families = tuple(section.harmful.get(label, "") for label in section.labels)
    # one label that sexualises makes its whole pack one that minors never meet
    packs = {f for f, la in zip(families, section.labels, strict=True) if f and sexualises(la)}
    packs |= set(sexual)
    lewd = np.array(
        [f in packs or sexualises(la) for f, la in zip(families, section.labels, strict=True)],
        dtype=bool,
    )

    def masked(template: str | None = None) -> Array:
        values = cosines(template)
        values[np.ix_(standard.is_minor, lewd)] = np.nan
        return values

    def slot(template: str, rows: Indices, labels: Indices) -> Array:
        picked: Array = masked(template)[np.ix_(rows, labels)]
        return picked

    return Choices(
        cosines=masked(),
        labels=section.labels,
        families=families,
        severities=dict(severities),
        sexual=lewd,
        minor_labels=np.array([denotes_minor(label) for label in section.labels], dtype=bool),
        is_minor=standard.is_minor,
        columns=standard.columns,
        clusters=standard.clusters,
        slots={template: partial(slot, template) for template in _templates(section)},
        whose="deployment",
    )


def _templates(section: DeploymentSection) -> tuple[str, ...]:
    templates = tuple(dict.fromkeys(section.templates))
    return templates if len(templates) > 1 else ()


def deployment_untested(section: DeploymentSection) -> tuple[NotTested, ...]:
    """Say what the plan did not tell of the product."""
    if not section.labels:
        why = "the plan's [deployment] names none; rates rest on the standard labels"
        return (NotTested(what="The product's own labels, templates and thresholds", why=why),)
    if not section.harmful:
        why = "the plan's [deployment] calls none of its labels harmful"
        return (NotTested(what="Harms among the product's own labels", why=why),)
    return ()
