"""Whether words written on pictures change the model's answers, and for whom more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.results import (
    AttackRecord,
    AuditResult,
    ControlStringRecord,
    GroupAttackRecord,
    ShareGapRecord,
    ShareRecord,
    TypographyRecord,
)
from reports.blocks import NOTHING, THE_RESULT, Cell, Column, Table, table, text
from reports.charts import RowChart, estimate_of_rate, row_chart, with_range
from reports.messages import N_, _, ngettext, stored
from reports.names import Names
from reports.quantities import (
    count,
    defined,
    listed_plainly,
    p_equals,
    p_value,
    percent,
    percent_interval,
    points,
    sentence,
    together,
)
from reports.sections.unit_words import asked_for

CONTROLS = ("blank box", "shuffled letters", "unrelated word")
GROUPS_PRINTED = 10

LEAD = N_(
    "A word is written on a picture, and the answer counts as flipped where it becomes the label "
    "that the word stands for and was not before. Controls stand in the same place: a box, the "
    "letters shuffled, a word that has nothing to do with it."
)
GROUPS_NOTE = N_(
    "Excess gap: success of the word less that of its controls, in this group minus everybody "
    "else, in percentage points; neutral 0, so that hiding a part of a picture does not count. q: "
    "false discovery rate over every word, column and group. Ordered by the lower limit."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypographyView:
    """Attacks with words on pictures."""

    lead: str
    none: str
    facts: str
    chart: RowChart | None
    attacks: Table | None
    groups_told: str
    groups: Table | None
    writings: Table | None
    left_out: tuple[str, ...]


def typography_view(result: AuditResult, names: Names) -> TypographyView:
    """Describe the attacks, the strongest first."""
    record = result.typography
    ordered = _worst_first(record.attacks) if record else []
    limit = result.plan.false_discovery_rate
    return TypographyView(
        lead=_(LEAD),
        none="" if ordered else _none(result),
        facts=_facts(record) if record and ordered else "",
        chart=_chart(ordered, names),
        attacks=_attacks_table(ordered, names),
        groups_told=_groups_told(ordered, limit, names),
        groups=_groups_table(ordered, names),
        writings=_writings_table(ordered, names),
        left_out=tuple(names.sentence(words) for words in record.left_out) if record else (),
    )


def _none(result: AuditResult) -> str:
    if result.model.kind != "model":
        return _("No weights were seen, so no picture could be shown to the model again.")
    if asked_for(result, "typography", "check") is False:
        return _("The plan leaves words on pictures out.")
    return _(
        "No word was written on a picture: this audit had no pictures and labels to do it with."
    )


def _facts(record: TypographyRecord) -> str:
    told = _(
        "Read-out: {readout}, {labels}, {pictures}, shown {times} times in all.",
        readout=stored(record.readout),
        labels=ngettext("{n} label", "{n} labels", record.labels),
        pictures=ngettext("{n} picture", "{n} pictures", record.pictures),
        times=count(record.encodings),
    )
    accuracy = _(
        "Without any words the right label comes first in {share}.", share=_share(record.accuracy)
    )
    unread = ngettext(
        "{n} picture could not be read.", "{n} pictures could not be read.", record.unreadable
    )
    return together(
        [
            told,
            "" if defined(record.accuracy.value) is None else accuracy,
            unread if record.unreadable else "",
        ]
    )


def _worst_first(attacks: Sequence[AttackRecord]) -> list[AttackRecord]:
    def rank(attack: AttackRecord) -> tuple[float, str]:
        low = defined(attack.rate.low)
        return -low if low is not None else 1.0, attack.word

    return sorted(attacks, key=rank)


def _share(share: ShareRecord) -> str:
    limits = percent_interval(share.low, share.high)
    return with_range(percent(share.value), limits) if limits else percent(share.value)


def _word(attack: AttackRecord, names: Names) -> str:
    return f"“{hidden(attack.word, names)}”"


def hidden(word: str, names: Names) -> str:
    """Show a word or a label, masked where it is a term of a severe harm or holds one.

    Labels may be packs: a pack goes by its name, and names stay readable, as everywhere.
    """
    if word in names.concepts:
        return names.concept(word)
    return names.hidden_within(names.term(word) if word in names.masked_terms else word)


def _chart(ordered: Sequence[AttackRecord], names: Names) -> RowChart | None:
    drawn = [attack for attack in ordered if defined(attack.rate.value) is not None]
    if not drawn:
        return None
    return row_chart(
        "attack-success",
        "bars",
        _("Attack success by word"),
        _(
            "The share of answers that became the word’s label, with 95 % intervals; the upright "
            "stroke is the strongest control. The numbers are in the table below."
        ),
        _("share of pictures whose answer became the label (upright stroke: strongest control)"),
        [
            estimate_of_rate(
                _word(attack, names),
                attack.rate.value,
                attack.rate.low,
                attack.rate.high,
                _strongest_control(attack),
            )
            for attack in drawn
        ],
        label_room=150,
        percentages=True,
    )


def _strongest_control(attack: AttackRecord) -> float | None:
    rates = [v for c in attack.controls if (v := defined(c.rate.value)) is not None]
    return max(rates, default=None)


def _attacks_table(ordered: Sequence[AttackRecord], names: Names) -> Table | None:
    if not ordered:
        return None
    minors = max(attack.may_show_minors for attack in ordered)
    left = ngettext(
        "Up to {n} picture that may show somebody under 20 never met a word or a label that "
        "sexualises.",
        "Up to {n} pictures that may show somebody under 20 never met a word or a label that "
        "sexualises.",
        minors,
    )
    note = _(
        "Success: pictures that were already called so do not count; Wilson intervals over "
        "clusters. Under each control: the word’s success minus that of the control, in points, "
        "and p. Accuracy: with the word minus without; neutral 0."
    )
    return table(
        "attacks",
        _("Words written on pictures, the most successful first"),
        [
            Column(head=_("Word and its label"), width="name"),
            Column(head=_("Success"), align="number", width="value"),
            *(
                Column(head=sentence(stored(kind)), align="number", width="span")
                for kind in CONTROLS
            ),
            Column(head=_("Accuracy, points"), align="number", width="span"),
        ],
        (_attack_row(attack, names) for attack in ordered),
        print_limit=24,
        note=together([note, left if minors else ""]),
        compact=True,
        lies_in=THE_RESULT,
    )


def _attack_row(attack: AttackRecord, names: Names) -> tuple[Cell, ...]:
    rate = attack.rate
    controls: dict[str, ControlStringRecord] = {c.kind: c for c in attack.controls}
    ends = percent_interval(rate.low, rate.high)
    n = _("{hits} of {all}", hits=rate.hits, all=count(rate.n))
    accuracy = attack.accuracy
    return (
        text(_word(attack, names), f"“{hidden(attack.target, names)}”"),
        text(percent(rate.value), listed_plainly(filter(None, [ends, n]))),
        *(_control(controls.get(kind)) for kind in CONTROLS),
        text(points(accuracy.value), _points_interval(accuracy)),
    )


def _control(control: ControlStringRecord | None) -> Cell:
    if control is None:
        return text(NOTHING)
    if defined(control.rate.value) is None:
        return text(percent(control.rate.value))
    gap = _("{gap}, p {p}", gap=points(control.gap.value), p=p_equals(control.gap.p))
    return text(percent(control.rate.value), gap)


def _points_interval(gap: ShareGapRecord) -> str:
    if defined(gap.low) is None or defined(gap.high) is None:
        return ""
    return _("{low} to {high}", low=points(gap.low), high=points(gap.high))


def _groups(ordered: Sequence[AttackRecord]) -> list[tuple[AttackRecord, GroupAttackRecord]]:
    """Return every group of every word, led by the sure part of the excess gap."""
    pairs = [(attack, group) for attack in ordered for group in attack.groups]

    def rank(pair: tuple[AttackRecord, GroupAttackRecord]) -> tuple[float, str, str, str]:
        attack, group = pair
        low = defined(group.excess_gap.low)
        return -low if low is not None else 2.0, attack.word, group.column, group.group

    return sorted(pairs, key=rank)


def _groups_told(ordered: Sequence[AttackRecord], limit: float, names: Names) -> str:
    pairs = _groups(ordered)
    if not pairs:
        return ""
    apart = [
        (attack, group)
        for attack, group in pairs
        if (q := defined(group.excess_gap.q)) is not None
        and q <= limit
        and (defined(group.excess_gap.value) or 0.0) > 0
    ]
    comparisons = ngettext("{n} comparison", "{n} comparisons", len(pairs))
    if not apart:
        return _(
            "Of {comparisons} of a word and a group, none flips the group more than everybody "
            "else at a false discovery rate of {rate}.",
            comparisons=comparisons,
            rate=percent(limit, 0),
        )
    told = ngettext(
        "Of {comparisons} of a word and a group, {n} flips the group more than everybody else at "
        "a false discovery rate of {rate}.",
        "Of {comparisons} of a word and a group, {n} flip the group more than everybody else at a "
        "false discovery rate of {rate}.",
        len(apart),
        comparisons=comparisons,
        rate=percent(limit, 0),
    )
    return together([told, _surest(*apart[0], names)])


def _surest(attack: AttackRecord, group: GroupAttackRecord, names: Names) -> str:
    return _(
        "The surest: {word} on pictures of “{group}”, {gap} points beyond its controls "
        "({interval}).",
        word=_word(attack, names),
        group=names.member(group.column, group.group),
        gap=points(group.excess_gap.value),
        interval=_points_interval(group.excess_gap),
    )


def _groups_table(ordered: Sequence[AttackRecord], names: Names) -> Table | None:
    pairs = _groups(ordered)
    if not pairs:
        return None
    return table(
        "attacks-by-group",
        _("Words on pictures by group, the surest excess first"),
        [
            Column(head=_("Word"), width="name"),
            Column(head=_("Group"), width="name"),
            Column(head=_("Called so before"), align="number"),
            Column(head=_("Success"), align="number", width="span"),
            Column(head=_("Excess gap, points"), align="number", width="span"),
            Column(head="q", align="number"),
        ],
        (_group_row(attack, group, names) for attack, group in pairs),
        screen_limit=200,
        print_limit=GROUPS_PRINTED,
        note=_(GROUPS_NOTE),
        compact=True,
        lies_in=THE_RESULT,
    )


def _group_row(attack: AttackRecord, group: GroupAttackRecord, names: Names) -> tuple[Cell, ...]:
    rate, gap = group.rate, group.excess_gap
    return (
        text(_word(attack, names), f"“{hidden(attack.target, names)}”"),
        text(names.member(group.column, group.group), names.family(group.column)),
        text(percent(group.already.value)),
        text(percent(rate.value), percent_interval(rate.low, rate.high)),
        text(points(gap.value), _points_interval(gap)),
        text(p_value(gap.q)),
    )


def _writings_table(ordered: Sequence[AttackRecord], names: Names) -> Table | None:
    rows = list(_writing_rows(ordered, names))
    if not rows:
        return None
    return table(
        "writings",
        _("Attack success by position, size and colour"),
        [
            Column(head=_("Word"), width="name"),
            Column(head=_("Written")),
            Column(head=_("Success"), align="number", width="span"),
            Column(head=_("Mean of the controls"), align="number", width="span"),
        ],
        rows,
        screen_limit=200,
        print_limit=12,
        compact=True,
        lies_in=THE_RESULT,
    )


def _writing_rows(ordered: Sequence[AttackRecord], names: Names) -> Iterator[tuple[Cell, ...]]:
    for attack in ordered:
        for writing in attack.writings:
            rate, control = writing.rate, writing.control
            yield (
                text(_word(attack, names)),
                text(
                    _(
                        "{what}: {value}",
                        what=sentence(stored(writing.what)),
                        value=stored(writing.value),
                    )
                ),
                text(percent(rate.value), percent_interval(rate.low, rate.high)),
                text(percent(control.value), percent_interval(control.low, control.high)),
            )
