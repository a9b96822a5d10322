"""Packs of terms for ``score``: the given ones, and control packs where there are none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.score_inputs import Terms, minor_terms, sexual_terms
from probes.contrast import MIN_CONTROLS

MAX_RANDOM_PACKS = 60
"""More random packs of one size add nothing to the null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """Which terms make up which harm or control pack."""

    members: tuple[tuple[str, int], ...]
    """Pack and position of a term; a term may stand in random packs of several sizes."""

    controls: dict[str, tuple[str, ...]]
    """Harm family to the packs of its null."""

    note: str
    """Where the control packs come from, in a sentence."""


def make_packs(terms: Terms, rng: np.random.Generator) -> Packs:
    """Form packs from the label table.

    Parameters
    ----------
    terms : Terms
        Pooled labels with their roles and families.
    rng : numpy.random.Generator
        Deals the random packs.

    Returns
    -------
    Packs
        Control families where there are any; else neutral and positive families if there are 24
        or more of them; else disjoint random packs of the size of each harm pack.
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
    return _random(harms, pool[harmless[pool]], rng)


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
    return Packs(members=tuple(members), controls=dict.fromkeys(harms, tuple(named)), note=note)


def _random(
    harms: dict[str, tuple[int, ...]],
    pool: NDArray[np.intp],
    rng: np.random.Generator,
) -> Packs:
    members = [(pack, i) for pack, positions in harms.items() for i in positions]
    by_size: dict[int, tuple[str, ...]] = {}
    for size in sorted({len(positions) for positions in harms.values()}):
        dealt = rng.permutation(pool)
        n_packs = min(len(pool) // size, MAX_RANDOM_PACKS)
        names = tuple(f"random:{size}:{k}" for k in range(n_packs))
        by_size[size] = names
        for k, name in enumerate(names):
            members += [(name, int(i)) for i in dealt[k * size : (k + 1) * size]]
    note = (
        f"random packs of {len(pool)} neutral and positive labels, each of its harm pack's size "
        f"({', '.join(f'{len(names)} of {size}' for size, names in by_size.items())}): they carry "
        "the spread of single labels, not of real concepts."
    )
    controls = {harm: by_size[len(positions)] for harm, positions in harms.items()}
    return Packs(members=tuple(members), controls=controls, note=note)
