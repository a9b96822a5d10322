"""Changes between two models: none where there is none, seen where one was made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.errors import MeasureError
from probes.paired_change import Margins, paired_change

FAMILY = ("a", "b", "c")


def margins(cells, controls, groups):
    """Margins of a table of cluster x term, as an audit keeps them."""
    packs = {f"c{k}": np.arange(4 * k, 4 * k + 4) for k in range(controls.shape[1] // 4)}
    null = np.mean([controls[:, at].mean(axis=1) for at in packs.values()], axis=0)
    own = cells.mean(axis=1) - null

    def difference(table):
        means = np.stack([table[groups == g].mean(axis=0) for g in range(len(FAMILY))])
        return means[0] - means[1:].mean(axis=0)

    return Margins(
        clusters={name: own[groups == g] for g, name in enumerate(FAMILY)},
        harm=difference(cells),
        controls={name: difference(controls[:, at]) for name, at in packs.items()},
    )


def world(rng, *, planted=0.0, clusters=20, terms=6, n_controls=24, spread=0.3):
    """Two models of one world: scores with random effects of cluster, term, pack and cell."""
    groups = np.repeat(np.arange(len(FAMILY)), clusters)
    n, m = len(groups), 4 * n_controls

    def change(n_terms, per_pack):
        pack = rng.normal(size=(len(FAMILY), n_terms // per_pack)) * spread
        term = rng.normal(size=(len(FAMILY), n_terms)) * 0.2
        cell = rng.normal(size=(n, n_terms)) * 0.5
        return np.repeat(pack, per_pack, axis=1)[groups] + term[groups] + cell

    harm, controls = rng.normal(size=(n, terms)), rng.normal(size=(n, m))
    after = harm + change(terms, terms) + planted * (groups == 0)[:, None]
    return margins(harm, controls, groups), margins(after, controls + change(m, 4), groups)


def test_both_margins_tell_the_same_effect():
    before, after = world(np.random.default_rng(0))
    found = paired_change("a", before, after)
    packs = np.mean([(after.controls[c] - t).mean() for c, t in before.controls.items()])

    assert found.value == pytest.approx((after.harm - before.harm).mean() - packs)


def test_the_same_model_twice_did_not_change():
    before, _ = world(np.random.default_rng(1))
    found = paired_change("a", before, before)

    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_swapping_before_and_after_turns_the_sign(seed):
    before, after = world(np.random.default_rng(seed))
    forth, back = paired_change("a", before, after), paired_change("a", after, before)

    assert forth.value == pytest.approx(-back.value)
    assert forth.low == pytest.approx(-back.high)
    assert forth.p == pytest.approx(back.p)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), shift=st.floats(-5, 5))
def test_what_everything_went_through_is_no_change(seed, shift):
    before, after = world(np.random.default_rng(seed))
    moved = Margins(
        clusters={name: rows + shift for name, rows in after.clusters.items()},
        harm=after.harm + shift,
        controls={name: terms + shift for name, terms in after.controls.items()},
    )

    plain, shifted = (paired_change("a", before, a) for a in (after, moved))
    assert shifted.value == pytest.approx(plain.value, abs=1e-9)
    assert shifted.p == pytest.approx(plain.p, abs=1e-9)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_without_a_change_of_its_own_a_contrast_is_flagged_at_the_stated_rate(spread):
    rng = np.random.default_rng(7)
    flagged = [paired_change("a", *world(rng, spread=spread)).p < 0.05 for _ in range(600)]
    exact = stats.binomtest(sum(flagged), len(flagged), 0.05)

    assert exact.pvalue > 1e-4 or np.mean(flagged) < 0.05


def test_a_planted_rise_is_seen_with_its_sign():
    rng = np.random.default_rng(8)
    found = [paired_change("a", *world(rng, planted=2.0)) for _ in range(50)]

    assert np.mean([f.low > 0 for f in found]) > 0.9
    assert np.mean([f.low <= 2.0 <= f.high for f in found]) > 0.85


def test_one_person_alone_is_no_group():
    before, _ = world(np.random.default_rng(9))
    rows = before.clusters["a"].copy()
    rows[0] += 40.0
    after = Margins(
        clusters={**before.clusters, "a": rows}, harm=before.harm + 2.0, controls=before.controls
    )

    assert paired_change("a", before, after).p > 0.05


@pytest.mark.parametrize("side", ["clusters", "controls", "harm"])
def test_other_stimuli_are_refused(side):
    before, after = world(np.random.default_rng(2))
    parts = {"clusters": after.clusters, "controls": after.controls, "harm": after.harm}
    if side == "harm":
        parts[side] = after.harm[1:]
    else:
        name = next(iter(parts[side]))
        parts[side] = {**parts[side], name: parts[side][name][1:]}
    with pytest.raises(MeasureError, match="same clusters, terms and control packs"):
        paired_change("a", before, Margins(**parts))


def test_too_few_controls_and_a_family_of_one_are_refused():
    before, _ = world(np.random.default_rng(3))
    few = Margins(clusters=before.clusters, harm=before.harm, controls={"x": np.zeros(2)})
    alone = Margins(
        clusters={"a": before.clusters["a"]}, harm=before.harm, controls=before.controls
    )
    with pytest.raises(MeasureError, match="3 control packs at least; got 1"):
        paired_change("a", few, few)
    with pytest.raises(MeasureError, match="another concept of its family"):
        paired_change("a", alone, alone)
    with pytest.raises(MeasureError, match="clusters of z"):
        paired_change("z", before, before)
