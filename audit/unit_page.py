"""One page of a unit: its parts from every arm, put together."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from audit.directions import direction_notes
from audit.gather import tested_concepts
from audit.gathered import Gathered
from audit.known_units_loaded import PublishedNames, published_name
from audit.numbers import number
from audit.photo_rows import PREFIX
from audit.results import CausalRecord, ConfoundRecord, Undefined, UnitPageRecord
from audit.unit_answers import (
    Profile,
    agreements,
    answers_of,
    families,
    leads,
    ordered,
    profile_of,
    text_profile,
)
from audit.unit_choice import PageUnit
from audit.unit_compared import Compared
from audit.unit_curves import curves, deviations_of, histogram, spreads
from audit.unit_drawn import DrawnPages
from audit.unit_examples import ExamplePage, Shelf, example_page
from audit.unit_links import LinkParts, place
from audit.unit_pages_record import (
    ContributionRecord,
    CurveRecord,
    HistogramRecord,
    SpreadRecord,
)
from audit.unit_pictures import Care
from audit.unit_story import Standing, Told, story
from audit.unit_views import View
from probes.encoder import Encoder, Reading

SEED = 61

CONSTANT = "it gives the same response to every picture"
NOT_OPENED = Undefined(undefined="not silenced alone: the model cannot be opened")
MINORS_OUT = (
    "Pictures that denote, show or may show somebody under 20 are left out of this page, since a "
    "harm on it sexualises."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What all pages are written from."""

    gathered: Gathered
    care: Care
    causal: Mapping[str, CausalRecord]
    text: Sequence[pd.DataFrame]
    views: Mapping[Reading, tuple[View, ...]]
    published: PublishedNames
    links: Mapping[tuple[str, Reading], LinkParts]
    drawn: Mapping[Reading, DrawnPages]
    confounds: Mapping[tuple[str, str, int], ConfoundRecord]
    """Photos against rendered words, by finding, layer and unit."""

    def name_of(self, ref: str) -> str:
        """Return what people call a concept or a group."""
        names = {concept.ref: concept.name for concept in self.gathered.library.concepts}
        column, mark, value = ref.removeprefix(PREFIX).partition("/")
        if ref.startswith(PREFIX) and mark:
            return f"{value} ({column})"
        return names.get(ref) or ref.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, and the pictures that it names."""

    record: UnitPageRecord
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ArmPart:
    """What one arm of pictures gives to a page."""

    curves: tuple[CurveRecord, ...] = ()
    spreads: tuple[SpreadRecord, ...] = ()
    histograms: tuple[HistogramRecord, ...] = ()
    examples: ExamplePage = field(default_factory=ExamplePage)
    notes: tuple[str, ...] = ()


def write_page(desk: Desk, unit: PageUnit) -> Page:
    """Write the page of one unit.

    Parameters
    ----------
    desk : Desk
    unit : PageUnit

    Returns
    -------
    Page
        Where the harm of one of its findings sexualises, without any picture of minors.
    """
    sexual = desk.gathered.selection.sexual
    views, profiles = _seen(desk, unit, careful=unit.sexual(sexual))
    careful = unit.sexual(sexual) or any(lead.concept in sexual for lead in leads(profiles))
    if careful:
        views, profiles = _seen(desk, unit, careful=True)
    agreed = agreements(profiles)
    told = _told(desk, unit, profiles, views)
    parts = [_arm(desk, unit, view, profiles, told, careful=careful) for view in views]
    drawn = desk.drawn[unit.reading]
    record = UnitPageRecord(
        layer=unit.reading.layer,
        pooling=unit.reading.pooling.value,
        unit=unit.unit,
        name=published_name(desk.published, unit.reading.layer, unit.unit),
        findings=tuple(one.finding.id for one in told),
        story=story(unit.unit, told, profiles, agreed, desk.name_of),
        leads=leads(profiles),
        agreement=agreed[0] if agreed else None,
        families=families(profiles),
        curves=tuple(curve for part in parts for curve in part.curves),
        spreads=tuple(spread for part in parts for spread in part.spreads),
        histograms=tuple(one for part in parts for one in part.histograms),
        examples=tuple(example for part in parts for example in part.examples.records),
        drawn=drawn.records.get(unit.unit, ()),
        contributions=tuple(c for one in told if (c := _contribution(unit.unit, one.link))),
        notes=_notes(desk.gathered.tools.encoder, unit, told, parts, drawn, careful=careful),
    )
    shown = [part.examples.pictures for part in parts]
    return Page(record=record, pictures={n: data for own in shown for n, data in own.items()})


def _seen(desk: Desk, unit: PageUnit, *, careful: bool) -> tuple[list[View], tuple[Profile, ...]]:
    """Return what was shown, photos first, and what the unit answered; careful without minors."""
    views = [view.adults() if careful else view for view in desk.views[unit.reading]]
    views = sorted((view for view in views if view.stimuli), key=lambda view: view.arm != "photo")
    selection = desk.gathered.selection
    young = {ref for ref, _ in selection.minors} if careful else set()
    concepts = [c.ref for c in tested_concepts(selection)]
    text = text_profile(
        desk.text, unit.reading.layer, unit.unit, [ref for ref in concepts if ref not in young]
    )
    shown = [
        profile_of(view, unit.reading, unit.unit, concepts, selection.sexual) for view in views
    ]
    return views, tuple(profile for profile in (*shown, text) if profile is not None)


def _told(
    desk: Desk, unit: PageUnit, profiles: Sequence[Profile], views: Sequence[View]
) -> tuple[Told, ...]:
    """Lay out the findings of a unit, the one that it contributes most to first."""
    told = [
        Told(
            finding=finding,
            standings=_standings(finding.identity, unit, profiles, views),
            harm=_asked_for(finding.harm, profiles),
            link=desk.links.get((finding.id, unit.reading)),
            causal=desk.causal.get(finding.id),
            confound=desk.confounds.get((finding.id, unit.reading.layer, unit.unit)),
        )
        for finding in unit.findings
    ]
    return tuple(sorted(told, key=lambda one: -_strength(one, unit.unit)))


def _asked_for(harm: str, profiles: Sequence[Profile]) -> Standing | None:
    text = next((profile for profile in profiles if profile.arm == "text"), None)
    answer = text.of(harm) if text is not None else None
    if text is None or answer is None:
        return None
    return Standing(answer=answer, place=text.place(harm), known=text.known)


def _strength(told: Told, unit: int) -> float:
    return float(np.nan_to_num(told.link.share(unit))) if told.link is not None else 0.0


def _standings(
    identity: str, unit: PageUnit, profiles: Sequence[Profile], views: Sequence[View]
) -> tuple[Standing, ...]:
    found = [
        Standing(answer=answer, place=profile.place(identity), known=profile.known)
        for profile in profiles
        if (answer := profile.of(identity)) is not None
    ]
    if found or not identity.startswith(PREFIX):
        return tuple(found)
    tables = [table for view in views if (table := view.table_of(identity)) is not None]
    own = [
        answer
        for table in tables
        for answer in answers_of(table, unit.reading, unit.unit, sorted(set(table.concepts)))
    ]
    if not own:
        return ()
    profile = ordered("photo", own)
    answer = next(a for a in own if a.concept == identity)
    return (Standing(answer=answer, place=profile.place(identity), known=profile.known),)


def _arm(
    desk: Desk,
    unit: PageUnit,
    view: View,
    profiles: Sequence[Profile],
    told: Sequence[Told],
    *,
    careful: bool,
) -> _ArmPart:
    """Return curves, spreads, histogram and examples of one arm."""
    gathered, deviations = desk.gathered, deviations_of(view, unit.unit)
    if deviations is None:
        return _ArmPart(notes=(f"No curve and no examples of {view.arm}: {CONSTANT}.",))
    own = {f: gathered.families.get(f, ()) for f in (one.finding.family for one in told)}
    return _ArmPart(
        curves=curves(view, deviations, _asked(view, profiles, told), gathered.selection.sexual),
        spreads=tuple(
            spread
            for family, members in own.items()
            if members
            for spread in spreads(view, deviations, family, members)
        ),
        histograms=(histogram(view, deviations),),
        examples=example_page(
            Shelf(
                gathered=gathered,
                care=desk.care,
                unit=unit,
                view=view,
                deviations=deviations,
                direction=told[0].link.direction if told[0].link is not None else None,
                sexualises=careful,
            ),
            count=gathered.plan.units.examples,
            rng=_rng(gathered, unit, view),
        ),
    )


def _asked(view: View, profiles: Sequence[Profile], told: Sequence[Told]) -> list[str]:
    """Return the groups and harms of the findings, and the concept that leads in this arm."""
    leading = [p.answers[0].concept for p in profiles if p.arm == view.arm and p.known]
    groups = [one.finding.identity for one in told]
    return [*groups, *(one.finding.harm for one in told), *leading]


def _rng(gathered: Gathered, unit: PageUnit, view: View) -> np.random.Generator:
    name = f"{unit.reading.layer}\n{unit.unit}\n{view.arm}"
    word = hashlib.sha256(name.encode()).digest()[:8]
    return np.random.default_rng([gathered.plan.seed, SEED, *word])


def _contribution(unit: int, link: LinkParts | None) -> ContributionRecord | None:
    if link is None or link.parts is None:
        return None
    units = link.parts.units
    single = "a concept has a single cluster"
    return ContributionRecord(
        finding=link.finding.id,
        value=number(float(units.value[unit]), CONSTANT),
        low=number(float(units.low[unit]), single),
        high=number(float(units.high[unit]), single),
        share=number(link.share(unit), "there is no link on these pictures"),
        place=place(link.parts, unit),
        alone=number(link.alone[unit], CONSTANT) if unit in link.alone else NOT_OPENED,
    )


def _notes(
    encoder: Encoder,
    unit: PageUnit,
    told: Sequence[Told],
    parts: Sequence[_ArmPart],
    drawn: DrawnPages,
    *,
    careful: bool,
) -> tuple[str, ...]:
    links = [one.link for one in told if one.link is not None]
    found = [note for part in parts for note in part.notes]
    found += [_rests_on(link, link.compared, unit) for link in links if link.compared is not None]
    found += [
        f"{link.finding.id}: no contributions, since {link.why.rstrip('.')}."
        for link in links
        if link.why
    ]
    found += [MINORS_OUT] if careful else []
    own = direction_notes(encoder, unit.reading.layer, unit.unit)
    return tuple(dict.fromkeys((*own, *found, *drawn.notes)))


def _rests_on(link: LinkParts, compared: Compared, unit: PageUnit) -> str:
    own, rest = compared.counts
    all_own, all_rest = compared.available
    on = (
        f"{link.finding.id}: measured on {own} of {all_own} pictures of the group and {rest} of "
        f"{all_rest} of the rest of its family."
    )
    if link.parts is None:
        return on
    parts = ", ".join(f"{name} {value:.3g}" for name, value in link.parts.others.items())
    return (
        f"{on} The link on them, {link.parts.total:.3g}, is the sum of all units of "
        f"{unit.reading.layer}, {np.nansum(link.parts.units.value):.3g}, and of {parts}."
    )
