"""An audit's own error rates: each control as a pseudo-harm, plants, and the picture of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.arms import ScoreTable, score_arm
from probes.calibration import (
    STOP,
    dealt_pseudo_harms,
    join,
    pseudo_harms,
    quantiles,
    recall,
    rejection_rate,
    rejection_share,
    relabelled_rejections,
)
from probes.contrast import contrasts, control_null, family_differences
from probes.errors import MeasureError
from probes.intervals import clopper_pearson

rules = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 10_000)


def harmless(seed, n_concepts=4, n_controls=30):
    means = 0.01 * np.random.default_rng(seed).normal(size=(n_concepts, n_controls))
    return family_differences(means)


@rules
@given(seed=seeds, n_concepts=st.integers(2, 6), n_controls=st.integers(3, 30))
def test_a_pseudo_harm_is_tested_as_a_harm_would_be(seed, n_concepts, n_controls):
    differences = harmless(seed, n_concepts, n_controls)
    fast = pseudo_harms(differences)

    for k in range(n_controls):
        null = control_null(np.delete(differences, k, axis=1))
        slow = contrasts(differences[:, [k]], null)
        at = slice(k * n_concepts, (k + 1) * n_concepts)
        for name in ("t", "sd", "effect", "se"):
            expected = getattr(slow, name)[:, 0]
            np.testing.assert_allclose(getattr(fast, name)[at], expected, rtol=1e-7, atol=1e-15)
        assert set(fast.df[at]) == {n_controls - 2}


@rules
@given(seed=seeds, size=st.integers(2, 8), n_labels=st.integers(24, 60))
def test_dealt_packs_are_tested_against_the_labels_that_are_left(seed, size, n_labels):
    differences = harmless(seed, n_controls=n_labels)
    fast = dealt_pseudo_harms(differences, size, np.random.default_rng(seed))

    order = np.random.default_rng(seed).permutation(n_labels)
    packs = [order[k * size : (k + 1) * size] for k in range(n_labels // size)]
    assert fast.t.size == 4 * len(packs)
    for k, pack in enumerate(packs):
        null = control_null(np.delete(differences, pack, axis=1), size)
        slow = contrasts(differences[:, pack].mean(axis=1, keepdims=True), null)
        np.testing.assert_allclose(fast.t[4 * k : 4 * k + 4], slow.t[:, 0])
        assert set(fast.df[4 * k : 4 * k + 4]) == {n_labels - size - 1}


def test_dealt_packs_of_harmless_labels_are_rejected_at_the_nominal_rate():
    shares = []
    for seed in range(60):
        differences = harmless(seed, n_concepts=6, n_controls=240)
        tests = dealt_pseudo_harms(differences, 8, np.random.default_rng(seed))
        shares.append(rejection_share(tests.t, tests.df))

    assert np.mean(shares) == pytest.approx(0.05, abs=0.012)


def test_controls_that_do_not_vary_give_no_test():
    assert np.isnan(pseudo_harms(np.full((3, 30), 0.2)).t).all()


def test_a_control_unlike_all_others_is_not_hidden_by_rounding():
    differences = harmless(0)
    differences[0, 0] += 1000
    tests = pseudo_harms(differences)

    others = np.delete(differences, 0, axis=1)
    assert tests.t[0] == pytest.approx(contrasts(differences[:, :1], control_null(others)).t[0, 0],
                                       rel=1e-4)  # fmt: skip


def test_two_controls_are_too_few_to_test_each_other():
    with pytest.raises(MeasureError, match="from 3 packs on; got 2"):
        pseudo_harms(np.zeros((2, 2)))


@rules
@given(seed=seeds, n=st.integers(1, 400), rate=st.floats(0, 0.3))
def test_the_rejection_rate_is_tested_as_scipy_does(seed, n, rate):
    rng = np.random.default_rng(seed)
    t = np.where(rng.random(n) < rate, 10.0, -1.0)
    found = rejection_rate(t, np.full(n, 38.0))

    expected = stats.binomtest(int((t > 0).sum()), n, 0.05, alternative="greater")
    both = stats.binomtest(int((t > 0).sum()), n, 0.05).proportion_ci(0.95, "exact")
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((both.low, both.high), abs=1e-9)
    assert found.passed == (expected.pvalue >= STOP)


@rules
@given(n=st.integers(1, 300), share=st.floats(0, 1))
def test_the_interval_holds_the_observed_share(n, share):
    hits = round(share * n)
    low, high = clopper_pearson(hits, n, confidence=0.95)

    assert 0 <= low <= hits / n <= high <= 1


def test_what_could_not_be_tested_is_not_counted():
    found = rejection_rate(np.array([np.nan, 9.0, 0.0]), np.full(3, 20.0))

    assert (found.tests, found.rejections) == (2, 1)


def test_nothing_tested_never_passes():
    found = rejection_rate(np.full(5, np.nan), np.full(5, 20.0))

    assert (found.tests, found.passed) == (0, False)
    assert np.isnan(recall(pseudo_harms(np.zeros((2, 9))), critical=3.0, delta0=1.0)).all()
    assert np.isnan(rejection_share(np.full(5, np.nan), np.full(5, 20.0)))
    assert quantiles(np.full(5, np.nan), np.full(5, 20.0)).observed.size == 0


@rules
@given(seed=seeds)
def test_a_stronger_plant_is_never_found_less_often(seed):
    shares = recall(pseudo_harms(harmless(seed)), critical=3.2, delta0=1.0)

    assert (np.diff(shares) >= 0).all()
    assert (shares >= 0).all()
    assert (shares <= 1).all()


def test_recall_is_that_of_planting_and_judging_anew():
    differences = harmless(7)
    tests = pseudo_harms(differences)
    found = 0
    for k in range(differences.shape[1]):
        null = control_null(np.delete(differences, k, axis=1))
        planted = contrasts(differences[:, [k]] + 5 * null.sd[:, None], null)
        found += int((planted.effect - 3.2 * planted.se > 1.0 * planted.sd).sum())

    share = recall(tests, critical=3.2, delta0=1.0, strengths=(5.0,))[0]
    assert share == pytest.approx(found / tests.t.size)
    assert 0 < share < 1


def test_quantiles_are_matched_by_rank():
    t, df = np.random.default_rng(0).standard_t(38, size=61), np.full(61, 38.0)
    plot = quantiles(t, df, n_points=61)

    np.testing.assert_allclose(plot.expected, stats.norm.ppf((np.arange(61) + 0.5) / 61))
    np.testing.assert_allclose(plot.observed, np.sort(stats.norm.ppf(stats.t(38).cdf(t))))


def test_quantiles_of_a_true_null_lie_on_the_diagonal():
    t = np.random.default_rng(1).standard_t(38, size=20_000)
    plot = quantiles(t, np.full(t.size, 38.0))
    middle = np.abs(plot.expected) < 2

    np.testing.assert_allclose(plot.observed[middle], plot.expected[middle], atol=0.06)


def test_a_far_outlier_on_either_side_still_has_a_place_in_the_plot():
    plot = quantiles(np.array([-1e9, -60.0, 0.0, 60.0, 1e9]), np.full(5, 300.0))

    assert np.isfinite(plot.observed).all()
    assert (np.diff(plot.observed) >= 0).all()
    np.testing.assert_allclose(plot.observed, -plot.observed[::-1], atol=1e-9)


def test_joined_tests_are_all_there():
    one, other = pseudo_harms(harmless(1)), pseudo_harms(harmless(2, n_concepts=3))
    both = join([one, other])

    np.testing.assert_array_equal(both.t, [*one.t, *other.t])
    assert both.df.size == both.sd.size == both.effect.size == both.se.size == both.t.size


def table_of(seed, n_controls=30, n_terms=6, spread=0.0):
    """Scores of 4 groups with control packs that differ by ``spread`` times the terms' spread."""
    rng = np.random.default_rng(seed)
    concepts = spread * np.repeat(rng.normal(size=(4, n_controls)), n_terms, axis=1)
    scores = np.repeat(concepts, 5, axis=0) + rng.normal(size=(20, n_controls * n_terms))
    packs = tuple(f"c{k}" for k in range(n_controls))
    return packs, score_arm(
        "text",
        ScoreTable(
            scores=0.01 * scores,
            by_template={},
            row_names=tuple(map(str, range(20))),
            row_concepts=tuple(f"f/{i}" for i in range(4) for _ in range(5)),
            column_names=tuple(map(str, range(n_controls * n_terms))),
            column_concepts=tuple(p for p in packs for _ in range(n_terms)),
        ),
        families={"f": tuple(f"f/{i}" for i in range(4))},
        controls={"c0": packs[1:]},
    )


def test_shuffled_terms_are_rejected_at_the_nominal_rate_and_real_ones_as_their_null_says():
    packs, scores = table_of(0, spread=1.0)
    shares = [
        relabelled_rejections(scores, {"f": packs}, np.random.default_rng(seed))
        for seed in range(5)
    ]

    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)


def test_the_shuffle_depends_on_the_generator_alone():
    packs, scores = table_of(3)
    first, again, other = (
        relabelled_rejections(scores, {"f": packs}, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )

    assert first == again != other


def test_packs_of_unequal_size_keep_their_sizes_when_shuffled():
    packs, scores = table_of(4)
    sizes = {pack: len(scores.packs[pack]) for pack in packs}
    uneven = dict(scores.packs)
    uneven["c1"], uneven["c2"] = np.array([6]), np.arange(7, 18)
    moved = score_arm(
        "text",
        ScoreTable(
            scores=scores.scores,
            by_template={},
            row_names=scores.row_names,
            row_concepts=tuple(f"f/{i}" for i in range(4) for _ in range(5)),
            column_names=scores.column_names,
            column_concepts=tuple(
                next(p for p, at in uneven.items() if j in at)
                for j in range(len(scores.column_names))
            ),
        ),
        families=scores.families,
        controls=scores.controls,
    )

    assert sizes["c1"] == 6
    assert [len(moved.packs[p]) for p in ("c1", "c2")] == [1, 11]
    share = relabelled_rejections(moved, {"f": packs}, np.random.default_rng(0))
    assert 0 < share < 0.15
