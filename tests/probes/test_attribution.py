import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.attribution import (
    STRONGEST,
    harm_direction,
    strongest,
    unit_contributions,
    unit_double_difference,
)
from probes.errors import MeasureError

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def sample(seed, n_units=5):
    """Six concepts of four clusters of three stimuli each."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(24), 3)
    values = rng.normal(size=(72, n_units)) + rng.normal(size=(24, n_units))[clusters]
    return values, clusters, clusters // 4, rng


FAMILY = {"identity": 1, "family": [0, 1, 2], "controls": [3, 4, 5]}


def cluster_mean(values, concept):
    return values.reshape(24, 3, -1).mean(axis=1)[4 * concept : 4 * concept + 4]


@quick
@given(seed=seeds)
def test_the_difference_is_to_the_mean_of_the_other_concepts(seed):
    values, clusters, concepts, _ = sample(seed)

    found = unit_double_difference(values, clusters, concepts, **FAMILY)

    means = [cluster_mean(values, concept).mean(axis=0) for concept in range(6)]
    np.testing.assert_allclose(found.value, means[1] - (means[0] + means[2]) / 2, atol=1e-12)
    np.testing.assert_allclose(found.control_sd, np.std(means[3:], axis=0, ddof=1), atol=1e-12)
    assert found.clusters == 4


@quick
@given(seed=seeds)
def test_against_one_other_concept_the_interval_is_welchs(seed):
    values, clusters, concepts, _ = sample(seed)

    found = unit_double_difference(values, clusters, concepts, identity=0, family=[0, 1])

    oracle = stats.ttest_ind(
        cluster_mean(values, 0), cluster_mean(values, 1), equal_var=False
    ).confidence_interval()
    np.testing.assert_allclose(found.low, oracle.low, rtol=5e-3, atol=0.02)
    np.testing.assert_allclose(found.high, oracle.high, rtol=5e-3, atol=0.02)


@quick
@given(seed=seeds)
def test_order_names_and_repeats_of_stimuli_do_not_matter(seed):
    values, clusters, concepts, rng = sample(seed)
    rows = rng.permutation(np.tile(np.arange(72), 2))
    names = rng.permutation(24) * 7

    one = unit_double_difference(values, clusters, concepts, **FAMILY)
    other = unit_double_difference(values[rows], names[clusters[rows]], concepts[rows], **FAMILY)

    for field in ("value", "low", "high", "control_sd"):
        np.testing.assert_allclose(getattr(other, field), getattr(one, field), atol=1e-9)


@quick
@given(seed=seeds)
def test_swapping_two_concepts_turns_the_difference_over(seed):
    values, clusters, concepts, _ = sample(seed)

    one = unit_double_difference(values, clusters, concepts, identity=0, family=[0, 1])
    other = unit_double_difference(values, clusters, concepts, identity=1, family=[0, 1])

    np.testing.assert_allclose(other.value, -one.value, atol=1e-12)
    np.testing.assert_allclose(other.low, -one.high, atol=1e-12)


@quick
@given(seed=seeds)
def test_what_is_common_to_the_family_cancels(seed):
    values, clusters, concepts, _ = sample(seed)

    found = unit_double_difference(values + 100, clusters, concepts, **FAMILY)

    plain = unit_double_difference(values, clusters, concepts, **FAMILY)
    np.testing.assert_allclose(found.value, plain.value, atol=1e-9)


def test_a_constant_unit_and_a_unit_with_a_nan_are_undefined_and_leave_the_others_alone():
    values, clusters, concepts, _ = sample(3)
    plain = unit_double_difference(values, clusters, concepts, **FAMILY)
    values[:, 1] = 0.1
    values[5, 3] = np.nan

    found = unit_double_difference(values, clusters, concepts, **FAMILY)

    assert np.isnan([found.value[[1, 3]], found.low[[1, 3]], found.high[[1, 3]]]).all()
    np.testing.assert_array_equal(found.value[[0, 2, 4]], plain.value[[0, 2, 4]])


def test_a_concept_with_one_cluster_has_a_value_but_no_interval():
    values, clusters, concepts, _ = sample(3)
    kept = (concepts != 0) | (clusters == 0)

    found = unit_double_difference(values[kept], clusters[kept], concepts[kept], **FAMILY)

    assert np.isfinite(found.value).all()
    assert np.isnan(found.low).all()


def test_without_controls_their_spread_is_undefined():
    values, clusters, concepts, _ = sample(3)

    found = unit_double_difference(values, clusters, concepts, identity=0, family=[0, 1])

    assert np.isnan(found.control_sd).all()


@quick
@given(seed=seeds)
def test_contributions_add_up_to_the_contrast_of_the_linear_model(seed):
    values, clusters, concepts, rng = sample(seed)
    readout, harm = rng.normal(size=(5, 7)), rng.normal(size=(6, 7))
    controls = [rng.normal(size=(6, 7)) for _ in range(3)]

    def scores(pack):
        unit = pack / np.linalg.norm(pack, axis=1, keepdims=True)
        per_cluster = values.reshape(24, 3, -1).mean(axis=1) @ readout @ unit.T
        per_concept = per_cluster.mean(axis=1).reshape(6, 4).mean(axis=1)
        return per_concept[1] - (per_concept[0] + per_concept[2]) / 2

    difference = unit_double_difference(values, clusters, concepts, **FAMILY).value
    phi = unit_contributions(difference, readout, harm_direction(harm, controls))

    delta = scores(harm) - np.mean([scores(pack) for pack in controls])
    assert phi.sum() == pytest.approx(delta, abs=1e-9)


def test_the_length_of_an_embedding_does_not_matter():
    rng = np.random.default_rng(0)
    harm, controls = rng.normal(size=(4, 6)), [rng.normal(size=(4, 6))]

    np.testing.assert_allclose(
        harm_direction(harm * np.array([[1], [5], [0.1], [9]]), controls),
        harm_direction(harm, controls),
    )


def test_the_strongest_come_first_and_units_without_a_number_not_at_all():
    found = strongest(np.array([0.5, np.nan, -2.0, 0.5, 1.0]), 3)

    assert [(unit.unit, unit.value) for unit in found] == [(2, -2.0), (4, 1.0), (0, 0.5)]
    assert found[0].share == -0.5
    assert strongest(np.full(3, np.nan)) == ()


def test_a_finding_keeps_fifty_units():
    assert len(strongest(np.arange(200.0))) == STRONGEST == 50
    assert strongest(np.arange(200.0))[0].unit == 199


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda v, c, k: unit_double_difference(v, c, k, identity=0, family=[0]),
            "at least 1 other concept.*got 0 others",
        ),
        (
            lambda v, c, k: unit_double_difference(v, c, k, identity=0, family=[1, 9]),
            r"no stimuli for \[9\]",
        ),
        (
            lambda v, c, k: unit_double_difference(v, k * 0, k, identity=0, family=[1]),
            "cluster 0 has concepts 0 and 1",
        ),
        (
            lambda v, c, k: unit_double_difference(v, c[:3], k, identity=0, family=[1]),
            "for 72 stimuli",
        ),
        (
            lambda v, c, k: unit_contributions(v[0], np.ones((4, 2)), np.ones(2)),
            r"got \(4, 2\) for \(5,\) units",
        ),
        (lambda v, c, k: harm_direction(v, []), "at least 1 control pack"),
        (lambda v, c, k: harm_direction(v * 0, [v]), "without a length"),
    ],
)
def test_what_does_not_fit_says_what_came(call, sentence):
    with pytest.raises(MeasureError, match=sentence):
        call(*sample(1)[:3])
