"""``clip-audit crosswalk``: which clause of which rule an audit holds evidence for."""

from pathlib import Path

import click

from audit.cli.printing import say
from audit.errors import PlanError
from audit.folder import result_path, write_file
from audit.results import read_result
from audit.store.contents import is_signed
from concept_sets.entry import near
from reports.crosswalk.evidence import ATTACHED
from reports.crosswalk.frameworks import Clause, Framework
from reports.crosswalk.reading import framework_ids, parse_framework, read_framework
from reports.crosswalk.view import KINDS, about, crosswalk_view, known_frameworks, section_words
from reports.crosswalk.view import in_spoken_language as spoken
from reports.crosswalk.written import WRITTEN, overview_text
from reports.errors import ReportError
from reports.governance import FILE, NOTHING_SAID, Governance, read_governance
from reports.messages import ENGLISH, _, speaking


@click.command()
@click.argument("name", metavar="[FRAMEWORK]", required=False)
@click.option("--audit", type=click.Path(path_type=Path),
              help="Audit whose evidence decides the states.")  # fmt: skip
@click.option("--file", "own", type=click.Path(path_type=Path, dir_okay=False),
              help="A framework of your own (YAML) instead of a built-in one.")  # fmt: skip
@click.option("--governance", type=click.Path(path_type=Path, dir_okay=False),
              help=f"What only people can say (TOML).  [default: {FILE} beside the result]",
              )  # fmt: skip
@click.option("--with", "attached", multiple=True, type=click.Choice(ATTACHED),
              help="What lies beside the audit; may be repeated.")  # fmt: skip
@click.option("--language", default=ENGLISH, show_default=True)
@click.option("--format", "form", type=click.Choice(list(WRITTEN)), default="text",
              show_default=True)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="File instead of standard output.")  # fmt: skip
def crosswalk(
    name: str | None,
    audit: Path | None,
    own: Path | None,
    governance: Path | None,
    attached: tuple[str, ...],
    language: str,
    form: str,
    output: Path | None,
) -> None:
    """Show laws, standards and guidance, and which clauses an audit holds evidence for.

    Without --audit: what FRAMEWORK asks, or the list of all. With it: evidence supplied, partial,
    needs a human, or not applicable, from what the audit really holds. Nothing here says that
    anything conforms.
    """
    try:
        with speaking(language):
            chosen = _chosen(name, own)
            if audit is not None:
                _told(audit, chosen, name or own, governance, attached, form, output)
            elif form != "text" or output is not None or attached or governance is not None:
                raise PlanError(
                    "--format, --output, --with and --governance are about an audit; give it with "
                    "--audit AUDIT."
                )
            elif name or own:
                _describe(chosen[0])
            else:
                _list(chosen)
    except ReportError as error:
        raise PlanError(str(error)) from None


def _chosen(name: str | None, own: Path | None) -> tuple[Framework, ...]:
    if own is not None:
        if name is not None:
            raise PlanError(f"Give a framework or --file, not both; got {name!r} and {own}.")
        return (parse_framework(_content(own).decode("utf-8", "replace"), name=own.name),)
    if name is None:
        return known_frameworks()
    if name not in framework_ids():
        raise PlanError(
            f"A framework must be one of {', '.join(framework_ids())}; got {name!r}."
            f"{near(name, framework_ids())}"
        )
    return (read_framework(name),)


def _told(
    audit: Path,
    chosen: tuple[Framework, ...],
    one: object,
    governance: Path | None,
    attached: tuple[str, ...],
    form: str,
    output: Path | None,
) -> None:
    path = result_path(audit)
    result = read_result(path)
    if audit.is_dir() and is_signed(audit):
        attached = (*attached, "signature")
    view = crosswalk_view(
        result, _governance(governance, path.parent), attached=attached, frameworks=chosen
    )
    text = overview_text(view) if form == "text" and not one else WRITTEN[form](view)
    if output is not None:
        write_file(output, text.encode())
        say(str(output))
        return
    for line in text.splitlines():
        say(line) if form == "text" else click.echo(line)


def _governance(given: Path | None, home: Path) -> Governance:
    path = given or home / FILE
    if given is None and not path.is_file():
        return NOTHING_SAID
    return read_governance(_content(path), path.name)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PlanError(
            f"A file must be readable; {path} gave: {error.strerror}. Check its name."
        ) from None


def _list(frameworks: tuple[Framework, ...]) -> None:
    for source in frameworks:
        framework, _untranslated = spoken(source)
        say(f"{framework.id:<20} {framework.short}")
        say(f"    {_(KINDS[framework.kind])}, {framework.jurisdiction}. {framework.status}")
    say("Next: clip-audit crosswalk FRAMEWORK, or clip-audit crosswalk --audit AUDIT")


def _describe(source: Framework) -> None:
    framework, untranslated = spoken(source)
    say(framework.short, bold=True)
    for fact in about(framework):
        say(f"{fact.label}: {fact.value}")
    for note in (framework.caution, untranslated):
        if note:
            say(f"{_('Note')}: {note}")
    for clause in framework.clauses:
        _describe_clause(clause)


def _describe_clause(clause: Clause) -> None:
    say(f"{clause.id}{'' if clause.verified else ' (' + _('not verified') + ')'}", bold=True)
    say(f"  {_('Asks')}: {clause.asks}")
    say(f"  {_('Evidence')}: {clause.evidence}")
    say(f"  {_('Parts of the report')}: {section_words(clause.sections)}")
    if clause.human:
        say(f"  {_('People must supply')}: {clause.human}")
