"""Does a second model carry the links that were found here: it is shown the same stimuli.

What comes of it describes findings. It decides nothing: no verdict, grade or mark rests on it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from audit.evidence import cells
from audit.gathered import Gathered
from audit.numbers import number
from audit.plan import LimitsSection
from audit.replication_record import OtherEffectRecord, OtherModelRecord, ReplicationRecord
from audit.results import CausalRecord, ContrastRecord, FindingRecord, Undefined
from audit.run_arms import run_arms
from audit.run_replication_shown import (
    SEED,
    Matched,
    Say,
    Witness,
    bear_witness,
    match_layers,
    refuse_itself,
)
from audit.units import best_table, shares_of
from audit.verdicts import judge
from probes.encoder import Encoder
from probes.replication import Replication, replicate

Answer = Literal["there", "not there", "open"]
Effects = Mapping[tuple[str, str, str], ContrastRecord]
"""Arm, group and harm to the link in the other model."""

TEXT_ALONE = (
    "the link was found in prompts alone, and prompts do not pass through units of the image tower"
)


def replications(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord] = (),
    say: Say = lambda line: None,
) -> OtherModelRecord | None:
    """Look for the links of findings in a second model.

    Parameters
    ----------
    gathered : Gathered
        Its ``other`` is the second model. It is shown what the audited one was shown, by way of
        the activation cache, so that a run that is cut goes on there.
    findings : sequence of FindingRecord
    causal : sequence of CausalRecord
        The units that were silenced for a finding are the units asked about; the strongest of
        the finding where none were.
    say : callable
        Told in a line what happens next.

    Returns
    -------
    OtherModelRecord or None
        None where there is no second model, or no finding: it is then shown nothing.

    Raises
    ------
    PlanError
        If the second model has the weights of the audited one.
    ModelNameError
        If it lacks the layer that the plan names.
    ExtractionError
        As for the audited model.
    """
    other = gathered.other
    if other is None:
        return None
    refuse_itself(gathered.tools.encoder, other)
    if not findings:
        say(f"No finding to look for in {other.identity.name}")
        return None
    witness = bear_witness(gathered, other, say)
    matched = match_layers(gathered, witness)
    effects = _effects(gathered, witness, findings)
    silenced = {record.finding: record for record in causal}
    records = tuple(
        _record(finding, silenced.get(finding.id), gathered, witness, matched, effects)
        for finding in findings
    )
    return _other_model(other, matched, records)


def _effects(gathered: Gathered, witness: Witness, findings: Iterable[FindingRecord]) -> Effects:
    """Measure the links in the other model; nothing is judged."""
    plan, selection = gathered.plan, gathered.selection
    photos = witness.responses.photos
    young = witness.minors[-1] if photos is not None else np.zeros(0, dtype=bool)
    arms = run_arms(
        plan, selection, gathered.groups, witness.responses, witness.carriers.texts, young
    )
    wanted = {(arm, f.identity, f.harm) for f in findings for arm in f.arms}
    measured = [c for c in cells(arms, selection.severities) if (c.arm, *c.pair) in wanted]
    described = judge(measured, (), (), plan.limits)
    return {(r.arm, r.identity, r.harm): r for r in (item.record for item in described)}


def _record(
    finding: FindingRecord,
    silenced: CausalRecord | None,
    gathered: Gathered,
    witness: Witness,
    matched: Matched | str,
    effects: Effects,
) -> ReplicationRecord:
    arm = _arm(finding)
    told = tuple(_effect(arm, finding, effects, gathered.plan.limits) for arm in _in_order(finding))
    units = () if isinstance(matched, str) else _units(finding, silenced, matched, gathered)
    found = _replicated(finding, arm, units, matched, witness, _rng(gathered, finding))
    both = None if isinstance(matched, str) else matched
    why = found.reason or "not measured"
    return ReplicationRecord(
        finding=finding.id,
        layer=both.here.layer if both else "",
        other_layer=both.there.layer if both else "",
        arm=arm,
        units=found.units,
        partners=found.partners,
        without_partner=found.without_partner,
        carried=number(found.carried, why),
        elsewhere=number(found.elsewhere, why),
        p=number(found.p, why),
        effect=told[0].effect,
        low=told[0].low,
        high=told[0].high,
        reason=found.reason,
        pooling=both.here.pooling.value if both else "",
        other_pooling=both.there.pooling.value if both else "",
        effects=told,
        carries=found.replicates,
    )


def _in_order(finding: FindingRecord) -> list[str]:
    """Arms that found the link, photos first."""
    return [arm for arm in ("photo", "rendered", "text") if arm in finding.arms]


def _arm(finding: FindingRecord) -> str:
    return _in_order(finding)[0]


def _rng(gathered: Gathered, finding: FindingRecord) -> np.random.Generator:
    """Return a generator that depends on the finding, not on the other findings."""
    words = hashlib.sha256(finding.id.encode()).digest()[:8]
    return np.random.default_rng([gathered.plan.seed, SEED, *words])


def _effect(
    arm: str, finding: FindingRecord, effects: Effects, limits: LimitsSection
) -> OtherEffectRecord:
    found = effects.get((arm, finding.identity, finding.harm))
    if found is None:
        missing = Undefined(undefined="the other model has no scores in this arm")
        return OtherEffectRecord(
            arm=arm, effect=missing, low=missing, high=missing, answer="open"
        )  # fmt: skip
    low, high = found.low_sd, found.high_sd
    answer: Answer = "open"
    if isinstance(low, float) and low > limits.delta0:
        answer = "there"
    elif isinstance(high, float) and high < limits.delta1:
        answer = "not there"
    return OtherEffectRecord(arm=arm, effect=found.effect_sd, low=low, high=high, answer=answer)


def _units(
    finding: FindingRecord, silenced: CausalRecord | None, matched: Matched, gathered: Gathered
) -> tuple[int, ...]:
    """Units of the audited layer that carry the link, chosen in the audited model alone."""
    at = (matched.here.layer, matched.here.pooling.value)
    if silenced is not None and silenced.units and (silenced.layer, silenced.pooling) == at:
        return silenced.units
    strong = [
        unit.unit
        for unit in finding.units
        if (unit.layer, unit.pooling) == at
        and isinstance(unit.contribution, float)
        and unit.contribution > 0
    ]
    return tuple(strong[: gathered.plan.causal.units])


def _replicated(
    finding: FindingRecord,
    arm: str,
    units: Sequence[int],
    matched: Matched | str,
    witness: Witness,
    rng: np.random.Generator,
) -> Replication:
    """Ask whether the partners of the units carry the link, or say why that cannot be told."""
    if isinstance(matched, str):
        return _unknown(matched)
    if arm == "text":
        return _unknown(TEXT_ALONE)
    if not units:
        return _unknown(f"no unit of {matched.here.layer} is known to carry the link here")
    own = tuple(table for table in witness.carriers.tables if table.arm == arm)
    carriers = replace(witness.carriers, tables=own)
    table = best_table(finding, carriers)
    if table is None:
        return _unknown("the group and its family were not shown together")
    shares = shares_of(finding, matched.there, table, carriers)
    if shares is None:
        return _unknown(
            f"no closed form from units of {matched.there.layer} of the other model to its "
            "embedding is known"
        )
    # A unit that gives every cluster of the family the same response carries nothing of the link.
    carried = np.nan_to_num(shares.contribution)
    return replicate(units, matched.matches, carried, rng=rng)


def _unknown(reason: str) -> Replication:
    nan = float("nan")
    return Replication(
        units=(), partners=(), without_partner=(), carried=nan, elsewhere=nan, p=nan, reason=reason
    )


def _other_model(
    other: Encoder, matched: Matched | str, records: tuple[ReplicationRecord, ...]
) -> OtherModelRecord:
    name, digest = other.identity.name, other.identity.weights_digest
    if isinstance(matched, str):
        why = Undefined(undefined=matched)
        return OtherModelRecord(
            name=name, weights_digest=digest, matched=why, correlation=why, by_chance=why,
            findings=records,
        )  # fmt: skip
    found = matched.matches
    together = found.correlation[found.matched]
    none = "no unit has a partner"
    return OtherModelRecord(
        name=name,
        weights_digest=digest,
        matched=number(float(found.matched.mean()), none),
        correlation=number(float(np.median(together)) if len(together) else float("nan"), none),
        by_chance=number(found.by_chance, "no unit varies"),
        findings=records,
        clusters=matched.clusters,
        kinds=matched.kinds,
    )
