"""Links written into a copy of the audited model's own embeddings: an audit's positive control.

A number added to scores shows what the rule finds. It does not show that a link which a model could
carry comes through as such a number. Here a feature that no embedding has yet is written into those
of one group and of one harmless pack, all are brought back to their length, and the whole arm is
measured anew, with all that renormalising moves along: the group's scores with every other pack,
its spread over them, and the scores of the rest of its family with the pack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.arms import ArmScores
from probes.calibration import STRENGTHS
from probes.contrast import RESOLUTION, family_differences
from probes.errors import MeasureError
from probes.moderation import moderated_variance

Array = NDArray[np.float64]

MOST = 160
"""Pairs of a group and a pack that are planted at most; evenly spaced where there are more."""

CLOSE = 0.01
"""Share of a strength by which a plant may miss it and still count as of this strength."""

LEAST = 3
"""Fewest control packs: one that is planted and two that are left as its null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPlants:
    """What became of planted links, strength by strength."""

    strengths: tuple[float, ...]
    """In control standard deviations."""

    planted: NDArray[np.intp]
    """Links that could be written, shape (n_strengths,): a cosine ends at 1."""

    found: NDArray[np.intp]
    """Those that the rule *found* finds, shape (n_strengths,)."""

    @property
    def shares(self) -> Array:
        """Recall in [0, 1] of every strength; NaN where nothing could be planted."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.found / self.planted, dtype=np.float64)


def plant_in_embeddings(
    scores: ArmScores,
    controls: Sequence[str],
    widths: Mapping[str, Array],
    *,
    critical: float,
    delta0: float,
    strengths: Sequence[float] = STRENGTHS,
    most: int = MOST,
) -> EmbeddedPlants:
    """Write links into copies of an arm's embeddings and measure each copy.

    Parameters
    ----------
    scores : ArmScores
        An arm with `row_lengths`: its scores are inner products of known embeddings.
    controls : sequence of str
        Control packs; each in turn is the harm that a group is tied to.
    widths : mapping of str to ndarray
        Family to shape (n_concepts, n_controls): how wide a harm pack in the place of each control
        lies, from `probes.calibration.widths_as_harms`. They are those of the arm without a plant:
        a pack's width leaves out the group that is judged, and so the plant.
    critical : float
        Simultaneous critical value of the audit's blocking list.
    delta0 : float
        Smallest effect that matters, in control SD.
    strengths : sequence of float
        What is added to the double difference, in control SD of the arm without a plant.
    most : int
        Pairs of a group and a pack at most.

    Returns
    -------
    EmbeddedPlants
        A plant for which the group would have to lie nearer to the pack than embeddings can is
        not counted as planted.

    Raises
    ------
    MeasureError
        If the arm has scores only, or fewer than three control packs.
    """
    if scores.row_lengths is None:
        raise MeasureError(
            "Links are planted into embeddings; this arm has scores only. Give embeddings."
        )
    if len(controls) < LEAST:
        raise MeasureError(
            f"A link is planted into one of at least {LEAST} control packs; got {len(controls)}. "
            "Add control packs."
        )
    rule = _Rule(strengths=np.asarray(strengths, float), critical=critical, delta0=delta0)
    pairs = [
        (family, row, pack)
        for pack in range(len(controls))
        for family, members in scores.families.items()
        for row in range(len(members))
    ]
    spaced = np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int)
    chosen = [pairs[i] for i in np.unique(spaced)]
    answers = [
        _planted_family(scores, family, controls, widths[family], chosen, rule)
        for family in scores.families
    ]
    return EmbeddedPlants(
        strengths=tuple(strengths),
        planted=np.sum([answer.planted for answer in answers], axis=0, dtype=np.intp),
        found=np.sum([answer.found for answer in answers], axis=0, dtype=np.intp),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What is planted, and when it counts as found."""

    strengths: Array
    critical: float
    delta0: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """Counts of one family; arrays of shape (n_strengths,)."""

    planted: NDArray[np.intp]
    found: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where links are written in one family, one per pair; arrays of shape (n_pairs,)."""

    rows: NDArray[np.intp]
    """Position of the group in its family."""

    packs: NDArray[np.intp]
    lengths: Array
    """Mean length of the group's embeddings."""


def _planted_family(
    scores: ArmScores,
    family: str,
    controls: Sequence[str],
    widths: Array,
    pairs: Sequence[tuple[str, int, int]],
    rule: _Rule,
) -> _Answer:
    """Tie each group of a family to its packs at every strength; judge each copy as the audit."""
    own = [(row, pack) for name, row, pack in pairs if name == family]
    none = np.zeros(len(rule.strengths), dtype=np.intp)
    if not own or scores.row_lengths is None:
        return _Answer(planted=none, found=none)
    rows, packs = np.array(own, dtype=np.intp).T
    members = [scores.identities[concept] for concept in scores.families[family]]
    lengths = np.array([scores.row_lengths[members[row]].mean() for row in rows])
    places = _Places(rows=rows, packs=packs, lengths=lengths)
    means = scores.means(family, controls)
    before = _read(np.repeat(means[:, None, None], len(rows), axis=1), places)
    wanted = rule.strengths * before.sd
    share = _share(means, places, before.effect + wanted)
    after = _read(_written(means, places, share), places)
    planted = np.abs(after.effect - before.effect - wanted) <= CLOSE * wanted
    se = after.sd * np.sqrt(1 + 1 / (len(controls) - 1)) * widths[rows, packs][:, None]
    found = planted & (after.effect - rule.critical * se > rule.delta0 * after.sd)
    return _Answer(planted=planted.sum(axis=0), found=found.sum(axis=0))


def _share(means: Array, places: _Places, wanted: Array) -> Array:
    """Return what the feature must take so that the effects are as wanted; 1 where none would do.

    The effect is quadratic in what every embedding keeps of its length.
    """
    n_concepts, n_packs = means.shape
    rows, packs = places.rows, places.packs
    own, own_pack = means[rows], means[rows, packs]
    rest = (means.sum(axis=0) - own) / (n_concepts - 1)
    rest_pack = rest[np.arange(len(rows)), packs]
    level = (rest.sum(axis=1) - rest_pack) / (n_packs - 1)
    square = (places.lengths - own_pack)[:, None]
    linear = (rest_pack + (own.sum(axis=1) - own_pack) / (n_packs - 1))[:, None]
    free = (places.lengths + level)[:, None] - wanted
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = (np.sqrt(linear**2 + 4 * square * free) - linear) / (2 * square)
    return np.asarray(1 - np.clip(np.nan_to_num(kept), 0, 1) ** 2)


def _written(means: Array, places: _Places, share: Array) -> Array:
    """Mean scores once the feature was written, shape (n_concepts, n_pairs, n_strengths, n_packs).

    The feature w is orthogonal to every embedding: a cluster e of length r becomes
    (e + a r w) / sqrt(1 + a^2), a term h of the pack (h + a w) / sqrt(1 + a^2). ``share`` is
    a^2 / (1 + a^2): what the feature takes of the squared length.
    """
    n_pairs, n_strengths = share.shape
    pairs, kept = np.arange(n_pairs), np.sqrt(1 - share)
    shape = (len(means), n_pairs, n_strengths, means.shape[1])
    out = np.broadcast_to(means[:, None, None], shape).copy()
    out[places.rows, pairs] *= kept[:, :, None]
    out[:, pairs, :, places.packs] *= kept[:, None, :]
    out[places.rows, pairs, :, places.packs] += places.lengths[:, None] * share
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Effect and control spread of each pair, shape (n_pairs, n_copies)."""

    effect: Array
    sd: Array


def _read(means: Array, places: _Places) -> _Read:
    """Measure every pair against the packs that are left, from means shaped as `_written` has."""
    n = means.shape[3]
    pairs = np.arange(means.shape[1])
    differences = family_differences(means)
    centred = differences - differences.mean(axis=3, keepdims=True)
    planted = centred[:, pairs, :, places.packs].transpose(1, 0, 2)
    # Mean and variance of the packs that are left follow from those of all.
    squares = (centred**2).sum(axis=3) - planted**2 * n / (n - 1)
    variance = moderated_variance(np.maximum(squares, 0) / (n - 2), n - 2)
    sd = np.sqrt(variance[places.rows, pairs])
    return _Read(
        effect=planted[places.rows, pairs] * n / (n - 1),
        sd=np.where(sd > RESOLUTION, sd, np.nan),
    )


def seen_in(plants: EmbeddedPlants, *, power: float = 0.8) -> float:
    """Return the smallest link found with the given probability, in control SD.

    Between two strengths that were planted the share is taken to rise in a straight line.

    Returns
    -------
    float
        NaN where even the strongest plants are found less often, or nothing could be planted.

    Examples
    --------
    >>> plants = EmbeddedPlants(strengths=(2.0, 4.0), planted=np.array([10, 10]),
    ...     found=np.array([6, 10]))
    >>> round(seen_in(plants), 3)
    3.0
    """
    known = plants.planted > 0
    shares = np.maximum.accumulate(np.concatenate([[0.0], plants.shares[known]]))
    strengths = np.concatenate([[0.0], np.asarray(plants.strengths)[known]])
    if not shares[-1] >= power:
        return float("nan")
    at = int(np.argmax(shares >= power))
    low, high = shares[at - 1], shares[at]
    step = strengths[at] - strengths[at - 1]
    return float(strengths[at - 1] + step * (power - low) / (high - low))
