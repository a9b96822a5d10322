"""The text arm of units: what prompts ask of them, and how far that goes with what pictures do."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.gathered import Gathered
from audit.results import Number
from audit.text_units_fidelity import (
    ENOUGH,
    NOT_OPEN,
    Halves,
    Weighing,
    layer_fidelity,
    picture_halves,
    unmeasured,
)
from audit.text_units_record import AskedRecord, FidelityRecord, TextUnitsRecord
from audit.text_units_weights import Prompts, asked_records, prompt_weights, weight_frames
from probes.readings import find_layer

Say = Callable[[str], None]

SEED = 53
"""Second word of the seed: which pictures are measured on draws nothing from other steps."""

TEXTS = 64
"""Concepts whose prompts are held against pictures, at most."""

WHAT = (
    "Weights say what the wording of prompts asks of units and were computed without a picture, "
    "head-blind: as if all positions of a picture were alike. They are in standard deviations over "
    "all concepts of the audit that do not sexualise. They describe; they decide nothing."
)
ONE_PART = (
    "The units of {layer} are those of the last MLP of a transformer, one part of many that make a "
    "score: earlier layers and attention reach the embedding beside them. Their weights say little "
    "about the score, and no more than the fidelity printed with them."
)
UNKNOWN = (
    "What prompts ask of the units of {layer} is not known: there is a closed form for the last "
    "layer only, and not for every architecture."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextUnits:
    """The record of the text arm of units, and its rows."""

    record: TextUnitsRecord
    frames: tuple[pd.DataFrame, ...]
    """Every unit x every concept, for the table of measurements."""


def text_units(gathered: Gathered, say: Say = lambda line: None) -> TextUnits:
    """Say what the prompts of every concept ask of every unit that was read.

    Parameters
    ----------
    gathered : Gathered
    say : callable
        Told in a line what happens next.

    Returns
    -------
    TextUnits
        Fidelity of every layer with a closed form, measured on photos, or else on rendered words:
        one picture of each of at most 400 clusters, half of them for reference. The strongest
        units of every identity and harm concept. Layers without a closed form are named in the
        note.
    """
    encoder, prompts = gathered.tools.encoder, prompts_of(gathered)
    layers = list(dict.fromkeys(reading.layer for reading in gathered.tools.readings))
    told = {c.ref for c in (*gathered.selection.identities, *gathered.selection.harms)}
    readouts = {layer: encoder.readout(layer) for layer in layers}
    known = {layer: rows for layer, rows in readouts.items() if rows is not None}
    fidelity: list[FidelityRecord] = []
    asked: list[AskedRecord] = []
    frames: list[pd.DataFrame] = []
    if known:
        say("Weighing units in prompts")
        fidelity += _fidelity(gathered, prompts, known)
    for layer, rows in known.items():
        weights = prompt_weights(rows, prompts, layer)
        asked += asked_records(weights, told)
        frames += weight_frames(weights)
    record = TextUnitsRecord(
        fidelity=tuple(fidelity), asked=tuple(asked), note=_note(gathered, layers, known)
    )
    return TextUnits(record=record, frames=tuple(frames))


def prompts_of(gathered: Gathered) -> Prompts:
    """Return the prompts of an audit."""
    return Prompts(
        texts=gathered.texts,
        counts=Counter(s.concept for s in gathered.responses.texts.stimuli),
        sexual=gathered.selection.sexual,
        minors=gathered.selection.minors,
    )


def fidelity_lines(records: Sequence[FidelityRecord]) -> list[str]:
    """Return a sentence for each layer and way of weighing."""
    return [_line(record) for record in records]


def _fidelity(
    gathered: Gathered, prompts: Prompts, known: dict[str, NDArray[np.float32]]
) -> list[FidelityRecord]:
    """Both ways of weighing in every layer; concepts that sexualise are held against nobody."""
    concepts = _some([c for c in _told(gathered) if c not in prompts.sexual])
    halves, arm, why = _halves(gathered)
    encoder = gathered.tools.encoder
    if not isinstance(encoder, Weighing):
        why = NOT_OPEN
    if not concepts:
        why = "there is no concept whose prompts may be held against all pictures"
    found: list[FidelityRecord] = []
    for layer, rows in known.items():
        if why or halves is None or not isinstance(encoder, Weighing):
            found += unmeasured(layer, arm, len(concepts), why)
            continue
        directions = prompts.directions(concepts)
        found += layer_fidelity(encoder, halves, directions, rows, layer, gathered.tools.progress)
    return found


def _halves(gathered: Gathered) -> tuple[Halves | None, str, str]:
    """Pictures of the preferred arm, its name, and why there are none."""
    shown = gathered.responses.photos or gathered.responses.rendered
    if shown is None or not shown.stimuli:
        return None, "", "no pictures were shown"
    photos = gathered.photos
    halves = picture_halves(shown, photos.root if photos is not None else None, gathered.rng(SEED))
    arm = shown.stimuli[0].modality.value
    few = f"{2 * ENOUGH} clusters of pictures are needed, half of them for reference"
    return halves, arm, few if halves is None else ""


def _told(gathered: Gathered) -> list[str]:
    return [c.ref for c in (*gathered.selection.identities, *gathered.selection.harms)]


def _some(concepts: Sequence[str]) -> list[str]:
    """At most `TEXTS` of them, spread evenly."""
    at = np.linspace(0, len(concepts) - 1, min(TEXTS, len(concepts))).round().astype(int)
    return [concepts[i] for i in at]


def _note(gathered: Gathered, layers: Sequence[str], known: dict[str, NDArray[np.float32]]) -> str:
    found = [find_layer(layer, gathered.tools.encoder.layers) for layer in layers]
    notes = [WHAT] if known else []
    notes += [ONE_PART.format(layer=x.name) for x in found if x.kind == "mlp" and x.name in known]
    notes += [UNKNOWN.format(layer=x.name) for x in found if x.name not in known]
    return " ".join(notes)


def _line(record: FidelityRecord) -> str:
    if record.reason:
        return f"{record.layer}, {record.how} weights: fidelity not measured, {record.reason}."
    return (
        f"{record.layer}, {record.how} weights: correlation with the model's own scores over "
        f"{record.clusters} pictures ({'photos' if record.arm == 'photo' else 'rendered words'}, "
        f"one per cluster) {_short(record.median)} for the median of {record.texts} concepts "
        f"({_short(record.low)} to {_short(record.high)}), {_short(record.lowest)} for the lowest."
    )


def _short(value: Number) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "undefined"
