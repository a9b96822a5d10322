"""Tables of outcomes as a page, a public summary, text, CSV and JSON; counts, never a person."""

import csv
import io
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day

from reports.blocks import Cell, Column, Fact, Table, table, text
from reports.crosswalk.written import safe_cell
from reports.errors import ReportError
from reports.fonts import SANS, small_faces
from reports.messages import N_, _, spoken
from reports.quantities import count, day, interval, number, percent, percent_interval
from reports.templates import environment, own_style
from reports.written import json_bytes

BLUNT = N_(
    "These are rates of decisions that somebody supplied. How a model's units or embeddings "
    "associate groups with concepts is something else: it is not a bias audit under New York "
    "City's Local Law 144, and these tables alone are none either. The rule asks for an "
    "independent auditor, who must have no part in using, developing or distributing the tool."
)
NOT_ASKED = N_("Intervals (95 %) are not asked by the rule.")
FEW = 5
"""Counts below this may point to a person."""

KINDS = ("historical", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One field that people fill in."""

    label: str
    asks: str
    needed: bool = True


ASKED = {
    "tool": Asked(label=N_("Tool"), asks=N_("The tool whose decisions these are.")),
    "distribution_date": Asked(
        label=N_("Distribution date"), asks=N_("When the tool was first used; 2026-11-23.")
    ),
    "audit_date": Asked(label=N_("Date of the audit"), asks=N_("2026-11-23.")),
    "auditor": Asked(
        label=N_("Independent auditor"), asks=N_("Who, and how independent they are.")
    ),
    "data_source": Asked(
        label=N_("Source of the data"), asks=N_("Where the decisions come from, and what they are.")
    ),
    "data_kind": Asked(label=N_("Kind of data"), asks=N_("historical or test.")),
    "test_data_reason": Asked(
        label=N_("Why test data"),
        asks=N_("Why historical data could not be used, and how the test data were made."),
        needed=False,
    ),
    "small_categories_reason": Asked(
        label=N_("Why small categories are left out of ratios"),
        asks=N_("Needed where categories under 2 % are left out."),
        needed=False,
    ),
}
"""Field of the description to what stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One category; a number that could not be had is None, and ``reason`` says why."""

    category: str
    n: int
    selected: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    share: float
    left_out: bool
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTable:
    """The categories of one column, or of the crossing of several."""

    columns: tuple[str, ...]
    rows: tuple[OutcomeRow, ...]
    unknown: int
    """People of unknown category: counted, and in no rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDocument:
    """All tables of one file of decisions, with what people say of it."""

    about: Mapping[str, str]
    """Fields of `ASKED` that are filled."""

    from_scores: bool
    """Whether “selected” means a score above the median of everybody."""

    median: float | None
    n_people: int
    tables: tuple[OutcomeTable, ...]
    file_name: str
    file_digest: str
    tool: str
    final: bool = False

    def missing(self) -> tuple[str, ...]:
        """Return the fields that a final edition needs and nobody filled."""
        needed = {key for key, asked in ASKED.items() if asked.needed}
        if self.about.get("data_kind") == "test":
            needed.add("test_data_reason")
        if any(row.left_out and row.n for table in self.tables for row in table.rows):
            needed.add("small_categories_reason")
        return tuple(key for key in ASKED if key in needed and not self.about.get(key))


def read_about(content: bytes, where: str) -> dict[str, str]:
    """Read the description of the data that people wrote.

    Parameters
    ----------
    content : bytes
        TOML in UTF-8, fields of `ASKED`.
    where : str
        The file's name, for errors.

    Raises
    ------
    ReportError
        Naming the field that is unknown, is no text, or is no date or kind.
    """
    try:
        given = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReportError(f"A description must be TOML in UTF-8; {where}: {error}.") from None
    return {key: _statement(key, value, where) for key, value in given.items() if value != ""}


def _statement(key: str, value: object, where: str) -> str:
    if key not in ASKED:
        raise ReportError(f"{where}, key {key}: must be one of {', '.join(ASKED)}.")
    if key.endswith("_date"):
        return _date(key, value, where)
    if not isinstance(value, str):
        raise ReportError(f"{where}, key {key}: must be text; got {value!r}. Put it in quotes.")
    if key == "data_kind" and value not in KINDS:
        raise ReportError(f"{where}, key {key}: must be {' or '.join(KINDS)}; got {value!r}.")
    return value.strip()


def _date(key: str, value: object, where: str) -> str:
    try:
        return (value if type(value) is date else date.fromisoformat(str(value))).isoformat()
    except ValueError:
        raise ReportError(
            f"{where}, key {key}: must be a date as 2026-11-23; got {value!r}."
        ) from None


def about_template() -> str:
    """Return a description to fill in."""
    lines = [f'# {asked.asks}\n{key} = ""' for key, asked in ASKED.items()]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeView:
    """What a page shows, in words."""

    title: str
    draft: str
    """Says that it is no final edition, and what is missing; else empty."""

    blunt: str
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    heads: tuple[str, ...]
    """Of each table."""

    tables: tuple[Table, ...]
    tool: str


def outcome_view(document: OutcomeDocument, *, public: bool = False) -> OutcomeView:
    """Word and round everything.

    Parameters
    ----------
    document : OutcomeDocument
    public : bool
        The summary that a rule asks to publish: no intervals, no counts of files.
    """
    return OutcomeView(
        title=_("Selection rates and impact ratios")
        if not document.from_scores
        else _("Scoring rates and impact ratios"),
        draft=_draft(document),
        blunt=_(BLUNT),
        notes=tuple(_notes(document, public=public)),
        facts=tuple(_facts(document, public=public)),
        heads=tuple(map(_columns, document.tables)),
        tables=tuple(_table(one, document, public=public) for one in document.tables),
        tool=document.tool,
    )


def _draft(document: OutcomeDocument) -> str:
    if document.final:
        return ""
    missing = ", ".join(_(ASKED[key].label) for key in document.missing())
    if not missing:
        return _("DRAFT. Everything is filled in; ask for --final.")
    return _("DRAFT. Not provided: {missing}.", missing=missing)


def _notes(document: OutcomeDocument, *, public: bool) -> Iterator[str]:
    yield _("The impact ratio is a category's rate over the highest rate of its table.")
    if document.from_scores and document.median is not None:
        yield _(
            "The scoring rate is the share of a category above the median of the whole sample "
            "({median}), people of unknown category included in the median.",
            median=number(document.median, 3),
        )
    if any(row.left_out and row.n for one in document.tables for row in one.rows):
        yield _(
            "Categories under 2 % of the data are left out of the ratios; their counts and rates "
            "are shown."
        )
    if not public:
        yield _(NOT_ASKED)
        yield _("The interval of a ratio takes the highest category as if it had been named first.")
    if any(0 < row.n < FEW for one in document.tables for row in one.rows):
        yield _(
            "Some categories have fewer than {few} people, who may be recognised: look before "
            "you publish.",
            few=FEW,
        )
    yield _("A ratio below 0.8 is often taken as a sign to look closer; the rule sets no limit.")


def _facts(document: OutcomeDocument, *, public: bool) -> Iterator[Fact]:
    for key, asked in ASKED.items():
        said = document.about.get(key, "")
        if said and key.endswith("_date"):
            said = day(datetime.combine(date.fromisoformat(said), time_of_day(), UTC))
        if said or asked.needed:
            yield Fact(label=_(asked.label), value=said or _("NOT PROVIDED"))
    yield Fact(label=_("People"), value=count(document.n_people))
    if not public:
        yield Fact(label=_("File"), value=document.file_name)
        yield Fact(label=_("Digest of the file"), value=document.file_digest, code=True)


def _table(one: OutcomeTable, document: OutcomeDocument, *, public: bool) -> Table:
    heads = (
        Column(head=_("Category"), width="name"),
        Column(head=_("People"), align="number"),
        Column(head=_("Above the median") if document.from_scores else _("Selected"),
               align="number"),
        Column(head=_("Scoring rate") if document.from_scores else _("Selection rate"),
               align="number", width="value"),
        Column(head=_("Impact ratio"), align="number", width="value"),
    )  # fmt: skip
    return table(
        f"outcomes-{'-'.join(one.columns)}",
        _("Counts, rates and impact ratios by {columns}", columns=_columns(one)),
        heads,
        (_cells(row, public=public) for row in one.rows),
        note=_("People of unknown category, in no rate: {n}.", n=count(one.unknown)),
    )


def _columns(one: OutcomeTable) -> str:
    return " × ".join(one.columns)


def _cells(row: OutcomeRow, *, public: bool) -> tuple[Cell, ...]:
    rate = _("undefined") if row.rate is None else percent(row.rate)
    ratio = row.reason if row.ratio is None else number(row.ratio, 3)
    rates, ratios = "", ""
    if row.rate_low is not None and row.rate_high is not None:
        rates = percent_interval(row.rate_low, row.rate_high)
    if row.ratio_low is not None:
        ratios = (
            _("{low} or more", low=number(row.ratio_low, 3))
            if row.ratio_high is None
            else interval(row.ratio_low, row.ratio_high, 3)
        )
    return (
        text(row.category),
        text(count(row.n)),
        text(count(row.selected)),
        text(rate, "" if public else rates),
        text(ratio, "" if public else ratios),
    )


def as_html(document: OutcomeDocument, *, public: bool = False) -> str:
    """Render the page, or the public summary, as one HTML file that loads and runs nothing."""
    ink = {"font": f"'{SANS}', sans-serif", "text": "var(--text)", "muted": "var(--muted)"}
    return (
        environment()
        .get_template("outcomes.html.j2")
        .render(
            view=outcome_view(document, public=public),
            language=spoken().language,
            paged=False,
            ink=ink,
            faces=own_style(small_faces()),
        )
    )


def as_text(document: OutcomeDocument, *, public: bool = False) -> str:
    """Write the tables as plain lines."""
    view = outcome_view(document, public=public)
    lines = [view.title, *([view.draft] if view.draft else []), view.blunt, ""]
    lines += [f"{fact.label}: {fact.value}" for fact in view.facts]
    for one in view.tables:
        lines += ["", one.caption, *_aligned(one), one.note]
    return "".join(f"{line}\n" for line in [*lines, "", *view.notes])


def _aligned(one: Table) -> list[str]:
    rows = [[column.head for column in one.columns]]
    rows += [
        [cell.text + (f" [{cell.note}]" if cell.note else "") for cell in row] for row in one.rows
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(one.columns))]
    aligned = ("  ".join(w.ljust(n) for w, n in zip(row, widths, strict=True)) for row in rows)
    return [f"  {line.rstrip()}" for line in aligned]


def as_csv(document: OutcomeDocument, *, public: bool = False) -> str:
    """Write one row for each category; an undefined number is empty and has its reason."""
    stream = io.StringIO()
    fields = ["table", *OutcomeRow.__dataclass_fields__]
    writer = csv.DictWriter(stream, fieldnames=fields, lineterminator="\n")
    writer.writeheader()
    for one in document.tables:
        name = " x ".join(one.columns)
        for row in (_public(r) if public else r for r in one.rows):
            cells = {k: "" if v is None else v for k, v in asdict(row).items()}
            cells |= {"table": safe_cell(name), "category": safe_cell(row.category)}
            writer.writerow(cells)
        unknown = {"table": safe_cell(name), "category": "(unknown)", "n": one.unknown}
        writer.writerow(unknown | {"reason": "category not known: in no rate"})
    return stream.getvalue()


def as_json(document: OutcomeDocument, *, public: bool = False) -> str:
    """Write everything for programs."""
    shown = document
    if public:
        tables = (replace(t, rows=tuple(map(_public, t.rows))) for t in document.tables)
        shown = replace(document, tables=tuple(tables))
    return json_bytes(
        {
            "format": "clip-audit outcomes 1",
            "says": BLUNT,
            "intervals": NOT_ASKED,
            "missing": list(document.missing()),
            **asdict(shown),
        }
    ).decode()


def _public(row: OutcomeRow) -> OutcomeRow:
    return replace(row, rate_low=None, rate_high=None, ratio_low=None, ratio_high=None)


WRITTEN: Mapping[str, Callable[..., str]] = {
    "text": as_text,
    "html": as_html,
    "csv": as_csv,
    "json": as_json,
}
"""Format to what writes it: ``write(document, public=...)``."""
