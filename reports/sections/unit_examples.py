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
from reports.names import Names
from reports.pictures import Gallery, Picture
from reports.quantities import full_sentence, limit, number, plural, undefined
from reports.sections.unit_words import arm_words

KINDS = {"top": "Strongest", "middle": "Middle", "random": "At random"}
SHOWS = {
    "photo": "Stimulus that shows “{}”",
    "rendered": "A word of “{}” drawn as a picture",
    "text": "Prompt about “{}”",
}
HARSH = "words of harms of high and critical severity are not shown as pictures"

ILLUSTRATE = (
    "Drawn by optimisation until the unit answers. Such pictures illustrate and decide nothing: "
    "they show what drives a unit furthest, often far beyond anything that it was shown."
)

EXAMPLES_NOTE = (
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
        arm=f"Examples in {arm_words(arm).lower()}",
        groups=tuple(
            ShotGroup(
                title=KINDS.get(kind, kind),
                shots=tuple(
                    shot for shot, e in zip(shots, examples, strict=True) if e.kind == kind
                ),
            )
            for kind in kinds
        ),
        notes=tuple(
            f"{f'{place}: ' if len(distinct) > 1 else ''}{full_sentence(why)}"
            for place, why in enumerate(distinct, start=1)
        ),
    )


def _pictures(example: ExampleRecord, names: Names, shown: Gallery) -> tuple[Picture, ...]:
    alt = f"{SHOWS[example.arm].format(names.concept(example.concept))}; {response(example)}"
    if too_harsh(example, names):
        return (Picture(alt=alt, why=HARSH),)
    if not example.picture:
        return (Picture(alt=alt, why=example.hidden or "the result names no picture"),)
    first = shown.picture(example.picture, alt)
    if first.why or not example.map:
        return (first,)
    where = shown.picture(
        example.map, "The same picture in grey, with what each place adds or takes away"
    )
    return (first,) if where.why else (first, where)


def _why(example: ExampleRecord, found: tuple[Picture, ...], names: Names) -> str:
    """Tell why a place is empty, or how a picture was changed."""
    if found[0].why:
        return f"Not shown: {names.hidden_within(found[0].why)}"
    return f"Changed: {names.hidden_within(example.hidden)}" if example.hidden else ""


def response(example: ExampleRecord) -> str:
    """Write the response of an example."""
    if undefined(example.response):
        return "response undefined"
    return f"{number(example.response, 1)} SD"


METHODS = {"phase": "phase optimised, magnitudes of natural pictures", "fourier": "Fourier space"}


def drawn_pictures(page: UnitPageRecord, shown: Gallery) -> tuple[Drawn, ...]:
    """Describe the drawn pictures of a unit."""
    return tuple(
        Drawn(picture=shown.picture(drawn.picture, _alt(page, drawn)), told=_reached(drawn))
        for drawn in page.drawn
    )


def _alt(page: UnitPageRecord, drawn: DrawnRecord) -> str:
    facet = f", as {drawn.facet}" if drawn.facet else ""
    return f"Picture drawn until unit {page.unit} answers{facet}"


def _reached(drawn: DrawnRecord) -> str:
    facet = f" as {drawn.facet}" if drawn.facet else ""
    return (
        f"Drawn{facet} in {plural(drawn.steps, 'step')} ({METHODS[drawn.how]}): from "
        f"{number(drawn.before)} to {number(drawn.after)} SD. Strongest shown stimulus: "
        f"{number(drawn.strongest_shown)} SD."
    )


def edges_in_words(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Name the bands between some edges; the outer ones are open.

    Examples
    --------
    >>> edges_in_words((0.0, 1.0))
    ('up to 0', '0 to 1', 'above 1')
    """
    if not edges:
        return ("all",)
    written = [limit(edge) for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(written)]
    return (f"up to {written[0]}", *inner, f"above {written[-1]}")
