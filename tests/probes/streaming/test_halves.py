"""Tables for 16-bit responses say what searching and sorting say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from probes.streaming.exact_ranks import exact_ranks
from probes.streaming.halves import MOST_ROWS, doubles, half_bins, half_ranks
from probes.streaming.rank_sketch import RankSketch, edges_of

EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)
FINITE = EVERY[np.isfinite(EVERY)]


def drawn(rng, units, rows, *, distinct):
    values = rng.choice(FINITE, distinct)
    return rng.choice(values, (units, rows)).astype(np.float16)


def test_every_half_is_widened_without_loss():
    assert np.array_equal(doubles(EVERY), EVERY.astype(np.float64), equal_nan=True)


def test_other_widths_are_converted():
    wide = np.array([[0.1, -3]], np.float32)
    assert np.array_equal(doubles(wide), wide.astype(np.float64))


@pytest.mark.parametrize("distinct", [1, 2, 7, 5_000])
def test_bins_are_those_of_searching(distinct):
    rng = np.random.default_rng(distinct)
    edges = edges_of(drawn(rng, 3, 4_096, distinct=distinct), 64)
    bins = half_bins(edges)
    for unit, begins in enumerate(edges):
        searched = np.searchsorted(begins, FINITE.astype(np.float32), side="right")
        assert np.array_equal(bins[unit][FINITE.view(np.uint16)], searched)


def test_a_sketch_counts_the_same_with_tables():
    rng = np.random.default_rng(0)
    values, labels = drawn(rng, 4, 3_000, distinct=900), rng.random((3_000, 2)) < 0.3
    edges = edges_of(values[:, ::7], 64)
    searched, looked_up = RankSketch.empty(edges, 2), RankSketch.empty(edges, 2)
    searched.add(values.astype(np.float32), labels)
    looked_up.add(values, labels, half_bins(edges))
    assert np.array_equal(searched.total, looked_up.total)
    assert np.array_equal(searched.shown, looked_up.shown)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(2, 40), distinct=st.integers(1, 40))
def test_ranks_are_those_of_scikit_learn(seed, rows, distinct):
    rng = np.random.default_rng(seed)
    values = drawn(rng, 2, rows, distinct=distinct)
    shown = np.zeros(rows, bool)
    shown[rng.permutation(rows)[: rng.integers(1, rows)]] = True
    area, precision = half_ranks(values, shown[:, None])
    for unit, responses in enumerate(values.astype(np.float64)):
        # the largest halves lie so far apart that scikit-learn's tolerance would tie small ones
        order = np.unique(responses, return_inverse=True)[1]
        assert area.value[unit, 0] == pytest.approx(roc_auc_score(shown, order), abs=1e-12)
        expected = average_precision_score(shown, order)
        assert precision.value[unit, 0] == pytest.approx(expected, abs=1e-12)


def test_both_zeros_are_one_value():
    area, _ = half_ranks(np.array([[0.0, -0.0]], np.float16), np.array([[True], [False]]))
    assert area.value[0, 0] == 0.5


@pytest.mark.parametrize("rows", [500, MOST_ROWS])
def test_long_and_short_tables_agree_with_sorting(rows):
    rng = np.random.default_rng(3)
    values = np.maximum(rng.standard_normal((3, rows)), 0).astype(np.float16)
    labels = rng.random((rows, 4)) < [0.5, 0.05, 0.0, 1.0]
    for ours, sorted_out in zip(
        half_ranks(values, labels), exact_ranks(values.astype(np.float32), labels), strict=True
    ):
        np.testing.assert_allclose(ours.value, sorted_out.value, atol=1e-12)
        assert np.array_equal(ours.error, sorted_out.error, equal_nan=True)


def test_a_side_without_a_row_has_no_area():
    area, precision = half_ranks(np.ones((1, 3), np.float16), np.zeros((3, 1), bool))
    assert np.isnan(area.value).all()
    assert np.isnan(precision.value).all()
