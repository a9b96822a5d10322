"""What a second model says of a finding, in sentences."""

from collections.abc import Sequence

from audit.replication_record import OtherEffectRecord, OtherModelRecord, ReplicationRecord
from audit.results import FindingRecord, NotTested, Undefined
from probes.encoder import Encoder

ARMS = {"photo": "photos", "rendered": "rendered words", "text": "prompts"}

ONE_MORE = (
    "Another model is one more witness and no more: models may have learnt from the same data."
)


def tell_replications(
    findings: Sequence[FindingRecord], record: OtherModelRecord | None
) -> tuple[FindingRecord, ...]:
    """Add to findings what the second model says of their links.

    Parameters
    ----------
    findings : sequence of FindingRecord
    record : OtherModelRecord or None

    Returns
    -------
    tuple of FindingRecord
        A link that is there stands in the evidence, with whether the partners of its units carry
        it; one that is not there stands in the counter-evidence; one that is open in neither.
    """
    if record is None:
        return tuple(findings)
    known = {one.finding: one for one in record.findings}
    return tuple(
        _told(finding, known[finding.id], record.name) if finding.id in known else finding
        for finding in findings
    )


def not_looked_for(other: Encoder | None, record: OtherModelRecord | None) -> tuple[NotTested, ...]:
    """Say that a second model was given and shown nothing, where that is so."""
    if other is None or record is not None:
        return ()
    what = f"Replication in a second model, {other.identity.name}"
    return (NotTested(what=what, why="there was no finding to look for in it"),)


def _told(finding: FindingRecord, one: ReplicationRecord, name: str) -> FindingRecord:
    there = [effect for effect in one.effects if effect.answer == "there"]
    absent = [effect for effect in one.effects if effect.answer == "not there"]
    evidence, against = finding.evidence, finding.counter_evidence
    if there:
        said = f"Another model, {name}, shows this link too: {_effects(there)}. {_carried(one)}"
        evidence = (*evidence, f"{said} {ONE_MORE}")
    if absent:
        said = (
            f"Another model, {name}, does not show this link: {_effects(absent)}; what was found "
            f"here ({', '.join(_show(e.here) for e in absent)}) lies outside these limits."
        )
        against = (*against, f"{said} {ONE_MORE}")
    return finding.model_copy(update={"evidence": evidence, "counter_evidence": against})


def _effects(effects: Sequence[OtherEffectRecord]) -> str:
    parts = [
        f"{_show(e.effect)} control SD in {ARMS[e.arm]} (limits {_show(e.low)} to {_show(e.high)})"
        for e in effects
    ]
    return ", ".join(parts)


def _carried(one: ReplicationRecord) -> str:
    """Say whether the partners of the link's units carry it in the other model."""
    if isinstance(one.p, Undefined):
        return f"Whether the same units carry it cannot be told: {one.reason}."
    n, asked = len(one.units), len(one.units) + len(one.without_partner)
    how = "carry it there" if one.carries else "do not carry it there"
    return (
        f"{n} of the {asked} units that were asked about have a partner in it; the partners {how} "
        f"more than sets of other matched units, drawn at random (p = {one.p:.2g})."
    )


def _show(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "undefined"
