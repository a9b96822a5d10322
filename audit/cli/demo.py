"""``clip-audit demo``: audit the embedded model, offline."""

from importlib.resources import as_file, files
from pathlib import Path

import click

from audit.cli.gate_asked import GateAsked, gate_options
from audit.cli.options import format_option, keep_option, language_option, order_of, out_option
from audit.cli.printing import note
from audit.cli.run import audit_and_publish
from audit.folders import cache_folder
from audit.plan import builtin_plan
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos, with_concepts
from concept_sets.world.drawing import write_photos
from probes.backends.table import load_encoder


@click.command()
@click.option("--twin", is_flag=True, help="Audit the twin that was trained without planted links.")
@out_option
@format_option
@language_option
@keep_option
@gate_options
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
@click.pass_context
def demo(
    context: click.Context,
    twin: bool,
    out: Path,
    formats: str,
    language: str,
    gate: GateAsked,
    store: Path | None,
    cache: Path | None,
) -> None:
    """Audit a small model of a fictional world that travels with the tool.

    Some links between groups and harms were planted when it was trained; the audit does not know
    which. Everything is drawn and computed here; nothing is downloaded.
    """
    plan = builtin_plan("demo")
    order = order_of(out, formats, gate.order(plan.gate, Path()), store, language)
    name = "twin" if twin else "demo"
    title = f"Audit of the embedded {'twin' if twin else 'model'} (a fictional world)"
    model = plan.model.model_copy(update={"name": f"embedded:{name}"})
    plan = plan.model_copy(update={"model": model, "title": title})
    with as_file(files("concept_sets") / "world" / "library") as folder:
        library = load_library((folder,), builtin=False)
    home = cache or cache_folder()
    note("Drawing photos of the fictional world")
    manifest = write_photos(
        home / "world-photos",
        refs={c.id: c.ref for s in library.sets for c in s.concepts},
        seed=plan.seed,
    )
    photos = with_concepts(read_photos(manifest), library)
    encoder = load_encoder(f"embedded:{name}")
    context.exit(audit_and_publish(plan, library, encoder, photos, order, home))
