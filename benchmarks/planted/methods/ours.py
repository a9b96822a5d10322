"""Our arms, judged by the audit's own rules: nothing here decides anything by itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from audit.conclude import Conclusion, conclude
from audit.evidence import Arm
from audit.plan import LimitsSection
from audit.results import Verdict
from audit.scoring import build_arm, embedded
from benchmarks.planted.methods.scores import ALPHA, UNIT_DRAWS, Scores, flags, grid
from benchmarks.planted.methods.world import Photos, World
from probes.arms import Embeddings, normalise, pool_clusters
from probes.association import associate
from probes.attribution import harm_direction, unit_contributions, unit_double_difference
from probes.clusters import cluster_means
from probes.contrast import MIN_CONTROLS
from probes.errors import MeasureError
from probes.max_t import answers_to_both, step_down_max_t
from probes.rate_tests import gap_tests
from probes.rates import argmax_shares, compare_groups, family_shares

Array = NDArray[np.float64]
Rng = np.random.Generator

FAMILY = "groups"
SEVERITY = 4


def text_arm(world: World, rng: Rng) -> Scores:
    """Terms of groups against terms of packs."""
    return _judged(world, [_arm(world, "text", _terms_of_groups(world))], rng)


def photo_arm(world: World, rng: Rng) -> Scores:
    """Photos of people against terms of packs; units by attribution where there is a read-out."""
    return _judged(world, [_arm(world, "photo", people(world.need_photos()))], rng)


def both_arms(world: World, rng: Rng) -> Scores:
    """Text and photo arm with one Holm over both, as an audit decides."""
    arms = [
        _arm(world, "text", _terms_of_groups(world)),
        _arm(world, "photo", people(world.need_photos())),
    ]
    return _judged(world, arms, rng)


def people(photos: Photos) -> Embeddings:
    """Pool the pictures of every person; those with a badge are left out."""
    rows = photos.of_people
    return pool_clusters(
        photos.embeddings[rows],
        [photos.groups[i] for i in rows],
        [photos.persons[i] for i in rows],
        [""] * len(rows),
        keep_templates=False,
    )


def _terms_of_groups(world: World) -> Embeddings:
    return world.texts.take(world.texts.of(set(world.groups)))


def _arm(world: World, name: str, rows: Embeddings) -> Arm:
    if len(world.controls) < MIN_CONTROLS:
        raise MeasureError(
            f"An arm decides from {MIN_CONTROLS} control packs; "
            f"{world.name} has {len(world.controls)}."
        )
    columns = world.texts.take(world.texts.of({*world.harms, *world.controls}))
    arm = build_arm(
        name,
        f"{name} against terms",
        "decides",
        embedded(rows, columns),
        families={FAMILY: world.groups},
        controls=dict.fromkeys(world.harms, world.controls),
        sexual=(),
        is_minor=np.zeros(len(rows.concepts), dtype=np.bool_),
    )
    if arm is None:
        raise MeasureError(f"The {name} arm of {world.name} has no rows of two groups.")
    return arm


def _judged(world: World, arms: Sequence[Arm], rng: Rng) -> Scores:
    severities = dict.fromkeys(world.harms, SEVERITY)
    found = conclude(arms, severities, world.pairs, LimitsSection(), rng)
    best: dict[tuple[str, str], float] = {}
    hits = set()
    for item in found.judged:
        best[item.cell.pair] = np.fmax(best.get(item.cell.pair, np.nan), _z(item.cell.p_upper))
        if item.record.blocking and item.record.verdict is Verdict.FOUND:
            hits.add(item.cell.pair)
    return Scores(
        values=grid(world, lambda pair: float(best[pair])),
        flagged=grid(world, lambda pair: pair in hits) > 0,
        units=_contributions(world) if any(arm.name == "photo" for arm in arms) else None,
        note=_note(found),
    )


def _z(p: float) -> float:
    """Order p-values of different degrees of freedom."""
    return float(stats.norm.isf(max(p, 1e-300))) if np.isfinite(p) else float("nan")


def _note(found: Conclusion) -> str:
    return " ".join(f"{arm.arm}: {arm.reason}" for arm in found.arms if not arm.decides)


def _contributions(world: World) -> Array | None:
    """Return phi of every unit for every contrast; None where no read-out is known."""
    photos = world.need_photos()
    if photos.responses is None or photos.readout is None:
        return None
    rows = photos.of_people
    codes = np.array([world.groups.index(photos.groups[i]) for i in rows])
    clusters = _codes([(photos.groups[i], photos.persons[i]) for i in rows])
    doubled = [
        unit_double_difference(
            photos.responses[rows], clusters, codes, identity=g, family=range(len(world.groups))
        ).value
        for g in range(len(world.groups))
    ]
    controls = [world.terms(c) for c in world.controls]
    directions = [harm_direction(world.terms(h), controls) for h in world.harms]
    return np.array(
        [[unit_contributions(d, photos.readout, to) for to in directions] for d in doubled]
    )


def _codes(keys: Sequence[tuple[str, str]]) -> NDArray[np.intp]:
    known = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], dtype=np.intp)


def behaviour(world: World, rng: Rng) -> Scores:
    """How much more often a term of the harm is the answer, among terms of all packs.

    Flagged by Holm over the contrasts, where an audit controls the false discovery rate and
    marks; it never decides there.
    """
    photos = world.need_photos()
    rows = photos.of_people
    labels = world.texts.take(world.texts.of({*world.harms, *world.controls}))
    cosines = normalise(photos.embeddings[rows]) @ labels.pooled.T
    codes = [world.harms.index(c) if c in world.harms else -1 for c in labels.concepts]
    answers = family_shares(argmax_shares(cosines), np.array(codes))
    groups = np.array([world.groups.index(photos.groups[i]) for i in rows])
    clusters = _codes([(photos.groups[i], photos.persons[i]) for i in rows])
    n = len(world.groups)
    gaps = compare_groups(answers, groups, n, clusters=clusters).gaps.value
    tests = gap_tests(answers, groups, n, clusters=clusters, rng=rng)
    return Scores(values=gaps, flagged=flags(tests.p, gaps))


def units_of_both(world: World, rng: Rng) -> Scores:
    """Units that answer to the group *and* to the harm: step-down max-T over all units.

    The group is compared with the other groups, the harm with the other badges, cluster by
    cluster; correlation ranks, max-T flags. Each side of the claim gets half of alpha, and within
    it every group, or every harm, an equal share.
    """
    values = world.need_responses()
    photos = world.need_photos()
    sides = [
        _side(values, photos.of_people, photos.groups, photos.persons, world.groups, rng),
        _side(values, photos.of_badges, photos.badges, photos.persons, world.harms, rng),
    ]
    (r_group, p_group), (r_harm, p_harm) = sides
    strength = np.fmin(r_group[:, None], r_harm[None])
    claims = answers_to_both(
        np.broadcast_to(p_group[:, None], strength.shape),
        np.broadcast_to(p_harm[None], strength.shape),
    )
    varied = np.isfinite(strength).any(axis=2)
    best = np.where(varied, np.nan_to_num(strength, nan=-2.0).max(axis=2), np.nan)
    return Scores(
        values=best,
        flagged=np.nan_to_num(claims, nan=1.0).min(axis=2) <= ALPHA,
        units=strength,
    )


def _side(
    values: Array,
    rows: NDArray[np.intp],
    shown: Sequence[str],
    persons: Sequence[str],
    names: Sequence[str],
    rng: Rng,
) -> tuple[Array, Array]:
    """Correlation and adjusted p of every unit with every name, shape (n_names, n_units)."""
    keys = [(shown[i], persons[i]) for i in rows]
    means = cluster_means(values[rows], _codes(keys))
    of_cluster = np.array([concept for concept, _ in dict.fromkeys(keys)], dtype=object)
    labels = np.stack([of_cluster == name for name in names], axis=1).astype(np.bool_)
    r = associate(means, labels).estimates["correlation"].value.T
    p = [step_down_max_t(means, column, rng=rng, draws=UNIT_DRAWS) for column in labels.T]
    return np.asarray(r), np.minimum(1.0, len(names) * np.stack(p))
