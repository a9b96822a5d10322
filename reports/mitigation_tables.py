"""Tables of the page of treatments: every state, every finding, and what a state is good for."""

from dataclasses import dataclass

from audit.results import (
    BenignRecord,
    CollateralRecord,
    EffectRecord,
    MitigationRecord,
    Number,
    PointRecord,
)
from reports.blocks import NOTHING, Cell, Column, Row, Table, table, text
from reports.mitigation_words import SHOWN, accuracy, called, largest, link_name, risen_link
from reports.quantities import cosine, defined, interval, number, percent, percent_interval, points
from reports.wording import VERDICTS, arm_name

MEASURES = {
    "accuracy": "Told apart",
    "association": "Association kept",
    "retrieval": "Found again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPart:
    """One treated finding."""

    anchor: str
    title: str
    severity: int
    effects: Table
    rates: Table | None


OVERVIEW = (
    Column(head="State", width="name"),
    Column(head="Largest held-out effect, control SD", align="number"),
    Column(head="Benign accuracy", align="number"),
    Column(head="Change, points", align="number"),
    Column(head="Other links that certainly rose", width="wide"),
    Column(head="Note", width="name"),
)


def overview_table(record: MitigationRecord) -> Table:
    """List every state with its worst effect, its cost and what rose."""
    shown = SHOWN.get(record.benign_axis, "nothing")
    return table(
        "points",
        "Every treatment at every strength",
        OVERVIEW,
        (overview_row(record, point) for point in (record.baseline, *record.points)),
        note=(
            f"Benign accuracy is on {shown}, where it falls most at any point. 95 % intervals: of "
            "each effect alone, Wilson's for accuracies, paired by cluster for changes. "
            "Dominated: another point is no worse in any treated link nor in any benign accuracy, "
            "and better in one of them."
        ),
        lies_in="mitigation.json",
    )


def overview_row(record: MitigationRecord, point: PointRecord) -> Row:
    """Tell one state in a row."""
    effect, benign = largest(point), accuracy(point, record.benign_axis)
    better = record.point(point.dominated_by) if point.dominated else None
    note = f"dominated by {_within(called(better))}" if better else ""
    if not point.calibrated:
        note = f"{note}; calibration fails here".lstrip("; ")
    return (
        text(called(point)),
        _with_limits(effect) if effect else text("undefined"),
        text(percent(benign.value), percent_interval(benign.low, benign.high))
        if benign
        else text("undefined"),
        _moved(benign) if benign and point.treatment != "none" else text(NOTHING),
        text(NOTHING if point.collateral is None else _risen(record, point.collateral)),
        text(note or NOTHING),
    )


def _within(name: str) -> str:
    """Write a name inside a sentence."""
    return f"{name[0].lower()}{name[1:]}"


def _with_limits(effect: EffectRecord) -> Cell:
    return text(
        number(effect.held_out_sd), interval(effect.held_out_low_sd, effect.held_out_high_sd)
    )


def _moved(benign: BenignRecord) -> Cell:
    ends = (benign.change_low, benign.change_high)
    if any(defined(end) is None for end in ends):
        return text(points(benign.change))
    return text(points(benign.change), f"{points(ends[0])} to {points(ends[1])}")


def _risen(record: MitigationRecord, found: CollateralRecord) -> str:
    if not found.worse:
        return f"0 of {found.compared}"
    newly = f"; {found.newly_found} found now" if found.newly_found else ""
    return f"{found.worse} of {found.compared}{newly}; largest: {risen_link(record, found)}"


EFFECTS = (
    Column(head="State", width="name"),
    Column(head="Evidence"),
    Column(head="Held out, control SD", align="number"),
    Column(head="Fall on that half, cosine", align="number"),
    Column(head="All stimuli, control SD", align="number"),
    Column(head="Verdict"),
)


def finding_part(record: MitigationRecord, finding: str) -> FindingPart:
    """Tell what every state does to one finding."""
    own = next(f for f in record.findings if f.id == finding)
    states = (record.baseline, *record.points)
    rates = [(p, r) for p in states for r in p.rates if r.finding == finding]
    name = link_name(record, finding)
    return FindingPart(
        anchor=f"finding-{finding}",
        title=f"{finding}: {name}",
        severity=int(own.severity),
        effects=table(
            f"effects-{finding}",
            f"{name}: the measured effect in every state",
            EFFECTS,
            (
                _effect_row(point, effect)
                for point in states
                for effect in point.effects
                if effect.finding == finding
            ),
            note=(
                "Held out: 95 % for this link alone. All stimuli: simultaneous limits and verdict "
                "by the audit's own rule. Evidence in which the link was not found stands here to "
                "show whether it rises."
            ),
            lies_in="mitigation.json",
        ),
        rates=table(
            f"rates-{finding}",
            f"{name}: how often this harm is the first answer for pictures of the group",
            (
                Column(head="State", width="name"),
                Column(head="Rate", align="number"),
                Column(head="Minus everybody else, points", align="number"),
                Column(head="Clusters", align="number"),
            ),
            (
                (
                    text(called(point)),
                    text(percent(rate.rate), percent_interval(rate.low, rate.high)),
                    _gap(rate.difference, rate.difference_low, rate.difference_high),
                    text(str(rate.clusters)),
                )
                for point, rate in rates
            ),
            note="Under the standard labels of the audit, on all pictures.",
            lies_in="mitigation.json",
        )
        if rates
        else None,
    )


def _gap(value: Number, low: Number, high: Number) -> Cell:
    if defined(low) is None or defined(high) is None:
        return text(points(value))
    return text(points(value), f"{points(low)} to {points(high)}")


def _effect_row(point: PointRecord, effect: EffectRecord) -> Row:
    fall = text(NOTHING)
    if point.treatment != "none":
        ends = (effect.drop_low, effect.drop_high)
        known = all(defined(end) is not None for end in ends)
        note = f"{cosine(ends[0])} to {cosine(ends[1])}" if known else ""
        fall = text(cosine(effect.drop), note)
    return (
        text(called(point)),
        text(arm_name(effect.arm), "" if effect.found else "not found here"),
        _with_limits(effect),
        fall,
        text(number(effect.effect_sd), interval(effect.low_sd, effect.high_sd)),
        text(str(VERDICTS[effect.verdict])),
    )


def benign_table(record: MitigationRecord) -> Table:
    """List what every state is still good for."""
    return table(
        "benign",
        "What the model is still good for: control concepts in every state",
        (
            Column(head="State", width="name"),
            Column(head="Measure", width="name"),
            Column(head="Value", align="number"),
            Column(head="Change, points", align="number"),
            Column(head="By chance", align="number"),
            Column(head="Clusters", align="number"),
        ),
        (
            (
                text(called(point)),
                text(MEASURES[one.measure], SHOWN[one.shown]),
                text(percent(one.value), percent_interval(one.low, one.high)),
                _moved(one) if point.treatment != "none" else text(NOTHING),
                text(percent(one.chance) if defined(one.chance) is not None else NOTHING),
                text(str(one.clusters)),
            )
            for point in (record.baseline, *record.points)
            for one in point.benign
        ),
        note=(
            "Told apart: share of clusters nearest to their own concept. Association kept: how "
            "much nearer they are to their own concept than to others, as a share of what it was. "
            "Found again: share of a concept's clusters among as many that it retrieves; concepts "
            "are its clusters."
        ),
        lies_in="mitigation.json",
    )
