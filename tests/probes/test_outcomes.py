"""Selection rates and impact ratios: slow oracles, rules, refusals."""

from statistics import median

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from probes.errors import MeasureError
from probes.intervals import wilson
from probes.outcomes import UNKNOWN, above_median, crossed, outcomes
from probes.ratios import koopman, log_delta


def slow(people, least):
    """Rate and impact ratio as the rule words them, person by person."""
    known = [(category, chosen) for category, chosen in people if category != UNKNOWN]
    names = {category for category, _ in known}
    rates, kept = {}, {}
    for name in names:
        own = [chosen for category, chosen in known if category == name]
        rates[name] = sum(own) / len(own)
        if len(own) / len(known) >= least:
            kept[name] = rates[name]
    top = max(kept.values(), default=0)
    return rates, {name: rate / top for name, rate in kept.items()} if top else {}


people = st.lists(st.tuples(st.integers(-1, 4), st.booleans()), min_size=1, max_size=60)


def of(rows, **options):
    codes, chosen = (np.array(part) for part in zip(*rows, strict=True))
    return outcomes(codes, chosen, 5, **options)


@settings(max_examples=30)
@given(rows=people, least=st.sampled_from([0.0, 0.02, 0.2]))
def test_rates_and_ratios_are_those_of_counting_person_by_person(rows, least):
    rates, ratios = slow(rows, least)
    found = of(rows, leave_out_below=least)

    for category in range(5):
        assert np.isnan(found.rate[category]) == (category not in rates)
        assert np.isnan(found.ratio[category]) == (category not in ratios)
        if category in rates:
            assert found.rate[category] == pytest.approx(rates[category])
        if category in ratios:
            assert found.ratio[category] == pytest.approx(ratios[category])
    assert found.unknown == sum(category == UNKNOWN for category, _ in rows)


@settings(max_examples=30)
@given(rows=people, seed=st.integers(0, 99))
def test_the_order_of_people_does_not_matter(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows))
    before, after = of(rows), of([rows[at] for at in order])

    np.testing.assert_array_equal(before.ratio, after.ratio)
    np.testing.assert_array_equal(before.ratio_low, after.ratio_low)


@settings(max_examples=30)
@given(rows=people)
def test_the_highest_has_a_ratio_of_one_and_nobody_lies_above_it(rows):
    found = of(rows)
    assume(found.highest != UNKNOWN and found.selected[found.highest])

    assert found.ratio[found.highest] == 1
    assert np.isnan(found.ratio_low[found.highest])
    assert np.nanmax(found.ratio) == 1


@settings(max_examples=30)
@given(rows=people)
def test_a_category_that_is_left_out_keeps_count_and_rate_and_is_no_yardstick(rows):
    plain, without = of(rows), of(rows, leave_out_below=0.3)

    np.testing.assert_array_equal(plain.n, without.n)
    np.testing.assert_array_equal(plain.rate, without.rate)
    assert np.isnan(without.ratio[without.left_out]).all()
    assert without.highest == UNKNOWN or not without.left_out[without.highest]


def test_two_of_a_hundred_are_not_under_two_per_cent():
    rows = [(0, True)] * 98 + [(1, True)] * 2

    assert not of(rows, leave_out_below=0.02).left_out[1]
    assert of([*rows, (0, True)], leave_out_below=0.02).left_out[1]


def test_intervals_are_wilsons_and_the_score_interval_of_a_ratio():
    rows = [(0, True)] * 60 + [(0, False)] * 40 + [(1, True)] * 20 + [(1, False)] * 60
    found = of(rows)
    low, high = koopman(20, 80, 60, 100)

    assert (found.low[1], found.high[1]) == pytest.approx(tuple(map(float, wilson(20, 80))))
    assert (found.ratio_low[1], found.ratio_high[1]) == pytest.approx((float(low), float(high)))
    # The symmetric interval on the log scale is its neighbour where both counts are large.
    near = log_delta(20, 80, 60, 100)
    assert found.ratio_low[1] == pytest.approx(float(near.low), rel=0.05)


def test_nobody_selected_leaves_ratios_undefined_and_rates_at_zero():
    found = of([(0, False), (1, False)])

    assert found.rate[:2].tolist() == [0, 0]
    assert np.isnan(found.ratio).all()


def test_one_person_is_a_rate_and_no_surprise():
    found = of([(3, True)])

    assert found.rate[3] == found.ratio[3] == 1
    assert found.low[3] < 0.3


def test_only_unknown_people_are_counted_as_unknown():
    found = of([(UNKNOWN, True)] * 3)

    assert (found.unknown, found.highest, int(found.n.sum())) == (3, UNKNOWN, 0)
    assert np.isnan(found.rate).all()


@given(
    scores=arrays.arrays(
        np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6).map(lambda x: round(x, 1))
    )
)
def test_above_the_median_is_strictly_above_the_median_of_everybody(scores):
    middle = median(scores.tolist())

    assert above_median(scores).tolist() == [score > middle for score in scores.tolist()]


@given(pairs=st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 2)), min_size=1, max_size=30))
def test_a_crossing_is_known_where_both_groupings_are(pairs):
    first, second = (np.array(part) for part in zip(*pairs, strict=True))

    for (a, b), code in zip(pairs, crossed([first, second], [2, 3]).tolist(), strict=True):
        assert code == (UNKNOWN if UNKNOWN in (a, b) else a * 3 + b)


@pytest.mark.parametrize(
    ("codes", "chosen", "said"),
    [
        ([], [], "one category and one decision per person"),
        ([0, 1], [True], r"got shapes \(2,\) and \(1,\)"),
        ([0, 5], [True, False], "between -1 and 4; got 5"),
        ([-2, 0], [True, False], "between -1 and 4; got -2"),
    ],
)
def test_what_cannot_be_counted_is_refused(codes, chosen, said):
    with pytest.raises(MeasureError, match=said):
        outcomes(np.array(codes, dtype=np.int64), np.array(chosen, dtype=bool), 5)


@pytest.mark.parametrize(
    ("scores", "said"),
    [([], "one score per person"), ([1.0, np.nan], "1 are not, the first at position 1"),
     ([np.inf], "the first at position 0")],
)  # fmt: skip
def test_scores_that_are_none_are_refused(scores, said):
    with pytest.raises(MeasureError, match=said):
        above_median(np.array(scores))
