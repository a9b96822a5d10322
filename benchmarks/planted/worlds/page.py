"""Judged worlds become a block of Markdown: what was found, what was missed, what was flagged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.planted.methods.known import DECIDING
from benchmarks.planted.methods.pages import share, strength, table
from benchmarks.planted.scoring import Power, Share, power_over
from benchmarks.planted.worlds.family import STRENGTHS
from benchmarks.planted.worlds.judging import Judged, Link

MIDDLE = "middle"
INTERVALS = 78
"""Seed of the intervals of differences."""

KINDS = (
    ("caption", "middle"),
    ("caption", "weak"),
    ("caption", "strong"),
    ("scene", "middle"),
    ("context", "middle"),
    ("word", "middle"),
    ("intersection", "middle"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A contrast and whether the deciding arms flagged it."""

    world: Judged
    link: Link
    flagged: bool

    def __str__(self) -> str:
        spec, link = self.world.spec, self.link
        return (
            f"{spec.name}: {link.group} and {link.harm}; produced effect {link.produced:.1f} "
            f"control SD, answers with the harm {link.behaviour:+.0%} against other groups"
        )


def contrasts(worlds: Sequence[Judged]) -> list[Seen]:
    """Return every contrast of every world, with the answer of our deciding arms."""
    return list(_contrasts(worlds))


def _contrasts(worlds: Sequence[Judged]) -> Iterator[Seen]:
    for world in worlds:
        (result,) = [r for r in world.results if r.method == DECIDING]
        for link, flagged in zip(world.links, result.flagged, strict=True):
            yield Seen(world=world, link=link, flagged=flagged)


def shown(worlds: Sequence[Judged]) -> str:
    """Return the block.

    Parameters
    ----------
    worlds : sequence of Judged
        Planted worlds and twins.
    """
    seen = contrasts(worlds)
    caption = [r for w in worlds if w.spec.mechanism == "caption" for r in w.results]
    parts = [
        table(caption, np.random.default_rng(INTERVALS), middle=STRENGTHS[MIDDLE]),
        _by_kind(seen),
        _power(seen),
        "Planted links of middle strength by caption that were missed:",
        _listed(s for s in _planted(seen, "caption", MIDDLE) if not s.flagged),
        "Flagged in a planted world without having been planted:",
        _listed(s for s in seen if s.world.spec.planted and s.flagged and not s.link.planted),
        "Flagged in a twin:",
        _listed(s for s in seen if not s.world.spec.planted and s.flagged),
    ]
    return "\n\n".join(parts)


def _planted(seen: Sequence[Seen], mechanism: str, how: str) -> list[Seen]:
    return [
        s
        for s in seen
        if s.link.planted and (s.world.spec.mechanism, s.world.spec.strength) == (mechanism, how)
    ]


def _by_kind(seen: Sequence[Seen]) -> str:
    lines = [
        "| mechanism | strength | found by the deciding arms | produced effect, control SD: median "
        "(smallest to largest) | answers with the harm against other groups, median |",
        "|---|---|---|---|---|",
    ]
    for mechanism, how in KINDS:
        rows = _planted(seen, mechanism, how)
        if rows:
            produced = [s.link.produced for s in rows]
            answers = float(np.median([s.link.behaviour for s in rows]))
            found = share(Share(hits=sum(s.flagged for s in rows), n=len(rows)))
            spread = f"{np.median(produced):.1f} ({min(produced):.1f} to {max(produced):.1f})"
            share_of = f"{STRENGTHS[how]:g} ({how})"
            lines.append(f"| {mechanism} | {share_of} | {found} | {spread} | {answers:+.0%} |")
    return "\n".join(lines)


def _power(seen: Sequence[Seen]) -> str:
    rows = [s for s in seen if s.link.planted]
    produced = [s.link.produced for s in rows]
    fit = power_over(produced, [s.flagged for s in rows])
    smallest = strength(fit, [round(min(produced), 1), round(max(produced), 1)])
    return (
        f"Over all {len(rows)} planted links, whatever planted them, a produced effect of "
        f"{smallest} control SD is found with 80 % probability{_curve(fit, produced)}."
    )


def _curve(fit: Power, produced: Sequence[float]) -> str:
    if not np.isfinite(fit.slope):
        return ""
    at = [x for x in (1, 2, 3, 4, 5, 6, 8, 10, 12) if min(produced) <= x <= max(produced)]
    said = ", ".join(f"{x} SD {fit.at(x):.0%}" for x in at)
    return f"; the fitted curve: {said}" if said else ""


def _listed(seen: Iterator[Seen]) -> str:
    return "\n".join([f"- {one}" for one in seen] or ["- none"])
