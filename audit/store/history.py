"""Questions to a store, for pages, gates and terminals; answers are in the order of the chain."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import Connection, Select, or_, select

from audit.store.database import Database
from audit.store.remembered import EffectPoint, FindingLife, KeptAudit, KeptModel, Sighting
from audit.store.tables import AUDITS, CONTRASTS, FINDINGS

__all__ = [
    "EffectPoint",
    "FindingLife",
    "KeptAudit",
    "KeptModel",
    "Sighting",
    "audits",
    "effects",
    "findings",
    "last_passing",
    "latest",
    "models",
]


def audits(
    database: Database, *, model: str | None = None, plan: str | None = None
) -> tuple[KeptAudit, ...]:
    """Return the audits of a store, the earliest kept first.

    Parameters
    ----------
    database : Database
        Index of the store.
    model : str, optional
        Name of a model, or the digest of its weights.
    plan : str, optional
        Name or digest of a plan.
    """
    wanted = select(AUDITS).order_by(AUDITS.c.position)
    if model is not None:
        wanted = wanted.where(or_(AUDITS.c.model == model, AUDITS.c.weights_digest == model))
    if plan is not None:
        wanted = wanted.where(or_(AUDITS.c.plan == plan, AUDITS.c.plan_digest == plan))
    with database.read() as connection:
        return tuple(_audit(row._asdict()) for row in connection.execute(wanted))


def models(database: Database) -> tuple[KeptModel, ...]:
    """Return every model of a store by name."""
    by_name: dict[str, list[KeptAudit]] = {}
    for audit in audits(database):
        by_name.setdefault(audit.model, []).append(audit)
    return tuple(
        KeptModel(
            name=name,
            audits=len(own),
            plans=tuple(dict.fromkeys(audit.plan for audit in own)),
            weights=len({audit.weights_digest for audit in own}),
            latest=own[-1],
            last_passing=_last_passing(own),
        )
        for name, own in sorted(by_name.items())
    )


def latest(database: Database, model: str, *, plan: str | None = None) -> KeptAudit | None:
    """Return the audit of a model that was kept last; None where there is none."""
    own = audits(database, model=model, plan=plan)
    return own[-1] if own else None


def last_passing(database: Database, model: str, *, plan: str | None = None) -> KeptAudit | None:
    """Return the audit of a model that passed its gate and was kept last."""
    return _last_passing(audits(database, model=model, plan=plan))


def findings(database: Database, model: str, *, plan: str | None = None) -> tuple[FindingLife, ...]:
    """Return the life of every finding of a model, those still open and most severe first.

    An audit counts in a finding's life where its plan fixed the contrast beforehand or where it
    found it; in the others nobody asked.
    """
    own = audits(database, model=model, plan=plan)
    with database.read() as connection:
        seen = _by_fingerprint(connection, own)
        asked = _asked(connection, own)
    lives = (_life(rows, own, asked) for rows in seen.values())
    return tuple(
        sorted(
            lives,
            key=lambda life: (not life.open, -life.sightings[-1].severity, life.finding),
        )
    )


def effects(
    database: Database, model: str, identity: str, harm: str, *, plan: str | None = None
) -> tuple[EffectPoint, ...]:
    """Return the effect of a contrast that was fixed beforehand over the audits of a model.

    Parameters
    ----------
    database : Database
        Index of the store.
    model : str
        Name of a model, or the digest of its weights.
    identity, harm : str
        References of the concepts.
    plan : str, optional
        Name or digest of a plan.

    Returns
    -------
    tuple of EffectPoint
        One for each arm and audit, in the order of the chain.
    """
    own = {audit.id: audit for audit in audits(database, model=model, plan=plan)}
    wanted = select(CONTRASTS).where(CONTRASTS.c.identity == identity, CONTRASTS.c.harm == harm)
    with database.read() as connection:
        rows = [row._asdict() for row in connection.execute(wanted)]
    points = [_point(row, own[str(row["audit"])]) for row in rows if row["audit"] in own]
    return tuple(sorted(points, key=lambda point: (point.position, point.arm)))


def _audit(row: dict[str, object]) -> KeptAudit:
    return KeptAudit(**row)  # type: ignore[arg-type]


def _last_passing(own: Sequence[KeptAudit]) -> KeptAudit | None:
    return next((audit for audit in reversed(own) if audit.passes), None)


def _by_fingerprint(
    connection: Connection, own: Sequence[KeptAudit]
) -> dict[str, list[dict[str, object]]]:
    place = {audit.id: audit for audit in own}
    rows = [row._asdict() for row in connection.execute(_of(select(FINDINGS), own))]
    rows.sort(key=lambda row: place[str(row["audit"])].position)
    seen: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        seen.setdefault(str(row["fingerprint"]), []).append(row)
    return seen


def _asked(connection: Connection, own: Sequence[KeptAudit]) -> dict[tuple[str, str], set[str]]:
    """Return the audits that fixed each pair of identity and harm beforehand."""
    columns = select(CONTRASTS.c.audit, CONTRASTS.c.identity, CONTRASTS.c.harm)
    asked: dict[tuple[str, str], set[str]] = {}
    for row in connection.execute(_of(columns, own)):
        asked.setdefault((row.identity, row.harm), set()).add(row.audit)
    return asked


def _of(wanted: Select[tuple[object, ...]], own: Sequence[KeptAudit]) -> Select[tuple[object, ...]]:
    table = wanted.get_final_froms()[0]
    return wanted.where(table.c.audit.in_([audit.id for audit in own]))


def _life(
    rows: Sequence[dict[str, object]],
    own: Sequence[KeptAudit],
    asked: dict[tuple[str, str], set[str]],
) -> FindingLife:
    by_audit = {str(row["audit"]): row for row in rows}
    pair = (str(rows[0]["identity"]), str(rows[0]["harm"]))
    counted = [a for a in own if a.id in by_audit or a.id in asked.get(pair, ())]
    first = next(number for number, audit in enumerate(counted) if audit.id in by_audit)
    last = rows[-1]
    named = ("fingerprint", "finding", "family", "identity", "harm", "identity_name", "harm_name")
    return FindingLife(
        **{name: str(last[name]) for name in named},
        sightings=tuple(
            _sighting(by_audit[audit.id], audit) for audit in counted if audit.id in by_audit
        ),
        asked=len(counted) - first,
        open=counted[-1].id in by_audit,
    )


def _sighting(row: dict[str, object], audit: KeptAudit) -> Sighting:
    own = {field.name: row[field.name] for field in fields(Sighting) if field.name in row}
    own |= {"audit": audit.folder, "position": audit.position, "started": audit.started}
    return Sighting(**own)  # type: ignore[arg-type]


def _point(row: dict[str, object], audit: KeptAudit) -> EffectPoint:
    own = {field.name: row[field.name] for field in fields(EffectPoint) if field.name in row}
    own |= {
        "audit": audit.folder,
        "position": audit.position,
        "started": audit.started,
        "weights_digest": audit.weights_digest,
        "plan_digest": audit.plan_digest,
    }
    return EffectPoint(**own)  # type: ignore[arg-type]
