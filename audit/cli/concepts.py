"""``clip-audit concepts``: list, show and check concept sets."""

from pathlib import Path

import click

from audit.cli.printing import say
from concept_sets.catalog import Library, load_library
from concept_sets.check import ProblemSeverity, check_library
from concept_sets.concept import Role
from concept_sets.entry import near
from concept_sets.errors import ConceptSetError

PACKS = click.option(
    "--packs",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Folder or file with packs of your own; may be given more than once.",
)


@click.group()
def concepts() -> None:
    """List, show and check the concept sets."""


@concepts.command("list")
@PACKS
def list_sets(packs: tuple[Path, ...]) -> None:
    """List concept sets with version, size and severity."""
    library = load_library(packs)
    for role in Role:
        say(f"{role.value} sets", bold=True)
        for item in library.sets:
            if item.role is role:
                n_terms = sum(len(c.terms) for c in item.concepts)
                tiers = sorted({c.severity for c in item.concepts if c.severity})
                severity = f"  severity {'/'.join(map(str, tiers))}" if tiers else ""
                say(
                    f"  {item.id:<26} {item.version:<8} {len(item.concepts):>3} concepts "
                    f"{n_terms:>4} terms{severity}"
                )


@concepts.command()
@click.argument("name")
@PACKS
@click.option("--reveal", is_flag=True, help="Print terms of severity 3 and 4 in full.")
def show(name: str, packs: tuple[Path, ...], reveal: bool) -> None:
    """Show one set or one concept with its terms and sources."""
    library = load_library(packs)
    ids = {item.id for item in library.sets}
    known = [*ids, *(name for c in library.concepts for name in (c.ref, c.id))]
    if name not in known:
        raise ConceptSetError(
            f"A set or concept must be one that is there; got {name!r}.{near(name, known)} "
            "`clip-audit concepts list` shows all sets."
        )
    chosen = library.family(name).concepts if name in ids else (library.concept(name),)
    if name in ids:
        item = library.family(name)
        say(f"{item.name} ({item.id} {item.version}, {item.role.value})", bold=True)
        for text in filter(None, (item.about, item.caution, item.digest)):
            say(text)
        for key, citation in item.sources.items():
            say(f"  [{key}] {citation}")
    for concept in chosen:
        severity = f", severity {concept.severity}" if concept.severity else ""
        say(f"{concept.ref}: {concept.name}{severity}", bold=True)
        hide = (concept.severity or 0) >= 3 and not reveal
        say("  " + ", ".join(_masked(t.surface) if hide else t.surface
                                    for t in concept.terms))  # fmt: skip


def _masked(surface: str) -> str:
    return surface[:1] + "*" * (len(surface) - 1)


@concepts.command()
@PACKS
@click.option("--no-builtin", is_flag=True, help="Check only the packs given.")
@click.pass_context
def check(context: click.Context, packs: tuple[Path, ...], no_builtin: bool) -> None:
    """Check sets for duplicates, look-alikes, leakage, size and forbidden pairings.

    Exits with 2 if there is an error, else with 0.
    """
    library: Library = load_library(packs, builtin=not no_builtin)
    problems = check_library(library)
    for problem in problems:
        say(f"{problem.severity}: {problem.where}: {problem.sentence}")
    errors = sum(problem.severity is ProblemSeverity.ERROR for problem in problems)
    say(f"{len(library.sets)} sets, {errors} errors, {len(problems) - errors} warnings.")
    context.exit(2 if errors else 0)
