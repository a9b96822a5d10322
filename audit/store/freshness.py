"""Whether a model was audited lately enough; a schedule cannot report its own death."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from audit.errors import PlanError
from audit.store.history import KeptAudit

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

AHEAD = timedelta(days=1)
"""How far clocks of two machines may differ before an audit of tomorrow is doubted."""

State = Literal["fresh", "stale", "none", "ahead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the latest audit of a model is."""

    state: State
    """``ahead``: it claims to have finished in the future, so its age is not known."""

    sentence: str


def parse_age(text: str) -> timedelta:
    """Read an age such as ``90d``, ``12h`` or ``2w``.

    Raises
    ------
    PlanError
        If it is none.

    Examples
    --------
    >>> parse_age("90d")
    datetime.timedelta(days=90)
    """
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if match is None:
        raise PlanError(
            "An age must be a whole number of minutes (m), hours (h), days (d) or weeks (w), such "
            f"as 90d; got {text!r}."
        )
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def freshness(audit: KeptAudit | None, max_age: timedelta, now: datetime) -> Freshness:
    """Say whether an audit is recent enough.

    Parameters
    ----------
    audit : KeptAudit or None
        The one that was kept last; None where there is none.
    max_age : timedelta
        An audit of this age is still fresh.
    now : datetime
        Time of the question.
    """
    if audit is None:
        return Freshness(state="none", sentence="There is no audit of it in this store.")
    age = now - audit.finished
    told = f"The last audit kept, {audit.folder}, finished on {audit.finished:%Y-%m-%d %H:%M} UTC"
    if age < -AHEAD:
        return Freshness(
            state="ahead",
            sentence=f"{told}, which is in the future: one of the clocks was wrong, and its age is "
            "not known.",
        )
    stale = age > max_age
    limit = "more" if stale else "not more"
    return Freshness(
        state="stale" if stale else "fresh",
        sentence=f"{told}: {_told(age)} ago, {limit} than {_told(max_age)}.",
    )


def _told(age: timedelta) -> str:
    hours = max(age.total_seconds(), 0) / 3600
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
