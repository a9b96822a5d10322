"""Examples of what was shown beside a unit: the strongest, a middle and a random one, by arm."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from audit.gathered import Gathered
from audit.numbers import number
from audit.unit_choice import PageUnit
from audit.unit_links import AT_ONCE, Attributing
from audit.unit_pages_record import ExampleRecord
from audit.unit_pictures import BLURRED, Care, file_name, jpeg, overlay, seen_part, small
from audit.unit_views import Floats, View, concepts_of
from concept_sets.errors import PictureError
from concept_sets.stimulus import Stimulus
from probes.errors import ModelError
from probes.examples import Example, choose_examples

Kind = Literal["top", "middle", "random"]
Maps = Mapping[int, NDArray[np.floating[Any]]]

UNREADABLE = "the picture can no longer be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplePage:
    """Examples of one unit, and their pictures."""

    records: tuple[ExampleRecord, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    kind: Kind
    place: int
    example: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What examples of one unit in one arm are made from."""

    gathered: Gathered
    care: Care
    unit: PageUnit
    view: View
    deviations: Floats
    direction: Floats | None
    """Of the harm whose contributions are mapped; None for no maps."""

    sexualises: bool
    """Whether the page tells of a harm that sexualises."""

    def withheld(self, row: int) -> str:
        """Say why a picture is not shown."""
        return self.care.withheld(
            self.view.stimuli[row],
            may_be_minor=bool(self.view.is_minor[row]),
            sexualises=self.sexualises,
        )

    def blurred(self, stimulus: Stimulus) -> bool:
        """Whether a picture is shown out of focus."""
        return self.care.people == "blurred" and self.care.may_show_people(stimulus)


def example_page(shelf: Shelf, *, count: int, rng: np.random.Generator) -> ExamplePage:
    """Choose and make the examples of a unit in one arm.

    Parameters
    ----------
    shelf : Shelf
    count : int
        Strongest examples; a middle and a random one stand beside them.
    rng : numpy.random.Generator
        Of the random example.

    Returns
    -------
    ExamplePage
        Pictures are whole, as the model saw them, since the maps of the strongest ones say where
        in them the unit's contribution comes from. Which are chosen does not depend on what may
        be shown.
    """
    if count < 1:
        return ExamplePage()
    chosen = list(_chosen(shelf, count, rng))
    opened = {row.example.stimulus: _opened(shelf, row.example.stimulus) for row in chosen}
    tops = [row.example.stimulus for row in chosen if row.kind == "top"]
    maps = _maps(shelf, {i: p for i in tops if isinstance(p := opened[i], Image)})
    made = [_made(shelf, row, opened[row.example.stimulus], maps) for row in chosen]
    return ExamplePage(
        records=tuple(record for record, _ in made),
        pictures={name: data for _, pictures in made for name, data in pictures.items()},
    )


def _chosen(shelf: Shelf, count: int, rng: np.random.Generator) -> Iterator[_Row]:
    found = choose_examples(
        shelf.view.values[:, shelf.unit.unit], shelf.view.clusters, rng=rng, count=count
    )
    yield from (_Row(kind="top", place=i, example=e) for i, e in enumerate(found.top, start=1))
    middle = found.middle[len(found.middle) // 2]
    yield _Row(kind="middle", place=1, example=middle)
    yield _Row(kind="random", place=1, example=found.random[0])


def _opened(shelf: Shelf, row: int) -> Image | str:
    """Open a picture that may be shown; else say why there is none."""
    if why := shelf.withheld(row):
        return why
    try:
        return shelf.view.load(shelf.view.stimuli[row])
    except PictureError:
        return UNREADABLE


def _maps(shelf: Shelf, pictures: Mapping[int, Image]) -> Maps:
    """Return where each picture's contribution comes from; nothing where it has no place."""
    encoder = shelf.gathered.tools.encoder
    if shelf.direction is None or not pictures or not isinstance(encoder, Attributing):
        return {}
    rows, found = list(pictures), []
    try:
        for start in range(0, len(rows), AT_ONCE):
            batch: Sequence[Image] = [pictures[row] for row in rows[start : start + AT_ONCE]]
            taken = encoder.attribute(
                batch,
                shelf.direction[None],
                layer=shelf.unit.reading.layer,
                maps=[shelf.unit.unit],
            )
            found += [] if taken.maps is None else list(taken.maps[:, 0, 0])
    except ModelError:
        return {}
    pairs = zip(rows, found, strict=False)
    return {row: values for row, values in pairs if np.isfinite(values).all() and values.any()}


def _made(
    shelf: Shelf, row: _Row, opened: Image | str, maps: Maps
) -> tuple[ExampleRecord, dict[str, bytes]]:
    at = row.example.stimulus
    stimulus, pictures = shelf.view.stimuli[at], dict[str, bytes]()
    stem = (*shelf.unit.stem, shelf.view.arm, f"{row.kind}-{row.place}")
    picture = mapped = ""
    hidden = opened if isinstance(opened, str) else ""
    if not isinstance(opened, str):
        part = seen_part(opened.size, shelf.gathered.tools.encoder.identity.preprocessing)
        blurred = shelf.blurred(stimulus)
        shown, picture = small(opened, part, blurred=blurred), file_name(stem)
        hidden = BLURRED if blurred else ""
        pictures[picture] = jpeg(shown)
        if row.kind == "top" and at in maps:
            mapped = file_name((*stem, "map"))
            pictures[mapped] = jpeg(overlay(shown, maps[at]))
    refs = concepts_of(stimulus)
    record = ExampleRecord(
        arm=shelf.view.arm,
        kind=row.kind,
        concept=refs[0] if refs else "",
        response=number(float(shelf.deviations[at]), "the unit does not vary"),
        picture=picture,
        map=mapped,
        hidden=hidden,
    )
    return record, pictures
