"""The exact score lies within the stated bound, for every distribution, cut and tie."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from probes.errors import MeasureError
from probes.streaming.rank_sketch import RankSketch, edges_of

KINDS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "relu": lambda rng, n: np.maximum(rng.standard_normal(n), 0),
    "heavy": lambda rng, n: rng.standard_cauchy(n),
    "few values": lambda rng, n: rng.integers(0, 3, n),
    "constant": lambda rng, n: np.ones(n),
}


def sample(kind, seed, rows=300):
    rng = np.random.default_rng(seed)
    values = KINDS[kind](rng, rows).astype(np.float32)[None]
    labels = (values[0] + rng.standard_normal(rows) > 0.6)[:, None]
    labels[:2] = [[True], [False]]
    return values, labels


def sketch_of(values, labels, *, pilot, bins, cuts=()):
    sketch = RankSketch.empty(edges_of(pilot, bins), labels.shape[1])
    bounds = [0, *sorted(cuts), values.shape[1]]
    for a, b in pairwise(bounds):
        sketch.add(values[:, a:b], labels[a:b])
    return sketch


@settings(max_examples=50, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 999),
    bins=st.integers(4, 64),
    pilot=st.integers(1, 300),
    cuts=st.sets(st.integers(1, 299), max_size=4),
)
def test_the_exact_score_lies_within_the_bound(kind, seed, bins, pilot, cuts):
    values, labels = sample(kind, seed)
    sketch = sketch_of(values, labels, pilot=values[:, :pilot], bins=bins, cuts=cuts)

    area, precision = sketch.auroc(), sketch.average_precision()

    exact = roc_auc_score(labels[:, 0], values[0])
    assert abs(area.value[0, 0] - exact) <= area.error[0, 0]
    exact = average_precision_of(labels[:, 0], values[0])
    assert abs(precision.value[0, 0] - exact) <= precision.error[0, 0]


def average_precision_of(labels, values):
    return np.mean([labels[values >= v].mean() for v in values[labels]])


def test_our_average_precision_is_that_of_scikit_learn_where_nothing_is_tied():
    values, labels = sample("normal", 5)

    exact = average_precision_score(labels[:, 0], values[0])

    assert average_precision_of(labels[:, 0], values[0]) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("kind", ["few values", "constant"])
def test_few_distinct_values_have_exact_scores(kind):
    values, labels = sample(kind, 3)
    sketch = sketch_of(values, labels, pilot=values, bins=16)

    assert sketch.auroc().error[0, 0] < 1e-8
    assert sketch.auroc().value[0, 0] == pytest.approx(roc_auc_score(labels[:, 0], values[0]))
    assert sketch.average_precision().error[0, 0] < 1e-8


def test_zeros_of_a_relu_do_not_widen_the_bound():
    values, labels = sample("relu", 1, rows=4000)
    sketch = sketch_of(values, labels, pilot=values[:, ::4], bins=512)

    assert (values == 0).mean() > 0.45
    assert sketch.auroc().error[0, 0] < 2e-3


def test_more_bins_give_a_smaller_bound():
    values, labels = sample("normal", 2, rows=4000)
    errors = [
        sketch_of(values, labels, pilot=values, bins=bins).auroc().error[0, 0]
        for bins in (16, 128, 1024)
    ]

    assert errors[0] > 4 * errors[1] > 16 * errors[2]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), cut=st.integers(1, 299))
def test_merged_sketches_equal_one_that_saw_everything(seed, cut):
    values, labels = sample("relu", seed)
    edges = edges_of(values, 32)
    whole, a, b = (RankSketch.empty(edges, 1) for _ in range(3))
    whole.add(values, labels)
    a.add(values[:, :cut], labels[:cut])
    b.add(values[:, cut:], labels[cut:])

    merged = a.merge(b)

    np.testing.assert_array_equal(merged.total, whole.total)
    np.testing.assert_array_equal(merged.shown, whole.shown)


def test_sketches_under_other_edges_are_not_merged():
    values, _ = sample("normal", 0)
    a, b = (RankSketch.empty(edges_of(values[:, :n], 8), 1) for n in (100, 200))

    with pytest.raises(MeasureError, match="share their edges"):
        a.merge(b)


def test_a_concept_that_every_row_shows_is_undefined():
    values, labels = sample("normal", 0)
    found = sketch_of(values, np.ones_like(labels), pilot=values, bins=8).auroc()

    assert np.isnan(found.value).all()


def test_rows_of_another_width_are_refused():
    values, labels = sample("normal", 0)

    with pytest.raises(MeasureError, match="1 units and 1 concepts"):
        RankSketch.empty(edges_of(values, 8), 1).add(np.vstack([values, values]), labels)
