"""Examples of what a unit answers to, and pictures that were drawn until it answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from audit.results import (
    DrawnRecord,
    ExampleRecord,
    UnitPageRecord,
)
from reports.care import MASK_FROM
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.pictures import Gallery, Picture
from reports.quantities import full_sentence, limit, number, undefined
from reports.sections.unit_words import arm_in_text

KINDS = {"top": N_("Strongest"), "middle": N_("Middle"), "random": N_("At random")}
SHOWS = {
    "photo": N_("Stimulus that shows “{concept}”"),
    "rendered": N_("A word of “{concept}” drawn as a picture"),
    "text": N_("Prompt about “{concept}”"),
}
HARSH = N_("words of harms of high and critical severity are not shown as pictures")

ILLUSTRATE = N_(
    "Drawn by optimisation until the unit answers. Such pictures illustrate and decide nothing: "
    "they show what drives a unit furthest, often far beyond anything that it was shown."
)

EXAMPLES_NOTE = N_(
    "Examples: responses in standard deviations from zero. Beside the strongest, on a grey copy: "
    "where the unit’s contribution to the link comes from. Orange adds to it, purple takes away."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One example: its pictures or an empty place, what it shows, and the response."""

    pictures: tuple[Picture, ...]
    concept: str
    response: str
    mark: str
    """Number of the note that tells why the place is empty; empty where there is one note."""

    empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotGroup:
    """Examples of one kind."""

    title: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotRow:
    """The examples of a unit in one arm."""

    arm: str
    groups: tuple[ShotGroup, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One drawn picture with what it reached."""

    picture: Picture
    told: str


def wanted_pictures(page: UnitPageRecord, names: Names) -> Iterable[str]:
    """Yield the names of the pictures that a unit's block shows, in order."""
    for example in page.examples:
        if example.picture and not too_harsh(example, names):
            yield example.picture
            if example.map:
                yield example.map
    yield from (drawn.picture for drawn in page.drawn if drawn.picture)


def too_harsh(example: ExampleRecord, names: Names) -> bool:
    """Tell whether a picture spells what text masks."""
    record = names.concepts.get(example.concept)
    if example.arm != "rendered" or record is None:
        return False
    return record.role == "harm" and (record.severity or 0) >= MASK_FROM


def shot_rows(page: UnitPageRecord, names: Names, shown: Gallery) -> tuple[ShotRow, ...]:
    """Lay out the examples: a row for each arm, in it the strongest, a middle and a random one."""
    arms = dict.fromkeys(example.arm for example in page.examples)
    return tuple(
        _row(arm, [e for e in page.examples if e.arm == arm], names, shown) for arm in arms
    )


def _row(arm: str, examples: list[ExampleRecord], names: Names, shown: Gallery) -> ShotRow:
    pictures = [_pictures(example, names, shown) for example in examples]
    reasons = [_why(e, found, names) for e, found in zip(examples, pictures, strict=True)]
    distinct = list(dict.fromkeys(reason for reason in reasons if reason))
    shots = [
        Shot(
            pictures=found,
            concept=names.concept(example.concept),
            response=response(example),
            mark=str(distinct.index(why) + 1) if why and len(distinct) > 1 else "",
            empty=bool(found[0].why),
        )
        for example, found, why in zip(examples, pictures, reasons, strict=True)
    ]
    kinds = dict.fromkeys(example.kind for example in examples)
    return ShotRow(
        arm=_("Examples in {arm}", arm=arm_in_text(arm)),
        groups=tuple(
            ShotGroup(
                title=_(KINDS.get(kind, kind)),
                shots=tuple(
                    shot for shot, e in zip(shots, examples, strict=True) if e.kind == kind
                ),
            )
            for kind in kinds
        ),
        notes=tuple(
            _("{place}: {note}", place=place, note=full_sentence(why))
            if len(distinct) > 1
            else full_sentence(why)
            for place, why in enumerate(distinct, start=1)
        ),
    )


def _pictures(example: ExampleRecord, names: Names, shown: Gallery) -> tuple[Picture, ...]:
    shows = _(SHOWS[example.arm], concept=names.concept(example.concept))
    alt = _("{picture}; {response}", picture=shows, response=response(example))
    if too_harsh(example, names):
        return (Picture(alt=alt, why=_(HARSH)),)
    if not example.picture:
        why = stored(example.hidden) or _("the result names no picture")
        return (Picture(alt=alt, why=why),)
    first = shown.picture(example.picture, alt)
    if first.why or not example.map:
        return (first,)
    where = shown.picture(
        example.map, _("The same picture in grey, with what each place adds or takes away")
    )
    return (first,) if where.why else (first, where)


def _why(example: ExampleRecord, found: tuple[Picture, ...], names: Names) -> str:
    """Tell why a place is empty, or how a picture was changed."""
    if found[0].why:
        return _("Not shown: {reason}", reason=names.hidden_within(found[0].why))
    if not example.hidden:
        return ""
    return _("Changed: {reason}", reason=names.hidden_within(stored(example.hidden)))


def response(example: ExampleRecord) -> str:
    """Write the response of an example."""
    if undefined(example.response):
        return _("response undefined")
    return _("{value} SD", value=number(example.response, 1))


METHODS = {
    "phase": N_("phase optimised, magnitudes of natural pictures"),
    "fourier": N_("Fourier space"),
}


def drawn_pictures(page: UnitPageRecord, shown: Gallery) -> tuple[Drawn, ...]:
    """Describe the drawn pictures of a unit."""
    return tuple(
        Drawn(picture=shown.picture(drawn.picture, _alt(page, drawn)), told=_reached(drawn))
        for drawn in page.drawn
    )


def _alt(page: UnitPageRecord, drawn: DrawnRecord) -> str:
    if not drawn.facet:
        return _("Picture drawn until unit {unit} answers", unit=page.unit)
    return _(
        "Picture drawn until unit {unit} answers, as {facet}",
        unit=page.unit,
        facet=_facet(drawn),
    )


def _facet(drawn: DrawnRecord) -> str:
    return pgettext("drawn as", "text") if drawn.facet == "text" else drawn.facet


def _reached(drawn: DrawnRecord) -> str:
    steps = ngettext("{n} step", "{n} steps", drawn.steps)
    reached = _(
        "from {before} to {after} SD. Strongest shown stimulus: {shown} SD.",
        before=number(drawn.before),
        after=number(drawn.after),
        shown=number(drawn.strongest_shown),
    )
    how = _(METHODS[drawn.how])
    if not drawn.facet:
        return _("Drawn in {steps} ({how}): {reached}", steps=steps, how=how, reached=reached)
    return _(
        "Drawn as {facet} in {steps} ({how}): {reached}",
        facet=_facet(drawn),
        steps=steps,
        how=how,
        reached=reached,
    )


def edges_in_words(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Name the bands between some edges; the outer ones are open.

    Examples
    --------
    >>> edges_in_words((0.0, 1.0))
    ('up to 0', '0 to 1', 'above 1')
    """
    if not edges:
        return (pgettext("bands", "all"),)
    written = [limit(edge) for edge in edges]
    inner = [_("{low} to {high}", low=low, high=high) for low, high in pairwise(written)]
    return (
        _("up to {edge}", edge=written[0]),
        *inner,
        _("above {edge}", edge=written[-1]),
    )
