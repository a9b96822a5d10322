"""Whether two audits asked the same; if not, what differs and which arms that concerns."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.results import AuditResult, StimuliRecord

EVERY_ARM = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that was asked otherwise."""

    arm: str
    """The arm that it concerns; empty for all of them."""

    sentence: str


def differences(before: AuditResult, after: AuditResult) -> tuple[Difference, ...]:
    """Compare the digests of what went into two audits.

    Parameters
    ----------
    before, after : AuditResult

    Returns
    -------
    tuple of Difference
        Empty where every stimulus, concept set and template is the same.
    """
    return (*_concepts(before, after), *_templates(before, after), *_stimuli(before, after))


def cautions(before: AuditResult, after: AuditResult) -> tuple[str, ...]:
    """Say what else may make verdicts differ: limits, tool, preprocessing."""
    told = []
    if before.plan.thresholds_digest != after.plan.thresholds_digest:
        told.append(
            "The plans differ in limits, blocking contrasts, arms or seed: verdicts, and with them "
            "what is new or fixed, were decided by other rules. Changes of effects are not touched."
        )
    if before.tool.version != after.tool.version:
        told.append(
            f"The audits were made by clip-audit {before.tool.version} and {after.tool.version}: "
            "read the changelog for measures that changed their meaning."
        )
    if before.model.preprocessing != after.model.preprocessing:
        told.append("The models see pictures through different preprocessing, as parts of them.")
    return tuple(told)


def _concepts(before: AuditResult, after: AuditResult) -> Iterator[Difference]:
    old = {s.id: s.digest for s in before.inputs.concept_sets}
    new = {s.id: s.digest for s in after.inputs.concept_sets}
    changed = sorted(name for name in set(old) & set(new) if old[name] != new[name])
    for what, names in (
        ("differ", changed),
        ("are in the first audit only", sorted(set(old) - set(new))),
        ("are in the second audit only", sorted(set(new) - set(old))),
    ):
        if names:
            yield Difference(arm=EVERY_ARM, sentence=f"Concept sets {what}: {_some(names)}.")


def _templates(before: AuditResult, after: AuditResult) -> Iterator[Difference]:
    if before.inputs.templates_digest != after.inputs.templates_digest:
        yield Difference(
            arm=EVERY_ARM,
            sentence=(
                f"Templates differ: versions {before.inputs.templates_version} and "
                f"{after.inputs.templates_version}."
            ),
        )


def _stimuli(before: AuditResult, after: AuditResult) -> Iterator[Difference]:
    old, new = _by_modality(before), _by_modality(after)
    for modality in sorted(set(old) | set(new)):
        if modality not in old or modality not in new:
            which = "first" if modality in old else "second"
            yield Difference(
                arm=_arm(modality),
                sentence=f"Only the {which} audit showed {modality} stimuli.",
            )
        elif old[modality].digest != new[modality].digest:
            yield Difference(
                arm=_arm(modality),
                sentence=(
                    f"The {modality} stimuli differ: {old[modality].n_distinct} and "
                    f"{new[modality].n_distinct} distinct ones, digests "
                    f"{old[modality].digest[:19]} and {new[modality].digest[:19]}."
                ),
            )


def _arm(modality: str) -> str:
    """Every arm holds its stimuli against prompts."""
    return EVERY_ARM if modality == "text" else modality


def _by_modality(result: AuditResult) -> dict[str, StimuliRecord]:
    return {s.modality: s for s in result.inputs.stimuli}


def _some(names: list[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
