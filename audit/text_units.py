"""The text arm of units: what prompts ask of them, and how far that goes with what pictures do."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.gathered import Gathered
from audit.results import Number
from audit.text_units_fidelity import (
    ENOUGH,
    NO_SCORE,
    NOT_OPEN,
    RELAYED,
    Halves,
    Relaying,
    Weighing,
    layer_fidelity,
    picture_halves,
    relayed,
    unmeasured,
)
from audit.text_units_record import AskedRecord, FidelityRecord, TextUnitsRecord
from audit.text_units_weights import Prompts, asked_records, prompt_weights, weight_frames
from probes.encoder import Layer
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
OFF = "The text arm is off in the plan, so that nothing is said of what prompts ask of units."
ONE_PART = (
    "The units of {layer} are those of the last MLP of a transformer, one part of many that make a "
    "score: earlier layers and attention reach the embedding beside them. Their weights say little "
    "about the score, and no more than the fidelity printed with them."
)
THROUGH_LATER = (
    "The units of {layer} act mostly through later attention. Their weights are second-order: "
    "along one direction, of each unit's strongest among {n} reference pictures, which explains "
    "{share:.0%} of its effects there (median over units)."
)
UNKNOWN = (
    "What prompts ask of the units of {layer} is not known: there is a closed form for the last "
    "layer, for earlier ones of some transformers, and not for every architecture."
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
        units of every identity and harm concept. Earlier layers of vision transformers of
        open_clip get second-order weights; layers without a closed form are named in the note.
    """
    prompts, layers = prompts_of(gathered), _layers(gathered)
    told = set(_told(gathered))
    if not layers or gathered.plan.arms.text == "off":
        note = OFF if layers else ""
        return TextUnits(record=TextUnitsRecord(note=note), frames=())
    say("Weighing units in prompts")
    pictures = _pictures(gathered)
    asked: list[AskedRecord] = []
    frames: list[pd.DataFrame] = []
    fidelity: list[FidelityRecord] = []
    notes: list[str] = []
    for layer in layers:
        source = _source(gathered, layer, pictures)
        notes.append(source.note)
        if source.rows is None:
            continue
        weights = prompt_weights(source.rows, prompts, layer.name)
        asked += asked_records(weights, told)
        frames += weight_frames(weights)
        fidelity += _fidelity(gathered, prompts, source, pictures)
    notes = [*([WHAT] if frames else []), *filter(None, notes)]
    record = TextUnitsRecord(fidelity=tuple(fidelity), asked=tuple(asked), note=" ".join(notes))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where the weights of one layer come from."""

    layer: str
    rows: NDArray[np.floating[Any]] | None
    """What each unit does to the embedding, shape (n_units, dim); None where it is not known."""

    relayed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictures:
    """Pictures to measure on, or why there are none."""

    halves: Halves | None
    arm: str
    why: str = ""


def _source(gathered: Gathered, layer: Layer, pictures: _Pictures) -> _Source:
    """Return the read-out of a layer, or second-order directions where these are known."""
    encoder = gathered.tools.encoder
    rows = encoder.readout(layer.name)
    if rows is not None:
        note = ONE_PART.format(layer=layer.name) if layer.kind == "mlp" else ""
        return _Source(layer=layer.name, rows=rows, note=note)
    if pictures.halves is not None and isinstance(encoder, Relaying):
        found = relayed(encoder, pictures.halves, layer.name, gathered.tools.progress)
        if found is not None:
            share = float(np.nanmedian(found.explained))
            note = THROUGH_LATER.format(layer=layer.name, n=found.pictures, share=share)
            rows = found.directions * found.strength[:, None]
            return _Source(layer=layer.name, rows=rows, relayed=True, note=note)
    return _Source(layer=layer.name, rows=None, note=UNKNOWN.format(layer=layer.name))


def _fidelity(
    gathered: Gathered, prompts: Prompts, source: _Source, pictures: _Pictures
) -> tuple[FidelityRecord, ...]:
    """Both ways of weighing a layer; concepts that sexualise are held against nobody."""
    concepts = _some([c for c in _told(gathered) if c not in prompts.sexual])
    encoder, halves, why = gathered.tools.encoder, pictures.halves, pictures.why
    if source.relayed:
        return unmeasured(source.layer, pictures.arm, len(concepts), NO_SCORE, [RELAYED])
    if not isinstance(encoder, Weighing):
        why = NOT_OPEN
    if not concepts:
        why = "there is no concept whose prompts may be held against all pictures"
    if why or halves is None or source.rows is None or not isinstance(encoder, Weighing):
        return unmeasured(source.layer, pictures.arm, len(concepts), why)
    return layer_fidelity(
        encoder,
        halves,
        prompts.directions(concepts),
        source.rows,
        source.layer,
        gathered.tools.progress,
    )


def _pictures(gathered: Gathered) -> _Pictures:
    """Split photos, or rendered words where there are too few photos."""
    root = gathered.photos.root if gathered.photos is not None else None
    shown = [s for s in (gathered.responses.photos, gathered.responses.rendered) if s is not None]
    shown = [s for s in shown if s.stimuli]
    for one in shown:
        halves = picture_halves(one, root, gathered.rng(SEED))
        if halves is not None:
            return _Pictures(halves=halves, arm=halves.arm)
    few = f"{2 * ENOUGH} clusters of pictures are needed, half of them for reference"
    if not shown:
        return _Pictures(halves=None, arm="", why="no pictures were shown")
    return _Pictures(halves=None, arm=shown[0].stimuli[0].modality.value, why=few)


def _layers(gathered: Gathered) -> list[Layer]:
    """Return the layers that were read, in order."""
    names = dict.fromkeys(reading.layer for reading in gathered.tools.readings)
    return [find_layer(name, gathered.tools.encoder.layers) for name in names]


def _told(gathered: Gathered) -> list[str]:
    return [c.ref for c in (*gathered.selection.identities, *gathered.selection.harms)]


def _some(concepts: Sequence[str]) -> list[str]:
    """At most `TEXTS` of them, spread evenly."""
    at = np.linspace(0, len(concepts) - 1, min(TEXTS, len(concepts))).round().astype(int)
    return [concepts[i] for i in at]


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
