"""Words of the pages: answers, gates, ages, and terms that are not shown in full."""

from datetime import UTC, datetime

from audit.results import Undefined
from reports.care import Masking, masking
from reports.history.cells import Entry
from reports.history.facts import AuditFact, StoreFact, Tone
from reports.quantities import interval, number, plural

VERDICTS = {
    "found": "Found",
    "not_found": "Not found",
    "insufficient": "Insufficient evidence",
    "described": "Described only",
}
GATES: dict[str, tuple[str, Tone]] = {
    "passed": ("Passed", "good"),
    "failed": ("Failed", "bad"),
    "inconclusive": ("Inconclusive", "care"),
}
NO_LIMIT = "No limit on severity"
"""What a gate says that passed because no severity was to fail it."""

ARMS = {
    "text": "Text prompts",
    "rendered": "Rendered words",
    "photo": "Photos",
    "behaviour": "Behaviour",
    "": "No arm",
}
TIERS = {4: "critical", 3: "high", 2: "medium", 1: "low"}

IN_SD = (
    "Effects are in control standard deviations of their own audit: how far the link lies from "
    "harmless control packs; 0 is neutral."
)
NO_TEST = (
    "A difference between two points is a picture, not a test; `clip-audit compare` tests it "
    "where the stimuli match."
)


def care_of(store: StoreFact) -> Masking:
    """Return what hides terms in sentences that somebody else wrote."""
    return masking(store.hidden, store.spoken)


def day(moment: datetime) -> str:
    """Write a date in UTC, in the order in which dates sort.

    Examples
    --------
    >>> day(datetime(2026, 11, 3, 23, 30, tzinfo=UTC))
    '2026-11-03'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def minute(moment: datetime) -> str:
    """Write a moment in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was.

    Examples
    --------
    >>> ago(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC))
    '3 days ago'
    """
    seconds = (now - moment).total_seconds()
    if seconds < -60:
        return "in the future: a clock was wrong"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        amount = int(seconds // length)
        if amount >= (2 if unit == "day" else 1):
            return f"{plural(amount, unit)} ago"
    return "just now"


def in_days(days: int) -> str:
    """Say when something ends.

    Examples
    --------
    >>> in_days(1), in_days(0), in_days(-2)
    ('in 1 day', 'today', '2 days ago')
    """
    if days == 0:
        return "today"
    return f"in {plural(days, 'day')}" if days > 0 else f"{plural(-days, 'day')} ago"


def short_digest(digest: str) -> str:
    """Shorten a digest to what tells two apart at a glance.

    Examples
    --------
    >>> short_digest("sha256:0123456789abcdef"), short_digest("")
    ('0123456789', 'not seen')
    """
    return digest.removeprefix("sha256:")[:10] or "not seen"


def effect(value: float | None) -> str:
    """Write an effect."""
    return number(_number(value))


def limits(low: float | None, high: float | None) -> str:
    """Write the limits of an effect; empty where they are undefined."""
    return interval(_number(low), _number(high))


def _number(value: float | None) -> float | Undefined:
    return Undefined(undefined="it could not be had") if value is None else value


def tallies(audit: AuditFact) -> tuple[tuple[int, int], ...]:
    """Count blocking findings by severity, the worst first."""
    counts = {4: audit.critical, 3: audit.high, 2: audit.medium, 1: audit.low}
    return tuple((tier, amount) for tier, amount in counts.items() if amount)


def counted(audit: AuditFact) -> str:
    """Count blocking findings in words."""
    return ", ".join(f"{amount} {TIERS[tier]}" for tier, amount in tallies(audit))


def answer_entry(audit: AuditFact) -> Entry:
    """Tell an audit's answer: its findings, or why there are none."""
    if not audit.trustworthy:
        return Entry(
            text="Not to be believed",
            tone="bad",
            note="An arm that should decide failed its calibration.",
            tallies=tallies(audit),
        )
    word = VERDICTS.get(audit.verdict, audit.verdict)
    care = audit.verdict == "insufficient"
    return Entry(text=word, tallies=tallies(audit), tone="care" if care else None)


def gate_entry(audit: AuditFact) -> Entry:
    """Tell an audit's gate."""
    if audit.gate == "passed" and audit.fail_on == "none":
        return Entry(text=NO_LIMIT, tone="none")
    word, tone = GATES.get(audit.gate, (audit.gate, "care"))
    if audit.gate == "passed" and not audit.trustworthy:
        return Entry(text=word, tone="none", note="of an audit that is not to be believed")
    asked = "" if audit.fail_on == "none" else f"fail on {audit.fail_on}"
    return Entry(text=word, tone=tone, note=asked)
