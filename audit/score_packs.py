"""Packs of terms for ``score``: the given ones, and control packs where there are none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.score_inputs import Terms, minor_terms, sexual_terms
from probes.contrast import MIN_CONTROLS


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """Which terms make up which harm or control pack."""

    members: tuple[tuple[str, int], ...]
    """Pack and position of a term."""

    controls: dict[str, tuple[str, ...]]
    """Harm family to the packs of its null."""

    dealt: dict[str, int]
    """Harm family to its size, where its controls are single labels that make up packs of it."""

    note: str
    """Where the control packs come from, in a sentence."""


def make_packs(terms: Terms) -> Packs:
    """Form packs from the label table.

    Parameters
    ----------
    terms : Terms
        Pooled labels with their roles and families.

    Returns
    -------
    Packs
        Control families where there are any; else neutral and positive families if there are 24
        or more of them; else packs of the size of each harm pack, made up of single labels.
    """
    sexual, minor = sexual_terms(terms), minor_terms(terms)
    harms = _families(terms, "harm", keep=~(sexual & minor))
    # Controls stand beside every harm and meet everybody.
    harmless = ~(sexual | minor)
    given = _families(terms, "control", keep=harmless)
    if given:
        return _fixed(harms, given, f"{len(given)} control families of the label table.")
    mirrors = _families(terms, "positive", "neutral", keep=harmless)
    if len(mirrors) >= MIN_CONTROLS:
        return _fixed(harms, mirrors, f"{len(mirrors)} neutral and positive label families.")
    pool = terms.of("positive", "neutral")
    return _dealt(harms, pool[harmless[pool]])


def _families(
    terms: Terms, *roles: str, keep: NDArray[np.bool_] | None = None
) -> dict[str, tuple[int, ...]]:
    members: dict[str, list[int]] = {}
    for index in terms.of(*roles):
        if keep is not None and not keep[index]:
            continue
        members.setdefault(terms.families[index], []).append(int(index))
    return {family: tuple(positions) for family, positions in members.items()}


def _fixed(
    harms: dict[str, tuple[int, ...]], controls: dict[str, tuple[int, ...]], note: str
) -> Packs:
    # A family may have harm and neutral labels: the prefix keeps the two packs apart.
    named = {f"control:{family}": positions for family, positions in controls.items()}
    members = [(pack, i) for pack, positions in {**harms, **named}.items() for i in positions]
    null = dict.fromkeys(harms, tuple(named))
    return Packs(members=tuple(members), controls=null, dealt={}, note=note)


def _dealt(harms: dict[str, tuple[int, ...]], pool: NDArray[np.intp]) -> Packs:
    members = [(pack, i) for pack, positions in harms.items() for i in positions]
    single = {f"label:{i}": int(i) for i in pool}
    sizes = {harm: len(positions) for harm, positions in harms.items()}
    counts = ", ".join(f"{len(pool) // size} of {size}" for size in sorted({*sizes.values()}))
    note = (
        f"packs of {len(pool)} neutral and positive labels, each of its harm pack's size "
        f"({counts}): they carry the spread of single labels, not of real concepts."
    )
    return Packs(
        members=(*members, *single.items()),
        controls=dict.fromkeys(harms, tuple(single)),
        dealt=sizes,
        note=note,
    )
