"""The page of treatments: what lowers the measured effects, at what cost, and what it leaves."""

from dataclasses import dataclass

from audit.results import MitigationRecord, NotTested, TreatmentRecord
from reports.as_html import INK
from reports.blocks import NOTHING, Fact, Table
from reports.care import visible
from reports.fonts import small_faces
from reports.mitigation_chart import TradeChart, trade_chart
from reports.mitigation_tables import (
    FindingPart,
    benign_table,
    finding_part,
    overview_row,
    overview_table,
)
from reports.mitigation_words import LESS, TREATMENTS, answers, headline
from reports.templates import environment, own_style


@dataclass(frozen=True, slots=True, kw_only=True)
class MitigationView:
    """Everything that the page says."""

    tool: str
    digest: str
    title: str
    headline: str
    answers: tuple[str, ...]
    imprint: tuple[Fact, ...]
    less: tuple[str, ...]
    chart: TradeChart | None
    no_chart: str
    overview: Table
    findings: tuple[FindingPart, ...]
    benign: Table
    treatments: tuple[TreatmentRecord, ...]
    treatment_names: dict[str, str]
    not_tested: tuple[NotTested, ...]


def render_mitigation(record: MitigationRecord, digest: str) -> bytes:
    """Render the record as one HTML file that loads nothing and runs nothing.

    Parameters
    ----------
    record : MitigationRecord
        Equal records give equal bytes.
    digest : str
        Of the record, printed on the page.

    Returns
    -------
    bytes
        UTF-8 HTML.
    """
    page = environment().get_template("mitigation.html.j2")
    return page.render(
        view=mitigation_view(record, digest),
        paged=False,
        ink=INK,
        faces=own_style(small_faces()),
    ).encode()


def mitigation_view(record: MitigationRecord, digest: str) -> MitigationView:
    """Word, order and round a record; text from it is escaped by the template."""
    chart = trade_chart(record)
    return MitigationView(
        tool=f"{record.tool.name} {record.tool.version}",
        digest=digest,
        title=f"Treatments tried on {record.audit.model}",
        headline=headline(record),
        answers=answers(record),
        imprint=_imprint(record, digest),
        less=LESS,
        chart=chart,
        no_chart="" if chart else "There is no chart: benign accuracy could not be measured.",
        overview=overview_table(record),
        findings=tuple(finding_part(record, f.id) for f in record.findings),
        benign=benign_table(record),
        treatments=record.treatments,
        treatment_names=TREATMENTS,
        not_tested=record.not_tested,
    )


def _imprint(record: MitigationRecord, digest: str) -> tuple[Fact, ...]:
    return (
        Fact(label="Model", value=record.audit.model),
        Fact(label="Findings treated together", value=str(len(record.findings))),
        Fact(label="Audit", value=f"{record.audit.result_digest[:23]}…", code=True),
        Fact(label="This record", value=f"{digest[:23]}…", code=True),
    )


COLUMNS = "  {:<34} {:>10}  {:>8}   {}"


def summary_lines(record: MitigationRecord) -> tuple[str, ...]:
    """Return what a terminal is told, without what would move its cursor."""
    head = COLUMNS.format("", "effect, SD", "benign", "other links that certainly rose")
    rows = [
        [entry.text for entry in overview_row(record, point)]
        for point in (record.baseline, *record.points)
    ]
    states = [
        COLUMNS.format(name, effect, benign, "; ".join(w for w in (rose, note) if w != NOTHING))
        for name, effect, benign, _, rose, note in rows
    ]
    untried = [
        f"{TREATMENTS[t.name]} was not tried: {t.why_not}."
        for t in record.treatments
        if not t.tried
    ]
    lines = (f"{headline(record)}.", *answers(record), head, *states, *untried, LESS[0])
    return tuple(visible(line).rstrip() for line in lines)
