"""What the tool must leave to people, and never invents: the fields of a governance file."""

import re

from reports.governance import FIELDS, Governance
from reports.messages import N_

SIGNATURES = "signatures"

HUMAN_FIELDS = {field.path: field.label for field in FIELDS} | {SIGNATURES: N_("Signatures")}
"""Field, as a governance file spells it, to its label."""

YES_OR_NO = ("system.risk_class", "system.general_purpose")
"""Fields that decide whether clauses apply; where nobody said no, they are told as if they did."""

NO = re.compile(r"no\s*([.,;:].*)?", re.IGNORECASE | re.DOTALL)
"""``no``, or ``no`` and a reason behind a sign; ``no decision yet`` is not a no."""


def filled(field: str, governance: Governance) -> bool:
    """Tell whether people filled a field in."""
    if field == SIGNATURES:
        return bool(governance.signatures)
    return statement(field, governance).lower() not in {"", "undetermined"}


def denied(field: str, governance: Governance) -> bool:
    """Tell whether people answered a field with no.

    Examples
    --------
    >>> said = Governance(statements={"system.risk_class": "No: it sorts holiday photos"})
    >>> denied("system.risk_class", said), denied("system.general_purpose", said)
    (True, False)
    """
    return NO.fullmatch(statement(field, governance)) is not None


def statement(field: str, governance: Governance) -> str:
    """Return what people said; empty where nothing."""
    return governance.statements.get(field, "").strip()
