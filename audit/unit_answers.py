"""What a unit answers to in each arm: leading concepts, agreement of arms, families."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.atlas import HARMS
from audit.numbers import number
from audit.unit_pages_record import (
    AgreementRecord,
    Arm,
    FamilyRecord,
    LeadRecord,
)
from audit.unit_tables import UnitTable
from audit.unit_views import View
from probes.association import associate, reason
from probes.atlas import consistency, leading_order, unit_families
from probes.encoder import Reading

Array = NDArray[np.float64]

LEADS = 5
"""Concepts told for each arm."""

TEXT_MEASURE = "text_weight"
"""Measure of the text arm in the table of measurements."""

NOT_IN_TEXT = "not measured in this arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How much a unit goes with one concept in one arm."""

    arm: Arm
    concept: str
    value: float
    low: float
    high: float
    ap_lift: float
    """NaN in the text arm."""

    why: str = ""
    """Why there is no value."""

    def record(self) -> LeadRecord:
        """Return it as it stands in the document."""
        lift = NOT_IN_TEXT if self.arm == "text" else self.why
        return LeadRecord(
            arm=self.arm,
            concept=self.concept,
            value=number(self.value, self.why),
            low=number(self.low, self.why or "its interval is not known"),
            high=number(self.high, self.why or "its interval is not known"),
            ap_lift=number(self.ap_lift, lift or "it is not defined for so few clusters"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything a unit answers to in one arm, what leads first."""

    arm: Arm
    answers: tuple[Answer, ...]
    known: int
    """How many have a value: the first of them."""

    def place(self, concept: str) -> int | None:
        """Return 1 for what leads; None for what has no value or was not shown."""
        names = [a.concept for a in self.answers[: self.known]]
        return names.index(concept) + 1 if concept in names else None

    def of(self, concept: str) -> Answer | None:
        """Return one answer."""
        return next((a for a in self.answers if a.concept == concept), None)


def profile_of(
    view: View, reading: Reading, unit: int, concepts: Sequence[str], sexual: frozenset[str]
) -> Profile | None:
    """Measure a unit against every concept that was shown in an arm.

    Parameters
    ----------
    view : View
    reading : Reading
    unit : int
    concepts : sequence of str
        References of what was tested; those that no cluster shows are left out.
    sexual : frozenset of str
        Packs that sexualise: they meet no cluster of minors.

    Returns
    -------
    Profile or None
        None where the arm shows none of them.
    """
    if not view.tables:
        return None
    table = view.tables[0]
    answers = [
        *answers_of(table, reading, unit, [c for c in concepts if c not in sexual]),
        *answers_of(table.adults(), reading, unit, [c for c in concepts if c in sexual]),
    ]
    return ordered(view.arm, answers) if answers else None


def answers_of(
    table: UnitTable, reading: Reading, unit: int, concepts: Sequence[str]
) -> list[Answer]:
    """Measure a unit against concepts of one table; those it does not show are left out."""
    shown = set(table.concepts)
    present = [concept for concept in concepts if concept in shown]
    if not present:
        return []
    found = associate(table.readings[reading][:, [unit]], table.labels(present)).estimates
    correlation, lift = found["correlation"], found["ap_lift"]
    arm: Arm = "photo" if table.arm == "photo" else "rendered"
    return [
        Answer(
            arm=arm,
            concept=concept,
            value=float(correlation.value[0, i]),
            low=float(correlation.low[0, i]),
            high=float(correlation.high[0, i]),
            ap_lift=float(lift.value[0, i]),
            why=reason(int(correlation.why[0, i])),
        )
        for i, concept in enumerate(present)
    ]


def text_profile(
    frames: Sequence[pd.DataFrame], layer: str, unit: int, concepts: Sequence[str]
) -> Profile | None:
    """Read a unit's row of the text arm off the rows for the table of measurements.

    Parameters
    ----------
    frames : sequence of DataFrame
        Rows of arm ``text`` and measure ``text_weight`` are taken; others are passed by.
    layer : str
    unit : int
    concepts : sequence of str
        References of what was tested.

    Returns
    -------
    Profile or None
        Weights in standard deviations over all concepts; None where the arm does not have the
        unit, or does not vary.
    """
    values: dict[str, tuple[float, ...]] = {}
    for frame in frames:
        if not {"arm", "measure", "layer", "unit"} <= set(frame.columns):
            continue
        is_text = (frame["arm"] == "text") & (frame["measure"] == TEXT_MEASURE)
        own = frame[is_text & (frame["layer"] == layer) & (frame["unit"] == unit)]
        numbers = own[["value", "low", "high"]].to_numpy(dtype=np.float64)
        names = [str(concept) for concept in own["concept"].tolist()]
        values.update(zip(names, map(tuple, numbers.tolist()), strict=True))
    kept = [concept for concept in concepts if concept in values]
    return ordered("text", [_weight(c, *values[c]) for c in kept]) if kept else None


def _weight(concept: str, value: float, low: float, high: float) -> Answer:
    why = "" if np.isfinite(value) else "prompts do not differ on this unit"
    nan = float("nan")
    return Answer(
        arm="text", concept=concept, value=value, low=low, high=high, ap_lift=nan, why=why
    )


def ordered(arm: Arm, answers: Sequence[Answer]) -> Profile:
    """Put what leads first; what has no value comes last."""
    value = np.array([a.value for a in answers])
    lift = value if arm == "text" else np.array([a.ap_lift for a in answers])
    first = leading_order(value, lift).tolist()
    rest = sorted(set(range(len(answers))) - set(first))
    return Profile(arm=arm, answers=tuple(answers[i] for i in (*first, *rest)), known=len(first))


def leads(profiles: Sequence[Profile], count: int = LEADS) -> tuple[LeadRecord, ...]:
    """Return the concepts that lead in each arm, as far as the unit prefers them."""
    return tuple(
        answer.record()
        for profile in profiles
        for answer in profile.answers[: min(count, profile.known)]
        if answer.value > 0
    )


def agreements(profiles: Sequence[Profile]) -> tuple[AgreementRecord, ...]:
    """Compare all arms of a unit, then each pair of them; nothing where fewer than two saw it."""
    sets = [tuple(profiles), *(combinations(profiles, 2) if len(profiles) > 2 else ())]
    return tuple(found for own in sets if (found := _agreement(own)) is not None)


def _agreement(profiles: Sequence[Profile]) -> AgreementRecord | None:
    common = _common(profiles)
    if len(profiles) < 2 or not common:
        return None
    tables: dict[str, Array] = {p.arm: _row(p, common)[None] for p in profiles}
    found = consistency(tables)
    return AgreementRecord(
        arms=tuple(profile.arm for profile in profiles),
        shared=tuple(common[column] for column in found.shared[0]),
        chance=number(float(found.chance[0]), "fewer than three concepts were shown in every arm"),
    )


def families(profiles: Sequence[Profile]) -> tuple[FamilyRecord, ...]:
    """Return the concept set that the strongest concepts share, arm by arm."""
    records = []
    for profile in profiles:
        refs = sorted(a.concept for a in profile.answers)
        sets = [ref.rpartition("/")[0] or HARMS for ref in refs]
        found = unit_families(_row(profile, refs)[None], sets)
        records.append(
            FamilyRecord(
                arm=profile.arm,
                set=found.family[0],
                nearest=found.nearest[0],
                p=number(float(found.p[0]), "fewer than two concepts are preferred"),
            )
        )
    return tuple(records)


def _common(profiles: Sequence[Profile]) -> tuple[str, ...]:
    shown = [{a.concept for a in profile.answers} for profile in profiles]
    return tuple(sorted(set.intersection(*shown))) if shown else ()


def _row(profile: Profile, concepts: Sequence[str]) -> Array:
    values: Mapping[str, float] = {a.concept: a.value for a in profile.answers}
    return np.array([values[concept] for concept in concepts], dtype=np.float64)
