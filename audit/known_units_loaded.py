"""Published names of units, tried on the weights that are loaded: drawn words must agree.

Nothing here has run on the real weights of RN50x4 or RN101; the code path is tested on encoders
that are made to agree, to disagree, and to have another order of channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from audit.gather import Instruments
from audit.known_units import Agreement, KnownUnit, known_names, known_units, verified
from concept_sets.concept import Concept, PartOfSpeech, Role, Status, Term, Visibility
from concept_sets.pictures import load_picture
from concept_sets.rendered import DEFAULT_RENDERINGS, rendered_words
from concept_sets.stimulus import Stimulus
from probes.encoder import EncoderIdentity, Pooling, Reading
from probes.extract import extract_pictures

PUBLISHED = MappingProxyType(
    {f"{name}{ending}": name for name in ("RN50x4", "RN101") for ending in ("", "-quickgelu")}
)
"""Architecture, as open_clip spells it, to the model whose units were published."""

RENDERING = "sans_large_centre"
TOP = 20
"""Words that count as a unit's top words, as many as were published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedNames:
    """Published units whose names may be shown on the loaded weights, or why there are none."""

    layer: str = ""
    units: Mapping[int, KnownUnit] = field(default_factory=lambda: MappingProxyType({}))
    agreement: Agreement | None = None
    """None where nothing was published about such a model."""

    reason: str = ""


def published_model(identity: EncoderIdentity) -> str:
    """Return the published model that an architecture is of; empty where there is none.

    The architecture alone says nothing of the weights: see `published_names`.
    """
    return PUBLISHED.get(identity.architecture, "")


def published_names(tools: Instruments, rng: np.random.Generator) -> PublishedNames:
    """Draw the published words, read the last layer, and return the names that agree.

    Parameters
    ----------
    tools : Instruments
        Encoder, cache and progress; its readings are not used.
    rng : numpy.random.Generator
        Shuffles which unit has which words.

    Returns
    -------
    PublishedNames
        Without names, and with the reason, where nothing was published about such a model or the
        loaded weights do not agree with what was (`audit.known_units.verified`).

    Notes
    -----
    Draws and encodes the 400 to 500 distinct published words of the model, once per cache.
    """
    name, layers = published_model(tools.encoder.identity), tools.encoder.layers
    if not name or not layers:
        known = ", ".join(sorted(set(PUBLISHED.values())))
        return PublishedNames(reason=f"Names of units are published for {known} of OpenAI only.")
    known_here, last = known_units(name), layers[-1]
    if last.n_units <= max(known_here) or Pooling.RELU_MEAN not in last.poolings:
        return PublishedNames(reason=f"{last.name} does not have the units of {name}.")
    words = sorted({word for unit in known_here.values() for word in unit.words})
    top = _top_words(tools, Reading(layer=last.name, pooling=Pooling.RELU_MEAN), words, known_here)
    published = {index: unit.words for index, unit in known_here.items()}
    agreement = verified(top, published, rng=rng, vocabulary=words)
    return PublishedNames(
        layer=last.name,
        units=MappingProxyType(known_names(known_here, agreement)),
        agreement=agreement,
        reason=agreement.reason,
    )


def published_name(names: PublishedNames, layer: str, unit: int) -> str:
    """Return the published name of a unit; empty where none may be shown.

    Examples
    --------
    >>> published_name(PublishedNames(reason="nothing is published"), "visual.layer4.5", 1895)
    ''
    """
    known = names.units.get(unit) if layer == names.layer else None
    return known.name if known is not None else ""


def word_stimuli(words: list[str]) -> tuple[Stimulus, ...]:
    """Return each word drawn once, in black on white."""
    terms = tuple(
        Term(surface=word, pos=PartOfSpeech.NOUN, status=Status.CURRENT, visible=Visibility.NO,
             sources=())
        for word in words
    )  # fmt: skip
    drawn = Concept(id="published_words", name="", family="published_words", role=Role.CONTROL,
                    terms=terms)  # fmt: skip
    return rendered_words(drawn, renderings={RENDERING: DEFAULT_RENDERINGS[RENDERING]})


def _top_words(
    tools: Instruments, reading: Reading, words: list[str], units: Mapping[int, KnownUnit]
) -> dict[int, tuple[str, ...]]:
    """Words that activate each unit most here, strongest first."""
    stimuli = word_stimuli(words)
    shown = extract_pictures(
        tools.encoder,
        stimuli,
        load_picture=load_picture,
        readings=(reading,),
        cache=tools.cache,
        progress=tools.progress,
    )
    values = shown.units[reading].values
    drawn = [stimuli[i].cluster for i in shown.kept]
    order = np.argsort(-values[:, sorted(units)], axis=0, kind="stable")[:TOP]
    return {
        unit: tuple(drawn[i] for i in order[:, column]) for column, unit in enumerate(sorted(units))
    }
