import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.metrics import average_precision_score

from probes.errors import MeasureError

sys.path.append(str(Path(__file__).parents[2]))

scoring = importlib.import_module("benchmarks.planted.scoring")
pages = importlib.import_module("benchmarks.planted.methods.pages")
Result, Share = scoring.Result, scoring.Share


def result(values, planted=None, flagged=None, **changes):
    n = len(values)
    made = {
        "method": "m",
        "world": "w",
        "setting": "s",
        "seed": 0,
        "strength": 1.0,
        "twin": planted is None,
        "pairs": tuple((f"g{i}", "h") for i in range(n)),
        "values": tuple(values),
        "flagged": tuple(flagged or [False] * n),
        "planted": tuple(planted or [False] * n),
    }
    return Result(**{**made, **changes})


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=12, unique=True),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_average_precision_without_ties_is_that_of_scikit_learn(values, chosen):
    planted = chosen[: len(values)]
    assume(any(planted))

    found = scoring.average_precision(result(values, planted))

    assert found == pytest.approx(average_precision_score(planted, values))


def test_ties_are_counted_against_the_method_and_silence_comes_last():
    assert scoring.average_precision(result([1.0, 1.0, 0.0], [True, False, False])) == 0.5
    assert scoring.average_precision(result([0.0, None, 0.1], [False, True, False])) == (
        pytest.approx(1 / 3)
    )
    assert scoring.average_precision(result([0.0] * 4, [True, False, False, False])) == 0.25


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0.01, 100), st.floats(-5, 5))
def test_average_precision_knows_the_order_alone(seed, scale, shift):
    rng = np.random.default_rng(seed)
    values, planted = rng.standard_normal(10), rng.random(10) < 0.3
    assume(planted.any())

    plain = scoring.average_precision(result(values.tolist(), planted.tolist()))
    moved = scoring.average_precision(result((values * scale + shift).tolist(), planted.tolist()))

    assert moved == plain


def test_scores_that_32_bits_cannot_tell_apart_are_told_apart():
    assert scoring.average_precision(result([1.0, 1.0 + 1e-12], [False, True])) == 1.0


def test_average_precision_of_a_twin_is_undefined():
    assert np.isnan(scoring.average_precision(result([1.0, 2.0])))


def test_recall_counts_planted_links_and_nothing_else():
    rows = [
        result([1.0, 2.0, 3.0], [True, False, True], [True, True, False]),
        result([1.0, 2.0], [True, False], [True, False]),
        result([1.0], flagged=[True]),
    ]

    assert scoring.recall(rows) == Share(hits=2, n=3)
    assert scoring.recall(rows).value == pytest.approx(2 / 3)
    assert np.isnan(scoring.recall(rows[2:]).value)
    assert np.isnan(scoring.recall(rows[2:]).interval.low)


def test_wilsons_interval_of_a_share_is_the_known_one():
    ends = Share(hits=39, n=42).interval

    assert [round(100 * float(end)) for end in ends] == [81, 98]


def test_a_twin_is_a_false_alarm_once_however_much_is_flagged():
    rows = [
        result([1.0, 2.0], flagged=[True, True], world="a"),
        result([1.0, 2.0], flagged=[False, False], world="b"),
        result([1.0, 2.0], [True, False], [True, True], world="c"),
    ]

    assert scoring.false_alarms(rows) == Share(hits=1, n=2)
    assert scoring.listed_alarms(rows) == [("a", ("g0", "h")), ("a", ("g1", "h"))]


def test_units_count_where_there_is_one():
    rows = [result([1.0], [True], places=(3,)), result([1.0], [True], places=(4,))]

    assert scoring.first_places([*rows, result([1.0], [True])]) == Share(hits=1, n=2)


def worlds(gaps, method, better):
    """Return worlds in which the better method has the link first by as much as its seed's gap."""
    return [
        result(
            [0.5, *([0.9] * (0 if better else gap))] + [0.1] * (3 if better else 3 - gap),
            [True, False, False, False],
            method=method,
            world=f"w{seed}",
            seed=seed,
        )
        for seed, gap in enumerate(gaps)
    ]


@pytest.mark.parametrize("n", [6, 30])
def test_the_paired_difference_is_the_mean_over_seeds_with_an_interval_around_it(n):
    gaps = np.random.default_rng(0).integers(0, 4, n).tolist()
    ours, theirs = worlds(gaps, "a", True), worlds(gaps, "b", False)
    wanted = np.mean([1 - 1 / (gap + 1) for gap in gaps])

    found = scoring.paired_difference(ours, theirs, np.random.default_rng(1))
    back = scoring.paired_difference(theirs, ours, np.random.default_rng(1))

    assert found.value == pytest.approx(wanted)
    assert found.low < wanted < found.high
    assert found.seeds == n
    assert back.value == pytest.approx(-wanted)


def test_a_method_differs_from_itself_by_nothing_and_worlds_that_one_did_not_see_do_not_count():
    rows = worlds([0, 1, 2], "a", False)

    same = scoring.paired_difference(rows, rows, np.random.default_rng(0))
    none = scoring.paired_difference(
        rows, [replace(r, world="x") for r in rows], np.random.default_rng(0)
    )

    assert same.value == 0
    assert np.isnan(same.low)
    assert none.seeds == 0
    assert np.isnan(none.value)


def test_worlds_of_one_seed_are_one_draw():
    once = worlds([0, 3, 1, 2], "a", False)
    often = [replace(r, world=f"{r.world}-{i}") for r in once for i in range(5)]
    best = [replace(r, values=(9.0, *r.values[1:])) for r in often]

    found = scoring.paired_difference(best, often, np.random.default_rng(0))
    single = scoring.paired_difference(
        [replace(r, values=(9.0, *r.values[1:])) for r in once], once, np.random.default_rng(0)
    )

    assert found == single


def test_with_two_strengths_the_fit_is_the_one_that_adds_a_half_to_every_cell():
    # Firth's estimate of a saturated table
    found = [True] * 3 + [False] * 7 + [True] * 9 + [False]
    fit = scoring.power_over([1.0] * 10 + [2.0] * 10, found)

    assert fit.at(1.0) == pytest.approx(3.5 / 11, abs=1e-6)
    assert fit.at(2.0) == pytest.approx(9.5 / 11, abs=1e-6)
    assert fit.at(fit.value) == pytest.approx(0.8)


def test_a_fit_exists_where_everything_above_some_strength_is_found():
    strengths = np.repeat([1.0, 2.0, 3.0, 4.0], 10)
    fit = scoring.power_over(strengths, strengths > 2.5)

    assert 2 < fit.value < 3
    assert np.isfinite(fit.slope)


@pytest.mark.parametrize(
    ("found", "value"),
    [([True] * 4, -np.inf), ([False] * 4, np.inf)],
)
def test_what_lies_beyond_the_strengths_that_were_tried_is_not_made_up(found, value):
    strengths = np.repeat([1.0, 2.0, 3.0, 4.0], 20)
    rising = np.concatenate([np.repeat(found[:3], 20), [True] * 20])
    rising[:2] = [False, False] if found[0] else rising[:2]
    rising[-20:] = found[0] or np.arange(20) < 3

    assert scoring.power_over(strengths, rising).value == value


@pytest.mark.parametrize(("found", "value"), [(True, -np.inf), (False, np.inf)])
def test_what_is_found_always_or_never_is_found_below_or_above_all_that_was_tried(found, value):
    assert scoring.power_over(np.repeat([1.0, 2.0, 3.0], 8), [found] * 24).value == value


def test_a_curve_that_falls_through_80_percent_or_one_strength_alone_has_no_smallest_strength():
    falls = scoring.power_over([1.0] * 10 + [2.0] * 10, [True] * 9 + [False] * 10 + [True])

    assert np.isnan(falls.value)
    assert np.isnan(scoring.power_over([1.0] * 5, [True] * 5).value)
    assert np.isnan(scoring.power_of([]).value)


def test_the_interval_of_the_smallest_strength_covers_it():
    rng = np.random.default_rng(5)
    strengths = np.repeat(np.linspace(0.5, 5.0, 6), 15)
    truth = (special.logit(0.8) + 3.0) / 1.2
    covered = 0
    for _ in range(300):
        found = rng.random(len(strengths)) < special.expit(-3.0 + 1.2 * strengths)
        fit = scoring.power_over(strengths, found)
        covered += fit.low <= truth <= fit.high

    assert covered / 300 == pytest.approx(0.95, abs=0.035)


def test_the_fit_does_not_depend_on_what_strength_is_measured_in():
    rng = np.random.default_rng(0)
    strengths = np.repeat([0.1, 0.35, 0.7], 15)
    found = rng.random(45) < special.expit(-2 + 6 * strengths)

    plain, scaled = (scoring.power_over(strengths * by, found) for by in (1.0, 1000.0))

    assert scaled.value == pytest.approx(1000 * plain.value)
    assert scaled.low == pytest.approx(1000 * plain.low)


def test_a_stored_result_comes_back_as_it_was():
    made = result([1.0, None], [True, False], [True, False], places=(2,), note="why")

    assert scoring.from_json(json.loads(json.dumps(made.as_json()))) == made


@pytest.mark.parametrize(
    "change", [{"flagged": (True,)}, {"values": ()}, {"twin": True, "planted": (True, False)}]
)
def test_a_result_that_does_not_fit_together_is_refused(change):
    with pytest.raises(MeasureError, match="one score, flag and truth for each pair"):
        replace(result([1.0, 2.0], [True, False]), **change)


def test_results_are_gathered_by_method_and_by_strength_without_twins():
    rows = [
        result([1.0], [True], strength=2.0),
        result([1.0], [True], strength=1.0, method="n"),
        result([1.0], strength=1.0),
    ]

    assert {name: len(found) for name, found in scoring.by_method(rows).items()} == {
        "m": 2,
        "n": 1,
    }
    assert list(scoring.by_strength(rows)) == [1.0, 2.0]
    assert [len(found) for found in scoring.by_strength(rows).values()] == [1, 1]


def test_figures_are_written_as_people_read_them():
    power = scoring.Power(value=1.234, low=-np.inf, high=2.0, slope=1.0, intercept=0.0)
    apart = scoring.Difference(value=0.25, low=-0.125, high=0.5, seeds=9)

    assert pages.strength(power, [0.5, 3.0]) == "1.2 (below 0.5 to 2)"
    assert pages.strength(replace(power, value=np.inf), [0.5, 3.0]) == "above 3"
    assert pages.strength(replace(power, value=np.nan), [0.5, 3.0]) == "-"
    assert pages.difference(apart) == "+0.25 (-0.12 to +0.50)"
    assert pages.difference(replace(apart, low=np.nan)) == "+0.25"
    assert pages.share(Share(hits=0, n=0)) == "-"
