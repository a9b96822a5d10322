"""One finding on the bench: units are chosen on one half, silenced and steered on the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL.Image import new as new_picture

from audit.causal_halves import Half, Refused
from probes.arms import normalise
from probes.causal import (
    CausalTest,
    DoseResponse,
    Drop,
    Link,
    causal_test,
    cluster_margins,
    dose_response,
    double_difference,
    drop,
    pooled,
)
from probes.causal_behaviour import Behaviour, behaviour, harm_rates, unchanged
from probes.contrast import contrasts, control_null, family_differences
from probes.encoder import Layer
from probes.inspectable import Edit
from probes.interventions import HeldPictures, Holding, Where, silence
from probes.matched_sets import matched_sets, to_scale
from probes.progress import Progress

Array = NDArray[np.float64]
Units = NDArray[np.intp]
How = Literal["mean", "zero", "resample"]

GREY = (127, 127, 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalSettings:
    """How much is tried."""

    max_pictures: int = 64
    """For the group, and for the rest of its family together, in each half."""

    matched_sets: int = 999
    units: int = 10
    """Units that are silenced together: those whose own silencing lowers the link most."""

    how: How = "mean"
    doses: tuple[float, ...] = (-2, -1, 0, 1, 2, 4, 6, 8, 10)
    """Standard deviations from each unit's mean, towards the group."""

    alpha: float = 0.05
    """Family-wise error rate over the findings that are tested."""

    choose_on: Literal[0, 1] = 0
    """Half on which units are chosen: 0 for the 1st, 3rd, ... clusters and terms, 1 for the
    others."""

    def edits(self, n_units: int) -> int:
        """Return the cost of one finding in a layer of ``n_units``, in edits.

        Each is encoded from the layer on, for at most ``2 * max_pictures`` pictures.

        Examples
        --------
        >>> CausalSettings().edits(512)
        1521
        """
        return n_units + 1 + self.matched_sets + len(self.doses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Shares of one state of the model, on the measured half."""

    harm_rate: float
    """Clusters of the group whose nearest term is one of harm."""

    harm_rate_rest: float
    """The same over the rest of the family."""

    retrieved: float
    """The group's share of what terms of harm retrieve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came out for one finding, in plain numbers that can be kept and read again."""

    units: tuple[int, ...]
    """The silenced set, strongest first."""

    pictures: int
    """Pictures of the half on which everything below was measured."""

    clusters: int
    """Its clusters, the group's and the others'."""

    own_clusters: int
    """Its clusters of the group."""

    drop: Drop
    test: CausalTest | None
    """None where there are too few matched sets."""

    drops: tuple[float, ...]
    """Of the matched sets, taken to the scale of the chosen set."""

    alike: float
    """As in `MatchedSets`, of the half on which units were chosen; `rate_gap` too."""

    rate_gap: float
    unmatched: str
    """Why there are no matched sets; empty where there are."""

    norm_ratio: float
    """How far a matched set moves the embeddings over how far the chosen set does, median."""

    response: DoseResponse
    blank: tuple[float, ...]
    """Change of a blank picture's margin at each dose."""

    unchanged: int
    """Clusters whose nearest control term stays the same."""

    unchanged_matched: float
    """Share of them under the matched sets, mean over sets; NaN without sets."""

    answers: tuple[Answers, ...]
    """How the model answers and retrieves: before, with the set silenced, and under matched sets
    (medians over them); without sets there are two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where units are silenced, and how much is tried."""

    encoder: Holding
    layer: Layer
    where: Where
    image_size: int
    settings: CausalSettings
    rng: np.random.Generator
    progress: Progress

    def hold(self, half: Half) -> HeldPictures:
        """Run the pictures of a half up to the layer."""
        return self.encoder.hold(half.pictures, self.layer.name, self.where)

    def silenced(self, units: Sequence[int], values: Array) -> Edit:
        """Hold units at their columns of ``values``, of shape (..., n_units)."""
        return silence(
            self.layer.name,
            units,
            values[..., list(units)],
            n_units=self.layer.n_units,
            where=self.where,
        )

    def encode(self, held: HeldPictures, edits: Iterator[Edit]) -> Iterator[NDArray[np.float32]]:
        """Yield embeddings under each edit, and tell how far it is."""
        for embeddings in held.encode_edited_many(edits):
            yield embeddings
            self.progress.advance(1)

    def stand_ins(self, held: HeldPictures, half: Half, n_pictures: int) -> Array:
        """Return what silenced units are held at, shape (n_units,) or (n_pictures, n_units)."""
        if self.settings.how == "mean":
            return held.statistics.mean
        if self.settings.how == "zero":
            return np.zeros(self.layer.n_units)
        others = held.picture_means()[~half.of_group]
        drawn: Array = others[self.rng.integers(len(others), size=n_pictures)]
        return drawn


def run_trial(bench: Bench, choosing: Half, measuring: Half) -> Trial:
    """Choose units on one half and measure on the other.

    Parameters
    ----------
    bench : Bench
    choosing, measuring : Half

    Returns
    -------
    Trial

    Raises
    ------
    Refused
        If silencing no single unit lowers the link where units are chosen.
    """
    first, second = bench.hold(choosing), bench.hold(measuring)
    alone = _one_by_one(bench, first, choosing)
    chosen = _strongest(alone.drops, bench.settings.units)
    matched = matched_sets(
        chosen,
        first.statistics.rate,
        alone.moved,
        n_sets=bench.settings.matched_sets,
        rng=bench.rng,
    )
    values = bench.stand_ins(first, choosing, len(measuring.pictures))
    link = measuring.link
    before = cluster_margins(second.embeddings, link)
    base = normalise(second.embeddings)
    plain = behaviour(second.embeddings, link)
    sets = iter([chosen, *matched.sets])
    edits = (bench.silenced(units.tolist(), values) for units in sets)
    after = [
        _Silenced(
            margins=cluster_margins(embeddings, link),
            moved=_moved(embeddings, base),
            behaviour=behaviour(embeddings, link),
        )
        for embeddings in bench.encode(second, edits)
    ]
    own, others = after[0], after[1:]
    found = drop(before, own.margins, link.concepts)
    moved = np.array([one.moved for one in others])
    lowered = [double_difference(before - one.margins, link.concepts) for one in others]
    drops = to_scale(np.array(lowered), moved, own.moved)
    response, blank = _dosed(bench, (first, choosing), (second, measuring), chosen)
    return Trial(
        units=tuple(chosen.tolist()),
        pictures=len(measuring.pictures),
        clusters=len(link.concepts),
        own_clusters=int((link.concepts == 0).sum()),
        drop=found,
        test=causal_test(found, drops, _p_link(second, link)) if len(drops) else None,
        drops=tuple(drops.tolist()),
        alike=matched.alike,
        rate_gap=matched.rate_gap,
        unmatched=matched.reason,
        norm_ratio=float(np.median(moved) / own.moved) if len(moved) else np.nan,
        response=response,
        blank=tuple(blank.tolist()),
        unchanged=round(unchanged(own.behaviour, plain) * len(link.concepts)),
        unchanged_matched=float(np.mean([unchanged(one.behaviour, plain) for one in others]))
        if others
        else np.nan,
        answers=tuple(_answers(link, plain, own.behaviour, [one.behaviour for one in others])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Silenced:
    """The measured half with one set silenced."""

    margins: Array
    moved: float
    behaviour: Behaviour


def _answers(
    link: Link, plain: Behaviour, own: Behaviour, others: Sequence[Behaviour]
) -> Iterator[Answers]:
    for states in ([plain], [own], others):
        if states:
            shares = np.array([(*harm_rates(one, link), one.retrieved) for one in states])
            group, rest, retrieved = np.median(shares, axis=0).tolist()
            yield Answers(harm_rate=group, harm_rate_rest=rest, retrieved=retrieved)


def _p_link(held: HeldPictures, link: Link) -> float:
    """Test the link on this half against the control packs (decision.md, step 5)."""
    scores = pooled(held.embeddings, link.clusters) @ link.packs.T
    means = np.stack(
        [scores[link.concepts == code].mean(axis=0) for code in np.unique(link.concepts)]
    )
    differences = family_differences(means)
    if differences.shape[1] < 3:
        return float("nan")
    null = control_null(differences[:, 1:])
    return float(contrasts(differences[:, :1], null).p_upper[0, 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alone:
    """What silencing each unit alone does, each of shape (n_units,)."""

    drops: Array
    """Drop of the double difference."""

    moved: Array
    """Root mean square, over pictures, of how far the normalised embedding moves."""


def _one_by_one(bench: Bench, held: HeldPictures, half: Half) -> _Alone:
    values = bench.stand_ins(held, half, len(half.pictures))
    base = normalise(held.embeddings)
    before = double_difference(cluster_margins(held.embeddings, half.link), half.link.concepts)
    edits = (bench.silenced([unit], values) for unit in range(bench.layer.n_units))
    drops, moved = [], []
    for embeddings in bench.encode(held, edits):
        margins = cluster_margins(embeddings, half.link)
        drops.append(before - double_difference(margins, half.link.concepts))
        moved.append(_moved(embeddings, base))
    return _Alone(drops=np.array(drops), moved=np.array(moved))


def _strongest(drops: Array, count: int) -> Units:
    order = np.argsort(-drops, kind="stable")[:count]
    lowering: Units = order[drops[order] > 0]
    if not len(lowering):
        raise Refused(
            "silencing no single unit lowers the link on the half on which units are chosen"
        )
    return lowering


def _dosed(
    bench: Bench,
    first: tuple[HeldPictures, Half],
    second: tuple[HeldPictures, Half],
    chosen: Units,
) -> tuple[DoseResponse, Array]:
    """Steer the rest of the family, and a blank picture, towards the group."""
    (source, choosing), (held, measuring) = first, second
    towards = _towards(source, choosing)[chosen]
    mean, sd = source.statistics.mean[chosen], source.statistics.sd[chosen]
    doses = bench.settings.doses
    edits = [
        silence(
            bench.layer.name,
            chosen.tolist(),
            mean + dose * towards * sd,
            n_units=bench.layer.n_units,
            where=bench.where,
        )
        for dose in doses
    ]
    link = measuring.link
    others = link.concepts != 0
    before = cluster_margins(held.embeddings, link)[others]
    changes = [
        (cluster_margins(e, link)[others] - before).mean(axis=1)
        for e in bench.encode(held, iter(edits))
    ]
    side = bench.image_size
    blank = bench.encoder.hold(
        [new_picture("RGB", (side, side), GREY)], bench.layer.name, bench.where
    )
    direction = link.directions.mean(axis=0)
    plain = normalise(blank.embeddings) @ direction
    moved = [normalise(e) @ direction - plain for e in blank.encode_edited_many(edits)]
    return dose_response(doses, np.array(changes)), np.array(moved)[:, 0]


def _towards(held: HeldPictures, half: Half) -> Array:
    """Which way each unit goes for the group, 1 or -1."""
    means = held.picture_means()
    gap = means[half.of_group].mean(axis=0) - means[~half.of_group].mean(axis=0)
    return np.where(gap < 0, -1.0, 1.0)


def _moved(embeddings: NDArray[np.float32], base: Array) -> float:
    """Root mean square of how far pictures move from their normalised embeddings."""
    return float(np.sqrt(((normalise(embeddings) - base) ** 2).sum(axis=1).mean()))
