"""A result as a large audit would leave it, grown from a small one by repeating it.

Every group meets every harm: ``times`` copies of the groups and of the harms make ``times``
squared as many contrasts, rates and findings. Names get a number, so that nothing is the same.
Of each measure, a document keeps the same number of values however many there are.
"""

from collections.abc import Iterable
from typing import Any

from audit.inputs import ConceptRecord, ConceptSetRecord
from audit.results import AuditResult
from audit.unit_pages_record import UnitPageRecord

UNITS = 2_560
CONCEPTS = 300


def grow(result: AuditResult, *, concepts: int = CONCEPTS, units: int = UNITS) -> AuditResult:
    """Repeat a result until it has this many concepts.

    Parameters
    ----------
    result : AuditResult
        A small audit, for instance of the demo.
    concepts : int
        Concepts that the grown inputs name, at least.
    units : int
        Units of each layer; the numbers of units are spread over them.

    Returns
    -------
    AuditResult
        For measuring only: its digest is the small one's.
    """
    before = sum(len(entry.concepts) for entry in result.inputs.concept_sets)
    times = max(1, -(-concepts // before))
    crossed = [(g, h) for g in range(times) for h in range(times)]
    width = max((layer.n_units for layer in result.model.layers), default=1)
    spread = Spread(stretch=max(1, units // width))
    findings = [spread.finding(f, g, h) for f in result.findings for g, h in crossed]
    by_finding = [(f.id, spread.named(f.id, g, h)) for f in result.findings for g, h in crossed]
    return result.model_copy(
        update={
            "model": result.model.model_copy(
                update={
                    "layers": tuple(
                        layer.model_copy(update={"n_units": units}) for layer in result.model.layers
                    )
                }
            ),
            "inputs": result.inputs.model_copy(
                update={
                    "concept_sets": tuple(
                        copied(entry, n)
                        for entry in result.inputs.concept_sets
                        for n in range(times)
                    )
                }
            ),
            "contrasts": crossings(result.contrasts, crossed),
            "rates": tuple(
                rate.model_copy(
                    update={"group": tagged(rate.group, g), "target": tagged(rate.target, h)}
                )
                for rate in result.rates
                for g, h in crossed
            ),
            "findings": tuple(findings),
            "causal": for_findings(result.causal, by_finding),
            "transfers": for_findings(result.transfers, by_finding),
            "confounds": for_findings(result.confounds, by_finding),
            "probes": tuple(
                probe.model_copy(update={"concept": tagged(probe.concept, n)})
                for probe in result.probes
                for n in range(times)
            ),
            "unit_pages": tuple(
                spread.page(page, n) for page in result.unit_pages for n in range(times)
            ),
        }
    )


class Spread:
    """Where the units and findings of a copy lie."""

    def __init__(self, *, stretch: int) -> None:
        self.stretch = stretch

    def named(self, finding: str, group: int, harm: int) -> str:
        """Return the id of a copied finding, of the same form."""
        return f"BA{(int(finding[2:], 16) + 4099 * group + harm) % 16**8:08x}"

    def finding(self, record: Any, group: int, harm: int) -> Any:
        """Copy a finding for another group and another harm."""
        return record.model_copy(
            update={
                "id": self.named(record.id, group, harm),
                "family": tagged(record.family, group),
                "identity": tagged(record.identity, group),
                "harm": tagged(record.harm, harm),
                "units": tuple(
                    unit.model_copy(
                        update={"unit": self.stretch * unit.unit + group % self.stretch}
                    )
                    for unit in record.units
                ),
            }
        )

    def page(self, record: UnitPageRecord, copy: int) -> UnitPageRecord:
        """Copy what is told of one unit for another one; its pictures stay."""
        return record.model_copy(
            update={
                "unit": self.stretch * record.unit + copy % self.stretch,
                "layer": record.layer if copy < self.stretch else f"{record.layer}-{copy}",
                "findings": tuple(self.named(id, copy, copy) for id in record.findings),
                "contributions": tuple(
                    part.model_copy(update={"finding": self.named(part.finding, copy, copy)})
                    for part in record.contributions
                ),
            }
        )


def tagged(name: str, copy: int) -> str:
    """Name a copy of a set or concept; the first keeps its name.

    Examples
    --------
    >>> tagged("peoples/trenol", 2), tagged("invented_terror", 0)
    ('peoples-2/trenol', 'invented_terror')
    """
    head, slash, rest = name.partition("/")
    return f"{head}-{copy}{slash}{rest}" if copy and name else name


def copied(entry: ConceptSetRecord, copy: int) -> ConceptSetRecord:
    """Copy a concept set with every concept in it."""

    def concept(record: ConceptRecord) -> ConceptRecord:
        name = f"{record.name} {copy + 1}" if copy else record.name
        return record.model_copy(update={"ref": tagged(record.ref, copy), "name": name})

    return entry.model_copy(
        update={
            "id": tagged(entry.id, copy),
            "name": f"{entry.name} {copy + 1}" if copy else entry.name,
            "concepts": tuple(concept(record) for record in entry.concepts),
        }
    )


def crossings(records: Iterable[Any], crossed: list[tuple[int, int]]) -> tuple[Any, ...]:
    """Copy records of a group and a harm for every pair of copies."""
    return tuple(
        record.model_copy(
            update={
                "family": tagged(record.family, group),
                "identity": tagged(record.identity, group),
                "harm": tagged(record.harm, harm),
            }
        )
        for record in records
        for group, harm in crossed
    )


def for_findings(records: Iterable[Any], names: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Copy what belongs to a finding for each of its copies."""
    return tuple(
        record.model_copy(update={"finding": new})
        for record in records
        for old, new in names
        if record.finding == old
    )
