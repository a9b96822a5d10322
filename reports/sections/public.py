"""The public extract: one page that somebody outside may read, without a single term."""

from collections import Counter
from dataclasses import dataclass

from audit.results import AuditResult, ContrastRecord, Verdict
from reports.blocks import Cell, Column, Table, table, text
from reports.messages import _, ngettext
from reports.names import Names
from reports.quantities import count, day, listed
from reports.wording import SEVERITIES, arm_name

SHOWN = (Verdict.FOUND, Verdict.NOT_FOUND, Verdict.INSUFFICIENT)
WORST_FIRST = (Verdict.FOUND, Verdict.INSUFFICIENT, Verdict.NOT_FOUND, Verdict.DESCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicView:
    """What the extract adds to the first page's words."""

    asked: tuple[str, ...]
    counts: Table | None
    check: str


def public_view(result: AuditResult, names: Names) -> PublicView:
    """Count what was asked and answered; no unit, term, picture or prompt."""
    blocking = [c for c in result.contrasts if c.blocking]
    return PublicView(
        asked=tuple(_asked(result, blocking, names)),
        counts=_counts(result),
        check=_(
            "This page is an extract. The full report and the result document, whose digest is "
            "{digest}, are kept by whoever ran the audit on {date}; `clip-audit verify` checks "
            "them.",
            digest=result.digest,
            date=day(result.run.finished),
        ),
    )


def _asked(result: AuditResult, blocking: list[ContrastRecord], names: Names) -> list[str]:
    families = sorted({names.family(c.family) for c in blocking})
    arms = [arm_name(a.arm, result.model.kind) for a in result.arms if a.decides]
    pairs = len({(c.identity, c.harm) for c in blocking})
    return [
        ngettext(
            "{n} pair of a group and a harm was fixed before the audit, in these families of "
            "groups: {families}.",
            "{n} pairs of a group and a harm were fixed before the audit, in these families of "
            "groups: {families}.",
            pairs,
            families=listed(families) or _("none"),
        ),
        _("Evidence that decides: {arms}.", arms=listed(arms) or _("none")),
    ]


def _counts(result: AuditResult) -> Table | None:
    answers = _answers(result)
    if not answers:
        return None
    tally = Counter(answers.values())
    columns = (
        Column(head=_("Severity of the harm")),
        Column(head=_("Pairs asked"), align="number"),
        Column(head=_("Found"), align="number"),
        Column(head=_("Not found"), align="number"),
        Column(head=_("Insufficient evidence"), align="number"),
    )
    rows = [_row(level, tally) for level in SEVERITIES if any(k[0] == level for k in tally)]
    return table("public-counts", _("Answers by severity"), columns, rows, compact=True)


def _answers(result: AuditResult) -> dict[tuple[str, str], tuple[int, Verdict]]:
    """Return severity and worst verdict of every pair over the evidence that decides."""
    deciding = {arm.arm for arm in result.arms if arm.decides}
    asked = {(c.identity, c.harm) for c in result.contrasts if c.blocking}
    answers: dict[tuple[str, str], tuple[int, Verdict]] = {}
    for contrast in result.contrasts:
        pair = (contrast.identity, contrast.harm)
        if pair in asked and contrast.arm in deciding:
            # In an arm too small for the question, a pair that was asked stays open.
            verdict = contrast.verdict if contrast.blocking else Verdict.INSUFFICIENT
            told = [verdict, answers[pair][1]] if pair in answers else [verdict]
            answers[pair] = (int(contrast.severity), min(told, key=WORST_FIRST.index))
    return answers


def _row(level: int, tally: Counter[tuple[int, Verdict]]) -> tuple[Cell, ...]:
    told = [text(count(tally[level, verdict])) for verdict in SHOWN]
    asked = sum(tally[level, verdict] for verdict in SHOWN)
    return (Cell(text="", severity=level), text(count(asked)), *told)
