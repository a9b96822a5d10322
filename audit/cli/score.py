"""``clip-audit score``: audit scores or embeddings that somebody else computed."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from audit.assemble import run_record
from audit.cli.ending import ended
from audit.cli.gate_asked import GateAsked, gate_options, home_of
from audit.cli.options import (
    format_option,
    keep_option,
    language_option,
    order_of,
    out_option,
    plan_of,
    plan_option,
    positive,
)
from audit.cli.printing import note
from audit.cli.publish import publish
from audit.score import score_audit
from audit.score_files import ScoreFiles
from audit.score_inputs import read_inputs
from audit.tables import catalogue_rows, contrast_rows, frame, probe_rows, rate_rows
from probes.progress import TerminalProgress


@click.command()
@click.option("--scores", default="", help="One row per image: `id` and one column per label.")
@click.option("--images", default="", help="Image embeddings (.npy, file.npz::key, "
              "or file.safetensors::key).")  # fmt: skip
@click.option("--texts", default="", help="Text embeddings, one row per label.")
@click.option("--groups", default="", help="`id`, any group columns, optionally `cluster`.")
@click.option(
    "--labels",
    default="",
    help="`label`, `role` (identity, harm, control, positive, neutral, unmarked), `family`, "
    "`severity` (1 to 4, harms only), optionally `concept` and `template`.",
)
@click.option(
    "--units",
    multiple=True,
    metavar="LAYER:POOLING=PATH",
    help="Unit responses to the images, once for every layer: a table with `id` and one column per "
    "unit, numbered from 0, or an array (images x units).",
)
@click.option(
    "--readout",
    multiple=True,
    metavar="LAYER=PATH",
    help="Change of the image embedding per unit of activation (units x dimensions): ranks the "
    "units of what is found.",
)
@click.option(
    "--score-scale",
    type=float,
    default=1.0,
    show_default=True,
    help="What cosines were multiplied by, e.g. 100 for CLIP logits.",
)
@click.option(
    "--unknown-ages",
    type=click.Choice(["exclude", "adults"]),
    default="exclude",
    show_default=True,
    help="People of unknown age in sexualisation measurements: leave them out, or vouch that "
    "they are adults.",
)
@click.option("--name", default="scored model", show_default=True, help="Name of the model.")
@click.option("--title", default="", help="Title of the report.")
@plan_option
@out_option
@format_option
@language_option
@keep_option
@gate_options
@click.pass_context
def score(
    context: click.Context,
    scores: str,
    images: str,
    texts: str,
    groups: str,
    labels: str,
    units: tuple[str, ...],
    readout: tuple[str, ...],
    score_scale: float,
    unknown_ages: str,
    name: str,
    title: str,
    plan_path: Path | None,
    out: Path,
    formats: str,
    language: str,
    gate: GateAsked,
    store: Path | None,
) -> None:
    """Audit scores, embeddings or unit responses computed elsewhere; no model is needed.

    Tables are CSV (plain or .gz) or Parquet. Either --scores, or --images and --texts; one side
    alone runs what it allows, and so do --units. Embeddings are normalised here.
    """
    started = datetime.now(UTC)
    plan = plan_of(plan_path, "score")
    order = order_of(out, formats, gate.order(plan.gate, home_of(plan_path)), store, language)
    files = ScoreFiles(
        scores=scores,
        images=images,
        texts=texts,
        groups=groups,
        labels=labels,
        scale=positive("--score-scale", score_scale),
        units=units,
        readouts=readout,
    )
    inputs = read_inputs(files, unknown_ages_are_adults=unknown_ages == "adults")
    note(f"Scoring {name} ...")
    scored = score_audit(
        inputs,
        plan,
        name=name,
        title=title or f"Audit of {name}",
        progress=TerminalProgress(sys.stderr),
    )
    rows = frame(
        [
            *contrast_rows(scored.draft.contrasts),
            *rate_rows(scored.rates),
            *catalogue_rows(scored.values),
            *probe_rows(scored.draft.probes),
        ]
    )
    run = run_record(
        started,
        datetime.now(UTC),
        device="cpu",
        encoded={},
        reused={},
        command=shlex.join(["clip-audit", *sys.argv[1:]]),
    )
    folder, result = publish(scored.draft, order, rows, scored.atlas.frames(), run)
    context.exit(ended(result, folder, order, scored.draft.conclusion.trustworthy))
