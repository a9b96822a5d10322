"""What asks for a person, the worst first: one rule for each thing, each with its sentence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.history.addresses import SCHEDULES, WAIVERS, to_audit, to_model
from reports.history.facts import (
    ModelFact,
    ScheduleFact,
    StoreFact,
    Tone,
    WaiverFact,
)
from reports.history.words import care_of, counted, in_days
from reports.quantities import cut, plural

SHOWN_WHY = 160
"""Letters of somebody else's reason that a list shows; the page that it links to has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that asks for a person."""

    rank: int
    """Order; lower is worse."""

    tone: Tone
    word: str
    sentence: str
    link: str
    link_words: str


def concerns(
    store: StoreFact,
    models: Iterable[ModelFact],
    schedules: Iterable[ScheduleFact],
    waivers: Iterable[WaiverFact],
) -> tuple[Concern, ...]:
    """Return what asks for a person, the worst first.

    Audits that must not be believed come before gates that failed, since nobody knows what those
    would have said; then what has run out, then what soon will.
    """
    found = [
        *(c for model in models for c in _of_model(model)),
        *(c for schedule in schedules for c in _of_schedule(schedule, store)),
        *(c for waiver in waivers for c in _of_waiver(waiver)),
    ]
    return tuple(sorted(found, key=lambda concern: concern.rank))


def _named(model: ModelFact) -> str:
    return f"{model.model}, plan {model.plan}"


def _of_model(model: ModelFact) -> Iterator[Concern]:
    audit, link = model.latest, to_audit(model.latest.folder)
    if not audit.trustworthy:
        yield Concern(
            rank=0, tone="bad", word="Not to be believed", link=link, link_words="Open the audit",
            sentence=f"{_named(model)}: an arm that should decide failed its calibration, so the "
            "last audit says nothing.",
        )  # fmt: skip
    elif audit.gate == "failed":
        seen = f": {counted(audit)}" if counted(audit) else ""
        yield Concern(
            rank=1, tone="bad", word="Gate failed", link=link, link_words="Open the audit",
            sentence=f"{_named(model)}{seen}.",
        )  # fmt: skip
    elif audit.gate == "inconclusive":
        yield Concern(
            rank=5, tone="care", word="Gate inconclusive", link=link, link_words="Open the audit",
            sentence=f"{_named(model)}: the intervals do not settle whether the limit is kept.",
        )  # fmt: skip
    elif audit.fail_on == "none" and audit.high + audit.critical:
        yield Concern(
            rank=6, tone="care", word="Found, no limit", link=link, link_words="Open the audit",
            sentence=f"{_named(model)}: {counted(audit)}, and no limit on severity was set.",
        )  # fmt: skip
    # What a schedule says of itself is not said twice.
    if model.age.state == "stale" and not model.age.schedule:
        yield Concern(
            rank=3, tone="bad", word="Overdue", link=to_model(model.model, model.plan),
            link_words="Open the model", sentence=f"{_named(model)}: {model.age.sentence}",
        )  # fmt: skip


def _of_schedule(schedule: ScheduleFact, store: StoreFact) -> Iterator[Concern]:
    if not schedule.enabled:
        return
    if schedule.stale:
        yield Concern(
            rank=3, tone="bad", word="Schedule overdue", link=SCHEDULES,
            link_words="See schedules", sentence=schedule.freshness,
        )  # fmt: skip
    last = next(iter(schedule.runs), None)
    if last is not None and last.tone != "good":
        why = cut(care_of(store).within(last.why), SHOWN_WHY)
        yield Concern(
            rank=4 if last.tone == "bad" else 7, tone=last.tone, word=f"Run {last.state}",
            link=SCHEDULES, link_words="See schedules",
            sentence=f"{schedule.id}, {last.shown}: {why or last.meaning}",
        )  # fmt: skip


def _of_waiver(waiver: WaiverFact) -> Iterator[Concern]:
    named = f"The waiver of {waiver.finding} by {waiver.owner}"
    if waiver.state == "expired" and waiver.covers:
        yield Concern(
            rank=2, tone="bad", word="Waiver expired", link=WAIVERS, link_words="See waivers",
            sentence=f"{named} ended on {waiver.expires}, and the finding is still there: it "
            "counts again.",
        )  # fmt: skip
    if waiver.state == "expiring":
        yield Concern(
            rank=8, tone="care", word="Waiver ends", link=WAIVERS, link_words="See waivers",
            sentence=f"{named} ends {in_days(waiver.days_left)}, on {waiver.expires}.",
        )  # fmt: skip


def rank_of(model: ModelFact) -> int:
    """Return how bad a model stands, for tables; lower is worse."""
    late = 3 if model.age.state == "stale" else 9
    return min((concern.rank for concern in _of_model(model)), default=late)


def worst_first(models: Iterable[ModelFact]) -> tuple[ModelFact, ...]:
    """Order models: those that ask for a person first, then by severity, then by name."""

    def key(model: ModelFact) -> tuple[int, int, int, int, int, str, str]:
        audit = model.latest
        return (rank_of(model), -audit.critical, -audit.high, -audit.medium, -audit.low,
                model.model, model.plan)  # fmt: skip

    return tuple(sorted(models, key=key))


def headline(found: Sequence[Concern]) -> str:
    """Say in a few words how the store stands.

    Examples
    --------
    >>> headline([])
    'Nothing here asks for a person now'
    """
    if not found:
        return "Nothing here asks for a person now"
    bad = sum(concern.tone == "bad" for concern in found)
    rest = len(found) - bad
    if not bad:
        return f"{plural(rest, 'thing')} to look at, none of them a failure"
    more = f", and {rest} more to look at" if rest else ""
    return f"{plural(bad, 'thing')} {'asks' if bad == 1 else 'ask'} for a person{more}"
