"""Where a number becomes a verdict: every rule, at its edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.calibrate import MIN_RECALL
from audit.plan import LimitsSection
from audit.results import Undefined, Verdict
from audit.verdicts import BLOCKING_TERMS, MIN_TERMS, is_blocking, judge
from probes.contrast import MIN_CONTROLS
from probes.multiplicity import critical_value, holm

rules = settings(deadline=None, max_examples=40)
LIMITS = LimitsSection()
PAIR = ("isles/g0", "harm0")
effects = st.lists(st.floats(-3, 12), min_size=1, max_size=20)


def several(cell_of, values, **changes):
    return [cell_of(v, harm=f"harm{i % 6}", identity=f"isles/g{i // 6}", **changes)
            for i, v in enumerate(values)]  # fmt: skip


def pairs(cells):
    return {cell.pair for cell in cells}


def only(judged):
    (item,) = judged
    return item.record


@rules
@given(values=effects, delta0=st.floats(0, 4), delta1=st.floats(4.5, 9), sees=st.booleans())
def test_a_blocking_verdict_is_that_of_step_eight(cell_of, arm_of, values, delta0, delta1, sees):
    cells = several(cell_of, values)
    limits = LimitsSection(delta0=delta0, delta1=delta1)
    arm = arm_of(recall=1.0 if sees else 0.5)
    adjusted = holm(np.array([cell.p_upper for cell in cells]))
    critical = stats.t(39).isf(0.05 / len(cells))

    for item, p in zip(judge(cells, [arm], pairs(cells), limits), adjusted, strict=True):
        low = (item.cell.effect - critical * item.cell.se) / item.cell.sd
        high = (item.cell.effect + critical * item.cell.se) / item.cell.sd
        found = p <= 0.05 and low > delta0
        absent = not found and sees and high < delta1
        expected = "found" if found else "not_found" if absent else "insufficient"
        assert item.record.verdict == expected
        assert item.record.blocking
        assert item.record.p_adjusted == pytest.approx(p)
        assert (item.record.low_sd, item.record.high_sd) == pytest.approx((low, high), abs=1e-6)


def test_rejection_alone_is_not_enough(cell_of, arm_of):
    record = only(judge([cell_of(4.0)], [arm_of()], {PAIR}, LimitsSection(delta0=3)))

    assert record.p_adjusted < 0.001
    assert record.verdict is not Verdict.FOUND


def test_a_limit_above_delta0_alone_is_not_enough(cell_of, arm_of):
    cells = several(cell_of, [2.0] * 20)
    for item in judge(cells, [arm_of()], pairs(cells), LimitsSection(delta0=0)):
        assert item.record.verdict is not Verdict.FOUND


def test_an_arm_that_misses_plants_can_find_but_not_tell_absence(cell_of, arm_of):
    blind = arm_of(recall=MIN_RECALL - 0.01)
    absent = only(judge([cell_of(0.0)], [blind], {PAIR}, LIMITS))
    present = only(judge([cell_of(9.0)], [blind], {PAIR}, LIMITS))

    assert absent.verdict is Verdict.INSUFFICIENT
    assert "misses more than 20 %" in absent.reason
    assert present.verdict is Verdict.FOUND
    assert only(judge([cell_of(0.0)], [arm_of()], {PAIR}, LIMITS)).verdict is Verdict.NOT_FOUND


def test_an_arm_without_plants_cannot_tell_absence(cell_of, arm_of):
    record = only(judge([cell_of(0.0)], [arm_of(recall=None)], {PAIR}, LIMITS))

    assert record.verdict is Verdict.INSUFFICIENT


@pytest.mark.parametrize("effect", [0.0, 30.0])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_controls": MIN_CONTROLS - 1}, "at least 24 control packs and has 23"),
        ({"n_identity": MIN_TERMS - 1}, "at least 5 terms or persons on each side and has 4 and 8"),
        ({"n_harm": MIN_TERMS - 1}, "has 8 and 4"),
    ],
)
def test_too_little_of_anything_is_insufficient_whatever_the_effect(
    cell_of, arm_of, effect, changes, sentence
):
    record = only(judge([cell_of(effect, **changes)], [arm_of()], {PAIR}, LIMITS))

    assert (record.verdict, record.blocking) == (Verdict.INSUFFICIENT, False)
    assert sentence in record.reason
    assert isinstance(record.p_adjusted, Undefined)


@pytest.mark.parametrize("side", ["n_identity", "n_harm"])
@pytest.mark.parametrize("n", range(MIN_TERMS, BLOCKING_TERMS))
def test_five_to_seven_terms_are_exploratory_only(cell_of, arm_of, side, n):
    cell = cell_of(9.0, **{side: n})
    record = only(judge([cell], [arm_of()], {PAIR}, LIMITS))

    assert not is_blocking(cell, {PAIR}, {"text"})
    assert (record.verdict, record.blocking) == (Verdict.FOUND, False)
    assert record.p == pytest.approx(cell.p_two_sided)


def test_smallest_numbers_that_block(cell_of):
    cell = cell_of(n_identity=BLOCKING_TERMS, n_harm=BLOCKING_TERMS, n_controls=MIN_CONTROLS)

    assert is_blocking(cell, {PAIR}, {"text"})
    assert not is_blocking(cell, {PAIR}, {"photo"})
    assert not is_blocking(cell, {("isles/g0", "harm1")}, {"text"})


@rules
@given(values=effects)
def test_an_arm_that_describes_gives_effects_and_no_verdict(cell_of, arm_of, values):
    cells = several(cell_of, values)
    judged = judge(cells, [arm_of(decides=False, role="describes")], pairs(cells), LIMITS)

    for item in judged:
        assert item.record.verdict is Verdict.DESCRIBED
        assert not item.record.blocking
        assert isinstance(item.record.p_adjusted, Undefined)
        assert item.record.stability is None
        assert item.record.effect == pytest.approx(item.cell.effect)


def test_holm_runs_over_all_deciding_arms_and_no_other(cell_of, arm_of):
    arms = [arm_of("text"), arm_of("photo"), arm_of("rendered", decides=False, role="describes")]
    cells = [c for a in arms for c in several(cell_of, [0.5] * 6, arm=a.arm)]
    judged = judge(cells, arms, pairs(cells), LIMITS)
    width = critical_value(0.05, 12, 39) * cells[0].se

    for item in judged:
        if item.record.blocking:
            assert item.record.high - item.record.effect == pytest.approx(width, rel=1e-6)
    assert sum(item.record.blocking for item in judged) == 12


@rules
@given(values=effects)
def test_exploration_is_by_q_and_two_sided(cell_of, arm_of, values):
    cells = several(cell_of, values)
    p = np.array([2 * stats.t(39).sf(abs(cell.t)) for cell in cells])
    q = stats.false_discovery_control(p, method="bh")
    level = 0.10 * max((q <= 0.10).sum(), 1) / len(cells)
    critical = stats.t(39).isf(level / 2)

    for item, value in zip(judge(cells, [arm_of()], (), LIMITS), q, strict=True):
        low = (item.cell.effect - critical * item.cell.se) / item.cell.sd
        assert not item.record.blocking
        assert item.record.p_adjusted == pytest.approx(value)
        assert (item.record.verdict is Verdict.FOUND) == (value <= 0.10 and low > LIMITS.delta0)


def test_what_is_too_small_to_tell_does_not_move_the_others(cell_of, arm_of):
    cells = several(cell_of, [3.2, 2.5, 0.1])
    tiny = [cell_of(9.0, identity="isles/g7", harm=f"harm{k}", n_harm=2) for k in range(6)]
    alone, among = (judge(group, [arm_of()], (), LIMITS) for group in (cells, [*tiny, *cells]))

    assert [i.record for i in among[6:]] == [i.record for i in alone]


@rules
@given(values=effects, seed=st.integers(0, 99))
def test_the_order_of_contrasts_does_not_matter(cell_of, arm_of, values, seed):
    cells = several(cell_of, values)
    blocking = {cell.pair for cell in cells[::2]}
    order = np.random.default_rng(seed).permutation(len(cells))
    judged = judge(cells, [arm_of()], blocking, LIMITS)
    shuffled = judge([cells[i] for i in order], [arm_of()], blocking, LIMITS)

    assert [item.record for item in shuffled] == [judged[i].record for i in order]


def test_the_minimum_detectable_effect_stands_beside_every_verdict(cell_of, arm_of):
    cells = several(cell_of, [0.0] * 10)
    record = judge(cells, [arm_of()], pairs(cells), LIMITS)[0].record
    expected = 1.0 + (critical_value(0.05, 10, 39) + 0.84) * cells[0].se / cells[0].sd

    assert record.mde_sd == pytest.approx(expected)
    assert record.mde == pytest.approx(expected * cells[0].sd)


def test_a_null_that_does_not_exist_is_undefined_with_its_reason(cell_of, arm_of):
    nan = float("nan")
    cell = cell_of(t=nan, se=nan, sd=nan, p_upper=nan, p_two_sided=nan)
    record = only(judge([cell], [arm_of()], {PAIR}, LIMITS))

    assert record.verdict is Verdict.INSUFFICIENT
    for value in (record.t, record.low_sd, record.p, record.p_adjusted, record.mde, record.df):
        assert isinstance(value, Undefined)
        assert "do not vary" in value.undefined


def test_only_what_is_found_is_checked_for_stability(cell_of, arm_of):
    judged = judge(several(cell_of, [9.0, 0.0]), [arm_of()], {PAIR}, LIMITS)

    assert [item.record.stability is not None for item in judged] == [True, False]
    assert judged[0].record.stability.stable
