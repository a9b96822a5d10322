"""Pages of units: what the units that carry findings answer to, and what they do."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from audit.gathered import Gathered
from audit.known_units_loaded import published_names
from audit.results import CausalRecord, ConfoundRecord, FindingRecord, UnitPageRecord
from audit.unit_choice import PageUnit, by_layer, choose_units
from audit.unit_drawn import drawn_pages
from audit.unit_links import take_apart
from audit.unit_page import Desk, write_page
from audit.unit_pictures import care_of
from audit.unit_views import views_of
from probes.encoder import Reading

Say = Callable[[str], None]

SEED = 67


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPages:
    """Pages, and the pictures that they name."""

    records: tuple[UnitPageRecord, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Name to JPEG."""


def unit_pages(
    gathered: Gathered,
    findings: Sequence[FindingRecord],
    causal: Sequence[CausalRecord],
    *,
    text_weights: Sequence[pd.DataFrame] = (),
    confounds: Sequence[ConfoundRecord] = (),
    say: Say = lambda line: None,
) -> UnitPages:
    """Write a page for the most telling units of findings.

    Parameters
    ----------
    gathered : Gathered
        Its plan says how many, and what may be shown.
    findings : sequence of FindingRecord
        Worst first, with their units.
    causal : sequence of CausalRecord
        What silencing did.
    text_weights : sequence of DataFrame
        Rows for the table of measurements that hold the text arm of units, where there is one.
    confounds : sequence of ConfoundRecord
        Whether units of findings answer without text, where that was asked.
    say : callable
        Told in a line what happens next.

    Returns
    -------
    UnitPages
        Empty where there are no findings with units, or the plan wants no pages. Equal seeds give
        equal records and equal bytes.
    """
    units = choose_units(findings, causal, gathered.plan.units.pages)
    if not units:
        return UnitPages()
    say(f"Writing pages of {len(units)} units")
    desk = _desk(gathered, units, causal, text_weights, confounds)
    made = [write_page(desk, unit) for unit in units]
    shown = [page.pictures for page in made] + [page.pictures for page in desk.drawn.values()]
    return UnitPages(
        records=tuple(page.record for page in made),
        pictures={name: data for own in shown for name, data in own.items()},
    )


def _desk(
    gathered: Gathered,
    units: Sequence[PageUnit],
    causal: Sequence[CausalRecord],
    text: Sequence[pd.DataFrame],
    confounds: Sequence[ConfoundRecord],
) -> Desk:
    care, wanted = care_of(gathered), by_layer(units)
    views = {reading: views_of(gathered, reading) for reading in wanted}
    return Desk(
        gathered=gathered,
        care=care,
        causal={record.finding: record for record in causal},
        text=text,
        views=views,
        published=published_names(gathered.tools, gathered.rng(SEED)),
        links={
            (link.finding.id, reading): link
            for reading in wanted
            for findings in _same_pictures(gathered, units, reading)
            for link in take_apart(
                gathered, findings, reading, views[reading], _carried(units, findings, reading)
            )
        },
        drawn={
            reading: drawn_pages(gathered, reading, chosen, views[reading], care)
            for reading, chosen in wanted.items()
        },
        confounds={(one.finding, one.layer, one.unit): one for one in confounds},
    )


def _same_pictures(
    gathered: Gathered, units: Sequence[PageUnit], reading: Reading
) -> list[list[FindingRecord]]:
    """Gather findings that are measured on the same pictures."""
    sexual = gathered.selection.sexual
    found = {f.id: f for unit in units if unit.reading == reading for f in unit.findings}
    together: dict[tuple[str, str, bool], list[FindingRecord]] = defaultdict(list)
    for finding in found.values():
        together[finding.family, finding.identity, finding.harm in sexual].append(finding)
    return list(together.values())


def _carried(
    units: Sequence[PageUnit], findings: Sequence[FindingRecord], reading: Reading
) -> list[int]:
    wanted = {finding.id for finding in findings}
    own = [unit for unit in units if unit.reading == reading]
    return [unit.unit for unit in own if wanted & {finding.id for finding in unit.findings}]
