"""Pictures drawn until units answer: illustrations of a page, read by nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from audit.gathered import Gathered
from audit.numbers import number
from audit.unit_drawing import SEED, Drawing, Drawn, draw_unit, text_facet
from audit.unit_pages_record import DrawnRecord
from audit.unit_pictures import Care, file_name
from audit.unit_views import View
from concept_sets.errors import PictureError
from probes.activation_curves import zero_deviation
from probes.clusters import MIN_CLUSTERS
from probes.directions import KIND
from probes.encoder import Layer, Reading
from probes.errors import MeasureError, ModelError

if TYPE_CHECKING:
    from probes.backends.facets import Facet

GENERIC = 256
"""Photos, one of each cluster, that the facet of written text is learned on."""

WORDS = ("river", "table", "garden", "winter", "copper", "window")
"""What is written on them."""

FACET_STRENGTH = 2.0
CHANCE = 0.5

NO_TOWER = "No pictures were drawn: this model cannot be drawn from, its tower is not at hand."
NO_UNITS = "the unit does not vary"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPages:
    """Drawn pictures of the units of one reading."""

    records: Mapping[int, tuple[DrawnRecord, ...]] = field(default_factory=dict)
    """By unit."""

    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def drawn_pages(
    gathered: Gathered,
    reading: Reading,
    units: Sequence[int],
    views: Sequence[View],
    care: Care,
) -> DrawnPages:
    """Draw a picture of every unit, and one that looks like written text where there are photos.

    Parameters
    ----------
    gathered : Gathered
        Its plan says whether and how.
    reading : Reading
    units : sequence of int
    views : sequence of View
        What was shown: responses are told in standard deviations of the first, photos before
        rendered words.
    care : Care
        Photos that sexualise teach no facet.

    Returns
    -------
    DrawnPages
        Equal seeds give equal pictures: steps are counted, not seconds. Finished drawings are
        kept beside the activation cache.
    """
    how, encoder = gathered.plan.units.drawn, gathered.tools.encoder
    if how == "off" or not units or not views:
        return DrawnPages()
    if not isinstance(encoder, Drawing):
        return DrawnPages(notes=(NO_TOWER,))
    try:
        plain = _drawn(gathered, encoder, reading, units, None)
        facet, note = _facet(gathered, reading, views, care)
        written = None if facet is None else _drawn(gathered, encoder, reading, units, facet)
    except (MeasureError, ModelError) as error:
        return DrawnPages(notes=(f"No pictures were drawn: {error}",))
    made = [("", plain), ("text", written)]
    pages = [_page(gathered, reading, units, views, f, v) for f, v in made if v is not None]
    return DrawnPages(
        records={u: tuple(page.records[u][0] for page in pages) for u in units},
        pictures={name: data for page in pages for name, data in page.pictures.items()},
        notes=(note,) if note else (),
    )


def _drawn(
    gathered: Gathered,
    encoder: Drawing,
    reading: Reading,
    units: Sequence[int],
    facet: "Facet | None",
) -> list[Drawn]:
    # Imported here: an audit that draws nothing does not wait for it.
    from probes.backends.visualise import Recipe

    progress, steps = gathered.tools.progress, gathered.plan.units.drawn_steps
    recipe = Recipe(parametrisation=_how(gathered), steps=steps)
    progress.start(steps * len(units), "Drawing pictures")
    try:
        return [draw_unit(gathered, encoder, reading, unit, recipe, facet) for unit in units]
    finally:
        progress.finish()


def _facet(
    gathered: Gathered, reading: Reading, views: Sequence[View], care: Care
) -> "tuple[Facet | None, str]":
    """Teach a probe of an earlier layer what written text is."""
    earlier = _earlier(gathered.tools.encoder.layers, reading.layer)
    photos = next((view for view in views if view.arm == "photo"), None)
    if photos is None or not earlier:
        return None, ""
    rng = gathered.rng(SEED + 1)
    generic = _generic(photos, care, rng)
    if len(generic) < MIN_CLUSTERS:
        return None, "No picture was drawn as written text: too few photos to learn it from."
    layer = earlier[len(earlier) // 2]
    pictures, digests = zip(*generic, strict=True)
    facet = text_facet(gathered, pictures, digests, layer, WORDS, FACET_STRENGTH, rng)
    return _believed(facet, len(generic))


def _earlier(layers: Sequence[Layer], name: str) -> list[str]:
    """Return the layers of units before one of units or directions."""
    names = [layer.name for layer in layers]
    return [one.name for one in layers[: names.index(name)] if one.kind != KIND]


def _believed(facet: "Facet", count: int) -> "tuple[Facet | None, str]":
    """Keep a facet that tells text apart where it did not learn it, and say how well it does."""
    area = facet.auroc
    if area is None or not area.low > CHANCE:
        why = (
            "not known" if area is None else f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})"
        )
        return None, (
            f"No picture was drawn as written text: the probe of {facet.layer} that should tell it "
            f"does not tell photos with a word on them from those without, AUROC {why}."
        )
    return facet, (
        f"What is drawn as text follows a probe of {facet.layer} that tells photos with a word on "
        f"them from those without: AUROC {area.value:.2f} ({area.low:.2f} to {area.high:.2f}) on "
        f"held-out ones, {count} of each."
    )


def _generic(view: View, care: Care, rng: np.random.Generator) -> list[tuple[Image.Image, str]]:
    """Open one photo of each of some clusters, with its digest."""
    first = np.unique(view.clusters, return_index=True)[1]
    fit = [i for i in first.tolist() if view.stimuli[i].concept not in care.sexual]
    found = []
    for i in np.sort(rng.permutation(fit)[:GENERIC]).tolist():
        try:
            found.append((view.load(view.stimuli[i]), view.stimuli[i].digest))
        except PictureError:
            continue
    return found


def _page(
    gathered: Gathered,
    reading: Reading,
    units: Sequence[int],
    views: Sequence[View],
    facet: str,
    made: Sequence[Drawn],
) -> DrawnPages:
    main = sorted(views, key=lambda view: view.arm != "photo")[0]
    records, pictures = {}, {}
    for unit, drawn in zip(units, made, strict=True):
        stem = (reading.layer, reading.pooling.value, unit)
        name = file_name((*stem, "drawn", *([facet] if facet else [])))
        pictures[name] = drawn.picture
        scale = float(zero_deviation(main.values[:, unit], main.clusters))
        strongest = max(float(view.values[:, unit].max()) for view in views)
        records[unit] = (
            DrawnRecord(
                how=_how(gathered),
                facet=facet,
                picture=name,
                steps=drawn.steps,
                before=number(drawn.before / scale, NO_UNITS),
                after=number(drawn.after / scale, NO_UNITS),
                strongest_shown=number(strongest / scale, NO_UNITS),
            ),
        )
    return DrawnPages(records=records, pictures=pictures)


def _how(gathered: Gathered) -> Literal["phase", "fourier"]:
    return "fourier" if gathered.plan.units.drawn == "fourier" else "phase"
