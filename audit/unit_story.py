"""What a page says of a unit in plain sentences: it describes, it decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.results import CausalRecord, ConfoundRecord, FindingRecord, Number, Undefined
from audit.unit_answers import Answer, Profile
from audit.unit_links import LinkParts, place
from audit.unit_pages_record import AgreementRecord

NameOf = Callable[[str], str]

ARMS: Mapping[str, str] = {"photo": "photos", "rendered": "rendered words", "text": "prompts"}

OTHERS_TOLD = 3

SEEN_OR_READ: Mapping[str, str] = {
    "seen and read": "seen and read: it shows in photos and in rendered words alike",
    "seen": "seen: it shows in photos, and in rendered words none stands out",
    "read": "read: it shows in rendered words, and in photos none stands out",
    "opposed": "opposed: it shows in photos and in rendered words with opposite signs",
}
"""By kind of `ConfoundRecord`; of what stands out nowhere nothing is said."""


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
    """One for each arm that showed the group."""

    harm: Standing | None
    """Prompts about the harm, where they were weighed."""

    link: LinkParts | None
    causal: CausalRecord | None
    confound: ConfoundRecord | None = None
    """Photos against rendered words, where both showed the group and its family."""

    def group(self, name_of: NameOf) -> str:
        """Name the group in quotation marks."""
        return f"“{name_of(self.finding.identity)}”"

    def what(self, name_of: NameOf) -> str:
        """Name the link."""
        harm = name_of(self.finding.harm)
        return f"the link of {self.group(name_of)} with “{harm}” ({self.finding.id})"


def story(
    unit: int,
    told: Sequence[Told],
    profiles: Sequence[Profile],
    agreed: Sequence[AgreementRecord],
    name_of: NameOf,
) -> tuple[str, ...]:
    """Tell who a unit answers to, in which modality, what it carries and what silencing did.

    Parameters
    ----------
    unit : int
    told : sequence of Told
        The finding that it carries most first; only that one is told in full.
    profiles : sequence of Profile
        One for each arm that saw the unit.
    agreed : sequence of AgreementRecord
        Whether all arms name the same concepts, then whether each pair of them does.
    name_of : callable
        Reference of a concept to what people call it.

    Returns
    -------
    tuple of str
        Three to six sentences. Names of concepts stand in quotation marks, so that reports can
        mask what they hold.
    """
    first = told[0]
    asked = f" {_asked(first.harm, first, name_of)}" if first.harm is not None else ""
    sentences = (
        _who(first, name_of),
        f"{_modalities(agreed, profiles, name_of)} {_seen_or_read(first, name_of)}".strip(),
        _carries(unit, first, name_of) + asked,
        _silenced(unit, first),
        _further(told[1:], unit, name_of),
        _not(first, profiles, name_of),
    )
    return tuple(sentence for sentence in sentences if sentence)


def _who(told: Told, name_of: NameOf) -> str:
    who = told.group(name_of)
    if not told.standings:
        return f"No picture of {who} was shown, so how it answers to them is not known."
    parts = [_standing(standing, who) for standing in told.standings]
    return f"{parts[0][0].upper()}{parts[0][1:]}{''.join(f'; {part}' for part in parts[1:])}."


def _standing(standing: Standing, who: str) -> str:
    answer = standing.answer
    if not np.isfinite(answer.value):
        return f"for {ARMS[answer.arm]} of {who} it cannot be told, since {answer.why}"
    what = "weight in SD" if answer.arm == "text" else "correlation"
    numbers = f"{what} {answer.value:.2f}"
    if np.isfinite(answer.low):
        numbers += f", {answer.low:.2f} to {answer.high:.2f}"
    if np.isfinite(answer.ap_lift):
        numbers += f"; lift {answer.ap_lift:.1f}"
    if standing.place:
        numbers += f"; place {standing.place} of {standing.known} concepts"
    return f"{_says(answer, who)} ({numbers})"


def _says(answer: Answer, who: str) -> str:
    """Say which way an answer goes, as far as its interval does."""
    way = "more" if answer.low > 0 else "less" if answer.high < 0 else "not clearly more or less"
    if answer.arm == "text":
        return f"prompts about {who} ask for it {way} than prompts on average do"
    shown = ARMS[answer.arm]
    return f"it answers {way} to {shown} of {who} than to other {shown}"


def _modalities(
    agreed: Sequence[AgreementRecord], profiles: Sequence[Profile], name_of: NameOf
) -> str:
    if not agreed:
        arms = " and ".join(ARMS[profile.arm] for profile in profiles)
        return f"Only {arms} show what it answers to; no other modality was compared." * bool(arms)
    whole, pairs = agreed[0], [one for one in agreed[1:] if one.shared]
    arms = _listed([ARMS[arm] for arm in whole.arms])
    if whole.shared:
        return (
            f"Modalities agree on {_names(whole.shared, name_of)}, among the strongest three "
            f"concepts in {arms} alike{_chance(whole)}."
        )
    apart = f"No concept is among the strongest three in {arms} alike"
    if not pairs:
        return f"{apart}: modalities do not agree."
    parts = "; ".join(
        f"{_listed([ARMS[arm] for arm in one.arms])} share {_names(one.shared, name_of)}"
        f"{_chance(one)}"
        for one in pairs
    )
    return f"{apart}; {parts}."


def _seen_or_read(told: Told, name_of: NameOf) -> str:
    kind = told.confound.kind if told.confound is not None else ""
    if kind not in SEEN_OR_READ:
        return ""
    between = f"The difference between {told.group(name_of)} and the rest of the family"
    return f"{between} is {SEEN_OR_READ[kind]}."


def _chance(agreed: AgreementRecord) -> str:
    if isinstance(agreed.chance, Undefined):
        return ""
    return f" (by chance in {100 * agreed.chance:.1f} % of units)"


def _carries(unit: int, told: Told, name_of: NameOf) -> str:
    link, what = told.link, told.what(name_of)
    if link is None or link.parts is None or link.compared is None:
        why = link.why if link is not None else "it was not taken apart"
        return f"What it contributes to {what} is not known: {why.rstrip('.')}."
    parts = link.parts
    value = float(parts.units.value[unit])
    if not np.isfinite(value):
        return f"It answers alike to every picture and contributes nothing to {what}."
    low, high = float(parts.units.low[unit]), float(parts.units.high[unit])
    ends = f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else ""
    own, rest = link.compared.counts
    shown = ARMS[link.compared.view.arm]
    on = (
        f"on {own} {shown} of the group and {rest} of the rest of its family, number "
        f"{place(parts, unit)} of {len(parts.units.value)} units"
    )
    if link.compared.view.arm not in told.finding.arms:
        on += f"; the link was not found in {shown}"
    share = link.share(unit)
    of = f", {100 * share:.1f} % of {parts.total:.3g}" if np.isfinite(share) else ""
    if value <= 0:
        return f"By itself it takes {-value:.3g}{ends} from {what}, {on}."
    return f"It contributes {value:.3g}{ends} to {what}{of}, {on}."


def _asked(harm: Standing, told: Told, name_of: NameOf) -> str:
    said = _standing(harm, f"“{name_of(told.finding.harm)}”")
    return f"{said[0].upper()}{said[1:]}."


def _silenced(unit: int, told: Told) -> str:
    record, alone = told.causal, _alone(unit, told.link)
    if record is None or unit not in record.units:
        return f"It was not among the units that were silenced together. {alone}".strip()
    n = len(record.units) - 1
    others = f" with {n} other{'s' if n > 1 else ''}" if n else ""
    drop = f"{_plain(record.drop):.3g} ({_plain(record.low):.3g} to {_plain(record.high):.3g})"
    verdict = (
        "more than when matched sets of other units are silenced: marked causal"
        if record.causal
        else "which does not earn the mark causal"
    )
    return (
        f"When it is silenced{others}, on pictures that did not choose them, the link falls by "
        f"{drop}, {100 * _plain(record.share):.0f} % of it, {verdict}. {alone}"
    ).strip()


def _alone(unit: int, link: LinkParts | None) -> str:
    if link is None or unit not in link.alone:
        return ""
    by = link.alone[unit]
    total = link.parts.total if link.parts is not None else float("nan")
    share = f", {100 * abs(by) / total:.1f} % of it" if total > 0 else ""
    way = "falls" if by > 0 else "rises"
    return f"When it alone is silenced, the link {way} by {abs(by):.3g}{share}."


def _further(told: Sequence[Told], unit: int, name_of: NameOf) -> str:
    parts = [one.what(name_of) + _share(one, unit) for one in told]
    return f"It also carries {_listed(parts)}." if parts else ""


def _share(told: Told, unit: int) -> str:
    share = told.link.share(unit) if told.link is not None else float("nan")
    return f", {100 * share:.1f} % of it" if np.isfinite(share) else ""


def _not(told: Told, profiles: Sequence[Profile], name_of: NameOf) -> str:
    """Say what the unit also answers to, in the first arm that tells."""
    profile = next((p for p in profiles if p.known), None)
    if profile is None:
        return ""
    group, rank = told.finding.identity, profile.place(told.finding.identity)
    others = [a for a in profile.answers[: profile.known] if a.concept != group and a.value > 0]
    if not others:
        return ""
    names = _names([a.concept for a in others[:OTHERS_TOLD]], name_of)
    how = "answers more to" if rank is None or rank > OTHERS_TOLD else "also answers to"
    alone = f"It is not a unit for {told.group(name_of)} alone"
    return f"{alone}: in {ARMS[profile.arm]} it {how} {names}."


def _names(refs: Sequence[str], name_of: NameOf) -> str:
    return _listed([f"“{name_of(ref)}”" for ref in refs])


def _listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), words[-1]])


def _plain(value: Number) -> float:
    return float("nan") if isinstance(value, Undefined) else value
