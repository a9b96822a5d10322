"""Groups of pictures: one column, or two columns crossed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Which group of one column, or of a crossing of two, each picture is in."""

    name: str
    """``column``, or two of them joined by `` & ``."""

    groups: tuple[str, ...]
    """``column=value`` of each group, joined likewise, sorted."""

    codes: NDArray[np.intp]
    """Index into ``groups``; -1 where a value is missing. Shape (n_pictures,)."""


def group_by(column: str, values: Sequence[str]) -> Grouping:
    """Group pictures by one column; empty values belong to no group.

    Examples
    --------
    >>> group_by("trade", ["baker", "", "weaver"]).codes
    array([ 0, -1,  1])
    """
    known = sorted({value for value in values if value})
    index = {value: code for code, value in enumerate(known)}
    return Grouping(
        name=column,
        groups=tuple(f"{column}={value}" for value in known),
        codes=np.array([index.get(value, -1) for value in values], dtype=np.intp),
    )


def cross(one: Grouping, other: Grouping) -> Grouping:
    """Group pictures by two columns at once; only pairs that occur become groups."""
    both = (one.codes >= 0) & (other.codes >= 0)
    joint = np.where(both, one.codes * len(other.groups) + other.codes, -1)
    pairs = np.unique(joint[both])
    codes = np.where(both, np.searchsorted(pairs, joint), -1).astype(np.intp)
    return Grouping(
        name=f"{one.name} & {other.name}",
        groups=tuple(
            f"{one.groups[pair // len(other.groups)]} & {other.groups[pair % len(other.groups)]}"
            for pair in pairs.tolist()
        ),
        codes=codes,
    )


def groupings(columns: Mapping[str, Sequence[str]]) -> tuple[Grouping, ...]:
    """Return the grouping of every column, then of every crossing of two."""
    single = tuple(group_by(name, values) for name, values in columns.items())
    return single + tuple(cross(one, other) for one, other in combinations(single, 2))
