"""Whether a second model carries the same links with matching units."""

from dataclasses import dataclass

from audit.results import AuditResult, OtherModelRecord, ReplicationRecord
from reports.blocks import THE_RESULT, Cell, Column, Fact, Table, table, text
from reports.names import Names
from reports.quantities import interval, listed, number, p_value, percent, plural, sentence, signed
from reports.wording import arm_name

UNITS_NAMED = 5

CARRIES = {
    True: "They add to the link there more than others do.",
    False: "They add no more to the link there than others do.",
}

LEAD = (
    "Units of both models were matched by how alike they answer to the same stimuli, and each "
    "found link was looked for in the second model. What comes back in another model is less "
    "likely to be an accident of this one; what does not may still be true of this one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherModelView:
    """The section about the second model."""

    lead: str
    none: str
    facts: tuple[Fact, ...]
    findings: Table | None


def other_model_view(result: AuditResult, names: Names) -> OtherModelView:
    """Describe the second model, or say that there was none."""
    record = result.other_model
    return OtherModelView(
        lead=LEAD if record else "",
        none="" if record else _none(result),
        facts=_facts(record) if record else (),
        findings=_findings(record, names) if record else None,
    )


def _none(result: AuditResult) -> str:
    if result.model.kind != "model":
        return "No weights were seen, so units could not be matched with another model’s."
    return (
        "No second model was given, so nothing is known of whether these links are particular to "
        "this one. clip-audit run --other, or [replication] in a plan, names one."
    )


def _facts(record: OtherModelRecord) -> tuple[Fact, ...]:
    return (
        Fact(label="Model", value=record.name),
        Fact(label="Weights", value=record.weights_digest, code=True),
        Fact(
            label="Units with a partner",
            value=f"{percent(record.matched)}: both choose each other, and by more than chance",
        ),
        *_matching(record),
        Fact(
            label="Correlation with partners",
            value=f"median {number(record.correlation, 2)}; by chance the best partner of 95 % of "
            f"units stays below {number(record.by_chance, 2)}",
        ),
    )


def _matching(record: OtherModelRecord) -> tuple[Fact, ...]:
    if not record.clusters:
        return ()
    kinds = listed([arm_name(kind) for kind in record.kinds])
    told = f"{plural(record.clusters, 'cluster')} of pictures: {kinds}, one vote for each kind"
    return (Fact(label="Matched over", value=told),)


def _findings(record: OtherModelRecord, names: Names) -> Table | None:
    if not record.findings:
        return None
    return table(
        "replication",
        f"Findings in {record.name}",
        [
            Column(head="Finding", width="name"),
            Column(head="Link there, control SD", width="wide"),
            Column(head="Carried by partners", align="number"),
            Column(head="By others", align="number"),
            Column(head="p", align="number"),
            Column(head="Units and partners", width="wide"),
        ],
        (_row(finding, names) for finding in record.findings),
        note="Link: its double difference in the second model, with limits of this link alone, in "
        "that model’s own control SD, and here; neutral 0. Carried: mean contribution of the "
        "partners to the link there, up to one factor per layer, beside that of equally many "
        "other matched units; p compares the two.",
        compact=True,
        lies_in=THE_RESULT,
    )


def _row(record: ReplicationRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(record.finding, f"{record.layer} and {record.other_layer}"),
        text(_link(record)),
        text(signed(record.carried, 4)),
        text(signed(record.elsewhere, 4)),
        text(p_value(record.p)),
        text(_pairs(record), names.sentence(record.reason) or CARRIES[record.carries]),
    )


def _link(record: ReplicationRecord) -> str:
    told = [
        f"{arm_name(e.arm)}: {e.answer}, {number(e.effect)} ({interval(e.low, e.high)}); here "
        f"{number(e.here)}"
        for e in record.effects
    ]
    plain = f"{number(record.effect)} ({interval(record.low, record.high)})"
    return sentence("; ".join(told)) if told else plain


def _pairs(record: ReplicationRecord) -> str:
    known = [u for u in record.units if u not in record.without_partner]
    pairs = [f"{a} with {b}" for a, b in zip(known, record.partners, strict=False)]
    more = f" and {len(pairs) - UNITS_NAMED} more" if len(pairs) > UNITS_NAMED else ""
    told = ", ".join(pairs[:UNITS_NAMED]) + more if pairs else "no unit has a partner"
    missing = len(record.without_partner)
    return f"{told}; {plural(missing, 'unit')} without" if pairs and missing else told
