"""The treated links in one state of the model: on all stimuli, and on the half kept apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Arm, Cell, cells
from audit.mitigation_record import EffectRecord, TreatedRateRecord
from audit.mitigation_world import State
from audit.numbers import number
from audit.results import FindingRecord, RateRecord
from audit.verdicts import Judged
from probes.arms import ArmScores
from probes.causal import Drop, drop
from probes.multiplicity import critical_value

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

TOO_FEW = "the half that is kept apart has too few clusters or terms of it"
NOT_THERE = "this contrast has no control packs"
STILL = "nothing changes in this arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """One link on the half of clusters and terms that nothing was fitted to."""

    cell: Cell
    margins: Array
    """Cosine with each term of harm minus the mean over control packs, shape (n_clusters,
    n_terms)."""

    concepts: Codes
    """0 is the group, the others its family, shape (n_clusters,)."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """The treated links of one state."""

    state: State
    findings: tuple[FindingRecord, ...]

    @cached_property
    def judged(self) -> dict[tuple[str, str, str], Judged]:
        """Every contrast by arm, identity and harm."""
        return {
            (j.record.arm, j.record.identity, j.record.harm): j
            for j in self.state.conclusion.judged
        }

    @cached_property
    def apart(self) -> dict[tuple[str, str], Apart]:
        """Finding and arm to the link on the half that is kept apart, where there is one."""
        out: dict[tuple[str, str], Apart] = {}
        for arm in self.state.arms:
            for scores in arm.scores:
                own = [f for f in self.findings if f.harm in scores.controls]
                if own:
                    out.update(_apart(arm, scores, own))
        return out


def half_of(scores: ArmScores, start: int) -> ArmScores:
    """Keep every other cluster of each identity and every other term of each pack.

    Parameters
    ----------
    scores : ArmScores
    start : int
        0 for the half that treatments are fitted to, 1 for the one kept apart: as in the causal
        check.

    Returns
    -------
    ArmScores
        Without families, packs and controls that have nothing left to compare.
    """
    identities = {c: rows[start::2] for c, rows in scores.identities.items()}
    packs = {p: columns[start::2] for p, columns in scores.packs.items()}
    families = {
        family: tuple(c for c in members if len(identities[c]))
        for family, members in scores.families.items()
    }
    return replace(
        scores,
        identities={c: rows for c, rows in identities.items() if len(rows)},
        packs={p: columns for p, columns in packs.items() if len(columns)},
        families={f: members for f, members in families.items() if len(members) > 1},
        controls={
            harm: tuple(p for p in controls if len(packs[p]))
            for harm, controls in scores.controls.items()
            if len(packs[harm])
        },
    )


def _apart(
    arm: Arm, scores: ArmScores, findings: Sequence[FindingRecord]
) -> dict[tuple[str, str], Apart]:
    half = half_of(scores, 1)
    wanted = {f.harm: half.controls[f.harm] for f in findings if f.harm in half.controls}
    if not wanted or not half.families:
        return {}
    # Every harm stays, since how wide packs lie is estimated over all of them.
    measured = cells([replace(arm, scores=(half,))], dict.fromkeys(half.controls, 1))
    found = {(c.family, c.identity, c.harm): c for c in measured}
    out: dict[tuple[str, str], Apart] = {}
    for finding in findings:
        cell = found.get((finding.family, finding.identity, finding.harm))
        if cell is not None and np.isfinite(cell.effect):
            margins, concepts = margins_of(half, finding)
            out[finding.id, arm.name] = Apart(cell=cell, margins=margins, concepts=concepts)
    return out


def margins_of(scores: ArmScores, finding: FindingRecord) -> tuple[Array, Codes]:
    """Return how much nearer clusters are to each term of harm than to control packs.

    Returns
    -------
    margins : ndarray of shape (n_clusters, n_terms)
    concepts : int ndarray of shape (n_clusters,)
        0 is the group.
    """
    members = scores.families[finding.family]
    ordered = (finding.identity, *(c for c in members if c != finding.identity))
    rows = np.concatenate([scores.identities[c] for c in ordered])
    codes = np.repeat(np.arange(len(ordered)), [len(scores.identities[c]) for c in ordered])
    packs = [scores.scores[:, scores.packs[p]].mean(axis=1) for p in scores.controls[finding.harm]]
    neutral = np.mean(packs, axis=0)
    harm = scores.scores[:, scores.packs[finding.harm]]
    return (harm - neutral[:, None])[rows], codes.astype(np.intp)


def effects(links: Links, baseline: Links) -> tuple[EffectRecord, ...]:
    """Describe the treated links of a state beside those of the model as it is.

    Parameters
    ----------
    links, baseline : Links
        The same object where the state is the model as it is.

    Returns
    -------
    tuple of EffectRecord
        One for each finding in each arm that has its contrast.
    """
    return tuple(
        _effect(finding, arm.name, links, baseline)
        for finding in links.findings
        for arm in links.state.arms
        if (arm.name, finding.identity, finding.harm) in links.judged
    )


def _effect(finding: FindingRecord, arm: str, links: Links, baseline: Links) -> EffectRecord:
    record = links.judged[arm, finding.identity, finding.harm].record
    own = links.apart.get((finding.id, arm))
    before = baseline.apart.get((finding.id, arm))
    held = {name: number(value, TOO_FEW) for name, value in _held_out(own).items()}
    fell: dict[str, object] = {}
    if links is not baseline:
        found = _drop(before, own)
        ends = (("drop", found.value), ("drop_low", found.low), ("drop_high", found.high))
        fell = {name: number(value, TOO_FEW if own is None else STILL) for name, value in ends}
    return EffectRecord.model_validate(
        {
            "finding": finding.id,
            "arm": arm,
            "found": arm in finding.arms,
            "verdict": record.verdict,
            **{k: getattr(record, k) for k in ("effect", "low", "high", "effect_sd")},
            **{k: getattr(record, k) for k in ("low_sd", "high_sd")},
            **held,
            **fell,
            "clusters": 0 if own is None else own.cell.n_identity,
            "terms": 0 if own is None else own.cell.n_harm,
        }
    )


def _held_out(own: Apart | None) -> dict[str, float]:
    names = ("held_out", "held_out_sd", "held_out_low_sd", "held_out_high_sd")
    if own is None:
        return dict.fromkeys(names, float("nan"))
    cell = own.cell
    reach = critical_value(0.05, 1, cell.df, sides=2) * cell.se
    ends = (cell.effect, cell.effect - reach, cell.effect + reach)
    return dict(zip(names, (cell.effect, *(end / cell.sd for end in ends)), strict=True))


def _drop(before: Apart | None, after: Apart | None) -> Drop:
    if before is None or after is None:
        nan = float("nan")
        return Drop(value=nan, low=nan, high=nan, se=nan, df=nan, p=nan, before=nan)
    return drop(before.margins, after.margins, after.concepts)


def treated_rates(
    findings: Sequence[FindingRecord], rates: Sequence[RateRecord]
) -> tuple[TreatedRateRecord, ...]:
    """Return the rates of the treated harms in their groups, where pictures were asked."""
    known = {(f"{r.column}/{r.group}", r.target): r for r in rates}
    return tuple(
        TreatedRateRecord(
            finding=finding.id,
            rate=rate.rate,
            low=rate.low,
            high=rate.high,
            difference=rate.difference,
            difference_low=rate.difference_low,
            difference_high=rate.difference_high,
            clusters=rate.clusters,
        )
        for finding in findings
        if (rate := known.get((finding.identity, finding.harm))) is not None
    )
