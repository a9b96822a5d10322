"""Any sentence as weights over units, on the scale of neutral prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.errors import PlanError
from concept_sets.catalog import Library
from concept_sets.minors import (
    concept_denotes_minor,
    concept_sexualises,
    denotes_minor,
    sexualises,
)
from concept_sets.prompts import prompts_for
from concept_sets.stimulus import Stimulus
from probes.arms import normalise
from probes.cache import ActivationCache
from probes.encoder import Encoder
from probes.extract import extract_texts
from probes.linear_text import Inspected, against_bank, inspect, text_weights
from probes.progress import Progress
from probes.readings import find_layer

Floats = NDArray[np.float64]

NEUTRAL = 600
"""Prompts of the neutral bank, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What sentences ask of the units of one layer."""

    layer: str
    neutral: int
    """Neutral prompts whose mean and spread are the scale."""

    sentences: tuple[Inspected, ...]


def ask(
    encoder: Encoder,
    sentences: Sequence[str],
    library: Library,
    *,
    minus: str = "",
    layer: str = "",
    top: int,
    cache: ActivationCache | None,
    progress: Progress,
) -> Asked:
    """Find the units that sentences ask for most.

    Parameters
    ----------
    encoder : Encoder
    sentences : sequence of str
    library : Library
        Its control prompts are the neutral bank: at most 600, spread evenly over them.
    minus : str
        A sentence that is taken away from each.
    layer : str
        The last layer by default.
    top : int
        Units of each sentence.
    cache : ActivationCache, optional
        For the neutral prompts; the sentences themselves are not kept.
    progress : Progress

    Returns
    -------
    Asked
        Weights in standard deviations of the neutral prompts, 0 being their mean; of a difference
        in those of a difference of two neutral prompts.

    Raises
    ------
    PlanError
        If a sentence is empty, sexualisation would meet minors, or there are too few neutral
        prompts.
    ModelNameError
        If the model has no such layer.
    MeasureError
        If no closed form from the layer to the embedding is known.
    """
    refuse_mixed([*sentences, minus])
    if not all(sentence.strip() for sentence in sentences):
        raise PlanError("A sentence must have words; got an empty one. Leave it out.")
    chosen, readout = known_readout(encoder, layer)
    neutral = neutral_prompts(library)
    shown = extract_texts(encoder, neutral, cache=cache, progress=progress)
    bank = text_weights(readout, normalise(shown.embeddings.values))
    texts = normalise(encoder.encode_texts([*sentences, *([minus] if minus else [])]))
    weights = against_bank(text_weights(readout, texts), bank)
    if minus:
        # A difference of two prompts spreads as the root of two of one.
        weights = (weights[:-1] - weights[-1]) / np.sqrt(2)
    names = [f"{sentence} minus {minus}" if minus else sentence for sentence in sentences]
    return Asked(layer=chosen, neutral=len(neutral), sentences=inspect(names, weights, top))


def known_readout(encoder: Encoder, layer: str = "") -> tuple[str, NDArray[np.float32]]:
    """Return a layer, the last by default, and its read-out.

    Raises
    ------
    ModelNameError
        If the model has no such layer.
    PlanError
        If no closed form is known.
    """
    last = encoder.layers[-1].name if encoder.layers else ""
    chosen = find_layer(layer or last, encoder.layers).name
    readout = encoder.readout(chosen)
    if readout is None:
        raise PlanError(
            "What texts ask of units is known for the last layer of ResNets with attention pooling "
            f"and of most vision transformers; for {chosen!r} of {encoder.identity.name} there is "
            f"no closed form. The last layer is {last!r}."
        )
    return chosen, readout


def neutral_prompts(library: Library) -> tuple[Stimulus, ...]:
    """Return the control prompts of a library, at most 600 and spread evenly.

    Raises
    ------
    PlanError
        If there are fewer than two.
    """
    # The bank stands beside every sentence, so that it may neither sexualise nor denote minors.
    plain = [
        c for c in library.controls() if not (concept_sexualises(c) or concept_denotes_minor(c))
    ]
    everything = [
        s
        for c in plain
        for s in prompts_for(c, library.templates)
        if not (denotes_minor(s.cluster) or sexualises(s.cluster))
    ]
    if len(everything) < 2:
        raise PlanError("Neutral prompts need control packs; this library has none.")
    at = np.linspace(0, len(everything) - 1, min(NEUTRAL, len(everything))).round().astype(int)
    return tuple(everything[i] for i in at)


def refuse_mixed(texts: Sequence[str]) -> None:
    """Refuse texts of which some denote minors and some sexualise.

    Raises
    ------
    PlanError
        Naming neither.
    """
    if any(map(denotes_minor, texts)) and any(map(sexualises, texts)):
        raise PlanError(
            "Minors are never put beside sexualisation; of these texts some denote somebody under "
            "20 and some sexualise. Ask about one of the two."
        )
