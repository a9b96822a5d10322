"""One network from its seed: made, measured, written into, and audited in each variant."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from audit.gather import Instruments, show_texts, tested_concepts
from audit.plan import AuditPlan
from audit.selection import select
from benchmarks.planted.networks.judging import HARMS, Row, judge, remember_texts, the_plan
from benchmarks.planted.networks.scenes import Scenes, draw_photos, scenes_of, world
from benchmarks.planted.networks.shapes import random_network, save_network
from benchmarks.planted.networks.sites import site_of
from benchmarks.planted.networks.sizes import Sizes, alive, natural_sizes
from benchmarks.planted.networks.writing import (
    Copied,
    Readings,
    copy_function,
    serve,
    turned,
)
from probes.attribution import harm_direction
from probes.backends.open_clip import OpenClipEncoder
from probes.backends.table import load_encoder
from probes.progress import SilentProgress

Array = NDArray[np.float64]

VARIANTS = ("plant", "twin", "natural")
"""The written link; the same unit with its output turned at random; and the link with a
contribution no larger than the 95th percentile of natural ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A network with a unit whose function is written, and what its output may be."""

    model: nn.Module
    unit: int
    group: str
    harm: str
    direction: Array
    """From the control packs to the harm, in embedding space."""

    copied: Copied
    limits: Sizes
    columns: Mapping[str, Array]
    """Variant to output weights."""

    taken_back: Mapping[str, Array]
    """Variant to what is added to the biases of the stream: the mean picture stays as it was."""

    contributions: Mapping[str, float]
    """Variant to double difference times reach along the harm's direction."""

    reaches: Mapping[str, float]
    texts: dict[str, Row]
    """Embeddings of the texts that were encoded."""


def prepare(
    shape: str, folder: Path, seed: int, fitting: Scenes, shown: Scenes, plan: AuditPlan
) -> Prepared:
    """Make a network and write a function into one of its units.

    Parameters
    ----------
    shape : str
    folder : Path
        Gets configuration and weights as they are before anything is written.
    seed : int
        Of weights, unit, group, harm and the random turn.
    fitting : Scenes
        Pictures on which the function is fitted.
    shown : Scenes
        Pictures that the audit sees: on these no size exceeds its limit.
    plan : AuditPlan
    """
    rng = np.random.default_rng([seed, 5])
    model = random_network(shape, folder, seed, fitting.pictures)
    save_network(model, folder)
    texts: dict[str, Row] = {}
    packs = pack_directions(folder, plan, texts)
    site = site_of(model)
    before, seen = site.look(fitting.pictures), site.look(shown.pictures)
    readings = Readings.of(
        (before.features.mean(axis=1), fitting.groups), (seen.features.mean(axis=1), shown.groups)
    )
    reach = site.reach(fitting.pictures)
    limits = natural_sizes(
        seen.handed, shown.groups, site.outputs, reach, np.stack(list(packs.values()))
    )
    unit = int(rng.choice(np.flatnonzero(alive(seen.handed))))
    group, harm = int(rng.integers(len(shown.names))), HARMS[int(rng.integers(len(HARMS)))]
    copied = copy_function(
        seen.features,
        shown.groups,
        group,
        readings.for_group(group),
        readings.without_groups(site.weights(unit)),
        limits,
        site.act,
    )
    outputs, mean = site.outputs[:, unit], float(seen.handed[:, unit].mean())
    site.write_function(unit, copied.weights, copied.bias)
    full = serve(reach, packs[harm], limits)
    most = copied.response * float(full @ reach @ packs[harm])
    columns = {
        "plant": full,
        "twin": turned(full, reach, rng),
        "natural": full * min(1.0, limits.contribution / most),
    }
    return Prepared(
        model=model,
        unit=unit,
        group=shown.names[group],
        harm=harm,
        direction=packs[harm],
        copied=copied,
        limits=limits,
        columns=columns,
        taken_back={k: mean * outputs - copied.mean * c for k, c in columns.items()},
        contributions={
            k: copied.response * float(c @ reach @ packs[harm]) for k, c in columns.items()
        },
        reaches={k: float(np.linalg.norm(c @ reach)) for k, c in columns.items()},
        texts=texts,
    )


def pack_directions(folder: Path, plan: AuditPlan, texts: dict[str, Row]) -> dict[str, Array]:
    """Return where every pack of harms and controls lies from the control packs."""
    encoder = load_encoder(f"local-dir:{folder}", offline=True)
    assert isinstance(encoder, OpenClipEncoder)
    remember_texts(encoder, texts)
    tools = Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=())
    selection = select(world(), plan)
    shown = show_texts(tested_concepts(selection), world(), plan, tools)
    pooled = shown.embeddings(keep_templates=False)
    packs = {
        c.ref: pooled.pooled[pooled.of({c.ref})] for c in (*selection.harms, *selection.controls)
    }
    controls = [packs[c.ref] for c in selection.controls]
    return {ref: harm_direction(rows, controls) for ref, rows in packs.items()}


def variant(prepared: Prepared, name: str) -> nn.Module:
    """Return a copy of the network with the unit's output of a variant."""
    model = deepcopy(prepared.model)
    site_of(model).write_output(prepared.unit, prepared.columns[name], prepared.taken_back[name])
    return model


def run_trial(
    shape: str,
    seed: int,
    fitting: Scenes,
    variants: Sequence[str] = VARIANTS,
    *,
    plan: AuditPlan | None = None,
) -> dict[str, Any]:
    """Make, write and audit one network; return what is stored of it."""
    plan = plan or the_plan()
    with TemporaryDirectory() as given:
        folder = Path(given)
        photos = draw_photos(folder / "photos", seed)
        shown = scenes_of(photos)
        network = folder / "network"
        prepared = prepare(shape, network, seed, fitting, shown, plan)
        verdicts = {}
        for name in variants:
            save_network(variant(prepared, name), network)
            verdicts[name] = judge(
                network,
                photos,
                shown,
                unit=prepared.unit,
                group=prepared.group,
                harm=prepared.harm,
                direction=prepared.direction,
                plan=plan,
                texts=prepared.texts,
            ).as_json()
    return {
        "shape": shape,
        "seed": seed,
        "unit": prepared.unit,
        "group": prepared.group,
        "harm": prepared.harm,
        "limits": asdict(prepared.limits),
        "fitted": prepared.copied.fitted,
        "response": prepared.copied.response,
        "response_sd": prepared.copied.response_sd,
        "contributions": dict(prepared.contributions),
        "reaches": dict(prepared.reaches),
        **verdicts,
    }
