"""One sparse probe per concept, layer and modality, and what it is to be read beside.

Beside the path with its one-standard-error rule stand a probe of a few units, one of all units, the
same fit to shuffled labels, and the units that come back whichever half of the clusters is seen.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.gather import Shown
from audit.numbers import number
from audit.plan import ProbesSection
from audit.results import FindingRecord, FixedProbeRecord, ProbeRecord, StableUnitsRecord
from concept_sets.concept import Concept
from probes.clusters import clusters_of
from probes.errors import MeasureError
from probes.fixed_units import FixedProbe, fit_fixed_units
from probes.progress import Progress
from probes.sparse_logistic import SparseProbe, fit_sparse_probe
from probes.stability_selection import StabilitySelection, select_stable

SHOWN_UNITS = 20
CHANCE = 0.5
NO_SCORE = "the held-out score could not be had"
NO_BETTER = "its held-out score does not clear chance, so its units are not shown"


def concept_probes(
    shown: Shown,
    concepts: Sequence[Concept],
    section: ProbesSection,
    rng: np.random.Generator,
    progress: Progress,
    *,
    sexual: Collection[str] = (),
    is_minor: NDArray[np.bool_] | None = None,
) -> tuple[ProbeRecord, ...]:
    """Fit a sparse probe for each concept that the modality shows.

    Parameters
    ----------
    shown : Shown
        Rendered words or photos with their units.
    concepts : sequence of Concept
        All concepts of the audit; those with a wanted role get a probe.
    section : ProbesSection
        Roles, penalties, folds.
    rng : numpy.random.Generator
        Deals folds and shuffles control labels.
    progress : Progress
        Told how far it is.
    sexual : collection of str
        Concepts that sexualise: they are told from stimuli of adults only.
    is_minor : bool ndarray of shape (n_stimuli,), optional
        Stimuli that denote, show or may show somebody under 20.

    Returns
    -------
    tuple of ProbeRecord
        One per concept and reading.
    """
    present = {s.concept for s in shown.stimuli}
    wanted = [c for c in concepts if c.role.value in section.roles and c.ref in present]
    total = len(wanted) * len(shown.extraction.units)
    if not total:
        return ()
    progress.start(total, "sparse probes")
    try:
        adults = ~is_minor if is_minor is not None else np.ones(len(shown.stimuli), dtype=bool)
        rows = {c.ref: adults if c.ref in sexual else np.ones_like(adults) for c in wanted}
        return tuple(_probes(shown, wanted, rows, section, rng, progress))
    finally:
        progress.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One concept against the rest, in one reading."""

    values: NDArray[np.floating[Any]]
    labels: NDArray[np.bool_]
    clusters: NDArray[np.intp]


def _probes(
    shown: Shown,
    wanted: Sequence[Concept],
    rows: Mapping[str, NDArray[np.bool_]],
    section: ProbesSection,
    rng: np.random.Generator,
    progress: Progress,
) -> Iterator[ProbeRecord]:
    own = np.array([s.concept for s in shown.stimuli], dtype=object)
    clusters = clusters_of([f"{s.concept}\n{s.cluster}" for s in shown.stimuli]).codes
    for reading, activations in shown.extraction.units.items():
        for concept in wanted:
            about = {
                "concept": concept.ref,
                "role": concept.role.value,
                "layer": reading.layer,
                "pooling": reading.pooling.value,
                "modality": shown.stimuli[0].modality.value,
            }
            kept = rows[concept.ref]
            question = _Question(
                values=activations.values[kept],
                labels=own[kept] == concept.ref,
                clusters=np.unique(clusters[kept], return_inverse=True)[1],
            )
            yield _answer(question, about, section, rng)
            progress.advance(1)


def _answer(
    question: _Question, about: dict[str, str], section: ProbesSection, rng: np.random.Generator
) -> ProbeRecord:
    # What stands beside the sparse probe must not change its numbers.
    aside = rng.spawn(2)
    asked = (question.values, question.labels, question.clusters)
    try:
        probe = fit_sparse_probe(
            *asked, rng=rng, n_lambdas=section.lambdas, folds=section.folds, dense=True
        )
        fixed = fit_fixed_units(
            *asked,
            rng=aside[0],
            n_units=section.fixed_units,
            n_lambdas=section.lambdas,
            folds=section.folds,
            fold=probe.fold if len(probe.fold) else None,
        )
        stable = (
            select_stable(*asked, rng=aside[1], pairs=section.pairs) if section.stability else None
        )
    except MeasureError as error:
        return _undefined(about, str(error))
    return _record(about, probe, fixed, stable)


def _record(
    about: dict[str, str],
    probe: SparseProbe,
    fixed: FixedProbe,
    stable: StabilitySelection | None,
) -> ProbeRecord:
    why = probe.reason or NO_SCORE
    # Without a concept to find, half of the probes still pick a few units.
    clears = probe.auroc.low > CHANCE
    selectivity = probe.auroc.value - probe.control_auroc.value
    return ProbeRecord.model_validate(
        {
            **about,
            "n_units": len(probe.units),
            "auroc": number(probe.auroc.value, why),
            "low": number(probe.auroc.low, why),
            "high": number(probe.auroc.high, why),
            "control_auroc": number(probe.control_auroc.value, why),
            "selectivity": number(selectivity, why),
            "units": _strongest(probe) if clears else (),
            "reason": probe.reason or ("" if clears else NO_BETTER),
            "stable": _stable(stable) if stable is not None else None,
            "fixed": _fixed(fixed),
            "dense_auroc": number(probe.dense_auroc.value, why),
            "dense_low": number(probe.dense_auroc.low, why),
            "dense_high": number(probe.dense_auroc.high, why),
            "duality_gap": number(_short(probe.duality_gap), why),
        }
    )


def _strongest(probe: SparseProbe | FixedProbe) -> tuple[tuple[int, float], ...]:
    pairs = zip(probe.units[:SHOWN_UNITS], probe.weights[:SHOWN_UNITS], strict=True)
    return tuple((int(unit), _short(weight)) for unit, weight in pairs)


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _fixed(probe: FixedProbe) -> FixedProbeRecord:
    why = probe.reason or NO_SCORE
    clears = probe.auroc.low > CHANCE
    return FixedProbeRecord(
        wanted=probe.wanted,
        auroc=number(probe.auroc.value, why),
        low=number(probe.auroc.low, why),
        high=number(probe.auroc.high, why),
        units=_strongest(probe) if clears else (),
        reason=probe.reason or ("" if clears else NO_BETTER),
    )


def _stable(found: StabilitySelection) -> StableUnitsRecord:
    return StableUnitsRecord(
        n_units=len(found.units),
        units=tuple(
            (int(unit), _short(found.frequency[unit]), _short(found.direction[unit]))
            for unit in found.units[:SHOWN_UNITS]
        ),
        threshold=found.threshold,
        expected_false=number(found.expected_false, found.reason or "no unit could be picked"),
        per_half=found.per_half,
        pairs=found.pairs,
        duality_gap=number(_short(found.duality_gap), found.reason or "nothing was fitted"),
        reason=found.reason,
    )


def _undefined(about: dict[str, str], why: str) -> ProbeRecord:
    nothing = number(float("nan"), why)
    return ProbeRecord.model_validate(
        {
            **about,
            "n_units": 0,
            "auroc": nothing,
            "low": nothing,
            "high": nothing,
            "control_auroc": nothing,
            "selectivity": nothing,
            "units": (),
            "reason": why,
            "dense_auroc": nothing,
            "dense_low": nothing,
            "dense_high": nothing,
            "duality_gap": nothing,
        }
    )


def add_probes(
    findings: Sequence[FindingRecord], probes: Sequence[ProbeRecord]
) -> tuple[FindingRecord, ...]:
    """Attach to each finding the probes of its identity and of its harm."""
    return tuple(
        f.model_copy(
            update={"probes": tuple(p for p in probes if p.concept in {f.identity, f.harm})}
        )
        for f in findings
    )
