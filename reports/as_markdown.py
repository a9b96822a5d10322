"""Markdown summary for pull requests and job pages: the worst first, never too long."""

from collections.abc import Iterable, Iterator, Mapping

from audit.results import AuditResult, FindingRecord, Verdict
from reports.cases import EXIT_CODES, cases, exit_code, waiver_of
from reports.controls import control_sentences
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.quantities import cut, day, interval, number, plural
from reports.sections.findings import arms_of, lead_contrast, worst_first
from reports.sections.summary import KINDS, model_name
from reports.wording import (
    SEVERITIES,
    content_note,
    exploratory_sentence,
    gate_headline,
    headline,
    limits,
    verdict_sentence,
)
from reports.written import bullets, grid, plain

LONGEST = 30_000
"""Characters; a comment on a pull request may have twice as many."""

ROWS = 20
"""Findings in the table."""

LINES = 8
"""Lines of every list."""

LETTERS = 240
"""Letters of one line of a list or cell."""

CUT = "\n\n_Cut here: result.json and the report have everything._\n"


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as a short Markdown page.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 Markdown of at most `LONGEST` characters, no markup or link from the document in it.
    """
    names = Names(inputs=result.inputs)
    blocks = [
        *_head(result, names),
        *_findings(result, names),
        *_open(result, names),
        *_waived(result, names),
        *_listed(
            "Not tested",
            [
                f"{names.sentence(entry.what)} {names.sentence(entry.why)}"
                for entry in result.not_tested
            ],
        ),
        *_listed("What this does not say", limits(result)),
        plain(f"Result {result.digest}. {result.tool.name} {result.tool.version}."),
    ]
    return shortened("\n\n".join(blocks) + "\n").encode()


def shortened(page: str) -> str:
    """Cut a page at a line end before it outgrows its room, and say so."""
    if len(page) <= LONGEST:
        return page
    kept = page[: LONGEST - len(CUT)]
    return (kept.rpartition("\n")[0] or kept.rstrip("\\")) + CUT


def _head(result: AuditResult, names: Names) -> Iterator[str]:
    model = f"{model_name(result.model)}, {KINDS[result.model.kind]}"
    code = exit_code(result)
    yield f"## {plain(cut(headline(result), LETTERS))}"
    yield f"**{plain(cut(model, LETTERS))}** · {day(result.run.finished)}"
    yield plain(verdict_sentence(result))
    yield plain(cut(control_sentences(result, names), 4 * LETTERS))
    if exploratory_sentence(result):
        yield plain(exploratory_sentence(result))
    gate = f"{gate_headline(result.gate)}. {names.sentence(result.gate.rule)}"
    yield f"{plain(cut(gate, 4 * LETTERS))} Exit code {code}: {plain(EXIT_CODES[code])}"
    yield f"_{plain(cut(content_note(result, names), 4 * LETTERS))}_"


def _findings(result: AuditResult, names: Names) -> Iterator[str]:
    ordered = worst_first(result)
    if not ordered:
        return
    yield "### Findings, worst first"
    heads = ("Finding", "Severity", "Group", "Harm", "Effect, control SD (limits)", "How sure")
    yield "\n".join(grid(heads, (_row(f, result, names) for f in ordered[:ROWS])))
    if len(ordered) > ROWS:
        yield f"{plural(len(ordered) - ROWS, 'further finding')}: see the report."
    yield f"Next: clip-audit explain {plain(ordered[0].id)} AUDIT, in the audit’s folder."


def _row(finding: FindingRecord, result: AuditResult, names: Names) -> tuple[str, ...]:
    lead = lead_contrast(arms_of(finding, result), finding)
    effect = f"{number(lead.effect_sd)} ({interval(lead.low_sd, lead.high_sd)})" if lead else ""
    sure = finding.grade.value if finding.blocking else f"{finding.grade.value}, exploratory"
    waived = ", waived" if waiver_of(finding, result) else ""
    cells = (
        finding.id,
        SEVERITIES[finding.severity],
        names.concept(finding.identity),
        names.concept(finding.harm),
        effect,
        f"{sure}{waived}",
    )
    return tuple(cut(cell, LETTERS) for cell in cells)


def _open(result: AuditResult, names: Names) -> Iterator[str]:
    still_open = [case for case in cases(result) if case.verdict is Verdict.INSUFFICIENT]
    yield from _listed(
        "Neither found nor excluded",
        [f"{names.concept(c.identity)} and {names.concept(c.harm)}" for c in still_open],
    )


def _waived(result: AuditResult, names: Names) -> Iterator[str]:
    covered = ((finding, waiver_of(finding, result)) for finding in worst_first(result))
    yield from _listed(
        "Waived",
        [
            f"{finding.id} to {waiver.expires}, {waiver.owner} and {waiver.approved_by}: "
            f"{names.hidden_within(waiver.reason)}"
            for finding, waiver in covered
            if waiver is not None
        ],
    )


def _listed(head: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if not lines:
        return
    shown = [plain(cut(line, LETTERS)) for line in lines[:LINES]]
    more = [f"{len(lines) - LINES} more: see the report"] if len(lines) > LINES else []
    yield f"### {head}"
    yield "\n".join(bullets([*shown, *more]))
