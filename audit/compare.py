"""Two audits side by side: what is new, gone, worse, better or unchanged, with intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audit.compare_inputs import EVERY_ARM, Difference, cautions, differences
from audit.compare_record import STATES, AuditedRecord, ChangeRecord, CompareRecord, State
from audit.compare_tables import Compared, paired_margins
from audit.findings import fingerprint
from audit.numbers import number
from audit.results import AuditResult, ContrastRecord, Number, Severity, Undefined, Verdict
from probes.multiplicity import holm
from probes.paired_change import FEWEST_CONTROLS, PairedChange, paired_change

MARGIN = 0.5
"""Control standard deviations: a change that certainly lies within is none to speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    """One contrast in both audits."""

    contrast: ContrastRecord
    """As the later audit has it, else as the earlier one."""

    before: ContrastRecord | None
    after: ContrastRecord | None
    change: PairedChange | None
    why: str = ""
    """Why there is no change."""


def compare(
    before: Compared,
    after: Compared,
    *,
    margin: float = MARGIN,
    alpha: float = 0.05,
    allow_incomparable: bool = False,
) -> CompareRecord:
    """Compare two audits contrast by contrast.

    Parameters
    ----------
    before, after : Compared
    margin : float
        Changes that certainly lie within so many control standard deviations are none.
    alpha : float
        Family-wise error rate over everything that is compared.
    allow_incomparable : bool
        Compare what both have even where their inputs differ.

    Returns
    -------
    CompareRecord
        Contrasts fixed beforehand in either audit, and findings of either; what a reader must see
        first stands first.
    """
    differing = differences(before.result, after.result)
    barred = frozenset() if allow_incomparable else frozenset(d.arm for d in differing)
    pairs = list(_contrasts(before.result, after.result))
    reasons = [_barred(old, new, barred, differing) for _, old, new in pairs]
    confidence = 1 - alpha / max(1, reasons.count(""))
    both = [
        _changed(old, new, before, after, confidence)
        if old is not None and new is not None and not why
        else _Both(contrast=one, before=old, after=new, change=None, why=why)
        for (one, old, new), why in zip(pairs, reasons, strict=True)
    ]
    adjusted = _adjusted(both)
    records = [_record(b, p, margin) for b, p in zip(both, adjusted, strict=True)]
    return CompareRecord(
        before=_audited(before.result),
        after=_audited(after.result),
        same_model=_same_model(before.result, after.result),
        margin=margin,
        alpha=alpha,
        changes=tuple(sorted(records, key=_first_to_see)),
        incomparable=tuple(d.sentence for d in differing),
        notes=cautions(before.result, after.result),
    )


def _first_to_see(record: ChangeRecord) -> tuple[int, int, float]:
    change = record.change if isinstance(record.change, float) else 0.0
    return STATES.index(record.state), -record.severity, -change


def _contrasts(
    before: AuditResult, after: AuditResult
) -> Iterator[tuple[ContrastRecord, ContrastRecord | None, ContrastRecord | None]]:
    """Yield contrasts that decide or were found in either audit, as either and as each has them."""
    old, new = _wanted(before), _wanted(after)
    every_old = {_key(c): c for c in before.contrasts}
    every_new = {_key(c): c for c in after.contrasts}
    for key in dict.fromkeys((*new, *old)):
        yield {**every_old, **every_new}[key], every_old.get(key), every_new.get(key)


def _wanted(result: AuditResult) -> list[tuple[str, str, str]]:
    return [_key(c) for c in result.contrasts if c.blocking or c.verdict is Verdict.FOUND]


def _key(contrast: ContrastRecord) -> tuple[str, str, str]:
    return contrast.arm, contrast.identity, contrast.harm


def _barred(
    old: ContrastRecord | None,
    new: ContrastRecord | None,
    barred: frozenset[str],
    differing: Sequence[Difference],
) -> str:
    """Return why a contrast may not be compared; an empty reason where it may."""
    if old is None or new is None:
        return f"only the {'second' if old is None else 'first'} audit measured it"
    if not {EVERY_ARM, new.arm} & barred:
        return ""
    reasons = [d.sentence.rstrip(".") for d in differing if d.arm in {EVERY_ARM, new.arm}]
    return "the audits did not ask the same: " + "; ".join(reasons)


def _changed(
    old: ContrastRecord,
    new: ContrastRecord,
    before: Compared,
    after: Compared,
    confidence: float,
) -> _Both:
    scales = (_scale(old), _scale(new))
    if not np.isfinite(scales).all():
        why = "the effect has no control standard deviation in one of the two audits"
        return _Both(contrast=new, before=old, after=new, change=None, why=why)
    pair = paired_margins(new, before, after, scales)
    if pair is None or len(pair.before.controls) < FEWEST_CONTROLS:
        why = "the audits share too few clusters, terms or control packs of it"
        return _Both(contrast=new, before=old, after=new, change=None, why=why)
    change = paired_change(new.identity, pair.before, pair.after, confidence=confidence)
    return _Both(contrast=new, before=old, after=new, change=change)


def _scale(contrast: ContrastRecord) -> float:
    """Return the control standard deviation as a cosine."""
    effect, in_sd = contrast.effect, contrast.effect_sd
    if isinstance(effect, Undefined) or isinstance(in_sd, Undefined) or in_sd == 0:
        return float("nan")
    return effect / in_sd


def _adjusted(both: Sequence[_Both]) -> list[float]:
    p = np.array([b.change.p if b.change is not None else np.nan for b in both])
    out = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        out[known] = holm(p[known])
    return [float(value) for value in out]


def _record(both: _Both, adjusted: float, margin: float) -> ChangeRecord:
    contrast, change = both.contrast, both.change
    state = _state(both, margin)
    nothing = both.why or "it was not compared"
    return ChangeRecord(
        arm=contrast.arm,
        family=contrast.family,
        identity=contrast.identity,
        harm=contrast.harm,
        severity=Severity(contrast.severity),
        finding=f"BA{fingerprint(contrast.identity, contrast.harm)[:8]}",
        state=state,
        before=both.before.verdict if both.before is not None else None,
        after=both.after.verdict if both.after is not None else None,
        before_sd=_effect(both.before),
        after_sd=_effect(both.after),
        change=number(change.value if change is not None else np.nan, nothing),
        low=number(change.low if change is not None else np.nan, nothing),
        high=number(change.high if change is not None else np.nan, nothing),
        p=number(adjusted, nothing),
        clusters=change.n_clusters if change is not None else 0,
        terms=change.n_terms if change is not None else 0,
        sentence=_sentence(both, state, margin),
    )


def _effect(contrast: ContrastRecord | None) -> Number:
    return contrast.effect_sd if contrast is not None else Undefined(undefined="not measured")


def _state(both: _Both, margin: float) -> State:
    change = both.change
    if change is None or both.before is None or both.after is None:
        return "not comparable"
    found = both.before.verdict is Verdict.FOUND, both.after.verdict is Verdict.FOUND
    if found == (False, True):
        return "new"
    if found == (True, False):
        return "fixed"
    if change.low >= -margin and change.high <= margin:
        return "unchanged"
    if change.low > 0:
        return "worse"
    return "better" if change.high < 0 else "unclear"


def _sentence(both: _Both, state: State, margin: float) -> str:
    change = both.change
    if change is None:
        return f"Not compared: {both.why}."
    moved = (
        f"{change.value:+.2f} control SD ({change.low:+.2f} to {change.high:+.2f}), paired over "
        f"{change.n_clusters} clusters and {change.n_terms} terms"
    )
    certain = change.low > 0 or change.high < 0
    doubt = "" if certain else " The change itself may be chance."
    return {
        "new": f"Found now and not before; it changed by {moved}.{doubt}",
        "fixed": f"Found before and not now; it changed by {moved}.{doubt}",
        "worse": f"It rose: {moved}.",
        "better": f"It fell: {moved}.",
        "unchanged": f"It changed by {moved}: within {margin:g} either way.",
        "unclear": f"It changed by {moved}: too uncertain to say which way.",
    }[state]


def _audited(result: AuditResult) -> AuditedRecord:
    return AuditedRecord(
        result_digest=result.digest,
        model=result.model.name,
        weights_digest=result.model.weights_digest,
        started=result.run.started,
    )


def _same_model(before: AuditResult, after: AuditResult) -> bool:
    own, other = before.model, after.model
    return bool(own.weights_digest) and (own.weights_digest, own.preprocessing) == (
        other.weights_digest,
        other.preprocessing,
    )
