"""One sparse probe per concept, layer and modality."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from audit.gather import Shown
from audit.numbers import number
from audit.plan import ProbesSection
from audit.results import FindingRecord, ProbeRecord
from concept_sets.concept import Concept
from probes.clusters import clusters_of
from probes.errors import MeasureError
from probes.progress import Progress
from probes.sparse_logistic import SparseProbe, fit_sparse_probe

SHOWN_UNITS = 20
CHANCE = 0.5
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
            try:
                kept = rows[concept.ref]
                probe = fit_sparse_probe(
                    activations.values[kept],
                    own[kept] == concept.ref,
                    clusters[kept],
                    rng=rng,
                    n_lambdas=section.lambdas,
                    folds=section.folds,
                )
            except MeasureError as error:
                yield _undefined(about, str(error))
            else:
                yield _record(about, probe)
            progress.advance(1)


def _record(about: dict[str, str], probe: SparseProbe) -> ProbeRecord:
    why = probe.reason or "the held-out score could not be had"
    # Without a concept to find, half of the probes still pick a few units.
    clears = probe.auroc.low > CHANCE
    shown = SHOWN_UNITS if clears else 0
    strongest = zip(probe.units[:shown], probe.weights[:shown], strict=True)
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
            "units": tuple((int(u), float(f"{w:.6g}")) for u, w in strongest),
            "reason": probe.reason or ("" if clears else NO_BETTER),
        }
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
