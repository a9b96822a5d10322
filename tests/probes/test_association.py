from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from probes.association import ASSOCIATIONS, Why, associate, associate_in_blocks, reason
from probes.clusters import MIN_CLUSTERS, cluster_means
from probes.encoder import Pooling, Reading
from probes.errors import MeasureError
from probes.intervals import area_interval, delong_variance
from probes.ranks import chance_precision, delong_variances, places

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=30, deadline=None)
each_measure = pytest.mark.parametrize("measure", ASSOCIATIONS)


def sample(seed, n=40, n_units=4, n_concepts=3, ties=False):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_units))
    labels = np.stack(
        [rng.permutation(np.arange(n) < rng.integers(5, n - 5)) for _ in range(n_concepts)], axis=1
    )
    values += labels[:, :1] * rng.normal(size=n_units)
    if ties:
        values = np.maximum(values, 0).round(1)
    return values, labels, rng


def pairs(values, labels):
    for unit in range(values.shape[1]):
        for concept in range(labels.shape[1]):
            yield unit, concept, values[:, unit], labels[:, concept]


@quick
@given(seed=seeds, ties=st.booleans())
def test_values_equal_those_of_scipy_and_scikit_learn(seed, ties):
    values, labels, _ = sample(seed, ties=ties)
    assume((np.ptp(values, axis=0) > 0).all())

    found = associate(values, labels).estimates

    for unit, concept, x, y in pairs(values, labels):
        got = {name: found[name].value[unit, concept] for name in ASSOCIATIONS}
        assert got["correlation"] == pytest.approx(stats.pointbiserialr(y, x).statistic, abs=1e-9)
        assert got["auroc"] == pytest.approx(roc_auc_score(y, x), abs=1e-9)
        assert got["ap_lift"] == pytest.approx(average_precision_score(y, x) / y.mean(), abs=1e-9)
        if np.ptp(x[~y]) > 0:
            df = (~y).sum() - 1
            hedges = 1 - 3 / (4 * df - 1)
            glass = (x[y].mean() - x[~y].mean()) / x[~y].std(ddof=1)
            assert got["glass_delta"] == pytest.approx(hedges * glass, rel=6e-3)


@quick
@given(seed=seeds, ties=st.booleans())
def test_the_area_has_delongs_interval(seed, ties):
    values, labels, _ = sample(seed, n_units=3, ties=ties)
    assume((np.ptp(values, axis=0) > 0).all())

    found = associate(values, labels).estimates["auroc"]

    for unit, concept, x, y in pairs(values, labels):
        parts = delong_variance(x[y], x[~y])
        low, high = area_interval(found.value[unit, concept], parts, y.sum(), (~y).sum())
        assert found.low[unit, concept] == pytest.approx(low, abs=1e-9)
        assert found.high[unit, concept] == pytest.approx(high, abs=1e-9)


@quick
@given(seed=seeds, ties=st.booleans())
def test_delong_from_the_places_of_one_class_equals_a_loop_over_pairs(seed, ties):
    values, labels, _ = sample(seed, n_concepts=1, ties=ties)
    order = places(np.ascontiguousarray(values.T))

    ours, others = delong_variances(order.pick(labels[:, 0]))

    for unit, _, x, y in pairs(values, labels):
        assert (ours[unit], others[unit]) == pytest.approx(delong_variance(x[y], x[~y]), abs=1e-12)


@each_measure
@quick
@given(seed=seeds)
def test_order_of_clusters_does_not_matter(measure, seed):
    values, labels, rng = sample(seed)
    order = rng.permutation(len(values))

    one = associate(values, labels).estimates[measure]
    other = associate(values[order], labels[order]).estimates[measure]

    for field in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(other, field), getattr(one, field), atol=1e-9)


@each_measure
@quick
@given(seed=seeds, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_shift_and_scale_of_a_unit_do_not_matter(measure, seed, scale, shift):
    values, labels, _ = sample(seed)

    one = associate(values, labels).estimates[measure]
    other = associate(values * scale + shift, labels).estimates[measure]

    for field in ("value", "low", "high"):
        np.testing.assert_allclose(getattr(other, field), getattr(one, field), atol=1e-4)


@each_measure
@quick
@given(seed=seeds)
def test_showing_every_stimulus_twice_changes_nothing(measure, seed):
    values, labels, rng = sample(seed)
    codes = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    shown = values[codes] + rng.normal(size=(len(codes), 4))

    one, other = (
        associate(cluster_means(stimuli, own), labels).estimates[measure]
        for stimuli, own in ((shown, codes), (np.vstack([shown] * 2), np.hstack([codes] * 2)))
    )

    np.testing.assert_allclose(other.value, one.value, atol=1e-9)
    np.testing.assert_allclose(other.low, one.low, atol=1e-9)


@pytest.mark.parametrize(("measure", "neutral"), [("correlation", 0.0), ("auroc", 0.5)])
@quick
@given(seed=seeds)
def test_swapping_the_labels_mirrors_the_measure(measure, neutral, seed):
    values, labels, _ = sample(seed)

    one = associate(values, labels).estimates[measure]
    other = associate(values, ~labels).estimates[measure]

    np.testing.assert_allclose(other.value - neutral, neutral - one.value, atol=1e-9)
    np.testing.assert_allclose(other.high - neutral, neutral - one.low, atol=1e-9)


@quick
@given(seed=seeds)
def test_turning_a_unit_over_turns_the_sign_of_glass_delta(seed):
    values, labels, _ = sample(seed)

    one = associate(values, labels).estimates["glass_delta"]
    other = associate(-values, labels).estimates["glass_delta"]

    np.testing.assert_allclose(other.value, -one.value, atol=1e-9)
    np.testing.assert_allclose(other.high, -one.low, atol=1e-9)


@each_measure
def test_a_constant_unit_is_undefined_not_neutral(measure):
    values, labels, _ = sample(1)
    values[:, 2] = 0.1 + 0.2

    found = associate(values, labels).estimates[measure]

    assert np.isnan(found.value[2]).all()
    assert np.isnan([found.low[2], found.high[2]]).all()
    assert (found.why[2] == Why.CONSTANT).all()
    assert np.isfinite(found.value[[0, 1, 3]]).all()
    assert (found.why[[0, 1, 3]] == Why.DEFINED).all()


@each_measure
@pytest.mark.parametrize(
    ("n_with", "code"),
    [
        (0, Why.FEW_WITH),
        (MIN_CLUSTERS - 1, Why.FEW_WITH),
        (MIN_CLUSTERS, Why.DEFINED),
        (40 - MIN_CLUSTERS, Why.DEFINED),
        (41 - MIN_CLUSTERS, Why.FEW_WITHOUT),
        (40, Why.FEW_WITHOUT),
    ],
)
def test_too_few_clusters_on_a_side_are_undefined(measure, n_with, code):
    values, _, _ = sample(2)

    found = associate(values, np.arange(40)[:, None] < n_with).estimates[measure]

    assert (found.why == code).all()
    assert (np.isfinite(found.value) == (code == Why.DEFINED)).all()


def test_a_unit_that_answers_to_nothing_else_has_no_reference_spread():
    labels = np.arange(40)[:, None] < 8
    values = np.where(labels, np.linspace(1, 2, 40)[:, None], 0.3)

    found = associate(values, labels).estimates

    assert found["glass_delta"].why[0, 0] == Why.REFERENCE_CONSTANT
    assert np.isnan(found["glass_delta"].value[0, 0])
    assert found["auroc"].value[0, 0] == 1
    assert found["ap_lift"].value[0, 0] == 5
    assert found["correlation"].high[0, 0] > found["correlation"].low[0, 0] > 0


def test_every_code_has_a_sentence_and_a_value_has_none():
    sentences = [reason(code) for code in Why]

    assert sentences[Why.DEFINED] == ""
    assert all(sentences[1:])
    assert len(set(sentences)) == len(sentences)


def test_the_lift_is_bounded_by_its_ceiling_and_reaches_it():
    values = np.arange(40.0)[:, None]
    found = associate(values, np.arange(40)[:, None] >= 30)

    assert found.ap_lift_ceiling[0] == 4
    assert found.estimates["ap_lift"].value[0, 0] == 4
    assert found.estimates["ap_lift"].high[0, 0] == pytest.approx(4)
    assert 1 < found.estimates["ap_lift"].low[0, 0] < 4


def test_chance_precision_equals_the_mean_over_all_orders():
    every = [
        average_precision_score(order, np.arange(6))
        for order in set(permutations([1, 1, 0, 0, 0, 0]))
    ]

    assert chance_precision(6, np.array([2.0]))[0] == pytest.approx(np.mean(every))


def test_correlation_and_lift_tell_a_specific_unit_from_a_broad_one_and_auroc_does_not():
    rng = np.random.default_rng(0)
    labels = np.arange(20_000)[:, None] < 200
    specific = np.where(labels[:, 0], 2.3, 0) + rng.normal(size=20_000)
    broad = np.where(np.arange(20_000) < 2000, 2.3, 0) + rng.normal(size=20_000)

    found = associate(np.stack([specific, broad], axis=1), labels).estimates

    area = found["auroc"].value[:, 0]
    assert abs(area[0] - area[1]) < 0.06
    assert found["correlation"].value[0, 0] > 1.2 * found["correlation"].value[1, 0]
    assert found["ap_lift"].value[0, 0] > 3 * found["ap_lift"].value[1, 0]


@pytest.mark.parametrize(("n_with", "n_without", "spread"), [(8, 100, 1), (8, 100, 2), (20, 60, 2)])
def test_intervals_cover_the_truth_as_often_as_they_say(n_with, n_without, spread):
    rng = np.random.default_rng(4)
    values = rng.normal(size=(n_with + n_without, 3000))
    values[:n_with] = values[:n_with] * spread + 1
    found = associate(values, np.arange(n_with + n_without)[:, None] < n_with).estimates

    share = n_with / (n_with + n_without)
    within = share * spread**2 + 1 - share
    between = share * (1 - share)
    truth = {
        "correlation": np.sqrt(between / (within + between)),
        "glass_delta": 1.0,
        "auroc": stats.norm.cdf(1 / np.hypot(1, spread)),
    }
    for measure, value in truth.items():
        covered = (found[measure].low <= value) & (value <= found[measure].high)
        assert 0.93 < covered.mean() < 0.975, measure


def test_blocks_of_units_equal_the_whole():
    values, labels, _ = sample(6, n_units=11)
    readings = {
        Reading(layer="a", pooling=Pooling.CLS): values,
        Reading(layer="b", pooling=Pooling.TOKEN_MAX): -values,
    }
    whole = {reading: associate(x, labels).estimates for reading, x in readings.items()}

    blocks = list(associate_in_blocks(readings, labels, block_units=4))

    assert [(block.reading.layer, block.first_unit) for block in blocks] == [
        ("a", 0), ("a", 4), ("a", 8), ("b", 0), ("b", 4), ("b", 8)
    ]  # fmt: skip
    for block in blocks:
        for measure in ASSOCIATIONS:
            got = block.associations.estimates[measure].value
            rows = slice(block.first_unit, block.first_unit + len(got))
            np.testing.assert_allclose(got, whole[block.reading][measure].value[rows], atol=1e-12)


def test_responses_that_are_no_numbers_are_refused():
    values, labels, _ = sample(1)
    values[3, 2] = np.nan

    with pytest.raises(MeasureError, match=r"in units \[2\]"):
        associate(values, labels)


def test_shapes_that_do_not_fit_say_what_came():
    with pytest.raises(MeasureError, match=r"got shapes \(40, 4\) and \(39, 3\)"):
        associate(*(array[:stop] for array, stop in zip(sample(1)[:2], (40, 39), strict=True)))
