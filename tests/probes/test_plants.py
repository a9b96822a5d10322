"""Links written into embeddings: measured in closed form, held to doing it with vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.arms import Embeddings, cross, normalise, score_arm
from probes.calibration import widths_as_harms
from probes.contrast import contrasts, control_null, family_differences
from probes.errors import MeasureError
from probes.plants import EmbeddedPlants, plant_in_embeddings, seen_in
from probes.widths import pack_widths

PACKS = tuple(f"c{k}" for k in range(26))
GROUPS = tuple(f"isles/{i}" for i in range(4))
CRITICAL, DELTA0 = 3.3, 1.0
rules = settings(deadline=None, max_examples=8)
seeds = st.integers(0, 10_000)


def clusters(rng, concepts, n, dim):
    centres = rng.normal(size=(len(concepts), dim))
    values = np.repeat(0.4 * centres, n, axis=0) + rng.normal(size=(len(concepts) * n, dim))
    values[:, 0] += 3
    return Embeddings(
        names=tuple(map(str, range(len(values)))),
        concepts=tuple(c for c in concepts for _ in range(n)),
        pooled=normalise(values),
        by_template={},
    )


def arm_of(rows, columns):
    return score_arm(
        "text",
        cross(rows, columns),
        families={"isles": GROUPS},
        controls={PACKS[0]: PACKS[1:]},
    )


def made(seed, dim=40):
    rng = np.random.default_rng(seed)
    rows, columns = clusters(rng, GROUPS, 5, dim), clusters(rng, PACKS, 6, dim)
    return rows, columns, arm_of(rows, columns)


def flat(value=1.0):
    return {"isles": np.full((len(GROUPS), len(PACKS)), value)}


def written(values, chosen, size):
    """The same embeddings with a feature of their own in a new dimension, renormalised."""
    feature = np.where(chosen, size, 0.0)[:, None]
    return normalise(np.hstack([values.pooled, feature]))


def by_vectors(rows, columns, arm, row, pack, strength):
    """Write one link with vectors, find its size by halving, and judge it as an audit does."""
    own = np.array([c == GROUPS[row] for c in rows.concepts])
    harm = np.array([c == PACKS[pack] for c in columns.concepts])
    left = [k for k in range(len(PACKS)) if k != pack]

    def read(size):
        moved = written(rows, own, size) @ written(columns, harm, size).T
        means = np.stack(
            [[moved[np.ix_(arm.identities[g], arm.packs[p])].mean() for p in PACKS] for g in GROUPS]
        )
        differences = family_differences(means)
        test = contrasts(differences[:, [pack]], control_null(differences[:, left]))
        return test.effect[row, 0], test.se[row, 0], test.sd[row, 0]

    before, _, spread = read(0.0)
    low, high = 0.0, 1000.0
    for _ in range(44):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if read(middle)[0] - before < strength * spread else (low, middle)
        )
    effect, se, sd = read(high)
    reached = abs(effect - before - strength * spread) < 0.01 * strength * spread
    return reached, reached and effect - CRITICAL * se > DELTA0 * sd


@pytest.mark.parametrize("strength", [3.0, 5.0, 30.0])
def test_a_plant_is_that_of_writing_it_with_vectors_and_measuring_anew(strength):
    rows, columns, arm = made(1)
    pairs = [(row, pack) for pack in range(len(PACKS)) for row in range(len(GROUPS))]
    spaced = np.linspace(0, len(pairs) - 1, 5).round().astype(int)
    slow = [by_vectors(rows, columns, arm, *pairs[i], strength) for i in spaced]
    fast = plant_in_embeddings(
        arm, PACKS, flat(), critical=CRITICAL, delta0=DELTA0, strengths=(strength,), most=5
    )

    assert fast.planted[0] == sum(reached for reached, _ in slow)
    assert fast.found[0] == sum(found for _, found in slow)
    assert strength != 30.0 or fast.planted[0] < len(slow)


@rules
@given(seed=seeds)
def test_wider_packs_are_found_less_often_and_stronger_links_more_often(seed):
    *_, arm = made(seed)
    near = plant_in_embeddings(arm, PACKS, flat(), critical=CRITICAL, delta0=DELTA0)
    wide = plant_in_embeddings(arm, PACKS, flat(1.5), critical=CRITICAL, delta0=DELTA0)

    assert (wide.found <= near.found).all()
    assert (np.diff(near.shares[near.planted == near.planted.max()]) >= 0).all()
    assert seen_in(near) <= seen_in(wide) or np.isnan(seen_in(wide))


@rules
@given(seed=seeds, scale=st.floats(0.2, 3.0))
def test_the_length_of_one_group_does_not_matter_where_all_are_as_long(seed, scale):
    rows, columns, arm = made(seed)
    stretched = Embeddings(
        names=rows.names, concepts=rows.concepts, pooled=scale * rows.pooled, by_template={}
    )
    options = {"critical": CRITICAL, "delta0": DELTA0}
    one = plant_in_embeddings(arm, PACKS, flat(), **options)
    other = plant_in_embeddings(arm_of(stretched, columns), PACKS, flat(), **options)

    assert abs(one.found - other.found).max() <= 1


def test_few_pairs_are_spaced_over_all_groups_and_packs():
    *_, arm = made(2)
    plants = plant_in_embeddings(arm, PACKS, flat(), critical=3.3, delta0=1.0, most=40)

    assert plants.planted[0] == 40
    assert plants.shares[5] == pytest.approx(
        plant_in_embeddings(arm, PACKS, flat(), critical=3.3, delta0=1.0).shares[5], abs=0.15
    )


def test_scores_alone_have_no_embeddings_to_plant_in():
    *_, arm = made(3)
    bare = type(arm)(
        **{name: getattr(arm, name) for name in arm.__slots__ if name != "row_lengths"}
    )

    with pytest.raises(MeasureError, match="this arm has scores only"):
        plant_in_embeddings(bare, PACKS, flat(), critical=3.3, delta0=1.0)


def test_two_control_packs_leave_no_null():
    *_, arm = made(3)
    with pytest.raises(MeasureError, match="at least 3 control packs; got 2"):
        plant_in_embeddings(arm, PACKS[:2], flat(), critical=3.3, delta0=1.0)


def test_what_is_never_found_is_undefined_and_what_cannot_be_planted_is_left_out():
    counts = {"strengths": (2.0, 4.0, 6.0), "planted": np.array([10, 10, 0])}

    assert np.isnan(seen_in(EmbeddedPlants(found=np.array([0, 7, 0]), **counts)))
    assert seen_in(EmbeddedPlants(found=np.array([6, 10, 0]), **counts)) == pytest.approx(3.0)


def test_a_plant_is_judged_as_wide_as_a_harm_pack_in_its_place():
    rng = np.random.default_rng(0)
    controls = {"isles": family_differences(rng.normal(size=(10, 40)))}
    harms = {"isles": family_differences(3 * rng.normal(size=(10, 6)))}
    widths = pack_widths(harms, controls)
    wide, own = widths_as_harms(widths)["isles"], widths.controls["isles"]

    assert widths.common > 1.5
    more = (1 - widths.weight) * (widths.common**2 - 1)
    np.testing.assert_allclose(wide**2, own**2 + more)
