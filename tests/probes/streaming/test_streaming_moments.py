"""Moments of pieces equal those of the whole, and the effect sizes those of other libraries."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.errors import MeasureError
from probes.streaming.moments import SideMoments


def sample(seed, rows=60, units=4, concepts=3):
    rng = np.random.default_rng(seed)
    # units far from 0 and of very different spread: what naive sums of squares lose digits on
    values = rng.standard_normal((units, rows)) * [[1], [1e-3], [100], [1]] + [
        [0],
        [50],
        [1e4],
        [3],
    ]
    labels = rng.random((rows, concepts)) < [0.5, 0.2, 0.8]
    labels[:4] = [[True] * 3, [False] * 3, [True] * 3, [False] * 3]
    return values, labels


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), cuts=st.sets(st.integers(1, 59), max_size=6), turn=st.booleans())
def test_pieces_in_any_order_give_the_effects_of_the_whole(seed, cuts, turn):
    values, labels = sample(seed)
    bounds = [0, *sorted(cuts), 60]
    pieces = [SideMoments.of(values[:, a:b], labels[a:b]) for a, b in pairwise(bounds)]
    if turn:
        pieces.reverse()
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = merged.merge(piece)

    ours = merged.effects()
    for unit in range(4):
        for concept in range(3):
            with_it, without = values[unit, labels[:, concept]], values[unit, ~labels[:, concept]]
            theirs = stats.ttest_ind(with_it, without, equal_var=False)
            n, m = len(with_it), len(without)
            pooled = ((n - 1) * with_it.var(ddof=1) + (m - 1) * without.var(ddof=1)) / (n + m - 2)
            expected = {
                "t": theirs.statistic,
                "freedom": theirs.df,
                "d": (with_it.mean() - without.mean()) / np.sqrt(pooled),
                "correlation": np.corrcoef(values[unit], labels[:, concept])[0, 1],
            }
            for name, value in expected.items():
                found = getattr(ours, name)[unit, concept]
                # near 0 the oracle's own sums, 50,000 spreads from 0, leave their digits
                np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-10, err_msg=name)


def test_a_constant_unit_is_undefined_not_zero():
    labels = np.arange(6)[:, None] < 3
    first = SideMoments.of(np.full((1, 6), 0.1), labels)

    found = first.merge(SideMoments.of(np.full((1, 6), 0.1), labels)).effects()

    for values in (found.d, found.correlation, found.t, found.freedom):
        assert np.isnan(values).all()


def test_one_row_on_a_side_is_undefined():
    found = SideMoments.of(np.array([[1.0, 2, 4]]), np.array([[1], [0], [0]], bool)).effects()

    assert np.isnan([found.d, found.correlation, found.t]).all()


def test_labels_of_another_length_are_refused():
    with pytest.raises(MeasureError, match=r"got shapes \(1, 3\) and \(4, 1\)"):
        SideMoments.of(np.ones((1, 3)), np.ones((4, 1), bool))
