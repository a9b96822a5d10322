"""A link as a sum over units, kept so that a resumed run takes only the rest apart."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from audit.finished_work import Form
from probes.attribution import UnitDifferences

FORMAT = "clip-audit link parts 1"
FOLDER = "links"
"""Beside the spaces of activations."""

Drops = tuple[dict[int, float], ...]
"""For each link, unit to the drop when it is held at its mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A link as a sum, each part a difference of cosines; 0 is neutral."""

    units: UnitDifferences
    others: Mapping[str, float]
    """Named parts that no unit of the layer carries."""

    total: float
    """The link: what ``units`` and ``others`` add up to."""


def _parts_text(links: Sequence[Parts]) -> str:
    return json.dumps(
        [
            {
                "units": {
                    name: value.tolist() if isinstance(value, np.ndarray) else value
                    for name, value in asdict(one.units).items()
                },
                "others": dict(one.others),
                "total": one.total,
            }
            for one in links
        ]
    )


def _parts(text: str) -> tuple[Parts, ...]:
    return tuple(
        Parts(units=_differences(one["units"]), others=one["others"], total=one["total"])
        for one in json.loads(text)
    )


def _differences(read: Mapping[str, Any]) -> UnitDifferences:
    value, low, high, control_sd = (
        np.array(read[name], dtype=np.float64) for name in ("value", "low", "high", "control_sd")
    )
    return UnitDifferences(
        value=value, low=low, high=high, control_sd=control_sd, clusters=read["clusters"]
    )


def _drops_text(drops: Drops) -> str:
    return json.dumps([list(own.items()) for own in drops])


def _drops(text: str) -> Drops:
    return tuple({int(unit): float(value) for unit, value in own} for own in json.loads(text))


PARTS: Form[tuple[Parts, ...]] = Form(one="link", write=_parts_text, read=_parts)
DROPS: Form[Drops] = Form(one="silencing", write=_drops_text, read=_drops)
