"""Sparse codes of words over units, and how they compare with the published ones of emotions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from audit.errors import PlanError
from audit.selftest.emotions import BIGRAM_UNITS, CODES, scaled
from audit.selftest.reading import read_json
from audit.text_units_sentences import refuse_mixed
from concept_sets.stimulus import Modality, Stimulus
from probes.arms import normalise
from probes.cache import ActivationCache
from probes.encoder import Encoder
from probes.extract import extract_texts
from probes.linear_text import text_weights
from probes.progress import Progress
from probes.sparse_codes import SparseCodes

Floats = NDArray[np.float64]
Code = Mapping[int, float]

EMOTION_TEMPLATES = (
    "i am feeling {t}",
    "Me feeling {t} on my face",
    "a photo of me with a {t} expression on my face",
)
"""As published for emotions (Goh et al. 2021)."""

SHUFFLES = 99

_Number = Annotated[float, Field(allow_inf_nan=False)]
_CODES = TypeAdapter(dict[str, dict[str, list[tuple[_Number, int]]]])
_UNITS: TypeAdapter[Iterable[int]] = TypeAdapter(list[int])


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCodes:
    """The published codes of emotions for RN50x4."""

    codes: Mapping[str, Mapping[str, Code]]
    """Setting to word to unit to coefficient, the largest of a word being 1."""

    left_out: tuple[int, ...]
    """Units that read letters, which were left out by hand."""

    @property
    def words(self) -> tuple[str, ...]:
        """All words, in order."""
        return tuple(next(iter(self.codes.values())))

    def size(self, setting: str) -> float:
        """Return the mean number of units per word."""
        return float(np.mean([len(code) for code in self.codes[setting].values()]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAgreement:
    """How codes compare with published ones of the same words."""

    words: int
    """Words that were compared: those with a published unit."""

    published_units: float
    """Mean number per word."""

    units: float
    shared: float
    """Units that both have, over those that either has; mean over words, 1 is equal."""

    by_chance: float
    """The same when it is shuffled which word has which code."""

    correlation: float
    """Of all coefficients of units that either has; NaN where they do not vary."""


def prompts_of_words(words: Sequence[str], templates: Sequence[str]) -> tuple[Stimulus, ...]:
    """Put every word into every template, word by word.

    Raises
    ------
    PlanError
        If there are fewer than two words or templates, a word is empty or twice, a template has
        no place for it, or sexualisation would meet minors.
    """
    if len(words) < 2 or len(set(words)) < len(words) or not all(w.strip() for w in words):
        raise PlanError(
            f"Codes tell at least 2 different words apart; got {len(words)}, "
            f"{len(set(words))} of them different. Give words separated by commas, or a file with "
            "one on each line."
        )
    if len(templates) < 2 or not all("{t}" in template for template in templates):
        raise PlanError(
            "Codes need at least 2 templates with {t} for the word; got "
            f"{', '.join(map(repr, templates)) or 'none'}."
        )
    refuse_mixed([*words, *templates])
    return tuple(_prompt(word, template) for word in words for template in templates)


def word_vectors(
    encoder: Encoder,
    readout: NDArray[np.float32],
    prompts: Sequence[Stimulus],
    *,
    cache: ActivationCache | None,
    progress: Progress,
) -> Floats:
    """Return the weights of units in each prompt, shape (n_prompts, n_units)."""
    shown = extract_texts(encoder, prompts, cache=cache, progress=progress)
    return text_weights(readout, normalise(shown.embeddings.values))


def code_of(codes: SparseCodes, word: str) -> dict[int, float]:
    """Return the units of a word with their coefficients, the largest first.

    Examples
    --------
    >>> weights = np.array([[0.0, -1.0, 0.5]])
    >>> code_of(SparseCodes(words=("glad",), weights=weights, penalty=0.1, mean_units=2), "glad")
    {1: -1.0, 2: 0.5}
    """
    row = codes.weights[codes.words.index(word)]
    units = sorted(np.flatnonzero(row).tolist(), key=lambda unit: -abs(row[unit]))
    return {unit: float(row[unit]) for unit in units}


def read_published(data: Path) -> PublishedCodes:
    """Read the published codes from the folder of public data.

    Raises
    ------
    DataFileError
        If a file is missing, damaged or of another shape.
    """
    given = read_json(data, CODES, _CODES)
    left_out = tuple(read_json(data, BIGRAM_UNITS, _UNITS))
    return PublishedCodes(
        codes={
            setting: {word: scaled(code, set(left_out)) for word, code in words.items()}
            for setting, words in given.items()
        },
        left_out=left_out,
    )


def compare_codes(
    codes: SparseCodes, published: Mapping[str, Code], rng: np.random.Generator
) -> CodeAgreement:
    """Compare codes with published ones of the same words.

    Parameters
    ----------
    codes : SparseCodes
    published : mapping of str to mapping of int to float
        Word to its units and coefficients.
    rng : numpy.random.Generator
        Shuffles which word has which code.

    Raises
    ------
    PlanError
        If no word with a published unit was coded.
    """
    words = [word for word in codes.words if published.get(word)]
    if not words:
        raise PlanError("No word with a published code is among the words that were coded.")
    ours = [code_of(codes, word) for word in words]
    theirs = [published[word] for word in words]
    shuffled = [
        np.mean([_shared(ours[i], theirs[j]) for i, j in enumerate(rng.permutation(len(words)))])
        for _ in range(SHUFFLES)
    ]
    return CodeAgreement(
        words=len(words),
        published_units=float(np.mean([len(code) for code in theirs])),
        units=float(np.mean([len(code) for code in ours])),
        shared=float(np.mean([_shared(a, b) for a, b in zip(ours, theirs, strict=True)])),
        by_chance=float(np.mean(shuffled)),
        correlation=_correlation(ours, theirs),
    )


def _prompt(word: str, template: str) -> Stimulus:
    content = template.replace("{t}", word)
    return Stimulus(
        modality=Modality.TEXT,
        content=content,
        concept=word,
        cluster=word,
        template=template,
        digest=sha256(content.encode()).hexdigest(),
    )


def _shared(ours: Code, theirs: Code) -> float:
    either = ours.keys() | theirs.keys()
    return len(ours.keys() & theirs.keys()) / len(either) if either else 1.0


def _correlation(ours: Sequence[Code], theirs: Sequence[Code]) -> float:
    pairs = np.array(
        [
            (a.get(unit, 0.0), b.get(unit, 0.0))
            for a, b in zip(ours, theirs, strict=True)
            for unit in sorted(a.keys() | b.keys())
        ]
    )
    if len(pairs) < 3 or (pairs.std(axis=0) == 0).any():
        return float("nan")
    return float(np.corrcoef(pairs.T)[0, 1])
