"""A plan's ``[deployment]`` is refused where it contradicts itself or names unknown packs."""

import re
from collections.abc import Collection, Mapping

from audit.errors import PlanError
from audit.plan import DeploymentSection
from concept_sets.entry import near
from concept_sets.minors import denotes_minor, sexualises

ALONE = "{t}"
"""The template of a label without words around it."""


def check_deployment(
    section: DeploymentSection, severities: Mapping[str, int], sexual: Collection[str] = ()
) -> None:
    """Refuse a section that contradicts itself or names packs that are not there.

    Parameters
    ----------
    section : DeploymentSection
        From the plan; one without labels is checked for what would need them.
    severities : mapping of str to int
        Known harm packs.
    sexual : collection of str
        Packs that sexualise.

    Raises
    ------
    PlanError
        Naming the key, what stands there and the nearest known name.
    """
    labels, harmful = section.labels, section.harmful
    if not labels:
        _needs_labels(section)
        return
    if len(labels) < 2 or len(set(labels)) < len(labels) or not all(map(str.strip, labels)):
        raise PlanError(
            "deployment.labels must hold two or more labels, each once and none empty; "
            f"got {list(labels)!r}. Write them as the product does."
        )
    for label, pack in harmful.items():
        if label not in labels:
            raise PlanError(
                f"deployment.harmful may name deployment.labels only; got {label!r}."
                f"{near(label, labels)}"
            )
        if pack not in severities:
            raise PlanError(
                f"deployment.harmful must give a label a known harm pack; {label!r} has {pack!r}. "
                f"Known: {', '.join(severities)}.{near(pack, tuple(severities))}"
            )
        if denotes_minor(label) and (pack in sexual or sexualises(label)):
            raise PlanError(
                "Minors are never paired with sexualisation; deployment.harmful gives "
                f"{label!r} the pack {pack!r}. Remove the label."
            )
    for template in section.templates:
        fields = re.findall(r"\{[^{}]*\}", template)
        if fields != [ALONE] or set(template.replace(ALONE, "")) & set("{}"):
            raise PlanError(
                "deployment.templates must each hold {t} once, for the label, and no other "
                f"braces; got {template!r}."
            )


def _needs_labels(section: DeploymentSection) -> None:
    for key in ("harmful", "templates", "threshold"):
        if getattr(section, key):
            raise PlanError(
                f"deployment.{key} says what is done with the product's labels; "
                "deployment.labels is empty. Add the labels."
            )
