"""Check the scores themselves, and redraw the tables of a page.

    python -m benchmarks.sanity --page docs/sanity.md

Takes one to three minutes of one core.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.planted.activations.responses import draw_layer
from benchmarks.planted.activations.spec import ActivationSpec
from benchmarks.planted.methods.known import DECIDING, method
from benchmarks.planted.methods.pages import replace_block
from benchmarks.planted.methods.scores import Scores, apply
from benchmarks.planted.methods.world import World
from benchmarks.planted.worlds.looking import draw_photos, look_at
from benchmarks.sanity.checks import (
    Fall,
    extra,
    fall,
    known_units,
    missing,
    relabelled,
    scores,
    shuffled_weights,
)
from probes.intervals import wilson

SEED = 9100
LAYERS = 3
SPEC = ActivationSpec(seed=SEED, controls=88, units=280, specific=100, strength=3.0)
"""100 concepts, so that each is shown by 1 % of the clusters."""

DEMO = Path(str(files("probes") / "embedded" / "demo"))
WEIGHTS = "open_clip_model.safetensors"


def label_table(specs: Sequence[ActivationSpec]) -> str:
    """Return a row per score: what missing and extra labels do to it."""
    rng = np.random.default_rng(SEED)
    drawn = [known_units(draw_layer(spec)) for spec in specs]
    values = np.concatenate([value for value, _ in drawn], axis=1)
    labels = np.concatenate([label for _, label in drawn], axis=1)
    true = scores(values, labels)
    spoilt = [scores(values, spoil(labels, rng)) for spoil in (missing, extra)]
    rows = [
        f"| {name} | {' | '.join(_cell(fall(true[name], other[name])) for other in spoilt)} |"
        for name in true
    ]
    head = "| score | half of the labels missing | as many false labels added |\n|---|---|---|"
    share = 100 * float(labels.mean())
    told = f"{labels.shape[1]} units, each concept shown by {share:.1f} % of {len(labels)} clusters"
    return "\n".join([f"Labels ({told}):\n", head, *rows])


def _cell(found: Fall) -> str:
    verdict = "passes" if found.passed else "**fails**"
    change = f"mean fall {100 * found.mean:.0f} %" if found.mean >= 0 else "rises on average"
    return f"{verdict}: {100 * found.fell:.0f} % of units fall, {change}"


def weight_table(demo: World, others: Sequence[World]) -> str:
    """Return a row per model: the demo, and copies whose weights were shuffled."""
    rows = [f"| demo, as trained | {_found(_look(demo))} |"]
    rows += [f"| shuffled, draw {i} | {_found(_look(w))} |" for i, w in enumerate(others, start=1)]
    head = "| model | links found | largest effect, control SD |\n|---|---|---|"
    return "\n".join([f"Weights ({len(demo.pairs)} contrasts each):\n", head, *rows])


def _look(world: World) -> Scores:
    return apply(method(DECIDING), world, SEED)


def _found(seen: Scores) -> str:
    return f"{int(seen.flagged.sum())} | {float(np.nanmax(seen.values)):.2f}"


def relabelled_with_findings(world: World, times: int) -> int:
    """Count the relabelled worlds in which anything was found."""
    rng = np.random.default_rng([SEED, 1])
    return sum(bool(_look(relabelled(world, rng)).flagged.any()) for _ in range(times))


def relabel_line(world: World, times: int) -> str:
    """Say in how many relabelled worlds anything was found."""
    hits = relabelled_with_findings(world, times)
    low, high = (100 * float(end) for end in wilson(hits, times))
    return (
        f"Claims: something was found in {hits} of {times} relabelled worlds "
        f"({100 * hits / times:.1f} %, Wilson interval {low:.1f} to {high:.1f} %; nominal 5 %)."
    )


def shuffled_model(folder: Path, seed: int) -> Path:
    """Write a copy of the demo whose weights are shuffled within every tensor."""
    folder.mkdir(parents=True)
    shutil.copy(DEMO / "open_clip_config.json", folder)
    rng = np.random.default_rng([SEED, 2, seed])
    save_file(shuffled_weights(load_file(DEMO / WEIGHTS), rng), folder / WEIGHTS)
    return folder


def block(models: int, relabels: int) -> str:
    """Run all checks and return the block of Markdown."""
    specs = [replace(SPEC, seed=SEED + i) for i in range(LAYERS)]
    with TemporaryDirectory() as work:
        photos = draw_photos(Path(work) / "photos", SEED)
        demo = look_at(DEMO, photos, name="demo")
        others = [
            look_at(shuffled_model(Path(work) / f"model{i}", i), photos, name=f"shuffled{i}")
            for i in range(models)
        ]
    parts = [label_table(specs), weight_table(demo, others), relabel_line(demo, relabels)]
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and redraw the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--page", type=Path, help="page whose block is redrawn")
    parser.add_argument("--models", type=int, default=5, help="copies with shuffled weights")
    parser.add_argument("--relabels", type=int, default=100, help="relabelled worlds")
    given = parser.parse_args(arguments)
    made = block(given.models, given.relabels)
    print(made)
    if given.page is not None:
        replace_block(given.page, "sanity", made)


if __name__ == "__main__":
    main()
