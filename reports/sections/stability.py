"""Whether a found contrast holds when parts of its stimuli are left out."""

from audit.results import ContrastRecord, FindingRecord, Number, StabilityRecord
from reports.blocks import NOTHING, Column, Table, table, text
from reports.charts import Estimate, RowChart, row_chart
from reports.names import Names
from reports.quantities import number, percent, sentence
from reports.sections.contrasts import AXIS
from reports.wording import arm_name, cosine_per_sd, scaled


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
        f"{finding.id}: stability in {arm_name(contrast.arm, kind)}",
        f"{sentence(arm_name(contrast.arm, kind))}: the sign holds in "
        f"{percent(stability.template_share, 0)} of the templates.",
        AXIS,
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
        "Everything": contrast.effect,
        "Odd half of terms": odd,
        "Even half of terms": even,
        f"Without “{names.term(stability.leave_one_out_term)}”": stability.leave_one_out_low,
        **{f"Only “{slot}”": v for slot, v in stability.template_effects.items()},
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
        f"{finding.id}: effect with parts left out, control SD",
        [Column(head="Evidence"), *(Column(head=label, align="number") for label in labels)],
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
