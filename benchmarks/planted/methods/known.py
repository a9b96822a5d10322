"""The table of detection methods; frozen before fresh seeds are scored."""

from benchmarks.planted.methods import dissect, invert, ours, skew, weat, welch
from benchmarks.planted.methods.scores import Method

_TEXTS = frozenset({"texts"})
_PHOTOS = frozenset({"texts", "photos"})
_UNITS = frozenset({"texts", "photos", "badges", "units"})

DECIDING = "arms"
"""The method that the others are compared with."""

METHODS: tuple[Method, ...] = (
    Method(
        name=DECIDING,
        title="our deciding arms together",
        ours=True,
        needs=_PHOTOS,
        run=ours.both_arms,
        source="docs/method.md",
    ),
    Method(
        name="text",
        title="our text arm",
        ours=True,
        needs=_TEXTS,
        run=ours.text_arm,
        source="docs/method.md",
    ),
    Method(
        name="photo",
        title="our photo arm",
        ours=True,
        needs=_PHOTOS,
        run=ours.photo_arm,
        source="docs/method.md",
    ),
    Method(
        name="behaviour",
        title="our behaviour arm",
        ours=True,
        needs=_PHOTOS,
        run=ours.behaviour,
        source="docs/method.md",
    ),
    Method(
        name="max-t",
        title="our units, max-T on both sides",
        ours=True,
        needs=_UNITS,
        run=ours.units_of_both,
        source="docs/units.md",
    ),
    Method(
        name="invert-either",
        title="INVERT, AUROC of group or harm",
        ours=False,
        needs=_UNITS,
        run=invert.either,
        source="arXiv 2311.13594",
    ),
    Method(
        name="invert-both",
        title="INVERT, smaller of two AUROCs",
        ours=False,
        needs=_UNITS,
        run=invert.both,
        source="arXiv 2311.13594",
    ),
    Method(
        name="dissect",
        title="CLIP-Dissect, SoftWPMI",
        ours=False,
        needs=_UNITS,
        run=dissect.dissect,
        source="arXiv 2204.10965",
    ),
    Method(
        name="weat-text",
        title="WEAT on texts",
        ours=False,
        needs=_TEXTS,
        run=weat.on_texts,
        source="Science 356, 183-186",
    ),
    Method(
        name="weat-photo",
        title="WEAT, photos against texts",
        ours=False,
        needs=_PHOTOS,
        run=weat.on_photos,
        source="Science 356, 183-186",
    ),
    Method(
        name="ieat",
        title="iEAT, photos against photos",
        ours=False,
        needs=frozenset({"photos", "badges"}),
        run=weat.on_pictures_alone,
        source="FAccT 2021, 701-713",
    ),
    Method(
        name="skew",
        title="skew of the top k",
        ours=False,
        needs=_PHOTOS,
        run=skew.skew_of_groups,
        source="arXiv 1905.01989",
    ),
    Method(
        name="t-text",
        title="Welch's t with BH, texts",
        ours=False,
        needs=_TEXTS,
        run=welch.on_texts,
        source="JRSS B 57, 289-300",
    ),
    Method(
        name="t-photo",
        title="Welch's t with BH, photos",
        ours=False,
        needs=_PHOTOS,
        run=welch.on_photos,
        source="JRSS B 57, 289-300",
    ),
    Method(
        name="t-unit",
        title="Welch's t with BH, units",
        ours=False,
        needs=_UNITS,
        run=welch.on_units,
        source="JRSS B 57, 289-300",
    ),
)


def method(name: str) -> Method:
    """Return a row of the table.

    Raises
    ------
    LookupError
        If there is none of that name.
    """
    found = [row for row in METHODS if row.name == name]
    if not found:
        raise LookupError(f"No method {name!r}; there are {', '.join(m.name for m in METHODS)}.")
    return found[0]
