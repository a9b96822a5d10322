import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.clusters import cluster_labels, cluster_means, cluster_sizes, clusters_of
from probes.errors import MeasureError

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=50, deadline=None)


def nested(seed, n_clusters=7, n_units=3):
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(n_clusters), rng.integers(0, n_clusters, 20)])
    return rng.normal(size=(len(codes), n_units)), rng.permutation(codes), rng


@quick
@given(seed=seeds)
def test_means_equal_a_loop_over_clusters(seed):
    values, codes, _ = nested(seed)

    slow = np.stack([values[codes == cluster].mean(axis=0) for cluster in range(7)])

    np.testing.assert_allclose(cluster_means(values, codes), slow, rtol=0, atol=1e-12)


@quick
@given(seed=seeds)
def test_order_of_stimuli_does_not_matter(seed):
    values, codes, rng = nested(seed)
    order = rng.permutation(len(codes))

    np.testing.assert_allclose(
        cluster_means(values[order], codes[order]), cluster_means(values, codes), atol=1e-12
    )


@quick
@given(seed=seeds)
def test_showing_everything_twice_changes_nothing(seed):
    values, codes, _ = nested(seed)

    twice = cluster_means(np.vstack([values, values]), np.hstack([codes, codes]))

    np.testing.assert_allclose(twice, cluster_means(values, codes), atol=1e-12)


@quick
@given(seed=seeds)
def test_relabelling_clusters_permutes_the_means(seed):
    values, codes, rng = nested(seed)
    new = rng.permutation(7)

    np.testing.assert_allclose(
        cluster_means(values, new[codes])[new], cluster_means(values, codes), atol=1e-12
    )


@quick
@given(seed=seeds)
def test_weights_equal_a_weighted_average(seed):
    values, codes, rng = nested(seed)
    weights = rng.random(len(codes)) + 0.1

    means = cluster_means(values, codes, weights=weights)

    inside = codes == 4
    slow = np.average(values[inside], axis=0, weights=weights[inside])
    np.testing.assert_allclose(means[4], slow, atol=1e-12)


def test_blocks_of_units_give_the_same_means(monkeypatch):
    values, codes, _ = nested(1, n_units=11)
    whole = cluster_means(values, codes)
    monkeypatch.setattr("probes.clusters._UNITS_AT_ONCE", 4)

    np.testing.assert_array_equal(cluster_means(values, codes), whole)


def test_32_bit_responses_are_averaged_in_64_bits():
    values = np.full((3000, 1), 0.1, np.float32)

    assert cluster_means(values, np.zeros(3000, int))[0, 0] == pytest.approx(
        float(np.float32(0.1)), rel=1e-12
    )


def test_a_nan_stays_in_its_cluster_and_unit():
    values = np.ones((4, 2))
    values[0, 1] = np.nan

    means = cluster_means(values, np.array([0, 0, 1, 1]))

    np.testing.assert_array_equal(np.isnan(means), [[False, True], [False, False]])


def test_names_become_sorted_codes():
    clusters = clusters_of(["weaver", "baker", "weaver", "smith"])

    assert clusters.names == ("baker", "smith", "weaver")
    assert clusters.codes.tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_labels_of_clusters_keep_their_shape(shape):
    labels = np.zeros(shape, bool)
    labels[2:4] = True

    found = cluster_labels(labels, np.array([0, 0, 1, 1, 2, 2]))

    assert found.shape == (3, *shape[1:])
    np.testing.assert_array_equal(found.reshape(3, -1)[:, 0], [False, True, False])


def test_a_cluster_with_both_labels_is_refused():
    with pytest.raises(MeasureError, match="cluster 1 has concept 0 in 1 of 2 stimuli"):
        cluster_labels(np.array([False, True, False]), np.array([0, 1, 1]))


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        (np.array([0, 2]), "1 of 3 codes are not used"),
        (np.array([-1, 0]), "smallest -1"),
        (np.array([], int), "smallest none"),
    ],
)
def test_codes_with_gaps_or_missing_values_are_refused(codes, sentence):
    with pytest.raises(MeasureError, match=sentence):
        cluster_sizes(codes)


def test_shapes_that_do_not_fit_say_what_came():
    with pytest.raises(MeasureError, match=r"got shape \(3, 1\) for 2 stimuli"):
        cluster_means(np.ones((3, 1)), np.array([0, 1]))
    with pytest.raises(MeasureError, match="got 3 for 2 stimuli"):
        cluster_labels(np.ones(3, bool), np.array([0, 1]))


@pytest.mark.parametrize("weights", [np.array([1.0, -1.0]), np.array([1.0, np.nan]), np.ones(3)])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(MeasureError, match="Weights must be one finite number"):
        cluster_means(np.ones((2, 1)), np.array([0, 1]), weights=weights)


def test_a_cluster_without_weight_is_refused():
    with pytest.raises(MeasureError, match="1 have none"):
        cluster_means(np.ones((2, 1)), np.array([0, 1]), weights=np.array([1.0, 0.0]))
