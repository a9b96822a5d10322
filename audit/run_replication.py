"""Does a second model carry the links that were found here: it is shown the same stimuli.

What comes of it describes findings. It decides nothing: no verdict, grade or mark rests on it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import cells
from audit.gathered import Gathered
from audit.numbers import number
from audit.plan import LimitsSection
from audit.replication_record import OtherEffectRecord, OtherModelRecord, ReplicationRecord
from audit.results import CausalRecord, ContrastRecord, FindingRecord, Number, Undefined
from audit.run_arms import Responses, run_arms
from audit.run_replication_shown import (
    SEED,
    Matched,
    Say,
    Witness,
    match_layers,
    second_witness,
)
from audit.units import best_table, shares_of
from audit.verdicts import judge
from probes.arms import Embeddings
from probes.encoder import Encoder, Reading
from probes.replication import Replication, replicate

Answer = Literal["there", "not there", "open"]
Effects = Mapping[tuple[str, str, str], ContrastRecord]
"""Arm, group and harm to the link in one model."""

TEXT_ALONE = (
    "the link was found in prompts alone, and prompts do not pass through units of the image tower"
)


def replications(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord] = (),
    say: Say = lambda line: None,
    *,
    witness: Witness | None = None,
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
    witness : Witness, optional
        Of `audit.run_replication_shown.second_witness`, where that was asked before.

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
    witness = witness or second_witness(gathered, findings, say)
    if witness is None:
        return None
    matched = match_layers(gathered, witness)
    here = _effects(gathered, gathered.responses, gathered.texts, gathered.photo_minors, findings)
    there = _effects(
        gathered, witness.responses, witness.carriers.texts, witness.photo_minors, findings
    )
    silenced = {record.finding: record for record in causal}
    records = tuple(
        _record(
            finding,
            tuple(
                _effect(arm, finding, here, there, gathered.plan.limits) for arm in _arms(finding)
            ),
            _replicated(finding, silenced.get(finding.id), gathered, witness, matched),
            matched,
        )
        for finding in findings
    )
    return _other_model(witness.encoder, matched, records)


def _effects(
    gathered: Gathered,
    responses: Responses,
    texts: Embeddings,
    photo_minors: NDArray[np.bool_],
    findings: Iterable[FindingRecord],
) -> Effects:
    """Measure the links in one of the models; nothing is judged."""
    selection = gathered.selection
    arms = run_arms(gathered.plan, selection, gathered.groups, responses, texts, photo_minors)
    wanted = {(arm, f.identity, f.harm) for f in findings for arm in f.arms}
    measured = [c for c in cells(arms, selection.severities) if (c.arm, *c.pair) in wanted]
    described = judge(measured, (), (), gathered.plan.limits)
    return {(r.arm, r.identity, r.harm): r for r in (item.record for item in described)}


def _record(
    finding: FindingRecord,
    effects: tuple[OtherEffectRecord, ...],
    found: Replication,
    matched: Matched | str,
) -> ReplicationRecord:
    both = None if isinstance(matched, str) else matched
    why = found.reason or "not measured"
    first = effects[0]
    return ReplicationRecord(
        finding=finding.id,
        layer=both.here.layer if both else "",
        other_layer=both.there.layer if both else "",
        arm=first.arm,
        units=found.units,
        partners=found.partners,
        without_partner=found.without_partner,
        carried=number(found.carried, why),
        elsewhere=number(found.elsewhere, why),
        p=number(found.p, why),
        effect=first.effect,
        low=first.low,
        high=first.high,
        reason=found.reason,
        pooling=both.here.pooling.value if both else "",
        other_pooling=both.there.pooling.value if both else "",
        effects=effects,
        carries=found.replicates,
    )


def _arms(finding: FindingRecord) -> list[str]:
    """Arms that found the link, photos first."""
    return [arm for arm in ("photo", "rendered", "text") if arm in finding.arms]


def _effect(
    arm: str, finding: FindingRecord, here: Effects, there: Effects, limits: LimitsSection
) -> OtherEffectRecord:
    at = (arm, finding.identity, finding.harm)
    missing = Undefined(undefined="the model has no scores of this link in this arm")
    found, own = there.get(at), here.get(at)
    low, high = (found.low_sd, found.high_sd) if found else (missing, missing)
    before = own.effect_sd if own else missing
    return OtherEffectRecord(
        arm=arm,
        effect=found.effect_sd if found else missing,
        low=low,
        high=high,
        here=before,
        answer=_answer(low, high, before, limits),
    )


def _answer(low: Number, high: Number, here: Number, limits: LimitsSection) -> Answer:
    """Hold the limits in the other model against the plan's, and against the effect here."""
    if isinstance(low, Undefined) or isinstance(high, Undefined):
        return "open"
    if low > limits.delta0:
        return "there"
    bar = limits.delta1 if isinstance(here, Undefined) else min(limits.delta1, here)
    return "not there" if low <= 0 and high < bar else "open"


def _units(
    finding: FindingRecord, silenced: CausalRecord | None, at: Reading, most: int
) -> tuple[int, ...]:
    """Units of the audited layer that carry the link, chosen in the audited model alone."""
    place = (at.layer, at.pooling.value)
    if silenced is not None and silenced.units and (silenced.layer, silenced.pooling) == place:
        return silenced.units
    strong = [
        unit.unit
        for unit in finding.units
        if (unit.layer, unit.pooling) == place
        and isinstance(unit.contribution, float)
        and unit.contribution > 0
    ]
    return tuple(strong[:most])


def _replicated(
    finding: FindingRecord,
    silenced: CausalRecord | None,
    gathered: Gathered,
    witness: Witness,
    matched: Matched | str,
) -> Replication:
    """Ask whether the partners of the units carry the link, or say why that cannot be told."""
    arm = _arms(finding)[0]
    if isinstance(matched, str):
        return _unknown(matched)
    if arm == "text":
        return _unknown(TEXT_ALONE)
    units = _units(finding, silenced, matched.here, gathered.plan.causal.units)
    if not units:
        return _unknown(f"no unit of {matched.here.layer} is known to carry the link here")
    own = tuple(table for table in witness.carriers.tables if table.arm == arm)
    table = best_table(finding, replace(witness.carriers, tables=own))
    if table is None:
        return _unknown("the group and its family were not shown together")
    shares = shares_of(finding, matched.there, table, witness.carriers)
    if shares is None:
        return _unknown(
            f"no closed form from units of {matched.there.layer} of the other model to its "
            "embedding is known"
        )
    # A unit that gives every cluster of the family the same response carries nothing of the link.
    carried = np.nan_to_num(shares.contribution)
    # The draws depend on the finding, not on the other findings.
    words = hashlib.sha256(finding.id.encode()).digest()[:8]
    rng = np.random.default_rng([gathered.plan.seed, SEED, *words])
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
