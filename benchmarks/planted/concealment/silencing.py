"""Where the units of concealed links stand: exact parts, and whole audits that silence them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.gather import Instruments
from audit.results import Mark
from audit.run import run_audit
from benchmarks.planted.concealment.cases import leading_units
from benchmarks.planted.concealment.checks import Bench, plan_of
from benchmarks.planted.concealment.links import LINKS, concepts, harm_offsets
from benchmarks.planted.networks.scenes import draw_photos, world
from probes.backends.open_clip import OpenClipEncoder
from probes.encoder import Reading
from probes.progress import SilentProgress

FIRST = (10, 80)
"""Sizes of the sets whose exact parts are added up."""

PERSONS = 24


def exact_shares(bench: Bench) -> list[dict[str, float]]:
    """Return which part of each link the strongest units carry, by exact attribution.

    Returns
    -------
    list of dict
        For each link: the share of the sum of all units' parts that the first 10 and 80 have, and
        how many units it takes until half of the sum is reached.
    """
    assert isinstance(bench.encoder, OpenClipEncoder)
    offsets = harm_offsets(bench.texts.pooled, bench.texts.concepts)
    return [_shares(row) for row in leading_units(bench.encoder, bench.shown.people, offsets)]


def _shares(parts: NDArray[np.float64]) -> dict[str, float]:
    running = np.cumsum(-np.sort(-parts)) / parts.sum()
    half = int(np.argmax(running >= 0.5)) + 1
    return {**{f"first_{k}": float(running[k - 1]) for k in FIRST}, "half": half}


def silenced(encoder: OpenClipEncoder, units: int, seed: int) -> list[dict[str, Any]]:
    """Audit a model from its photos, and silence so many units of what is found.

    Returns
    -------
    list of dict
        For each link: whether it was found, its marks, the share of it that goes, and the reason.
    """
    layer = encoder.layers[-1]
    tools = Instruments(
        encoder=encoder,
        cache=None,
        progress=SilentProgress(),
        readings=(Reading(layer=layer.name, pooling=layer.poolings[0]),),
    )
    plan = plan_of()
    order = plan.model_copy(
        update={
            "arms": plan.arms.model_copy(update={"rendered": "off"}),
            "causal": plan.causal.model_copy(update={"units": units, "max_pictures": 24}),
        }
    )
    with TemporaryDirectory() as folder:
        photos = draw_photos(Path(folder), seed, persons=PERSONS, photos=1)
        draft = run_audit(order, world(), tools, photos=photos).draft
    records = {r.finding: r for r in draft.units.causal} if draft.units is not None else {}
    rows = []
    for link in LINKS:
        pair = (concepts()[link.group].ref, link.harm)
        own = [f for f in draft.findings if (f.identity, f.harm) == pair and f.blocking]
        record = records.get(own[0].id) if own else None
        share = record.share if record is not None else None
        rows.append(
            {
                "found": bool(own),
                "causal": bool(own) and Mark.CAUSAL in own[0].marks,
                "behavioural": bool(own) and Mark.BEHAVIOURAL in own[0].marks,
                "share": share if isinstance(share, float) else None,
                "reason": record.reason if record is not None else "",
            }
        )
    return rows
