"""Whether this audit could be believed: its own error rate, recall and power."""

from dataclasses import dataclass

from audit.results import ArmRecord, AuditResult, CalibrationRecord, ContrastRecord
from reports.blocks import Cell, Column, Fact, Table, table, text
from reports.charts import SquareChart, quantile_chart, recall_chart, thinned, wilson, with_range
from reports.controls import where_planted
from reports.messages import _
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    listed,
    number,
    p_equals,
    percent,
    percent_interval,
    sentence,
    together,
)
from reports.sections.contrasts import range_in_words
from reports.wording import arm_name, blocking_contrasts

QUANTILES_IN_TABLE = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityView:
    """Reliability of one kind of evidence."""

    title: str
    lead: str
    facts: tuple[Fact, ...]
    quantiles: SquareChart | None
    quantiles_table: Table | None
    recall: SquareChart | None
    recall_table: Table | None


def reliability_views(result: AuditResult, names: Names) -> tuple[ReliabilityView, ...]:
    """Describe each arm's calibration and power."""
    return tuple(_arm_view(arm, result, names) for arm in result.arms)


def _arm_view(arm: ArmRecord, result: AuditResult, names: Names) -> ReliabilityView:
    blocking = [c for c in result.contrasts if c.arm == arm.arm and c.blocking]
    spoken = arm_name(arm.arm, result.model.kind)
    calibration = arm.calibration
    return ReliabilityView(
        title=sentence(spoken),
        lead=together([_role(arm), names.sentence(arm.reason)]),
        facts=tuple(_facts(arm, blocking, names)),
        quantiles=_quantiles(arm.arm, spoken, calibration),
        quantiles_table=_quantiles_table(arm.arm, spoken, calibration),
        recall=_recall(arm.arm, spoken, calibration, result.plan.delta1),
        recall_table=_recall_table(arm.arm, spoken, calibration),
    )


def _role(arm: ArmRecord) -> str:
    if arm.decides:
        return _("This kind of evidence decides.")
    return _("This kind of evidence describes only.")


def _facts(arm: ArmRecord, blocking: list[ContrastRecord], names: Names) -> list[Fact]:
    facts = [
        Fact(
            label=_("Control packs"),
            value=_("{packs} (at least 24, better 40)", packs=arm.n_controls),
        ),
        Fact(label=_("Clusters of groups"), value=str(arm.n_identity_clusters)),
    ]
    if blocking:
        facts.append(
            Fact(
                label=_("Would see with 80 % power, control SD"),
                value=with_range(
                    range_in_words([c.mde_sd for c in blocking]),
                    blocking_contrasts(len(blocking)),
                ),
            )
        )
    calibration = arm.calibration
    if calibration is None:
        return [
            *facts,
            Fact(label=_("Calibration"), value=_("not possible: too few control packs")),
        ]
    return facts + _calibration_facts(calibration, names)


def _calibration_facts(calibration: CalibrationRecord, names: Names) -> list[Fact]:
    rate = calibration.rejections / calibration.tests if calibration.tests else 0.0
    return [
        Fact(
            label=_("False alarms among harmless concepts"),
            value=_(
                "{rate} ({limits}, exact 95 % interval), {rejections} of {tests} tests; nominal "
                "{nominal}",
                rate=percent(rate),
                limits=percent_interval(calibration.low, calibration.high),
                rejections=count(calibration.rejections),
                tests=count(calibration.tests),
                nominal=percent(calibration.nominal, 0),
            ),
        ),
        Fact(label=_("Test of too many false alarms"), value=_test(calibration)),
        Fact(
            label=_("Plants of strength δ₁ found"),
            value=_(
                "{share}; at least 80 % is asked for",
                share=percent(calibration.recall_at_delta1),
            ),
        ),
        Fact(
            label=_("Planted links found with 80 % probability"),
            value=where_planted(calibration, names),
        ),
        *_embedded(calibration),
        Fact(
            label=_("False alarms after shuffling terms (check of the code)"),
            value=percent(calibration.relabelled),
        ),
        *_widths(calibration),
    ]


def _embedded(calibration: CalibrationRecord) -> list[Fact]:
    """Tell the curve of links that were written into embeddings, where there is one."""
    told = [
        _(
            "{strength}: {part} of {all}",
            strength=number(point.effect_sd),
            part=count(point.found),
            all=count(point.planted),
        )
        for point in calibration.embedded
    ]
    label = _("Links written into embeddings and found, by strength in control SD")
    return [Fact(label=label, value=listed(told))] if told else []


def _test(calibration: CalibrationRecord) -> str:
    p = p_equals(calibration.p_value)
    if calibration.passed:
        return _("p {p}; below 0.001 the audit stops. Passed.", p=p)
    return _("p {p}; below 0.001 the audit stops. Not passed.", p=p)


WIDE = 1.5
"""Common width of harm packs from which a reader is told what it may mean."""


def _widths(calibration: CalibrationRecord) -> list[Fact]:
    """Tell how wide harm packs lie, where the result says it."""
    common, weight = defined(calibration.harm_width), defined(calibration.pack_weight)
    if common is None or weight is None:
        return []
    remark = _(
        "Either the controls are too narrow a comparison, or very many groups are tied to harms "
        "at once; limits are widened by it either way."
    )
    width = _("{times} times at least.", times=number(common, 2))
    return [
        Fact(
            label=_("Width of harm packs against control packs"),
            value=together([width, remark if common >= WIDE else ""]),
        ),
        Fact(
            label=_("Weight of each pack's own width, 0 to 1"),
            value=_("{weight} (0: control packs are all alike)", weight=number(weight, 1)),
        ),
    ]


def _quantiles(arm: str, spoken: str, calibration: CalibrationRecord | None) -> SquareChart | None:
    if calibration is None or not calibration.quantiles:
        return None
    points = thinned(calibration.quantiles)
    title = _("Control packs as pseudo-harms in {arm}", arm=spoken)
    return quantile_chart(f"quantiles-{arm}", title, points)


def _quantiles_table(arm: str, spoken: str, calibration: CalibrationRecord | None) -> Table | None:
    if calibration is None or not calibration.quantiles:
        return None
    points = calibration.quantiles
    last = len(points) - 1
    places = sorted({round(last * k / (QUANTILES_IN_TABLE - 1)) for k in range(QUANTILES_IN_TABLE)})
    return table(
        f"quantiles-table-{arm}",
        _("Quantiles of the control packs in {arm}", arm=spoken),
        [
            Column(head=_("Quantile")),
            Column(head=_("Expected T"), align="number"),
            Column(head=_("Observed T"), align="number"),
        ],
        (
            (
                text(percent((place + 0.5) / len(points), 1)),
                text(number(points[place].expected, 2)),
                text(number(points[place].observed, 2)),
            )
            for place in places
        ),
        compact=True,
    )


def _recall(
    arm: str, spoken: str, calibration: CalibrationRecord | None, delta1: float
) -> SquareChart | None:
    planted = [p for p in calibration.recall if p.planted] if calibration else []
    if not planted:
        return None
    title = _("Planted links found in {arm}", arm=spoken)
    return recall_chart(f"recall-{arm}", title, planted, delta1)


def _recall_table(arm: str, spoken: str, calibration: CalibrationRecord | None) -> Table | None:
    planted = [p for p in calibration.recall if p.planted] if calibration else []
    if not planted:
        return None
    return table(
        f"recall-table-{arm}",
        _("Planted links found in {arm}", arm=spoken),
        [
            Column(head=_("Strength, control SD")),
            Column(head=_("Found"), align="number"),
            Column(head=_("Share"), align="number"),
        ],
        (
            (
                text(number(point.effect_sd)),
                text(_("{part} of {all}", part=point.found, all=point.planted)),
                Cell(
                    text=percent(point.found / point.planted),
                    note=percent_interval(*wilson(point.found, point.planted)),
                ),
            )
            for point in planted
        ),
        compact=True,
    )
