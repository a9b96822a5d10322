"""Whether a found contrast holds when parts of its stimuli are left out."""

from audit.results import ContrastRecord, FindingRecord, Number, StabilityRecord
from reports.blocks import NOTHING, Column, Table, table, text
from reports.charts import Estimate, RowChart, row_chart
from reports.contrast_wording import cosine_per_sd, scaled
from reports.messages import _
from reports.names import Names
from reports.quantities import number, percent, sentence
from reports.sections.contrasts import AXIS
from reports.wording import arm_name


def stability_chart(
    finding: FindingRecord,
    contrast: ContrastRecord,
    stability: StabilityRecord,
    names: Names,
    kind: str,
) -> RowChart:
    """Draw the effect of one arm with parts of its stimuli left out."""
    values = _parts(contrast, stability, names).items()
    return row_chart(
        f"stability-{finding.id}-{contrast.arm}",
        "dots",
        _(
            "{finding}: stability in {arm}",
            finding=finding.id,
            arm=arm_name(contrast.arm, kind),
        ),
        _(
            "{arm}: the sign holds in {share} of the templates.",
            arm=sentence(arm_name(contrast.arm, kind)),
            share=percent(stability.template_share, 0),
        ),
        _(AXIS),
        [
            Estimate(label=label, value=value, low=value, high=value, shown=number(value))
            for label, value in values
        ],
        label_room=210,
    )


def _parts(contrast: ContrastRecord, stability: StabilityRecord, names: Names) -> dict[str, Number]:
    """Return the effect with parts of the stimuli left out, in control standard deviations."""
    odd, even = stability.half_effects
    parts: dict[str, Number] = {
        _("Everything"): contrast.effect,
        _("Odd half of terms"): odd,
        _("Even half of terms"): even,
        _("Without “{term}”", term=names.term(stability.leave_one_out_term)): (
            stability.leave_one_out_low
        ),
        **{_("Only “{slot}”", slot=slot): v for slot, v in stability.template_effects.items()},
    }
    unit = cosine_per_sd(contrast)
    return {label: scaled(value, unit) for label, value in parts.items()}


def stability_table(
    finding: FindingRecord, contrasts: tuple[ContrastRecord, ...], names: Names, kind: str
) -> Table | None:
    """Lay out the same numbers, one row for each arm that found it; None where none did."""
    by_arm = {
        contrast.arm: _parts(contrast, contrast.stability, names)
        for contrast in contrasts
        if contrast.stability and contrast.arm in finding.arms
    }
    if not by_arm:
        return None
    labels = dict.fromkeys(label for parts in by_arm.values() for label in parts)
    return table(
        f"stability-table-{finding.id}",
        _("{finding}: effect with parts left out, control SD", finding=finding.id),
        [Column(head=_("Evidence")), *(Column(head=label, align="number") for label in labels)],
        (
            (
                text(sentence(arm_name(arm, kind))),
                *(text(_number_or_dot(parts.get(label))) for label in labels),
            )
            for arm, parts in by_arm.items()
        ),
        compact=True,
    )


def _number_or_dot(value: Number | None) -> str:
    return NOTHING if value is None else number(value)
