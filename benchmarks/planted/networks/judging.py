"""What an ordinary audit says of a network, and where it puts the written unit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from audit.causal_record import CausalRecord
from audit.gather import Instruments
from audit.numbers import plain
from audit.plan import AuditPlan, validate_plan
from audit.results import FindingRecord, Mark
from audit.run import Audited, run_audit
from benchmarks.planted.networks.scenes import Scenes, world
from benchmarks.planted.networks.sizes import differences
from concept_sets.photos import PhotoSet
from probes.backends.open_clip import OpenClipEncoder
from probes.backends.table import load_encoder
from probes.encoder import Reading
from probes.progress import SilentProgress

HARMS = ("invented_contagion", "invented_terror")
"""Harm packs of the blocking contrasts, with every group; fixed before any network was made."""

Row = NDArray[np.float32]

FIRST = 3
"""Among so many first units the written one must be."""


def the_plan(**changes: Any) -> AuditPlan:
    """Return the plan of every audit here: all groups x two harms in photos."""
    order: dict[str, Any] = {
        "name": "planted-networks",
        "concepts": {
            "builtin": False,
            "identities": ["*"],
            "harms": list(HARMS),
            "control_kinds": ["profession", "role", "place", "everyday"],
        },
        "blocking": [{"identities": ["*"], "harms": ["*"]}],
        "arms": {"text": "describes", "rendered": "off"},
        "probes": {"roles": [], "stability": False, "transfer": False},
        "typography": {"check": False, "stroop": False},
        "units": {"pages": 0},
    }
    return validate_plan({**order, **changes}, where="benchmarks/planted/networks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A link that was found and not written."""

    group: str
    harm: str
    arms: tuple[str, ...]
    causal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One audited network."""

    t: float
    """Of the written contrast in photos."""

    found: bool
    listed: int | None
    """Place of the written unit among the units of the finding; None where not found or listed."""

    exact: int
    """Place by exact attribution on the audit's photos, found or not."""

    chosen: int | None
    """Place in the set that the causal check silenced; None where it is not in it."""

    causal: bool
    share: float | None
    """Of the link that goes when the set is silenced."""

    reason: str
    """Why the link is marked causal or not, as the report says it."""

    others: tuple[Other, ...]

    @property
    def first(self) -> bool:
        """Found, and the written unit among the first of the finding's own list."""
        return self.found and self.listed is not None and self.listed <= FIRST

    def as_json(self) -> dict[str, Any]:
        """Return plain values, ``first`` with them."""
        return {**asdict(self), "first": self.first}


def judge(
    folder: Path,
    photos: PhotoSet,
    scenes: Scenes,
    *,
    unit: int,
    group: str,
    harm: str,
    direction: NDArray[np.float64],
    plan: AuditPlan,
    texts: dict[str, Row],
) -> Verdict:
    """Audit a network as ``clip-audit run`` would, and look for one unit.

    Parameters
    ----------
    folder : Path
        Configuration and weights.
    photos, scenes
        What the audit sees, and the same as arrays.
    unit : int
        In the deepest layer.
    group, harm : str
        The written link; for twins, the one that was taken out again.
    direction : ndarray of shape (embedding_size,)
        From the control packs to the harm.
    plan : AuditPlan
    texts : dict
        Embeddings that the same text tower gave before; what is new is added.
    """
    encoder = load_encoder(f"local-dir:{folder}", offline=True)
    assert isinstance(encoder, OpenClipEncoder)
    remember_texts(encoder, texts)
    layer = encoder.layers[-1]
    reading = Reading(layer=layer.name, pooling=layer.poolings[0])
    tools = Instruments(encoder=encoder, cache=None, progress=SilentProgress(), readings=(reading,))
    audited = run_audit(plan, world(), tools, photos=photos)
    place = _exact(encoder, photos, scenes, scenes.names.index(group), direction, unit)
    return _verdict(audited, unit, group, harm, place)


def remember_texts(encoder: OpenClipEncoder, known: dict[str, Row]) -> None:
    """Encode no text twice: variants of a network differ in the image tower alone."""
    encode = encoder.encode_texts

    def encode_new(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, encode(new), strict=True))
        return np.stack([known[text] for text in texts])

    setattr(encoder, "encode_texts", encode_new)  # noqa: B010 - not a method of the class


def _verdict(audited: Audited, unit: int, group: str, harm: str, exact: int) -> Verdict:
    findings = audited.draft.findings
    causal = {record.finding: record for record in _silenced(audited)}
    ours = [f for f in findings if (f.identity, f.harm) == (group, harm)]
    found = [f for f in ours if f.blocking and "photo" in f.arms]
    record = causal.get(found[0].id) if found else None
    listed = [u.unit for u in found[0].units] if found else []
    chosen = list(record.units) if record else []
    return Verdict(
        t=_t(audited, group, harm),
        found=bool(found),
        listed=_place(unit, listed),
        exact=exact,
        chosen=_place(unit, chosen),
        causal=bool(found) and Mark.CAUSAL in found[0].marks,
        share=_finite(plain(record.share)) if record else None,
        reason=record.reason if record else "",
        others=tuple(_other(f) for f in findings if f not in found),
    )


def _silenced(audited: Audited) -> tuple[CausalRecord, ...]:
    return audited.draft.units.causal if audited.draft.units is not None else ()


def _t(audited: Audited, group: str, harm: str) -> float:
    records = audited.draft.contrasts
    return next(
        plain(r.t) for r in records if (r.arm, r.identity, r.harm) == ("photo", group, harm)
    )


def _place(unit: int, units: Sequence[int]) -> int | None:
    return units.index(unit) + 1 if unit in units else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _other(finding: FindingRecord) -> Other:
    return Other(
        group=finding.identity,
        harm=finding.harm,
        arms=finding.arms,
        causal=Mark.CAUSAL in finding.marks,
    )


def _exact(
    encoder: OpenClipEncoder,
    photos: PhotoSet,
    scenes: Scenes,
    group: int,
    direction: NDArray[np.float64],
    unit: int,
) -> int:
    """Rank units by the double difference of their exact contributions to cosines."""
    files = [Path(photos.root) / s.content for s in photos.stimuli]
    found = encoder.attribute([_opened(file) for file in files], direction[None])
    parts = found.units[:, 0].astype(np.float64) / found.lengths[:, None]
    order = np.argsort(-differences(parts, scenes.groups)[group], kind="stable")
    return int(np.flatnonzero(order == unit)[0]) + 1


def _opened(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGB")


def anything_causal(verdict: Mapping[str, Any]) -> bool:
    """Tell whether any finding of a stored verdict is marked."""
    return bool(verdict["causal"]) or any(other["causal"] for other in verdict["others"])
