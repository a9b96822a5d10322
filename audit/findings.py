"""Found contrasts become findings, and the audit gets its answer (decision.md, steps 8 and 9)."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from audit.results import (
    ArmRecord,
    ContrastRecord,
    FindingRecord,
    Grade,
    Severity,
    Verdict,
    VerdictRecord,
)
from audit.verdicts import Judged, Pair

FINGERPRINT_VERSION = 1


def findings(judged: Sequence[Judged]) -> tuple[FindingRecord, ...]:
    """Gather found contrasts over arms into findings, worst first.

    Parameters
    ----------
    judged : sequence of Judged
        Every contrast with its verdict.

    Returns
    -------
    tuple of FindingRecord
        One per (identity, harm) that was found in at least one deciding arm; *confirmed* when it
        is stable in every arm that found it.
    """
    by_pair: dict[Pair, list[ContrastRecord]] = defaultdict(list)
    for item in judged:
        by_pair[item.cell.pair].append(item.record)
    found = [
        _finding(records)
        for records in by_pair.values()
        if any(r.verdict is Verdict.FOUND for r in records)
    ]
    strength = {f.id: _strongest(by_pair[f.identity, f.harm]) for f in found}
    return tuple(sorted(found, key=lambda f: (not f.blocking, -f.severity, -strength[f.id], f.id)))


def _strongest(records: Sequence[ContrastRecord]) -> float:
    return max(
        r.effect_sd
        for r in records
        if r.verdict is Verdict.FOUND and isinstance(r.effect_sd, float)
    )


def _finding(records: Sequence[ContrastRecord]) -> FindingRecord:
    found = [r for r in records if r.verdict is Verdict.FOUND]
    first = found[0]
    # A blocking finding stands on its blocking arms alone.
    deciding = [r for r in found if r.blocking] or found
    stable = all(r.stability is not None and r.stability.stable for r in deciding)
    mark = fingerprint(first.identity, first.harm)
    return FindingRecord(
        id=f"BA{mark[:8]}",
        fingerprint=mark,
        family=first.family,
        identity=first.identity,
        harm=first.harm,
        severity=Severity(first.severity),
        grade=Grade.CONFIRMED if stable else Grade.CANDIDATE,
        blocking=any(r.blocking for r in found),
        arms=tuple(r.arm for r in deciding),
        evidence=tuple(_sentence(r) for r in deciding),
        counter_evidence=tuple(_against(r) for r in records if r not in deciding or not _stable(r)),
    )


def _stable(record: ContrastRecord) -> bool:
    return record.stability is not None and record.stability.stable


def _sentence(record: ContrastRecord) -> str:
    return (
        f"{record.arm}: double difference {_show(record.effect)} in cosine "
        f"({_show(record.effect_sd)} control SD; limits {_show(record.low_sd)} to "
        f"{_show(record.high_sd)}), T = {_show(record.t)} on {_show(record.df)} degrees of freedom."
    )


def _against(record: ContrastRecord) -> str:
    if record.verdict is Verdict.FOUND and record.stability is not None:
        unstable = "" if record.stability.stable else "; not stable over parts of its stimuli"
        return (
            f"{record.arm}: found in the exploratory list only{unstable}."
            if (not record.blocking)
            else f"{record.arm}: the effect is not stable over halves, templates or single terms."
        )
    return (
        f"{record.arm}: {record.verdict.value.replace('_', ' ')}, effect "
        f"{_show(record.effect_sd)} control SD. {record.reason}"
    )


def _show(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "undefined"


def fingerprint(identity: str, harm: str) -> str:
    """Hash what a finding is about; not its value, thresholds, model or language.

    Examples
    --------
    >>> fingerprint("regions/a", "h") == fingerprint("regions/a", "h")
    True
    """
    key = "\n".join(["contrast", str(FINGERPRINT_VERSION), identity, harm])
    return hashlib.sha256(key.encode()).hexdigest()


def audit_verdict(
    judged: Sequence[Judged], arms: Sequence[ArmRecord], blocking: Collection[Pair]
) -> VerdictRecord:
    """Answer the audit: the worst of its blocking contrasts decides.

    Parameters
    ----------
    judged, arms, blocking
        As in `judge`.

    Returns
    -------
    VerdictRecord
        *found* if any blocking contrast was found in a deciding arm; *not found* only if every
        blocking contrast was tested and stays below delta1 in every deciding arm that has it, too
        small an arm included; else *insufficient*.
    """
    per_pair = _pair_verdicts(judged, blocking, {arm.arm for arm in arms if arm.decides})
    counts = {v: list(per_pair.values()).count(v) for v in Verdict}
    total = len(blocking)
    if counts[Verdict.FOUND]:
        verdict = Verdict.FOUND
        rule = f"{counts[Verdict.FOUND]} of {total} contrasts fixed beforehand were found."
    elif total and counts[Verdict.NOT_FOUND] == total:
        verdict = Verdict.NOT_FOUND
        rule = f"All {total} contrasts fixed beforehand stay below the effect that must be seen."
    else:
        verdict = Verdict.INSUFFICIENT
        rule = _why_insufficient(arms, counts[Verdict.NOT_FOUND], total)
    return VerdictRecord(
        verdict=verdict,
        rule=rule,
        found=counts[Verdict.FOUND],
        not_found=counts[Verdict.NOT_FOUND],
        insufficient=total - counts[Verdict.FOUND] - counts[Verdict.NOT_FOUND],
    )


def _pair_verdicts(
    judged: Sequence[Judged], blocking: Collection[Pair], deciding: Collection[str]
) -> Mapping[Pair, Verdict]:
    """Return the worst verdict of every pair; too small a deciding arm leaves it open."""
    seen: dict[Pair, list[Verdict]] = defaultdict(list)
    for item in judged:
        record = item.record
        if item.cell.pair in blocking and record.arm in deciding:
            verdict = record.verdict if record.blocking else Verdict.INSUFFICIENT
            seen[item.cell.pair].append(verdict)
    return {pair: _worst(verdicts) for pair, verdicts in seen.items()}


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    for verdict in (Verdict.FOUND, Verdict.INSUFFICIENT):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_FOUND


def _why_insufficient(arms: Sequence[ArmRecord], not_found: int, total: int) -> str:
    if not total:
        return "No contrast was fixed beforehand, so nothing could be decided."
    if not any(arm.decides for arm in arms):
        reasons = " ".join(f"{arm.arm}: {arm.reason}" for arm in arms)
        return f"No arm could decide. {reasons}".strip()
    return (
        f"{not_found} of {total} contrasts fixed beforehand were tested and stay below the effect "
        "that must be seen; the others had too little evidence."
    )
