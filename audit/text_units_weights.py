"""What the prompts of each concept ask of each unit, and the rows that say so."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from audit.numbers import rounded
from audit.tables import complete
from audit.text_units_record import AskedRecord
from probes.arms import Embeddings
from probes.linear_text import against_bank, text_weights

Floats = NDArray[np.float64]

ARM = "text"
MEASURE = "text_weight"
STRONGEST = 10
"""Units that are named for a concept."""

UNITS_AT_ONCE = 512
"""Units in one block of rows."""

ALIKE = "the prompts of all concepts ask alike of this unit"
TOO_FEW = "there are fewer than two other concepts to compare with"
SILENT = "the unit answered to no picture of the reference set"
ONE_TERM = "one term has no spread over terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Prompts of all concepts, with what may not be said of them in one statement."""

    texts: Embeddings
    """One row per term, templates averaged."""

    counts: Mapping[str, int]
    """Prompts of each concept."""

    sexual: frozenset[str] = frozenset()
    """Concepts that sexualise."""

    minors: frozenset[tuple[str, str]] = frozenset()
    """Concept and term of everything that denotes somebody under 20."""

    def terms(self, concept: str, *, adults: bool = False) -> NDArray[np.intp]:
        """Return the rows of a concept, or those of them that denote no minor."""
        rows = self.texts.of({concept})
        if not adults:
            return rows
        names = self.texts.names
        return np.array([i for i in rows if (concept, names[i]) not in self.minors], dtype=np.intp)

    def ordinary(self, *, adults: bool = False) -> dict[str, NDArray[np.intp]]:
        """Return the rows of every concept that does not sexualise, where it has any."""
        own = {
            c: self.terms(c, adults=adults)
            for c in dict.fromkeys(self.texts.concepts)
            if c not in self.sexual
        }
        return {concept: rows for concept, rows in own.items() if len(rows)}

    def directions(self, concepts: Sequence[str]) -> Floats:
        """Mean over a concept's terms less the mean over all, shape (n_concepts, dim).

        For concepts that do not sexualise: those have no part in the mean either.
        """
        means = {c: self.texts.pooled[rows].mean(axis=0) for c, rows in self.ordinary().items()}
        everything = np.mean(list(means.values()), axis=0)
        return np.stack([means[c] - everything for c in concepts])


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptWeights:
    """Weight of every unit in the prompts of every concept, in spreads over the concepts."""

    layer: str
    concepts: tuple[str, ...]
    value: Floats
    """Shape (n_units, n_concepts); 0 is what concepts ask on the average, NaN where all ask alike
    or there is nothing to compare with."""

    low: Floats
    """Lower end of the 95 % interval over terms; NaN where there is one term."""

    high: Floats
    terms: tuple[int, ...]
    prompts: tuple[int, ...]
    compared: tuple[bool, ...]
    """Whether there were at least two other concepts to compare with."""

    silent: NDArray[np.bool_]
    """Units without a read-out, shape (n_units,)."""


def prompt_weights(
    readout: NDArray[np.floating[Any]], prompts: Prompts, layer: str
) -> PromptWeights:
    """Weigh every unit in the prompts of every concept.

    Parameters
    ----------
    readout : ndarray of shape (n_units, dim)
        ``Encoder.readout``, or second-order directions times their strength; NaN for units that
        have none.
    prompts : Prompts
    layer : str

    Returns
    -------
    PromptWeights
        A concept's weight is the mean over its terms, less the mean over all concepts, over their
        standard deviation. Concepts that sexualise are no part of mean and spread, and are
        compared with terms that denote no minor.

    Notes
    -----
    The interval is Student's t over terms, with mean and spread over concepts taken as given.
    """
    by_term = text_weights(readout, prompts.texts.pooled)
    banks = {adults: _bank(by_term, prompts, adults=adults) for adults in (False, True)}
    concepts = tuple(dict.fromkeys(prompts.texts.concepts))
    found = [_over_terms(by_term[prompts.terms(c)], banks[c in prompts.sexual]) for c in concepts]
    value, low, high = (np.stack([ends[i] for ends in found], axis=1) for i in range(3))
    return PromptWeights(
        layer=layer,
        concepts=concepts,
        value=value,
        low=low,
        high=high,
        terms=tuple(len(prompts.terms(c)) for c in concepts),
        prompts=tuple(prompts.counts.get(c, 0) for c in concepts),
        compared=tuple(len(banks[c in prompts.sexual]) > 1 for c in concepts),
        silent=np.isnan(readout).any(axis=1),
    )


def asked_records(weights: PromptWeights, concepts: Collection[str]) -> tuple[AskedRecord, ...]:
    """Return the units that the prompts of some concepts ask for most."""
    return tuple(
        AskedRecord(concept=c, layer=weights.layer, units=_strongest(weights.value[:, column]))
        for column, c in enumerate(weights.concepts)
        if c in concepts
    )


def weight_frames(weights: PromptWeights) -> Iterator[pd.DataFrame]:
    """Yield every unit x every concept, block by block."""
    for start in range(0, len(weights.value), UNITS_AT_ONCE):
        yield _frame(weights, slice(start, min(start + UNITS_AT_ONCE, len(weights.value))))


def _bank(by_term: Floats, prompts: Prompts, *, adults: bool) -> Floats:
    """Weights of all concepts that do not sexualise, shape (n_concepts, n_units)."""
    means = [by_term[rows].mean(axis=0) for rows in prompts.ordinary(adults=adults).values()]
    return np.stack(means) if means else np.zeros((0, by_term.shape[1]))


def _over_terms(by_term: Floats, bank: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean over terms on the bank's scale, with the ends of its interval."""
    nothing = np.full(by_term.shape[1], np.nan)
    if len(bank) < 2:
        return nothing, nothing, nothing
    scaled = against_bank(by_term, bank)
    n, value = len(scaled), scaled.mean(axis=0)
    if n < 2:
        return value, nothing, nothing
    half = stats.t.ppf(0.975, n - 1) * scaled.std(axis=0, ddof=1) / np.sqrt(n)
    return value, value - half, value + half


def _strongest(values: Floats) -> tuple[tuple[int, float], ...]:
    order = np.argsort(np.where(values > 0, -values, np.inf), kind="stable")[:STRONGEST]
    return tuple((int(u), rounded(float(values[u]))) for u in order if values[u] > 0)


def _frame(weights: PromptWeights, block: slice) -> pd.DataFrame:
    value = weights.value[block]
    n_units, n_concepts = value.shape
    why = np.array([ONE_TERM if n < 2 else "" for n in weights.terms], dtype=object)
    missing = np.where(
        weights.silent[block, None],
        np.array(SILENT, dtype=object),
        np.array([ALIKE if c else TOO_FEW for c in weights.compared], dtype=object),
    )
    rows = {
        "arm": ARM,
        "measure": MEASURE,
        "concept": np.tile(np.array(weights.concepts, dtype=object), n_units),
        "layer": weights.layer,
        "unit": np.repeat(np.arange(block.start, block.stop), n_concepts),
        "value": value.ravel(),
        "low": weights.low[block].ravel(),
        "high": weights.high[block].ravel(),
        "n": np.tile(weights.prompts, n_units),
        "clusters": np.tile(weights.terms, n_units),
        "reason": np.where(np.isnan(value), missing, why).ravel(),
    }
    return complete(pd.DataFrame(rows))
