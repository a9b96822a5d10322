"""Whether a second model carries the same links with matching units."""

from dataclasses import dataclass

from audit.results import AuditResult, OtherModelRecord, ReplicationRecord
from reports.blocks import THE_RESULT, Cell, Column, Fact, Table, table, text
from reports.charts import with_range
from reports.messages import N_, _, ngettext, pgettext, stored
from reports.names import Names
from reports.quantities import interval, listed, number, p_value, percent, sentence, signed
from reports.wording import arm_name

UNITS_NAMED = 5

CARRIES = {
    True: N_("They add to the link there more than others do."),
    False: N_("They add no more to the link there than others do."),
}

LEAD = N_(
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
        lead=_(LEAD) if record else "",
        none="" if record else _none(result),
        facts=_facts(record) if record else (),
        findings=_findings(record, names) if record else None,
    )


def _none(result: AuditResult) -> str:
    if result.model.kind != "model":
        return _("No weights were seen, so units could not be matched with another model’s.")
    return _(
        "No second model was given, so nothing is known of whether these links are particular to "
        "this one. clip-audit run --other, or [replication] in a plan, names one."
    )


def _facts(record: OtherModelRecord) -> tuple[Fact, ...]:
    return (
        Fact(label=_("Model"), value=record.name),
        Fact(label=_("Weights"), value=record.weights_digest, code=True),
        Fact(
            label=_("Units with a partner"),
            value=_(
                "{share}: both choose each other, and by more than chance",
                share=percent(record.matched),
            ),
        ),
        *_matching(record),
        Fact(
            label=_("Correlation with partners"),
            value=_(
                "median {median}; by chance the best partner of 95 % of units stays below {chance}",
                median=number(record.correlation, 2),
                chance=number(record.by_chance, 2),
            ),
        ),
    )


def _matching(record: OtherModelRecord) -> tuple[Fact, ...]:
    if not record.clusters:
        return ()
    kinds = listed([arm_name(kind) for kind in record.kinds])
    told = ngettext(
        "{n} cluster of pictures: {kinds}, one vote for each kind",
        "{n} clusters of pictures: {kinds}, one vote for each kind",
        record.clusters,
        kinds=kinds,
    )
    return (Fact(label=_("Matched over"), value=told),)


def _findings(record: OtherModelRecord, names: Names) -> Table | None:
    if not record.findings:
        return None
    return table(
        "replication",
        _("Findings in {model}", model=record.name),
        [
            Column(head=_("Finding"), width="name"),
            Column(head=_("Link there, control SD"), width="wide"),
            Column(head=_("Carried by partners"), align="number"),
            Column(head=_("By others"), align="number"),
            Column(head="p", align="number"),
            Column(head=_("Units and partners"), width="wide"),
        ],
        (_row(finding, names) for finding in record.findings),
        note=_(
            "Link: its double difference in the second model, with limits of this link alone, in "
            "that model’s own control SD, and here; neutral 0. Carried: mean contribution of the "
            "partners to the link there, up to one factor per layer, beside that of equally many "
            "other matched units; p compares the two."
        ),
        compact=True,
        lies_in=THE_RESULT,
    )


def _row(record: ReplicationRecord, names: Names) -> tuple[Cell, ...]:
    return (
        text(
            record.finding,
            _("{layer} and {other}", layer=record.layer, other=record.other_layer),
        ),
        text(_link(record)),
        text(signed(record.carried, 4)),
        text(signed(record.elsewhere, 4)),
        text(p_value(record.p)),
        text(_pairs(record), names.sentence(record.reason) or _(CARRIES[record.carries])),
    )


def _link(record: ReplicationRecord) -> str:
    told = [
        _(
            "{arm}: {answer}, {effect}; here {here}",
            arm=arm_name(e.arm),
            answer=stored(e.answer),
            effect=with_range(number(e.effect), interval(e.low, e.high)),
            here=number(e.here),
        )
        for e in record.effects
    ]
    plain = with_range(number(record.effect), interval(record.low, record.high))
    return sentence(pgettext("between clauses", "; ").join(told)) if told else plain


def _pairs(record: ReplicationRecord) -> str:
    known = [u for u in record.units if u not in record.without_partner]
    pairs = [
        _("{unit} with {partner}", unit=a, partner=b)
        for a, b in zip(known, record.partners, strict=False)
    ]
    if not pairs:
        return _("no unit has a partner")
    told = ", ".join(pairs[:UNITS_NAMED])
    if len(pairs) > UNITS_NAMED:
        told = _("{units} and {more} more", units=told, more=len(pairs) - UNITS_NAMED)
    missing = len(record.without_partner)
    if not missing:
        return told
    return ngettext("{pairs}; {n} unit without", "{pairs}; {n} units without", missing, pairs=told)
