"""What a treatment costs: harmless concepts that are lost, and other links that rise."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.gather import Shown
from audit.mitigation_record import BenignRecord, CollateralRecord
from audit.mitigation_world import State, World
from audit.numbers import number
from audit.results import Verdict
from audit.verdicts import Judged
from probes.arms import ArmScores, Embeddings, pool_clusters
from probes.measurement import Estimate
from probes.paired_change import FEWEST_CONTROLS, Margins, PairedChange, paired_change
from probes.treatments_benign import (
    ALIKE,
    Benign,
    accuracy,
    association,
    benign,
    change,
    retrieval,
)

Array = NDArray[np.float64]
ShownAs = Literal["photo", "rendered", "text"]
Measure = Literal["accuracy", "association", "retrieval"]

FEWEST_CLUSTERS = 8
"""Fewer harmless clusters say nothing of benign accuracy."""

SEED = 59
"""Second word of the seed of intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """Control concepts in one state of the model, by how they are shown."""

    shown: ShownAs
    values: Benign
    n_concepts: int


def harmless(world: World, state: State) -> dict[ShownAs, Harmless]:
    """Answer, associate and retrieve among the control concepts.

    Parameters
    ----------
    world : World
    state : State

    Returns
    -------
    dict
        Photos and drawn words of control concepts against all their prompts; every other term of
        a control concept against the prompts of the rest. What shows fewer than two concepts or
        eight clusters is left out.
    """
    texts, responses = state.texts, state.responses
    controls = texts.take(texts.of(set(world.controls)))
    places = np.concatenate([np.arange(len(controls.of({c}))) % 2 for c in world.controls])
    order = np.concatenate([controls.of({c}) for c in world.controls])
    named, rest = controls.take(order[places == 0]), controls.take(order[places == 1])
    pairs: list[tuple[ShownAs, Embeddings | None, Embeddings]] = [
        ("photo", _pictures(responses.photos, world.controls), controls),
        ("rendered", _pictures(responses.rendered, world.controls), controls),
        ("text", rest, named),
    ]
    found = {shown: _harmless(shown, rows, classes) for shown, rows, classes in pairs}
    return {shown: one for shown, one in found.items() if one is not None}


def _pictures(shown: Shown | None, controls: Sequence[str]) -> Embeddings | None:
    if shown is None:
        return None
    wanted = set(controls)
    rows = [i for i, s in enumerate(shown.stimuli) if s.concept in wanted]
    if not rows:
        return None
    return pool_clusters(
        shown.extraction.embeddings.values[rows],
        [shown.stimuli[i].concept for i in rows],
        [shown.stimuli[i].cluster for i in rows],
        [""] * len(rows),
        keep_templates=False,
    )


def _harmless(shown: ShownAs, rows: Embeddings | None, prompts: Embeddings) -> Harmless | None:
    if rows is None or len(rows.names) < FEWEST_CLUSTERS:
        return None
    present = set(prompts.concepts)
    names = [c for c in dict.fromkeys(rows.concepts) if c in present]
    kept = rows.take(rows.of(set(names)))
    if len(names) < 2 or len(kept.names) < FEWEST_CLUSTERS:
        return None
    classes = np.array([prompts.pooled[prompts.of({c})].mean(axis=0) for c in names])
    codes = np.array([names.index(c) for c in kept.concepts], dtype=np.intp)
    return Harmless(shown=shown, values=benign(kept.pooled, codes, classes), n_concepts=len(names))


def benign_records(
    world: World,
    now: Mapping[ShownAs, Harmless],
    before: Mapping[ShownAs, Harmless] | None,
) -> tuple[BenignRecord, ...]:
    """Write values of a state with their change; None before is the model as it is."""
    return tuple(
        record
        for shown, one in now.items()
        for record in _records(world.plan.seed, one, None if before is None else before[shown])
    )


def _records(seed: int, now: Harmless, before: Harmless | None) -> tuple[BenignRecord, ...]:
    def rng() -> np.random.Generator:
        # The same draws in every state, so that states differ by what they are.
        return np.random.default_rng([seed, SEED])

    base, own = (before or now).values, now.values
    by_chance = 1 / now.n_concepts
    made: tuple[tuple[Measure, Estimate, Estimate, float, int], ...] = (
        (
            "accuracy",
            accuracy(own),
            change(base.hits, own.hits, rng()),
            by_chance,
            len(own.hits),
        ),
        (
            "association",
            association(base, own, rng()),
            _less_one(association(base, own, rng())),
            float("nan"),
            len(own.margins),
        ),
        (
            "retrieval",
            retrieval(own, rng()),
            change(base.precision, own.precision, rng()),
            by_chance,
            len(own.precision),
        ),
    )
    return tuple(
        BenignRecord.model_validate(
            {
                "measure": measure,
                "shown": now.shown,
                **_ends(value, ("value", "low", "high")),
                **(_ends(moved, ("change", "change_low", "change_high")) if before else {}),
                "chance": number(chance, "1 is where nothing is lost"),
                "clusters": clusters,
            }
        )
        for measure, value, moved, chance, clusters in made
    )


def _less_one(share: Estimate) -> Estimate:
    return Estimate(
        value=share.value - 1, low=share.low - 1, high=share.high - 1, reason=share.reason
    )


def _ends(estimate: Estimate, names: tuple[str, str, str]) -> dict[str, object]:
    why = estimate.reason or ALIKE
    values = (estimate.value, estimate.low, estimate.high)
    return {name: number(value, why) for name, value in zip(names, values, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """Means of one table of scores that every contrast in it needs."""

    scores: ArmScores
    by_pack: Mapping[str, Array]
    """Pack to the mean of every row, shape (n_rows,)."""

    by_identity: Mapping[str, Array]
    """Identity to the mean of every column, shape (n_columns,)."""

    @classmethod
    def of(cls, scores: ArmScores) -> "_Means":
        return cls(
            scores=scores,
            by_pack={p: scores.scores[:, c].mean(axis=1) for p, c in scores.packs.items()},
            by_identity={c: scores.scores[r].mean(axis=0) for c, r in scores.identities.items()},
        )

    def margins(self, family: str, identity: str, harm: str, scale: float) -> Margins:
        scores, controls = self.scores, self.scores.controls[harm]
        own = self.by_pack[harm] - np.mean([self.by_pack[p] for p in controls], axis=0)
        members = scores.families[family]
        others = [self.by_identity[c] for c in members if c != identity]
        gap = (self.by_identity[identity] - np.mean(others, axis=0)) / scale
        return Margins(
            clusters={c: own[scores.identities[c]] / scale for c in members},
            harm=gap[scores.packs[harm]],
            controls={p: gap[scores.packs[p]] for p in controls},
        )


def collateral(
    before: State, after: State, treated: Collection[tuple[str, str]], alpha: float = 0.05
) -> CollateralRecord:
    """Look for other links that rose.

    Parameters
    ----------
    before, after : State
    treated : collection of (identity, harm)
        Pairs that a treatment is after: they are not among the others.
    alpha : float
        Family-wise, over everything that is compared.

    Returns
    -------
    CollateralRecord
    """
    pairs = [
        (old, new)
        for old, new in zip(before.conclusion.judged, after.conclusion.judged, strict=True)
        if new.cell.pair not in treated and _comparable(old) and _comparable(new)
    ]
    confidence = 1 - alpha / max(1, len(pairs))
    tables = {
        id(j.cell.scores): _Means.of(j.cell.scores)
        for j in {id(one.cell.scores): one for pair in pairs for one in pair}.values()
    }
    rose = [
        (old, new, moved)
        for old, new in pairs
        if new.cell.effect > 0 and (moved := _changed(old, new, tables, confidence)).low > 0
    ]
    found = sum(
        new.record.verdict is Verdict.FOUND and old.record.verdict is not Verdict.FOUND
        for old, new in pairs
    )
    if not rose:
        return CollateralRecord(compared=len(pairs), worse=0, newly_found=found)
    old, worst, moved = max(rose, key=lambda one: _in_sd(one[1]))
    return CollateralRecord(
        compared=len(pairs),
        worse=len(rose),
        newly_found=found,
        arm=worst.cell.arm,
        identity=worst.cell.identity,
        harm=worst.cell.harm,
        before_sd=number(_in_sd(old), ""),
        after_sd=number(_in_sd(worst), ""),
        rise=number(moved.value, ""),
        rise_low=number(moved.low, ""),
        rise_high=number(moved.high, ""),
    )


def _in_sd(judged: Judged) -> float:
    return judged.cell.effect / judged.cell.sd


def _comparable(judged: Judged) -> bool:
    cell = judged.cell
    return bool(np.isfinite(cell.sd) and cell.sd > 0 and cell.n_controls >= FEWEST_CONTROLS)


def _changed(
    old: Judged, new: Judged, tables: Mapping[int, _Means], confidence: float
) -> PairedChange:
    cell = new.cell
    before, after = (
        tables[id(one.scores)].margins(cell.family, cell.identity, cell.harm, one.sd)
        for one in (old.cell, cell)
    )
    return paired_change(cell.identity, before, after, confidence=confidence)
