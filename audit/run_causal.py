"""The causal check of ``run``: what it hands over, and when it is left out."""

from collections.abc import Sequence

from audit.causal import CausalMaterial, causal_checks, mark_causal
from audit.causal_halves import picture_side
from audit.causal_record import CausalRecord
from audit.causal_trial import CausalSettings
from audit.gathered import Gathered
from audit.plan import AuditPlan
from audit.results import FindingRecord

SEED = 47
"""Second word of the seed of the causal check: it draws nothing from the verdicts' generator."""


def silence_units(
    gathered: Gathered, findings: Sequence[FindingRecord]
) -> tuple[tuple[FindingRecord, ...], tuple[CausalRecord, ...]]:
    """Silence the units of every found link, as far as the plan wants it.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord

    Returns
    -------
    findings : tuple of FindingRecord
        With the mark *causal* where it was earned.
    records : tuple of CausalRecord
        One per finding; none where the plan leaves the check out.
    """
    plan, photos = gathered.plan, gathered.photos
    if not plan.causal.check or not findings:
        return tuple(findings), ()
    families = gathered.families
    sides = {
        shown.stimuli[0].modality.value: picture_side(
            shown, is_minor, families, photos.root if photos is not None else None
        )
        for shown, is_minor in zip(gathered.responses.pictures, gathered.minors, strict=True)
        if shown.stimuli
    }
    material = CausalMaterial(
        sides=sides,
        texts=gathered.texts,
        families=families,
        controls=gathered.controls,
        sexual=gathered.selection.sexual,
    )
    records = causal_checks(findings, material, gathered.tools, gathered.rng(SEED), _settings(plan))
    return mark_causal(findings, records), records


def _settings(plan: AuditPlan) -> CausalSettings:
    return CausalSettings(
        max_pictures=plan.causal.max_pictures,
        matched_sets=plan.causal.matched_sets,
        units=plan.causal.units,
        alpha=plan.limits.alpha,
    )
