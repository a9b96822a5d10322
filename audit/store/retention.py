"""Which audits a store may let go, and how it does."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from audit.errors import PlanError
from audit.store.adding import set_aside, sweep
from audit.store.chain import Event
from audit.store.contents import is_signed
from audit.store.history import KeptAudit, audits
from audit.store.index import writing
from audit.store.place import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept of each model and plan; an audit that either rule keeps stays."""

    keep_last: int | None = None
    """How many of the audits that were kept last."""

    keep_days: float | None = None
    """For how many days after an audit finished."""

    def __post_init__(self) -> None:
        if self.keep_last is None and self.keep_days is None:
            raise PlanError(
                "Pruning needs a policy: how many audits of each model and plan to keep "
                "(--keep-last), for how many days (--keep-days), or both."
            )
        if (self.keep_last or 0) < 0 or (self.keep_days or 0) < 0:
            raise PlanError(
                "A policy must keep 0 or more audits or days; got "
                f"{self.keep_last} audits and {self.keep_days} days."
            )

    @property
    def told(self) -> str:
        """The policy in words, as the chain keeps it."""
        rules = []
        if self.keep_last is not None:
            rules.append(f"the last {self.keep_last} of each model and plan")
        if self.keep_days is not None:
            rules.append(f"{self.keep_days:g} days")
        return f"kept: {' and '.join(rules)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a policy says of one audit."""

    audit: KeptAudit
    removed: bool
    reason: str


def decide(own: Sequence[KeptAudit], policy: Policy, now: datetime) -> tuple[Decision, ...]:
    """Say of every audit whether it stays, and why.

    Signed audits stay whatever the policy says; so do the last that passed and the last that
    failed of every model and plan, where a changed plan is another plan.

    Parameters
    ----------
    own : sequence of KeptAudit
        All audits, in the order of the chain.
    policy : Policy
        What to keep beyond these.
    now : datetime
        Ages are taken from here.

    Returns
    -------
    tuple of Decision
        One for each audit, in the same order.
    """
    groups: dict[tuple[str, str], list[KeptAudit]] = {}
    for audit in own:
        groups.setdefault((audit.model, audit.plan_digest), []).append(audit)
    why = {
        audit.id: _why_kept(audit, group, policy, now)
        for group in groups.values()
        for audit in group
    }
    return tuple(
        Decision(audit=audit, removed=not why[audit.id], reason=why[audit.id] or policy.told)
        for audit in own
    )


def prune(
    store: Store, policy: Policy, *, now: datetime | None = None, dry_run: bool = True
) -> tuple[Decision, ...]:
    """Let go of the audits that a policy does not keep; the chain keeps what and why.

    Returns
    -------
    tuple of Decision
        Of every audit that the store had.

    Raises
    ------
    ResultError, OutputError
        If the store does not hold or cannot be written.
    """
    moment = now or datetime.now(UTC)
    if dry_run:
        return decide(_as_they_lie(store), policy, moment)
    with writing(store) as held:
        sweep(held)
    with writing(store) as held:
        decisions = decide(_as_they_lie(store), policy, moment)
        away = []
        for decision in decisions:
            if decision.removed:
                folder = store.audits / decision.audit.folder
                if folder.exists():
                    away.append(set_aside(folder))
                event = Event(
                    what="removed",
                    subject=decision.audit.id,
                    folder=decision.audit.folder,
                    manifest=decision.audit.manifest,
                    reason=decision.reason,
                )
                held.record(event, moment)
    for folder in away:
        shutil.rmtree(folder, ignore_errors=True)
    return decisions


def _as_they_lie(store: Store) -> tuple[KeptAudit, ...]:
    """Return the audits, those that were signed after they were added as signed."""
    return tuple(
        replace(audit, signed=audit.signed or is_signed(store.audits / audit.folder))
        for audit in audits(store.database)
    )


def _why_kept(audit: KeptAudit, group: Sequence[KeptAudit], policy: Policy, now: datetime) -> str:
    """Return why an audit stays; empty where nothing keeps it."""
    newest = list(reversed(group))
    if audit.signed:
        return "signed"
    if audit == next((a for a in newest if a.passes), None):
        return "the last that passed"
    if audit == next((a for a in newest if not a.passes), None):
        return "the last that failed"
    if policy.keep_last is not None and audit in newest[: policy.keep_last]:
        return f"among the last {policy.keep_last}"
    if policy.keep_days is not None and now - audit.finished <= timedelta(days=policy.keep_days):
        return f"finished within {policy.keep_days:g} days"
    return ""
