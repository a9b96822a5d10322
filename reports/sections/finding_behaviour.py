"""What the model answers about the group and the harm of a finding, and whether that holds."""

from dataclasses import dataclass

from audit.results import AuditResult, FindingRecord, RateRecord
from reports.blocks import Hold, Table
from reports.contrast_wording import rate_sentence
from reports.messages import N_, _
from reports.names import Names
from reports.sections.rate_names import group_name, surely_above, target_name
from reports.sections.sensitivity import hold_of, label_set_list, reason_after_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One rate behind the mark *behavioural*, or behind its absence."""

    sentence: str
    hold: Hold
    reason: str
    """How the sentence goes on after the mark; says so where nobody looked."""

    label_sets: Table | None


def answers_of(finding: FindingRecord, result: AuditResult, names: Names) -> tuple[AnswerView, ...]:
    """Tell the rates of a finding's group and harm that surely lie above everybody else's.

    A fragile one is told too, though it gives no mark: the reader sees why.
    """
    rates = [rate for rate in result.rates if is_about(rate, finding) and surely_above(rate)]
    return tuple(_answer(finding, rate, names) for rate in rates)


def is_about(rate: RateRecord, finding: FindingRecord) -> bool:
    """Tell whether a rate is of the group and the harm of a finding."""
    return (
        rate.target_kind == "family"
        and rate.target == finding.harm
        and f"{rate.column}/{rate.group}" == finding.identity
    )


def _answer(finding: FindingRecord, rate: RateRecord, names: Names) -> AnswerView:
    return AnswerView(
        sentence=rate_sentence(rate, group_name(rate, names), target_name(rate, names)),
        hold=hold_of(rate),
        reason=reason_after_mark(rate, names) or _(NOT_EXAMINED),
        label_sets=label_set_list(f"{finding.id}-{rate.labels}-label-sets", rate, names),
    )


NOT_EXAMINED = N_("Whether it survives other wording and other labels was not examined.")
