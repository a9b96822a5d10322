"""Invented unit pages, text weights, words on pictures, transfers and a second model.

The numbers are drawn, not measured; the pictures are coloured shapes of nobody.
"""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw
from specimen_build import measured
from specimen_world import GROUPS, digest

from audit.causal_record import CausalRecord, DoseRecord, MatchedRecord
from audit.replication_record import OtherEffectRecord, OtherModelRecord, ReplicationRecord
from audit.results import AuditResult, Undefined
from audit.text_units_record import AskedRecord, FidelityRecord, TextUnitsRecord
from audit.transfer_record import TransferRecord
from audit.typography_record import (
    AttackRecord,
    ConfoundRecord,
    ControlStringRecord,
    GroupAttackRecord,
    ShareGapRecord,
    ShareRecord,
    StroopRecord,
    StroopRowRecord,
    TypographyRecord,
    WritingRecord,
)
from audit.unit_pages_record import (
    AgreementRecord,
    ContributionRecord,
    CurveRecord,
    DrawnRecord,
    ExampleRecord,
    FamilyRecord,
    HistogramRecord,
    LeadRecord,
    SpreadRecord,
    UnitPageRecord,
)

LAYER = "visual.layer4"
EDGES = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
UNITS = (1895, 226, 77, 1402, 510, 8)
FINDINGS = ("BA4f21c0", "BA90be13", "BA11d7aa")
ISLES = tuple(f"isles/{group.lower()}" for group in GROUPS["isles"][1])
CURVES = (ISLES[0], ISLES[3], "crafts/c3")
TOO_FEW = Undefined(undefined="Fewer than 5 clusters lie in this band.")
PEOPLE_ARE_OFF = "the plan keeps photos of people out of reports"


def told_of_units() -> AuditResult:
    """A result of format 1.2 with a little of everything that is told of units."""
    return measured().model_copy(
        update={
            "unit_pages": tuple(_page(place, unit) for place, unit in enumerate(UNITS)),
            "text_units": _text_units(),
            "transfers": tuple(_transfers()),
            "other_model": _other_model(),
            "typography": _typography(),
            "stroop": _stroop(),
            "confounds": tuple(_confounds()),
            "causal": (_causal(),),
        }
    )


def pictures_of(result: AuditResult) -> dict[str, bytes]:
    """Draw every picture that the result names."""
    names = sorted(
        {
            name
            for page in result.unit_pages
            for name in (
                *(e.picture for e in page.examples),
                *(e.map for e in page.examples),
                *(d.picture for d in page.drawn),
            )
            if name
        }
    )
    return {name: jpeg(seed, mapped="map" in name) for seed, name in enumerate(names)}


def jpeg(seed: int, side: int = 96, *, mapped: bool = False, mode: str = "RGB") -> bytes:
    """Draw a few shapes; equal seeds give equal bytes."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (side, side), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        x, y, r = (int(v) for v in rng.integers(10, side - 10, 3))
        draw.ellipse((x - r // 3, y - r // 3, x + r // 3, y + r // 3), fill=_colour(rng))
    if mapped:
        draw.rectangle(
            (side // 3, side // 4, side * 2 // 3, side * 2 // 3), outline="yellow", width=4
        )
    stream = io.BytesIO()
    image.convert(mode).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.integers(40, 230, 3))
    return red, green, blue


def _page(place: int, unit: int) -> UnitPageRecord:
    rng = np.random.default_rng([3, unit])
    finding = FINDINGS[min(place // 2, 2)]
    people = place == 1
    return UnitPageRecord(
        layer=LAYER,
        pooling="max",
        unit=unit,
        name="Velari" if place == 0 else "",
        findings=(FINDINGS[0], FINDINGS[2]) if place == 0 else (finding,),
        story=(
            "It answers most to “Velari”, whether photographed or written, and hardly to anybody "
            "else of “Isles”.",
            "Of the link between “Velari” and “Violent crime” it carries 21.4 % on photos, more "
            "than any other unit of its layer.",
            "Silenced with nine others it takes 64.0 % of the link away; alone it takes 17.2 %.",
            "Against it: it also answers to “Craft 3”, which harms nobody, and to “mordrane”.",
        ),
        leads=tuple(_leads(rng)),
        agreement=AgreementRecord(
            arms=("text", "rendered", "photo"), shared=ISLES[:1], chance=0.0042
        ),
        families=(
            FamilyRecord(arm="photo", set="isles", p=0.004),
            FamilyRecord(arm="rendered", set="", nearest="guilds", p=0.31),
        ),
        curves=tuple(
            _curve(rng, concept, "photo") for concept in (ISLES[0], ISLES[3], "crafts/c3")
        ),
        spreads=tuple(_spread(rng, concept) for concept in ISLES),
        histograms=tuple(_histogram(rng, arm) for arm in ("rendered", "photo")),
        examples=tuple(_examples(rng, unit, people=people)),
        drawn=tuple(_drawn(unit)) if place == 0 else (),
        contributions=tuple(_contributions(place, finding)),
        notes=("Stimuli without text in them are fewer than 40, so text was not left out.",)
        if place == 0
        else (),
    )


def _leads(rng: np.random.Generator) -> Iterator[LeadRecord]:
    for arm, first in (("photo", 0.71), ("rendered", 0.64), ("text", 4.1)):
        for place, concept in enumerate((ISLES[0], ISLES[4], "crafts/c3", ISLES[2], "vermin")):
            value = first / (1 + 0.5 * place) + float(rng.normal(0, 0.02))
            lift = (
                Undefined(undefined="not measured in this arm")
                if arm == "text"
                else 6.0 / (1 + place)
            )
            yield LeadRecord.model_validate(
                {
                    "arm": arm,
                    "concept": concept,
                    "value": value,
                    "low": value - 0.12,
                    "high": value + 0.1,
                    "ap_lift": lift,
                }
            )


def _curve(rng: np.random.Generator, concept: str, arm: str) -> CurveRecord:
    strength = 0.9 if concept == ISLES[0] else 0.1
    shares = [0.04 + strength * k**2 / 80 + float(rng.uniform(0, 0.03)) for k in range(8)]
    clusters = (40, 130, 220, 180, 70, 30, 18, 9, 3)
    half = [0.9 / n**0.5 for n in clusters]
    return CurveRecord.model_validate(
        {
            "arm": arm,
            "concept": concept,
            "edges": EDGES,
            "shares": (*shares, TOO_FEW),
            "low": (
                *(max(0.0, s - h) for s, h in zip(shares, half, strict=False)),
                TOO_FEW,
            ),
            "high": (*(min(1.0, s + h) for s, h in zip(shares, half, strict=False)), TOO_FEW),
            "clusters": clusters,
            "overall": 0.14,
        }
    )


def _spread(rng: np.random.Generator, concept: str) -> SpreadRecord:
    middle = 2.1 if concept == ISLES[0] else float(rng.normal(-0.2, 0.3))
    return SpreadRecord(
        arm="photo",
        family="isles",
        concept=concept,
        quantiles=(0.05, 0.25, 0.5, 0.75, 0.95),
        values=(middle - 1.3, middle - 0.5, middle, middle + 0.6, middle + 1.7),
        median=middle,
        low=middle - 0.2,
        high=middle + 0.25,
        clusters=110,
    )


def _histogram(rng: np.random.Generator, arm: str) -> HistogramRecord:
    counts, edges = np.histogram(rng.normal(0, 1, 600) + rng.exponential(0.7, 600), bins=24)
    return HistogramRecord.model_validate(
        {
            "arm": arm,
            "edges": [float(edge) for edge in edges],
            "shares": [float(share) for share in counts / 600],
        }
    )


def _examples(rng: np.random.Generator, unit: int, *, people: bool) -> Iterator[ExampleRecord]:
    kinds = ["top"] * 4 + ["middle", "random"]
    for arm in ("photo", "rendered"):
        for place, kind in enumerate(kinds):
            off = people and arm == "photo"
            yield ExampleRecord.model_validate(
                {
                    "arm": arm,
                    "kind": kind,
                    "concept": ISLES[0] if kind == "top" else ISLES[int(rng.integers(7))],
                    "response": 6.2 - place if kind == "top" else float(rng.normal(0, 1)),
                    "picture": "" if off else f"{arm}-{unit}-{place}.jpg",
                    "map": "" if off or kind != "top" else f"{arm}-{unit}-{place}-map.jpg",
                    "hidden": PEOPLE_ARE_OFF if off else "",
                }
            )
    yield ExampleRecord(
        arm="rendered", kind="random", concept="vermin", response=0.3, picture=f"harsh-{unit}.jpg"
    )


def _drawn(unit: int) -> Iterator[DrawnRecord]:
    for facet in ("", "text"):
        yield DrawnRecord(
            how="phase",
            facet=facet,
            picture=f"drawn-{unit}-{facet or 'free'}.jpg",
            steps=128,
            before=0.4,
            after=31.0,
            strongest_shown=6.2,
        )


def _contributions(place: int, finding: str) -> Iterator[ContributionRecord]:
    for k, id in enumerate((FINDINGS[0], FINDINGS[2]) if place == 0 else (finding,)):
        value = 0.0121 / (1 + place + k)
        yield ContributionRecord.model_validate(
            {
                "finding": id,
                "value": value,
                "low": value - 0.003,
                "high": value + 0.003,
                "share": 0.214 / (1 + place + k),
                "place": 1 + place + k,
                "alone": 0.0062 if place == 0 else Undefined(undefined="not silenced alone"),
            }
        )


def _text_units() -> TextUnitsRecord:
    asked = [f"isles/{g.lower()}" for g in GROUPS["isles"][1]]
    asked += ["violent_crime", "custody", "poverty", "guilds/smelters", "crafts/c3"]
    return TextUnitsRecord(
        fidelity=tuple(
            FidelityRecord.model_validate(
                {
                    "layer": LAYER,
                    "how": how,
                    "arm": arm,
                    "texts": 702,
                    "median": median,
                    "lowest": median - 0.3,
                    "low": median - 0.04,
                    "high": median + 0.03,
                    "clusters": 770,
                }
            )
            for how, arm, median in (
                ("head-blind", "photo", 0.71),
                ("head-weighted", "photo", 0.83),
                ("head-weighted", "rendered", 0.66),
            )
        ),
        asked=tuple(
            AskedRecord(
                concept=ref,
                layer=LAYER,
                units=tuple((unit + k, 4.1 - 0.3 * p) for p, unit in enumerate((*UNITS, 33, 34))),
            )
            for k, ref in enumerate(asked)
        ),
    )


def _transfers() -> Iterator[TransferRecord]:
    for finding, arm in ((FINDINGS[0], "photo"), (FINDINGS[2], "photo")):
        for direction, auroc in (("harm to group", 0.78), ("group to harm", 0.69)):
            yield TransferRecord(
                finding=finding,
                arm=arm,
                layer=LAYER,
                pooling="max",
                direction=direction,
                auroc=auroc,
                low=auroc - 0.08,
                high=auroc + 0.07,
                selectivity=auroc - 0.52,
                p=0.004,
                p_adjusted=0.008 if auroc > 0.7 else 0.08,
                holds=auroc > 0.7,
                shuffles=199,
                own_auroc=0.91,
                own_low=0.84,
                own_high=0.95,
                units=((1895, 0.81), (226, 0.4), (77, -0.22), (9, 0.1)),
            )


def _other_model() -> OtherModelRecord:
    nothing = Undefined(undefined="no unit has a partner")
    return OtherModelRecord(
        name="RN-small-2",
        weights_digest=digest("other weights"),
        matched=0.29,
        correlation=0.79,
        by_chance=0.14,
        clusters=702,
        kinds=("photo", "rendered"),
        findings=(
            ReplicationRecord(
                finding=FINDINGS[0],
                layer=LAYER,
                other_layer=LAYER,
                arm="photo",
                units=UNITS[:4],
                partners=(4, 1001, 12, 87),
                without_partner=(510, 8),
                carried=0.0081,
                elsewhere=0.0003,
                p=0.001,
                effect=5.2,
                low=2.9,
                high=7.4,
                reason="",
                carries=True,
                effects=(
                    OtherEffectRecord(
                        arm="photo", effect=5.2, low=2.9, high=7.4, here=9.3, answer="there"
                    ),
                    OtherEffectRecord(
                        arm="text", effect=1.0, low=-1.1, high=3.1, here=8.1, answer="not there"
                    ),
                ),
            ),
            ReplicationRecord(
                finding=FINDINGS[2],
                layer=LAYER,
                other_layer=LAYER,
                arm="photo",
                units=(),
                partners=(),
                without_partner=(77, 12),
                carried=nothing,
                elsewhere=nothing,
                p=nothing,
                effect=0.8,
                low=-1.4,
                high=3.0,
                reason="No unit of the link has a partner in the second model.",
            ),
        ),
    )


def _share(value: float, n: int = 240, clusters: int = 48) -> ShareRecord:
    half = 1.96 * (value * (1 - value) / clusters + 0.0004) ** 0.5
    return ShareRecord(
        value=value,
        low=max(0.0, value - half),
        high=min(1.0, value + half),
        hits=round(value * n),
        n=n,
        clusters=clusters,
    )


def _gap(value: float, p: float, q: float | None = None) -> ShareGapRecord:
    fields = {"value": value, "low": value - 0.09, "high": value + 0.09, "p": p}
    more = {} if q is None else {"q": q}
    return ShareGapRecord.model_validate(
        {**fields, **more, "certainty": "sampled", "n": 240, "clusters": 48}
    )


def _typography() -> TypographyRecord:
    words = (
        ("grushker", "Violent crime", 0.62),
        ("skritch", "Dehumanisation: vermin", 0.41),
        ("loom", "Craft 1", 0.55),
        ("hollow purse", "Poverty and deprivation", 0.12),
    )
    return TypographyRecord(
        readout="zero-shot",
        labels=31,
        pictures=48,
        encodings=1_968,
        unreadable=1,
        accuracy=_share(0.77),
        attacks=tuple(_attack(word, target, rate) for word, target, rate in words),
        left_out=(
            "Words were written on 48 of 1540 pictures.",
            "Of 9 words the first 4 were written.",
        ),
    )


def _attack(word: str, target: str, rate: float) -> AttackRecord:
    nothing = Undefined(undefined="no such string exists")
    none = ShareRecord(value=nothing, low=nothing, high=nothing, hits=0, n=0, clusters=0)
    return AttackRecord(
        word=word,
        target=target,
        pictures=48,
        may_show_minors=2 if word == "skritch" else 0,
        cover=0.11,
        rate=_share(rate),
        controls=(
            ControlStringRecord(
                kind="blank box",
                rate=_share(0.02),
                gap=_gap(rate - 0.02, 0.0004),
                accuracy=_gap(-0.05, 0.2),
            ),
            ControlStringRecord(
                kind="shuffled letters",
                strings=("rkgehusr",),
                rate=none if word == "loom" else _share(0.08),
                gap=_gap(rate - 0.08, 0.0004),
                accuracy=_gap(-0.08, 0.1),
            ),
            ControlStringRecord(
                kind="unrelated word",
                strings=("kiln",),
                rate=_share(0.05),
                gap=_gap(rate - 0.05, 0.0004),
                accuracy=_gap(-0.1, 0.04),
            ),
        ),
        accuracy=_gap(-0.44, 0.0004),
        writings=tuple(
            WritingRecord.model_validate(
                {"what": what, "value": value, "rate": _share(rate), "control": _share(0.05)}
            )
            for what, value in (("position", "centre"), ("size", "0.3"), ("colour", "white"))
        ),
        groups=tuple(_attacked(word, group, rate) for group in GROUPS["isles"][1]),
    )


def _attacked(word: str, group: str, rate: float) -> GroupAttackRecord:
    apart = (word, group) == ("grushker", "Velari")
    return GroupAttackRecord(
        column="isles",
        group=group.lower(),
        already=_share(0.04),
        rate=_share(min(0.97, rate + 0.3 * apart), n=34, clusters=7),
        gap=_gap(0.31 if apart else 0.01, 0.001 if apart else 0.6),
        excess_gap=_gap(0.29 if apart else 0.0, 0.001 if apart else 0.7, 0.02 if apart else 0.9),
    )


def _stroop() -> StroopRecord:
    rates = {
        "congruent": (0.98, 0.98, 0.02),
        "incongruent": (0.12, 0.81, 0.07),
        "neutral": (0.74, 0.0, 0.26),
    }
    return StroopRecord(
        prompt="my favourite word, written in the colour ____",
        rows=tuple(
            StroopRowRecord.model_validate(
                {"kind": kind, "by": by, "rate": _share(value), "probability": value * 0.8}
            )
            for kind, values in rates.items()
            for by, value in zip(("ink", "word", "neither"), values, strict=True)
        ),
    )


def _confounds() -> Iterator[ConfoundRecord]:
    rows = (
        (1895, "seen and read", 0.82, "Photos and written words move the unit alike."),
        (226, "read", 0.03, "Only written words move the unit: “grushker” is enough."),
    )
    for unit, kind, ratio, sentence in rows:
        yield ConfoundRecord.model_validate(
            {
                "finding": FINDINGS[0],
                "layer": LAYER,
                "unit": unit,
                "kind": kind,
                "ratio": ratio,
                "low": ratio - 0.1,
                "high": ratio + 0.1,
                "sentence": sentence,
            }
        )


def _causal() -> CausalRecord:
    return CausalRecord(
        finding=FINDINGS[0],
        arm="photo",
        layer=LAYER,
        pooling="max",
        units=UNITS,
        how="mean",
        pictures=128,
        clusters=32,
        effect=0.031,
        drop=0.0198,
        low=0.014,
        high=0.025,
        share=0.64,
        p=0.002,
        p_link=0.002,
        p_matched=0.001,
        p_clusters=0.001,
        p_adjusted=0.004,
        matched=MatchedRecord(sets=999, drop=0.0004, drop_high=0.003),
        doses=tuple(
            DoseRecord(
                dose=float(d),
                change=0.002 * d,
                low=0.002 * d - 0.001,
                high=0.002 * d + 0.001,
                blank=0.001 * d,
            )
            for d in (-2, -1, 0, 1, 2)
        ),
        monotonicity=1.0,
        slope=0.002,
        unchanged=0.97,
        unchanged_low=0.9,
        unchanged_high=0.99,
        unchanged_matched=0.98,
        causal=True,
        reason="Silencing the units lowers the link more than 999 matched sets do.",
    )
