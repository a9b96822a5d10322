"""A probe of a harm that also tells a group from its family is seen, against shuffled labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from probes.errors import MeasureError
from probes.sparse_solvers import SOLVERS, NotConverged, default_solver
from probes.transfer import Side, transfer, transfer_both_ways

seeds = st.integers(0, 2**32 - 1)


def side(rng, units, n_clusters=50, n_with=16, n_units=20, strength=2.0, repeats=2, mix=None):
    """Stimuli whose label raises some units."""
    own = np.arange(n_clusters) < n_with
    clusters = np.repeat(np.arange(n_clusters), repeats)
    values = rng.normal(size=(n_clusters, n_units))
    if mix is not None:
        values = values @ mix
    values[:, units] += strength * own[:, None]
    return Side(values[clusters], own[clusters], clusters)


def pair(seed=0, harm=(3,), group=(3,), **options):
    rng = np.random.default_rng(seed)
    return side(rng, list(harm), **options), side(rng, list(group), **options)


def run(harm, group, seed=1, **options):
    options = {"n_units": 3, "shuffles": 19} | options
    return transfer(harm, group, rng=np.random.default_rng(seed), **options)


def test_a_unit_that_serves_both_transfers_both_ways():
    harm, group = pair(harm=(3, 5), group=(3, 8), n_clusters=120, n_with=50, strength=1.5)

    both = transfer_both_ways(harm, group, rng=np.random.default_rng(0), n_units=3, shuffles=39)

    for line in (both.harm_to_group, both.group_to_harm):
        assert line.auroc.low > 0.6
        assert line.auroc.p <= 0.2
        assert line.selectivity > 0.1
        assert line.probe.auroc.value > 0.75
    assert 5 in both.harm_to_group.probe.units
    assert 8 in both.group_to_harm.probe.units


def test_a_unit_that_answers_the_other_way_round_is_below_one_half():
    harm, group = pair(seed=3)
    turned = Side(group.values, ~group.labels, group.clusters)

    line = run(harm, turned)

    assert line.auroc.high < 0.5
    assert line.auroc.p > 0.8


def test_different_units_do_not_transfer_on_average():
    lines = [run(*pair(seed, harm=(3,), group=(8,)), n_units=1, shuffles=1) for seed in range(30)]

    assert np.mean([line.auroc.value for line in lines]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([line.probe.auroc.value for line in lines]) > 0.85


def test_a_group_that_differs_in_everything_is_no_evidence_against_the_control():
    """All units go together and the group raises them: any probe reads it, whatever it learned."""
    p = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        harm = side(rng, [0], strength=0.0, n_units=8, repeats=1)
        group = side(rng, list(range(8)), strength=3.0, n_units=8, repeats=1)
        p.append(run(harm, group, seed=seed, n_units=2, shuffles=9).auroc.p)

    assert np.mean(np.array(p) <= 0.1) <= 0.25
    assert np.mean(p) == pytest.approx(0.55, abs=0.15)


@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_the_area_is_that_of_the_probe_s_score_by_cluster(seed):
    harm, group = pair(seed)

    line = run(harm, group, shuffles=2)

    score = line.probe.scores(group.values)
    by_cluster = [score[group.clusters == c].mean() for c in range(50)]
    assert line.auroc.value == pytest.approx(roc_auc_score(np.arange(50) < 16, by_cluster))
    assert line.auroc.low <= line.auroc.value <= line.auroc.high
    assert (line.auroc.n, line.auroc.clusters, line.auroc.neutral) == (100, 50, 0.5)


def test_p_counts_shuffles_that_reach_the_area():
    line = run(*pair(2), shuffles=9)

    reached = sum(line.control >= line.auroc.value)
    assert line.auroc.p == pytest.approx((1 + reached) / 10)
    assert line.selectivity == pytest.approx(line.auroc.value - line.control.mean())
    assert len(line.control) == 9


def test_controls_have_units_too():
    """An empty control would say one half of everything, and every transfer would look large."""
    line = run(*pair(4), shuffles=19)

    assert (line.control != 0.5).all()
    assert line.control.std() > 0.02


def test_scale_and_repeats_do_not_matter():
    harm, group = pair(5)
    rows = np.tile(np.arange(100), 2)

    one = run(harm, group)
    scales = np.geomspace(0.1, 10, 20)
    scaled = run(*(part._replace(values=part.values * scales) for part in (harm, group)))
    again = run(Side(*(part[rows] for part in harm)), Side(*(part[rows] for part in group)))

    assert scaled.auroc.value == pytest.approx(one.auroc.value, abs=0.01)
    np.testing.assert_allclose(scaled.control, one.control, atol=0.02)
    assert again.auroc.value == pytest.approx(one.auroc.value, abs=1e-6)
    assert again.auroc.clusters == 50


def test_too_few_clusters_on_either_side_have_a_reason():
    harm, group = pair(6)
    few = pair(6, n_with=4)

    unread, unlearned = run(harm, few[1]), run(few[0], group)

    assert "reading a probe needs at least 5 clusters on each side; got 4" in unread.auroc.reason
    assert "a probe needs at least 5 clusters" in unlearned.auroc.reason
    assert np.isnan([unread.auroc.value, unread.selectivity, unlearned.auroc.value]).all()
    assert len(unread.control) == 0


def test_a_solver_that_fails_on_a_shuffle_leaves_the_line_undefined(monkeypatch):
    calls = []

    def tiring(problem):
        calls.append(1)
        if len(calls) > 40:
            raise NotConverged("no answer in 64 bits")
        return SOLVERS[default_solver()](problem)

    monkeypatch.setitem(SOLVERS, "tiring", tiring)

    line = run(*pair(7, n_clusters=16, n_with=8, n_units=4), solver="tiring", shuffles=60)

    assert line.auroc.reason == "no answer in 64 bits"
    assert np.isnan(line.auroc.value)


def test_other_units_and_no_shuffles_are_refused():
    harm, group = pair(8)
    with pytest.raises(MeasureError, match="got 20 on the side learned from and 19"):
        run(harm, group._replace(values=group.values[:, 1:]))
    with pytest.raises(MeasureError, match="at least 1 shuffle"):
        run(harm, group, shuffles=0)
    with pytest.raises(MeasureError, match="same label"):
        run(harm, group._replace(labels=np.roll(group.labels, 1)))


@settings(max_examples=6, deadline=None)
@given(seed=seeds, enough=st.integers(1, 4))
def test_stopping_early_counts_as_walking_the_same_shuffles_up_to_there(seed, enough):
    sides = pair(seed, n_clusters=24, n_with=10, n_units=5)

    whole = run(*sides, shuffles=12, n_units=2)
    short = run(*sides, shuffles=12, n_units=2, enough=enough)

    reached = np.cumsum(whole.control >= whole.auroc.value - 1e-12)
    stopped = reached[-1] >= enough
    walked = int(np.argmax(reached >= enough)) + 1 if stopped else 12
    np.testing.assert_array_equal(short.control, whole.control[:walked])
    assert short.auroc.p == pytest.approx(enough / walked if stopped else (1 + reached[-1]) / 13)


def test_a_probe_that_cannot_tell_its_own_side_has_nothing_to_transfer():
    harm, group = pair(9, harm=())

    silent = run(harm, group, must_tell=True, shuffles=2)
    told = run(*pair(9), must_tell=True, shuffles=2)

    assert not silent.probe.auroc.low > 0.5
    assert "nothing to transfer" in silent.auroc.reason
    assert np.isnan(silent.auroc.value)
    assert told.auroc.value > 0.5
    assert run(harm, group, shuffles=2).auroc.value >= 0


def test_stopping_before_the_first_control_is_refused():
    with pytest.raises(MeasureError, match="At least 1 control must be enough"):
        run(*pair(8), enough=0)
