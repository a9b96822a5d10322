import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import MeasureError
from probes.max_t import step_down_max_t
from probes.max_t_pairs import max_t_pairs

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=20, deadline=None)


def rng(seed=0):
    return np.random.default_rng(seed)


def sample(seed, n=40, n_units=150, n_concepts=7):
    dice = rng(seed)
    values = dice.standard_normal((n, n_units)) + dice.standard_normal((n, 1))
    labels = dice.permuted(np.tile(np.arange(n) < n // 4, (n_concepts, 1)), axis=1).T
    labels[: n // 2, ::2] |= dice.random((n // 2, n_concepts))[:, ::2] < 0.3
    return values, labels


def loop(values, labels, seed, draws):
    """The same arrangements one at a time, in 64 bits."""
    n, dice = len(values), rng(seed)

    def correlations(moved):
        return np.abs(np.corrcoef(values.T, moved.T)[: values.shape[1], values.shape[1] :])

    observed = correlations(labels)
    drawn = np.stack([correlations(labels[dice.permutation(n)]) for _ in range(draws)])
    limit = observed - 1e-9
    return (
        (1 + (drawn >= limit).sum(axis=0)) / (draws + 1),
        (1 + (drawn.max(axis=1, keepdims=True) >= limit).sum(axis=0)) / (draws + 1),
        (1 + (drawn.max(axis=(1, 2), keepdims=True) >= limit).sum(axis=0)) / (draws + 1),
    )


@quick
@given(seed=seeds)
def test_products_give_the_p_of_one_correlation_after_the_other(seed):
    values, labels = sample(seed)

    ours = max_t_pairs(values, labels, rng=rng(seed + 1), draws=49)

    expected = loop(values, labels, seed + 1, 49)
    for mine, slow in zip((ours.alone, ours.over_units, ours.over_all), expected, strict=True):
        # two correlations that 32 bits cannot tell apart count as equal: one p in thousands
        assert (mine >= slow - 1e-12).all()
        assert np.mean(mine > slow + 1e-12) < 0.005


def test_arrangements_of_many_products_are_all_counted():
    values, labels = sample(3, n_units=70, n_concepts=3)

    ours = max_t_pairs(values, labels, rng=rng(5), draws=700)

    expected = loop(values, labels, 5, 700)
    np.testing.assert_allclose(ours.over_units, expected[1], atol=2 / 701)
    np.testing.assert_allclose(ours.alone, expected[0], atol=2 / 701)


def test_the_correlation_is_that_of_numpy():
    values, labels = sample(1)

    ours = max_t_pairs(values, labels, rng=rng(), draws=1).correlation

    expected = np.corrcoef(values.T, labels.T)[:150, 150:]
    np.testing.assert_allclose(ours, expected, atol=1e-6)


@quick
@given(seed=seeds)
def test_adjusting_for_more_never_makes_a_p_smaller(seed):
    values, labels = sample(seed)

    ours = max_t_pairs(values, labels, rng=rng(seed), draws=99)

    assert (ours.alone <= ours.over_units).all()
    assert (ours.over_units <= ours.over_all).all()
    assert (ours.alone >= 1 / 100).all()


def test_shared_nulls_are_those_of_every_concept_by_itself():
    values, labels = sample(2)
    labels[:, 1:] = rng(3).permuted(np.tile(np.arange(40) < 10, (6, 1)), axis=1).T

    shared = max_t_pairs(values, labels, rng=rng(1), share_nulls=True, draws=1_999)
    each = max_t_pairs(values, labels, rng=rng(2), draws=1_999)

    assert shared.over_all is None
    np.testing.assert_allclose(shared.over_units, each.over_units, atol=0.06)
    np.testing.assert_allclose(shared.alone, each.alone, atol=0.06)
    alone = max_t_pairs(values, labels[:, [3]], rng=rng(1), share_nulls=True, draws=1_999)
    np.testing.assert_allclose(shared.over_units[:, [3]], alone.over_units, atol=0.06)


def test_planted_pairs_are_found_and_others_are_not():
    values, labels = sample(4, n=200)
    values[labels[:, 2], 5] += 3

    found = max_t_pairs(values, labels, rng=rng(), draws=499)
    finer = step_down_max_t(values, labels[:, 2], rng=rng(), draws=499)

    assert found.over_all[5, 2] == 1 / 500
    assert finer[5] == 1 / 500
    assert (np.delete(found.over_units[:, 2], 5) > 0.05).mean() > 0.97


def test_random_labels_are_rarely_claimed():
    claims = 0
    for seed in range(60):
        dice = rng(seed)
        values, labels = dice.standard_normal((30, 20)), dice.random((30, 2)) < 0.4
        claims += (max_t_pairs(values, labels, rng=dice, draws=99).over_all <= 0.05).any()

    assert claims <= 9


def test_what_does_not_vary_is_undefined_and_changes_nothing():
    values, labels = sample(6)
    with_dead = np.insert(values, 4, 0.3, axis=1)
    with_empty = np.insert(labels, 2, False, axis=1)

    ours = max_t_pairs(with_dead, with_empty, rng=rng(1), draws=99)

    plain = max_t_pairs(values, labels, rng=rng(1), draws=99)
    assert np.isnan(ours.over_all[4]).all()
    assert np.isnan(ours.correlation[:, 2]).all()
    kept = np.delete(np.delete(ours.over_all, 4, axis=0), 2, axis=1)
    np.testing.assert_allclose(kept, plain.over_all)


def test_what_cannot_be_tested_is_refused():
    values, labels = sample(0)
    with pytest.raises(MeasureError, match=r"got shapes \(40, 150\) and \(39, 7\)"):
        max_t_pairs(values, labels[:-1], rng=rng())
    with pytest.raises(MeasureError, match="0 draws"):
        max_t_pairs(values, labels, rng=rng(), draws=0)
    values[2, 3] = np.inf
    with pytest.raises(MeasureError, match=r"in units \[3\]"):
        max_t_pairs(values, labels, rng=rng())
