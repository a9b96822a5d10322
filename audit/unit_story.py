"""What a page says of a unit in plain sentences: it describes, it decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.results import CausalRecord, FindingRecord, Number, Undefined
from audit.unit_answers import Answer, Profile
from audit.unit_links import LinkParts
from audit.unit_pages_record import AgreementRecord

ARM_WORDS: Mapping[str, str] = {
    "photo": "photos",
    "rendered": "drawn words",
    "text": "prompts",
}

OTHERS_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A finding's group in one arm."""

    answer: Answer
    place: int | None
    """1 for the concept that leads; None where it has no value."""

    known: int
    """Concepts that have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding that a unit carries, and what is known of the two together."""

    finding: FindingRecord
    standings: tuple[Standing, ...]
    link: LinkParts | None
    causal: CausalRecord | None


def story(
    unit: int,
    told: Sequence[Told],
    profiles: Sequence[Profile],
    agreed: AgreementRecord | None,
    name_of: Callable[[str], str],
) -> tuple[str, ...]:
    """Tell who a unit answers to, in which modality, what it carries and what silencing did.

    Parameters
    ----------
    unit : int
    told : sequence of Told
        The finding that it carries most first; only that one is told in full.
    profiles : sequence of Profile
        One for each arm that saw the unit.
    agreed : AgreementRecord or None
        Whether the arms name the same concepts.
    name_of : callable
        Reference of a concept to what people call it.

    Returns
    -------
    tuple of str
        Three to six sentences. Names of concepts stand in quotation marks, so that reports can
        mask what they hold.
    """
    first = told[0]
    sentences = [
        _who(first, name_of),
        _modalities(agreed, profiles, name_of),
        _carries(unit, first, name_of),
        _silenced(unit, first),
        _further(told[1:], unit, name_of),
        _not(first, profiles, name_of),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _who(told: Told, name_of: Callable[[str], str]) -> str:
    who = f"“{name_of(told.finding.identity)}”"
    if not told.standings:
        return f"No picture of {who} was shown, so how the unit answers to them is not known."
    parts = "; ".join(_standing(standing) for standing in told.standings)
    return f"How it answers to {who}: {parts}."


def _standing(standing: Standing) -> str:
    answer = standing.answer
    arm = ARM_WORDS[answer.arm]
    if not np.isfinite(answer.value):
        return f"{arm}: not known, {answer.why}"
    what = "weight in SD" if answer.arm == "text" else "correlation"
    ends = f" ({answer.low:.2f} to {answer.high:.2f})" if np.isfinite(answer.low) else ""
    lift = f", lift {answer.ap_lift:.1f}" if np.isfinite(answer.ap_lift) else ""
    place = f", place {standing.place} of {standing.known} concepts" if standing.place else ""
    return f"{arm}: {what} {answer.value:.2f}{ends}{lift}{place}"


def _modalities(
    agreed: AgreementRecord | None,
    profiles: Sequence[Profile],
    name_of: Callable[[str], str],
) -> str:
    if agreed is None:
        arms = " and ".join(ARM_WORDS[p.arm] for p in profiles)
        return f"Only {arms} show what it answers to; no other modality was compared." * bool(arms)
    arms = " and ".join(ARM_WORDS[arm] for arm in agreed.arms)
    if not agreed.shared:
        return (
            f"Modalities do not agree: no concept is among the strongest three in {arms} alike, so "
            "it is not one idea that it answers to however it is shown."
        )
    names = ", ".join(f"“{name_of(ref)}”" for ref in agreed.shared)
    chance = (
        ""
        if isinstance(agreed.chance, Undefined)
        else f" Arms that order concepts independently share as many in {agreed.chance:.1%} of "
        "units."
    )
    return f"Modalities agree on {names}: among the strongest three in {arms} alike.{chance}"


def _carries(unit: int, told: Told, name_of: Callable[[str], str]) -> str:
    finding, link = told.finding, told.link
    what = f"the link of “{name_of(finding.identity)}” with “{name_of(finding.harm)}”"
    if link is None or link.units is None or link.compared is None:
        why = link.why if link is not None else "it was not taken apart"
        return f"What it contributes to {what} ({finding.id}) is not known: {why.rstrip('.')}."
    value = float(link.units.value[unit])
    if not np.isfinite(value):
        return f"It answers alike to every picture and contributes nothing to {what}."
    low, high = float(link.units.low[unit]), float(link.units.high[unit])
    ends = f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else ""
    share = f", {100 * link.share(unit):.1f} % of {link.total:.3g}" if link.total > 0 else ""
    own, rest = link.compared.counts
    shown = ARM_WORDS[link.compared.view.arm]
    rank = f"number {link.place(unit)} of {len(link.units.value)} units"
    if value <= 0:
        return (
            f"By itself it takes {-value:.3g}{ends} from {what} ({finding.id}) on {own} {shown} "
            f"of the group and {rest} of the rest of its family; {rank}."
        )
    return (
        f"It contributes {value:.3g}{ends} to {what} ({finding.id}){share}, measured on {own} "
        f"{shown} of the group and {rest} of the rest of its family; {rank}."
    )


def _silenced(unit: int, told: Told) -> str:
    link, record = told.link, told.causal
    alone = ""
    if link is not None and unit in link.alone:
        by = link.alone[unit]
        part = f", {100 * by / link.total:.1f} % of it" if link.total > 0 else ""
        alone = f"Silenced alone it {'lowers' if by > 0 else 'raises'} the link by {abs(by):.3g}"
        alone += f"{part}."
    if record is None or unit not in record.units:
        return f"{alone} It was not among the units that were silenced together.".strip()
    drop, share = _plain(record.drop), _plain(record.share)
    with_others = f"with {len(record.units) - 1} others " if len(record.units) > 1 else ""
    set_drop = (
        f"Silenced {with_others}on pictures that did not choose them, the link falls by {drop:.3g} "
        f"({_plain(record.low):.3g} to {_plain(record.high):.3g}), {100 * share:.0f} % of it: "
    )
    verdict = (
        "more than when matched sets of other units are silenced (marked causal)."
        if record.causal
        else "not enough for the mark causal."
    )
    return f"{set_drop}{verdict} {alone}".strip()


def _further(told: Sequence[Told], unit: int, name_of: Callable[[str], str]) -> str:
    parts = [
        f"“{name_of(one.finding.identity)}” with “{name_of(one.finding.harm)}” ({one.finding.id}"
        f"{_share(one, unit)})"
        for one in told
    ]
    return f"It also carries the link of {', and of '.join(parts)}." if parts else ""


def _share(told: Told, unit: int) -> str:
    share = told.link.share(unit) if told.link is not None else float("nan")
    return f", {100 * share:.1f} %" if np.isfinite(share) else ""


def _not(told: Told, profiles: Sequence[Profile], name_of: Callable[[str], str]) -> str:
    """Say what the unit also answers to, in the arm that tells most."""
    profile = next((p for p in profiles if p.known), None)
    if profile is None:
        return ""
    group = told.finding.identity
    others = [
        a.concept for a in profile.answers[: profile.known] if a.concept != group and a.value > 0
    ]
    names = ", ".join(f"“{name_of(ref)}”" for ref in others[:OTHERS_TOLD])
    if not names:
        return ""
    place = profile.place(group)
    ahead = place is None or place > 1
    more = (
        f"in {ARM_WORDS[profile.arm]} it answers more to {names}"
        if ahead and (place is None or place > OTHERS_TOLD)
        else f"in {ARM_WORDS[profile.arm]} it also answers to {names}"
    )
    return f"It is not a unit for “{name_of(group)}” alone: {more}."


def _plain(value: Number) -> float:
    return float("nan") if isinstance(value, Undefined) else value
