"""The crosswalk outside a report: as lines for a terminal, Markdown, CSV and JSON."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping

from reports.crosswalk.view import CrosswalkView, FrameworkView, count_words, section_words
from reports.messages import _
from reports.quantities import full_sentence
from reports.written import bullets, grid, json_bytes, plain

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_text(view: CrosswalkView) -> str:
    """Write every clause with its state as plain lines."""
    lines = [full_sentence(view.lead), *([view.warning] if view.warning else [])]
    for framework in view.frameworks:
        lines += ["", *_framework_lines(framework)]
    return "".join(f"{line}\n" for line in lines)


def overview_text(view: CrosswalkView) -> str:
    """Write one line for each framework: its states, and how it stands in law."""
    lines = [full_sentence(view.lead), *([view.warning] if view.warning else []), ""]
    for framework in view.frameworks:
        lines += [f"{framework.id:<20} {framework.short}: {count_words(framework)}"]
    return "".join(f"{line}\n" for line in lines)


def _framework_lines(framework: FrameworkView) -> Iterator[str]:
    yield framework.caption
    yield from (f"  {fact.label}: {fact.value}" for fact in framework.about)
    for sentence in (framework.caution, framework.untranslated):
        if sentence:
            yield f"  {_('Note')}: {sentence}"
    for clause in framework.clauses:
        doubt = "" if clause.verified else f" ({_('not verified')})"
        yield f"  {clause.state_words.upper():<18} {clause.id}{doubt}"
        yield f"      {_('Asks')}: {clause.asks}"
        yield f"      {_('Evidence')}: {clause.evidence} {clause.reason}"
        yield f"      {_('Parts of the report')}: {section_words(clause.sections)}"
        if clause.human:
            yield f"      {_('People must supply')}: {clause.human}"


def as_markdown(view: CrosswalkView) -> str:
    """Write a table for each framework."""
    lines = [plain(view.lead), "", *([f"> {plain(view.warning)}", ""] if view.warning else [])]
    legend = [f"**{plain(words)}**: {plain(meaning)}" for _state, words, meaning in view.legend]
    lines += bullets(legend)
    for framework in view.frameworks:
        notes = [n for n in (framework.caution, framework.untranslated) if n]
        facts = [f"{plain(fact.label)}: {plain(fact.value)}" for fact in framework.about]
        lines += ["", f"### {plain(framework.caption)}", ""]
        lines += [*(f"> {plain(note)}\n" for note in notes), *bullets(facts), ""]
        lines += grid(
            (_("Clause"), _("Asks"), _("State"), _("Evidence"), _("Part"), _("People")),
            (
                (c.id, c.asks, c.state_words, f"{c.evidence} {c.reason}",
                 ", ".join(c.sections), c.human)
                for c in framework.clauses
            ),
        )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def as_csv(view: CrosswalkView) -> str:
    """Write one row for each clause; no cell is read as a formula."""
    stream = io.StringIO()
    rows = list(clause_rows(view))
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: safe_cell(str(value)) for key, value in row.items()})
    return stream.getvalue()


def safe_cell(value: str) -> str:
    """Keep spreadsheet programs from reading a text as a formula.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("plain")
    ("'=1+1", 'plain')
    """
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def as_json(view: CrosswalkView) -> str:
    """Write every clause with its state for programs."""
    document = {
        "format": "clip-audit crosswalk 1",
        "says": view.lead,
        "warning": view.warning,
        "states": {state.value: meaning for state, _words, meaning in view.legend},
        "frameworks": [
            {
                "id": framework.id,
                "title": framework.title,
                "about": {fact.label: fact.value for fact in framework.about},
                "caution": framework.caution,
                "clauses": [row for row in clause_rows(view) if row["framework"] == framework.id],
            }
            for framework in view.frameworks
        ],
    }
    return json_bytes(document).decode()


def clause_rows(view: CrosswalkView) -> Iterator[dict[str, object]]:
    """Give one flat row for each clause."""
    for framework in view.frameworks:
        for clause in framework.clauses:
            yield {
                "framework": framework.id,
                "as_of": framework.as_of,
                "clause": clause.id,
                "verified": clause.verified,
                "state": clause.state.value,
                "asks": clause.asks,
                "evidence": clause.evidence,
                "reason": clause.reason,
                "sections": " ".join(clause.sections),
                "people": clause.human,
            }


WRITTEN: Mapping[str, Callable[[CrosswalkView], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "json": as_json,
}
"""Format to what writes it."""
