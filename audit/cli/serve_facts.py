"""Answers of a store turned into what pages are told: models, findings, waivers, events."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from fnmatch import fnmatchcase

from audit.cli.serve_sources import Key, Looked, audit_fact
from audit.store.chain import ChainRecord, read_chain, records_of
from audit.store.freshness import freshness
from audit.store.history import effects, findings
from audit.store.reading import SeenFinding, findings_of
from audit.store.remembered import EffectPoint, FindingLife, KeptAudit, Sighting
from audit.waivers import Waiver, Waivers, state_on
from reports.history.facts import (
    Age,
    Covered,
    EventFact,
    FindingFact,
    ModelFact,
    PointFact,
    ScheduleFact,
    SightingFact,
    Tone,
    WaiverFact,
    WaiverState,
)
from reports.history.words import VERDICTS, counted
from reports.quantities import plural

LATELY = 12
"""Events that the first page shows."""

NO_LIMIT = "No schedule audits it, and nothing else says how old its last audit may be."


def models_of(looked: Looked) -> tuple[ModelFact, ...]:
    """Return every model under every plan, by name."""
    return tuple(
        ModelFact(
            model=key[0],
            plan=key[1],
            audits=tuple(audit_fact(audit) for audit in own),
            age=_age(looked, key, own[-1]),
        )
        for key, own in sorted(looked.by_key.items())
    )


def _age(looked: Looked, key: Key, latest: KeptAudit) -> Age:
    """Judge an audit by the schedules that audit its model, else by ``--max-age``."""
    scheduled = list(_schedules_of(looked, key))
    if scheduled:
        worst = max(scheduled, key=lambda schedule: schedule.stale)
        return Age(state="stale" if worst.stale else "fresh", sentence=worst.freshness,
                   schedule=worst.id)  # fmt: skip
    if looked.sources.max_age is None:
        return Age(state="unknown", sentence=NO_LIMIT)
    said = freshness(latest, looked.sources.max_age, looked.now)
    return Age(state="fresh" if said.state == "fresh" else "stale", sentence=said.sentence)


def _schedules_of(looked: Looked, key: Key) -> Iterator[ScheduleFact]:
    """Yield the schedules whose last kept audit was one of this model and plan."""
    if looked.timetable is None:
        return
    by_folder = {audit.folder: (audit.model, audit.plan) for audit in looked.kept}
    for schedule in looked.timetable.schedules:
        folder = looked.timetable.audited.get(schedule.id, "")
        if schedule.enabled and by_folder.get(folder) == key:
            yield schedule


def lives_of(
    looked: Looked, model: str, plan: str = "", *, drawn: int = 0
) -> tuple[FindingFact, ...]:
    """Return the lives of a model's findings, those still open and most severe first.

    Only the first ``drawn`` of them have the effects of their contrast.
    """
    found = findings(looked.store.database, model, plan=plan or None)
    return tuple(_life(looked, life, model, plan, n < drawn) for n, life in enumerate(found))


def life_of(looked: Looked, model: str, fingerprint: str, plan: str = "") -> FindingFact | None:
    """Return the life of one finding with its effects; None where the model never had it."""
    found = findings(looked.store.database, model, plan=plan or None)
    own = next((life for life in found if life.fingerprint == fingerprint), None)
    return None if own is None else _life(looked, own, model, plan, True)


def _life(looked: Looked, life: FindingLife, model: str, plan: str, drawn: bool) -> FindingFact:
    database = looked.store.database
    points = effects(database, model, life.identity, life.harm, plan=plan or None) if drawn else ()
    named = ("fingerprint", "finding", "family", "identity", "harm", "identity_name", "harm_name")
    return FindingFact(
        **{name: getattr(life, name) for name in named},
        model=model,
        plan=plan,
        open=life.open,
        asked=life.asked,
        sightings=tuple(_sighting(sighting) for sighting in life.sightings),
        points=tuple(_point(point) for point in points),
    )


def _sighting(sighting: Sighting) -> SightingFact:
    own = {f.name: getattr(sighting, f.name) for f in fields(SightingFact)
           if hasattr(sighting, f.name)}  # fmt: skip
    return SightingFact(
        **own, effect=sighting.effect_sd, low=sighting.low_sd, high=sighting.high_sd
    )


def _point(point: EffectPoint) -> PointFact:
    return PointFact(
        audit=point.audit, arm=point.arm, verdict=point.verdict, effect=point.effect_sd,
        low=point.low_sd, high=point.high_sd,
    )  # fmt: skip


def waivers_of(looked: Looked) -> tuple[WaiverFact, ...]:
    """Return every waiver of the files that were named, as it stands today."""
    there = findings_of(looked.store.database, looked.latest) if looked.waivers else {}
    today = looked.now.date()
    return tuple(
        _waiver(file, waiver, book, _covered(waiver, looked.latest, there), today)
        for file, book in looked.waivers
        for waiver in book.waivers
    )


def _waiver(
    file: str, waiver: Waiver, book: Waivers, covers: tuple[Covered, ...], today: date
) -> WaiverFact:
    left = (waiver.expires - today).days
    return WaiverFact(
        file=file, finding=waiver.finding, model=waiver.model, category=waiver.category,
        reason=waiver.reason, owner=waiver.owner, approved_by=waiver.approved_by,
        created=waiver.created, expires=waiver.expires, link=waiver.link,
        state=_state(waiver, book, bool(covers), today), days_left=left, covers=covers,
    )  # fmt: skip


def _state(waiver: Waiver, book: Waivers, used: bool, today: date) -> WaiverState:
    if not used:
        return "unused"
    by_days = state_on(waiver, today)
    if by_days != "active":
        return by_days
    near = (waiver.expires - today).days <= book.policy.warn_days
    return "expiring" if near else "active"


def _covered(
    waiver: Waiver, latest: Sequence[KeptAudit], there: dict[str, tuple[SeenFinding, ...]]
) -> tuple[Covered, ...]:
    found = {
        (audit.model, seen.fingerprint): Covered(
            model=audit.model, plan=audit.plan, fingerprint=seen.fingerprint,
            finding=seen.finding, name=f"{seen.identity_name} and {seen.harm_name}",
        )
        for audit in latest
        if waiver.model == audit.weights_digest or fnmatchcase(audit.model, waiver.model)
        for seen in there[audit.id]
        if waiver.finding in {seen.finding, seen.fingerprint}
    }  # fmt: skip
    return tuple(found.values())


def events_of(looked: Looked) -> tuple[EventFact, ...]:
    """Return what happened lately, the latest first.

    Audits that were kept or removed, as the chain tells, and scheduled runs that gave no audit.

    Raises
    ------
    ResultError
        If the chain does not hold.
    """
    records = records_of(read_chain(looked.store.chain).lines, looked.store.chain)
    recent = [r for r in records if r.what != "began"][-LATELY:]
    told = [*_of_chain(looked, recent), *_of_runs(looked)]
    return tuple(sorted(told, key=lambda event: event.at, reverse=True)[:LATELY])


def _of_runs(looked: Looked) -> Iterator[EventFact]:
    for schedule in looked.timetable.schedules if looked.timetable else ():
        for run in schedule.runs:
            if run.finished is not None and not run.audit:
                why = f" {run.why}" if run.why else ""
                yield EventFact(at=run.finished, word=f"Run {run.state}", tone=run.tone,
                                sentence=f"Schedule {schedule.id}.{why}")  # fmt: skip


def _of_chain(looked: Looked, recent: Sequence[ChainRecord]) -> Iterator[EventFact]:
    by_id = {audit.id: audit for audit in looked.kept}
    before = _before(looked.kept)
    own = [by_id[r.subject] for r in recent if r.what == "added" and r.subject in by_id]
    pairs = [*own, *(b for audit in own if (b := before[audit.id]) is not None)]
    seen = findings_of(looked.store.database, pairs)
    for record in recent:
        at = datetime.fromisoformat(record.at)
        audit = by_id.get(record.subject)
        if record.what == "removed":
            yield EventFact(at=at, word="Let go", tone="none",
                            sentence=f"The audit {record.folder}: {record.reason}")  # fmt: skip
        elif audit is not None:
            earlier = before[audit.id]
            word, tone = _news(audit, earlier)
            yield EventFact(
                at=at, word=word, tone=tone, audit=audit.folder,
                sentence=" ".join(_sentences(audit, earlier, seen)),
            )  # fmt: skip


def _before(kept: Sequence[KeptAudit]) -> dict[str, KeptAudit | None]:
    last: dict[Key, KeptAudit] = {}
    before: dict[str, KeptAudit | None] = {}
    for audit in kept:
        before[audit.id] = last.get((audit.model, audit.plan))
        last[audit.model, audit.plan] = audit
    return before


def _news(audit: KeptAudit, earlier: KeptAudit | None) -> tuple[str, Tone]:
    if not audit.trustworthy:
        return "Not to be believed", "bad"
    if audit.gate == "failed":
        return "Gate failed", "bad"
    if audit.gate == "inconclusive":
        return "Gate inconclusive", "care"
    if earlier is not None and not earlier.passes:
        return "Gate passed again", "good"
    return "Audit kept", "none"


def _sentences(
    audit: KeptAudit, earlier: KeptAudit | None, seen: dict[str, tuple[SeenFinding, ...]]
) -> Iterator[str]:
    """Say what an audit answered, and what is other than in the one before it."""
    answer = VERDICTS.get(audit.verdict, audit.verdict).lower()
    amounts = counted(audit_fact(audit))
    yield f"{audit.model}, plan {audit.plan}: {answer}{f' ({amounts})' if amounts else ''}."
    if earlier is None:
        yield "The first audit of this model and plan."
        return
    if earlier.weights_digest != audit.weights_digest:
        yield "New weights."
    if earlier.gate != audit.gate:
        yield f"Gate {audit.gate}, before {earlier.gate}."
    if earlier.plan_digest != audit.plan_digest:
        yield "The plan was changed."
        return
    now, then = ({s.fingerprint for s in seen[a.id] if s.blocking} for a in (audit, earlier))
    if now - then:
        yield f"{plural(len(now - then), 'finding')} that the audit before it did not have."
    if then - now:
        yield f"{plural(len(then - now), 'finding')} not seen any more."
