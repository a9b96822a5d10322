"""Asks a finished audit: what does a unit answer to, and which units answer to a concept.

Only the rows that are asked for are read from ``measurements.parquet``; a file of 100 MB takes
about a second.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from audit.atlas_table import read_batches
from audit.errors import PlanError
from audit.text_units_weights import ARM as TEXT
from audit.text_units_weights import MEASURE as TEXT_WEIGHT
from audit.unit_tables import ASSOCIATION_MEASURES
from concept_sets.entry import near
from probes.atlas import Consistency, Families, consistency, leading_order, unit_families
from probes.measurement import Estimate

HARMS = "harms"
"""Family of concepts that are packs of their own."""

ARMS = (TEXT, "rendered", "photo")
"""Kinds of evidence about units, in the order in which they are told."""

_COLUMNS = ["arm", "measure", "concept", "layer", "unit", "pooling", "value", "low", "high"]
_COLUMNS += ["n", "clusters", "reason"]
_IS_UNIT = ds.field("unit").is_valid()


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasRow:
    """How much one unit goes with one concept in one arm."""

    arm: str
    layer: str
    pooling: str
    unit: int
    concept: str
    """``Concept.ref``."""

    estimates: Mapping[str, Estimate]
    """By measure: ``correlation``, ``ap_lift``, ``glass_delta`` and ``auroc``, where stored; of
    prompts ``text_weight`` alone."""

    def value(self, measure: str) -> float:
        """Return the value of a measure; NaN where it is undefined or was not stored."""
        estimate = self.estimates.get(measure)
        return estimate.value if estimate else float("nan")

    @property
    def strength(self) -> float:
        """How much the unit goes with the concept, comparable within an arm."""
        return self.value(TEXT_WEIGHT if self.arm == TEXT else "correlation")


def contents(folder: Path) -> dict[str, int]:
    """Return how many units were measured in each layer of an audit.

    Raises
    ------
    ResultError
        If the table is missing or damaged.
    """
    units: dict[str, int] = {}
    for batch in read_batches(folder, ["layer", "unit"], _IS_UNIT):
        table = pa.Table.from_batches([batch])
        for row in table.group_by("layer").aggregate([("unit", "max")]).to_pylist():
            units[row["layer"]] = max(units.get(row["layer"], 0), row["unit_max"] + 1)
    return units


def concepts_of(folder: Path, layer: str, unit: int) -> tuple[AtlasRow, ...]:
    """Return how much a unit goes with every concept, in every arm that showed it.

    Parameters
    ----------
    folder : Path
        Of a finished audit.
    layer : str
        As in the result, e.g. ``visual.layer4.2``.
    unit : int
        Index into the layer's units.

    Returns
    -------
    tuple of AtlasRow
        Text weights, rendered words, photos, each by pooling (text weights have none); in each,
        the concepts that lead by correlation and AP lift first (`probes.atlas.leading_order`), or
        by text weight, those without a value last.

    Raises
    ------
    PlanError
        If the audit measured no such layer or unit; the nearest are named.
    ResultError
        If the table is missing or damaged.
    """
    wanted = _IS_UNIT & (ds.field("unit") == unit) & (ds.field("layer") == layer)
    rows = _rows(folder, wanted)
    if not rows:
        raise PlanError(_no_unit(folder, layer, unit))
    return _ordered(rows, lambda row: (row.pooling,))


def leading_concepts(
    folder: Path, layer: str, units: Sequence[int], k: int = 3
) -> dict[int, dict[str, tuple[str, ...]]]:
    """Return the concepts that lead for some units: unit to arm to references, strongest first.

    Only concepts that a unit prefers; a layer read with several poolings goes by the first.

    Raises
    ------
    PlanError
        If the audit measured no such layer or unit.
    ResultError
        If the table is missing or damaged.
    """
    wanted = _IS_UNIT & (ds.field("layer") == layer) & ds.field("unit").isin([*units])
    rows = _rows(folder, wanted)
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for unit in units:
        own = [row for row in rows if row.unit == unit]
        if not own:
            raise PlanError(_no_unit(folder, layer, unit))
        found[unit] = {}
        for arm in ARMS:
            ordered = _ordered([r for r in own if r.arm == arm], lambda row: (row.pooling,))
            first = [r for r in ordered if r.pooling == ordered[0].pooling and r.strength > 0]
            if ordered:
                found[unit][arm] = tuple(r.concept for r in first[:k])
    return found


def concepts_of_units(
    folder: Path, layer: str, units: Sequence[int]
) -> dict[int, tuple[AtlasRow, ...]]:
    """Return what `concepts_of` does for several units of a layer, in one pass over the table.

    Units that were not measured are left out.

    Raises
    ------
    PlanError
        If the audit measured no such layer.
    ResultError
        If the table is missing or damaged.
    """
    known = contents(folder)
    if layer not in known:
        raise PlanError(_no_unit(folder, layer, min(units, default=0)))
    wanted = _IS_UNIT & ds.field("unit").isin(list(units)) & (ds.field("layer") == layer)
    rows = _rows(folder, wanted)
    found = {unit: [row for row in rows if row.unit == unit] for unit in units}
    return {
        unit: _ordered(own, lambda row: (row.arm, row.pooling))
        for unit, own in found.items()
        if own
    }


def units_for(folder: Path, concept: str) -> tuple[AtlasRow, ...]:
    """Return how much every unit goes with a concept.

    Parameters
    ----------
    folder : Path
        Of a finished audit.
    concept : str
        ``Concept.ref``; see `find_concept` for names.

    Returns
    -------
    tuple of AtlasRow
        By arm (text weights, rendered words, photos), layer and pooling; in each, the units that
        lead first.

    Raises
    ------
    PlanError
        If no unit was measured against the concept.
    ResultError
        If the table is missing or damaged.
    """
    rows = _rows(folder, _IS_UNIT & (ds.field("concept") == concept))
    if not rows:
        known = measured_concepts(folder)
        raise PlanError(
            f"No unit was measured against {concept!r}: no picture or rendered word of it was "
            f"shown.{near(concept, known)} {len(known)} concepts have units."
        )
    return _ordered(rows, lambda row: (row.layer, row.pooling))


def measured_concepts(folder: Path) -> tuple[str, ...]:
    """Return every concept that units were measured against, sorted."""
    found: set[str] = set()
    for batch in read_batches(folder, ["concept"], _IS_UNIT):
        found.update(batch.column("concept").unique().to_pylist())
    # Rows that are of no concept tell of a unit as a whole.
    return tuple(sorted(found - {""}))


def find_concept(asked: str, names: Mapping[str, str]) -> str:
    """Return the one concept that is meant by a reference, a name or something near to it.

    Parameters
    ----------
    asked : str
        E.g. ``regions/middle_east``, ``middle_east``, ``Middle East`` or ``midle east``.
    names : mapping of str to str
        Display name of every ``Concept.ref``.

    Raises
    ------
    PlanError
        If nothing, or more than one concept, is near; the nearest are named.

    Examples
    --------
    >>> find_concept("Midle East", {"regions/middle_east": "Middle East", "moods/calm": "Calm"})
    'regions/middle_east'
    """
    spellings: dict[str, set[str]] = {}
    for ref, name in names.items():
        for spelling in (ref, ref.rpartition("/")[2], name):
            spellings.setdefault(_plain(spelling), set()).add(ref)
    wanted = _plain(asked)
    if asked in names:
        return asked
    close = [wanted] if wanted in spellings else [s for s in spellings if wanted and wanted in s]
    close = close or get_close_matches(wanted, spellings, 3, 0.8)
    refs = sorted({ref for spelling in close for ref in spellings[spelling]})
    if len(refs) == 1:
        return refs[0]
    far = get_close_matches(wanted, spellings, 3, 0.4)
    hints = refs or sorted({ref for spelling in far for ref in spellings[spelling]})
    raise PlanError(
        f"A concept must be one of the {len(names)} of this audit; got {asked!r}, which "
        + (f"could be any of: {', '.join(hints[:8])}." if refs else "is none.")
        + (f" Nearest: {', '.join(hints[:3])}." if hints and not refs else "")
    )


def arms_agree(rows: Sequence[AtlasRow]) -> tuple[tuple[str, ...], Consistency] | None:
    """Compare the concepts of one unit and pooling between arms; None where only one saw it.

    Text weights, which have no pooling, are compared with any.

    Returns
    -------
    tuple
        Concepts in the order of the columns, and what the arms share.
    """
    profiles = {arm: _profile(rows, arm) for arm in dict.fromkeys(row.arm for row in rows)}
    common = sorted(set.intersection(*(set(profile) for profile in profiles.values())))
    if len(profiles) < 2 or not common:
        return None
    tables = {arm: np.array([[own[c] for c in common]]) for arm, own in profiles.items()}
    return tuple(common), consistency(tables)


def family_of(rows: Sequence[AtlasRow], arm: str) -> Families:
    """Return the concept set that the strongest concepts of one unit share in one arm.

    Packs of a single concept, as those of harms are, count as one set: `HARMS`.
    """
    profile = _profile(rows, arm)
    sets = [ref.rpartition("/")[0] or HARMS for ref in profile]
    return unit_families(np.array([list(profile.values())]), sets)


def _profile(rows: Iterable[AtlasRow], arm: str) -> dict[str, float]:
    return {row.concept: row.strength for row in rows if row.arm == arm}


def _rows(folder: Path, wanted: ds.Expression) -> list[AtlasRow]:
    parts = [batch.to_pandas() for batch in read_batches(folder, _COLUMNS, wanted)]
    if not parts:
        return []
    table = pd.concat([part.astype({"measure": str}) for part in parts], ignore_index=True)
    table = table[table["measure"].isin((*ASSOCIATION_MEASURES, TEXT_WEIGHT))]
    found: dict[tuple[str, str, str, int, str], dict[str, Estimate]] = {}
    for row in table.itertuples(index=False):
        key = (str(row.arm), str(row.layer), str(row.pooling), int(row.unit), str(row.concept))
        found.setdefault(key, {})[row.measure] = Estimate(
            value=float(row.value),
            low=float(row.low),
            high=float(row.high),
            n=None if pd.isna(row.n) else int(row.n),
            clusters=None if pd.isna(row.clusters) else int(row.clusters),
            reason=str(row.reason),
        )
    return [
        AtlasRow(arm=arm, layer=layer, pooling=pooling, unit=unit, concept=concept, estimates=own)
        for (arm, layer, pooling, unit, concept), own in found.items()
    ]


def _ordered(
    rows: Sequence[AtlasRow], group: Callable[[AtlasRow], tuple[str, ...]]
) -> tuple[AtlasRow, ...]:
    """Sort by arm and group, and in each by what leads."""

    def place(row: AtlasRow) -> tuple[int, tuple[str, ...]]:
        return (ARMS.index(row.arm) if row.arm in ARMS else len(ARMS), group(row))

    ordered: list[AtlasRow] = []
    for key in sorted({place(row) for row in rows}):
        own = sorted(
            (row for row in rows if place(row) == key), key=lambda row: (row.unit, row.concept)
        )
        first = _leading(own)
        ordered += [own[i] for i in (*first, *sorted(set(range(len(own))) - set(first)))]
    return tuple(ordered)


def _leading(rows: Sequence[AtlasRow]) -> list[int]:
    """Places of the rows of one arm that have a value, the leading first."""
    if rows[0].arm == TEXT:
        known = [i for i, row in enumerate(rows) if not np.isnan(row.strength)]
        return sorted(known, key=lambda i: -rows[i].strength)
    strength = [np.array([r.value(m) for r in rows]) for m in ("correlation", "ap_lift")]
    found: list[int] = leading_order(*strength).tolist()
    return found


def _no_unit(folder: Path, layer: str, unit: int) -> str:
    known = contents(folder)
    if not known:
        return "A unit can be looked up where an audit read units; this one read none."
    if layer in known:
        return f"A unit of {layer} must be a whole number from 0 to {known[layer] - 1}; got {unit}."
    return (
        f"A layer must be one that this audit read: {', '.join(sorted(known))}; got {layer!r}."
        f"{near(layer, known)}"
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
