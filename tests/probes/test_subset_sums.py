from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes import subset_sums
from probes.errors import MeasureError
from probes.permutation import two_sample_columns
from probes.similarity.labels import plain_label_p
from probes.similarity.weat import weat_of_cosines
from probes.subset_sums import BRISK, Effort, half_sums, subset_p

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=40, deadline=None)
BOUNDED = Effort(exact_sums=0, grid_work=10**9)
ALTERNATIVES = ["greater", "less", "two-sided"]


def rng(seed=0):
    return np.random.default_rng(seed)


def listed(values, shown, alternative):
    """Every choice of clusters, one at a time."""
    return two_sample_columns(
        values,
        shown,
        rng=rng(),
        alternative=alternative,
        studentised=False,
        max_exact=10**6,
    ).p


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@quick
@given(
    seed=seeds, n=st.integers(2, 13), share=st.floats(0.05, 0.95), digits=st.sampled_from([0, 1, 9])
)
def test_meeting_in_the_middle_gives_the_p_of_listing_every_choice(
    alternative, seed, n, share, digits
):
    shown = rng(seed + 1).permutation(np.arange(n) < min(max(1, round(share * n)), n - 1))
    values = rng(seed).standard_normal((n, 2)).round(digits)

    ours = subset_p(values, shown, alternative=alternative)

    assert ours.certainty == "exact"
    np.testing.assert_allclose(ours.p, listed(values, shown, alternative), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ours.low, ours.p)


def test_twelve_a_side_equal_a_plain_loop_over_all_2_704_156_choices():
    values = rng(3).standard_normal(24)
    values[:12] += 0.5
    # the sums of the halves of a loop that knows nothing of the other algorithm
    sums = np.fromiter((sum(c) for c in combinations(values.tolist(), 12)), float, comb(24, 12))

    ours = subset_p(values[:, None], np.arange(24) < 12).p[0]

    assert ours == pytest.approx(np.mean(sums >= values[:12].sum() - 1e-9), rel=0, abs=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@quick
@given(seed=seeds, n=st.integers(4, 13), ties=st.booleans())
def test_the_bounds_of_the_grid_hold_the_exact_p(alternative, seed, n, ties):
    values = rng(seed).standard_normal((n, 2)).round(1 if ties else 12)
    shown = np.arange(n) < 1 + seed % (n - 1)

    bounded = subset_p(values, shown, alternative=alternative, effort=BOUNDED)

    exact = listed(values, shown, alternative)
    assert bounded.certainty == "bounded"
    assert (bounded.low <= exact * (1 + 1e-12)).all()
    assert (exact <= bounded.p * (1 + 1e-12)).all()


@pytest.mark.parametrize(("n", "k"), [(60, 1), (300, 2), (90, 3)])
def test_a_small_side_among_many_lists_small_subsets_only(n, k):
    """All subsets of half of them would not fit into any memory."""
    values, shown = rng(n).standard_normal((n, 1)), np.arange(n) < k
    observed = values[:k].sum()

    found = subset_p(values, shown)

    counted = np.mean([sum(c) >= observed for c in combinations(values[:, 0].tolist(), k)])
    assert found.certainty == "exact"
    assert found.p[0] == pytest.approx(counted, abs=1e-9)


@pytest.mark.parametrize("m", [16, 20])
def test_the_bounds_are_narrow_where_exact_p_can_still_be_had(m):
    values, shown = rng(m).standard_normal((2 * m, 1)), np.arange(2 * m) < m
    values[:m] += 0.4

    exact, bounded = subset_p(values, shown), subset_p(values, shown, effort=BOUNDED)

    assert bounded.low[0] <= exact.p[0] <= bounded.p[0]
    assert bounded.p[0] - bounded.low[0] < 1e-3


@pytest.mark.parametrize(("n", "k"), [(64, 8), (200, 20), (300, 40)])
def test_the_bounds_of_an_audit_are_narrower_than_drawing_999_would_be(n, k):
    values, shown = rng(n).standard_normal((n, 1)), np.arange(n) < k
    values[:k] += 2.5 / np.sqrt(k)

    found = subset_p(values, shown, effort=BRISK)

    assert found.certainty == "bounded"
    drawn = np.sqrt(found.p[0] / 999)  # standard error of a share that small
    assert found.p[0] - found.low[0] < 2 * drawn


def test_more_cells_make_the_bounds_narrower(monkeypatch):
    values, shown = rng(5).standard_normal((60, 1)), np.arange(60) < 30
    fine = subset_p(values, shown)
    monkeypatch.setattr(subset_sums, "MOST_CELLS", 2_000)
    coarse = subset_p(values, shown)

    assert coarse.low[0] < fine.low[0] <= fine.p[0] < coarse.p[0]


@quick
@given(seed=seeds, shift=st.floats(-100, 100), scale=st.sampled_from([1e-6, 0.3, 1e6]))
def test_origin_unit_and_order_do_not_matter(seed, shift, scale):
    values, shown, order = rng(seed).standard_normal((12, 1)), np.arange(12) < 5, rng(1)
    order = order.permutation(12)

    moved = subset_p((values * scale + shift * scale)[order], shown[order])

    np.testing.assert_allclose(moved.p, subset_p(values, shown).p, rtol=0, atol=1e-12)


@quick
@given(seed=seeds)
def test_swapping_sides_mirrors_the_alternative(seed):
    values, shown = rng(seed).standard_normal((14, 1)), np.arange(14) < 5

    here, there = (
        subset_p(values, shown, alternative="greater"),
        subset_p(values, ~shown, alternative="less"),
    )

    np.testing.assert_allclose(here.p, there.p, rtol=0, atol=1e-12)


@pytest.mark.parametrize("effort", [BOUNDED, BRISK])
def test_p_is_never_zero_and_never_above_one(effort):
    values = np.concatenate([np.full(10, 5.0), np.zeros(10)])[:, None]
    shown = np.arange(20) < 10

    most = subset_p(values, shown, effort=effort)
    least = subset_p(-values, shown, effort=effort)

    assert most.p[0] == pytest.approx(1 / comb(20, 10), rel=1e-9)
    assert least.p[0] == pytest.approx(1.0)
    assert subset_p(np.ones((20, 1)), shown, effort=effort).p[0] == 1.0


def test_one_side_alone_is_undefined_not_zero():
    found = subset_p(np.eye(4), np.zeros(4, bool))

    assert np.isnan(found.p).all()
    assert found.certainty == ""


def test_the_number_of_half_sums_is_what_is_held():
    assert half_sums(50, 25) == 2**26
    assert half_sums(7, 2) == sum(comb(3, j) + comb(4, 2 - j) for j in range(3))


def test_data_that_cannot_be_tested_are_refused():
    with pytest.raises(MeasureError, match="1 of 4 have none"):
        subset_p(np.array([[1.0], [np.nan], [2.0], [3.0]]), np.arange(4) < 2)
    with pytest.raises(MeasureError, match=r"labels of shape \(3,\)"):
        subset_p(np.ones((4, 1)), np.arange(3) < 2)
    with pytest.raises(MeasureError, match="'larger'"):
        subset_p(np.ones((4, 1)), np.arange(4) < 2, alternative="larger")


def test_arrangements_are_never_drawn_unless_asked_for():
    values = rng(7).standard_normal((70, 1))

    few = plain_label_p(values[:40], np.arange(40) < 20, rng=rng())
    many = plain_label_p(values, np.arange(70) < 35, rng=rng())
    drawn = plain_label_p(values, np.arange(70) < 35, rng=rng(), draws=999)

    assert (few.certainty, many.certainty, drawn.certainty) == ("exact", "bounded", "sampled")
    assert few.low is None
    assert many.low[0] <= many.p[0]
    assert drawn.p[0] == pytest.approx(many.p[0], abs=0.06)


def test_an_association_test_says_where_its_p_comes_from():
    table = 0.3 * np.tanh(rng(8).standard_normal((80, 6)))
    is_a = np.arange(6) < 3

    found = [
        weat_of_cosines(table[:n], np.arange(n) < n // 2, is_a, rng=rng()).certainty
        for n in (8, 30, 80)
    ]

    assert found == ["exact", "exact", "bounded"]
