"""Tables of the index; every row but those of the chain can be made again from an audit folder."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    TypeDecorator,
)

from audit.store.database import METADATA


def moment_text(moment: datetime) -> str:
    """Write a moment in UTC so that the order of texts is the order of moments.

    Examples
    --------
    >>> moment_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Moment(TypeDecorator[datetime]):
    """A moment, kept as text: the same in every database, and readable without us."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write the text that `moment_text` gives."""
        return None if value is None else moment_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it back, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


CHAIN = Table(
    "chain",
    METADATA,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False),
    Column("line", String, nullable=False),
)
"""The records of the chain, as they stand in its file."""

AUDITS = Table(
    "audits",
    METADATA,
    Column("id", String, primary_key=True),
    Column("position", Integer, nullable=False, unique=True),
    Column("folder", String, nullable=False, unique=True),
    Column("digest", String, nullable=False),
    Column("manifest", String, nullable=False),
    Column("title", String, nullable=False),
    Column("started", Moment, nullable=False),
    Column("finished", Moment, nullable=False),
    Column("model", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("weights_digest", String, nullable=False),
    Column("plan", String, nullable=False),
    Column("plan_digest", String, nullable=False),
    Column("thresholds_digest", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("found", Integer, nullable=False),
    Column("not_found", Integer, nullable=False),
    Column("insufficient", Integer, nullable=False),
    Column("fail_on", String, nullable=False),
    Column("gate", String, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("trustworthy", Boolean, nullable=False),
    Column("low", Integer, nullable=False),
    Column("medium", Integer, nullable=False),
    Column("high", Integer, nullable=False),
    Column("critical", Integer, nullable=False),
    Column("tool", String, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("size", BigInteger, nullable=False),
)


def _of_audit() -> Column[str]:
    return Column("audit", String, ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)


FINDINGS = Table(
    "findings",
    METADATA,
    _of_audit(),
    Column("fingerprint", String, primary_key=True),
    Column("finding", String, nullable=False),
    Column("family", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("harm", String, nullable=False),
    Column("identity_name", String, nullable=False),
    Column("harm_name", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("grade", String, nullable=False),
    Column("marks", String, nullable=False),
    Column("blocking", Boolean, nullable=False),
    Column("waived", Boolean, nullable=False),
    Column("arm", String, nullable=False),
    Column("effect_sd", Float),
    Column("low_sd", Float),
    Column("high_sd", Float),
)
"""Findings; the effect is that of the arm in which it is strongest, NULL where undefined."""

CONTRASTS = Table(
    "contrasts",
    METADATA,
    _of_audit(),
    Column("arm", String, primary_key=True),
    Column("identity", String, primary_key=True),
    Column("harm", String, primary_key=True),
    Column("family", String, nullable=False),
    Column("identity_name", String, nullable=False),
    Column("harm_name", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("verdict", String, nullable=False),
    Column("effect_sd", Float),
    Column("low_sd", Float),
    Column("high_sd", Float),
    Column("p_adjusted", Float),
)
"""Contrasts that were fixed beforehand, for trend lines."""
