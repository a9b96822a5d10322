"""Everything that is told of units beside their associations: it describes, it decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from audit.gathered import Gathered
from audit.results import (
    CausalRecord,
    ConfoundRecord,
    FindingRecord,
    NotTested,
    OtherModelRecord,
    ProbeRecord,
    StroopRecord,
    TextUnitsRecord,
    TransferRecord,
    TypographyRecord,
    UnitPageRecord,
)
from audit.run_replication import replications
from audit.run_replication_shown import second_witness
from audit.run_replication_words import not_looked_for, tell_replications
from audit.text_units import text_units
from audit.transfer_evidence import transfers
from audit.unit_indices import monosemanticity_frames, region_indices
from audit.unit_pages import unit_pages
from audit.written_words import written_words

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEvidence:
    """Findings with further lines of evidence, and the records behind them."""

    findings: tuple[FindingRecord, ...]
    causal: tuple[CausalRecord, ...] = ()
    probes: tuple[ProbeRecord, ...] = ()
    text_units: TextUnitsRecord | None = None
    transfers: tuple[TransferRecord, ...] = ()
    pages: tuple[UnitPageRecord, ...] = ()
    other_model: OtherModelRecord | None = None
    typography: TypographyRecord | None = None
    stroop: StroopRecord | None = None
    confounds: tuple[ConfoundRecord, ...] = ()
    frames: tuple[pd.DataFrame, ...] = ()
    """Rows for the table of measurements."""

    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Name to JPEG, for ``pictures.zip``."""

    not_tested: tuple[NotTested, ...] = ()


def unit_evidence(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord],
    probes: Sequence[ProbeRecord],
    say: Say,
) -> UnitEvidence:
    """Describe the units of an audit.

    Parameters
    ----------
    gathered : Gathered
    findings : sequence of FindingRecord
        With units, probes and marks.
    causal : sequence of CausalRecord
    probes : sequence of ProbeRecord
    say : callable
        Told in a line what happens next.

    Returns
    -------
    UnitEvidence
    """
    witness = second_witness(gathered, findings, say)
    other_model = (
        replications(gathered, findings, causal, say, witness=witness) if witness else None
    )
    told, read_across = transfers(gathered, tell_replications(findings, other_model))
    alike, not_alike = monosemanticity_frames(gathered, witness)
    asked = text_units(gathered, say)
    regions = region_indices(gathered, asked.frames)
    written = written_words(gathered, told, causal)
    paged = unit_pages(
        gathered,
        told,
        causal,
        text_weights=asked.frames,
        confounds=written.confounds,
        say=say,
    )
    return UnitEvidence(
        findings=written.findings,
        causal=tuple(causal),
        probes=tuple(probes),
        text_units=asked.record.model_copy(update={"regions": regions}),
        transfers=read_across,
        pages=paged.records,
        other_model=other_model,
        typography=written.typography,
        stroop=written.stroop,
        confounds=written.confounds,
        not_tested=(
            *written.not_tested,
            *not_looked_for(gathered.other, other_model),
            *not_alike,
        ),
        frames=(*asked.frames, *alike),
        pictures=paged.pictures,
    )
