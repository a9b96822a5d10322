"""Patterns of a plan: ``regions/*``, ``terrorism``, ``severity>=3``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from audit.errors import PlanError
from concept_sets.entry import near

SEVERITY = re.compile(r"severity>=([1-4])")


def matching(
    refs: Sequence[str], patterns: Iterable[str], key: str, severities: Mapping[str, int]
) -> tuple[str, ...]:
    """Return the names that a list of patterns selects, in the order of the patterns.

    Parameters
    ----------
    refs : sequence of str
        Names such as ``family/id``, or ``id`` where the family holds only itself.
    patterns : iterable of str
        Shell-style patterns over names, a bare family or id, or ``severity>=N``.
    key : str
        Key of the plan, for the message.
    severities : mapping
        Name to harm tier, where there is one.

    Raises
    ------
    PlanError
        If a pattern other than ``*`` selects nothing.

    Examples
    --------
    >>> matching(["regions/a", "regions/b", "race/c"], ["regions/*"], "identities", {})
    ('regions/a', 'regions/b')
    """
    kept: dict[str, None] = {}
    for pattern in patterns:
        found = [ref for ref in refs if _matches(ref, pattern, severities.get(ref, 0))]
        if not found and pattern != "*" and not SEVERITY.fullmatch(pattern):
            known = sorted({*refs, *(f"{ref.split('/')[0]}/*" for ref in refs if "/" in ref)})
            raise PlanError(
                f"{key} must name what the audit has; {pattern!r} matches nothing."
                f"{near(pattern, known)} `clip-audit concepts list` shows the built-in names."
            )
        kept.update(dict.fromkeys(found))
    return tuple(kept)


def _matches(ref: str, pattern: str, severity: int) -> bool:
    tier = SEVERITY.fullmatch(pattern)
    if tier:
        return severity >= int(tier.group(1))
    return fnmatchcase(ref, pattern) or pattern in ref.split("/")
