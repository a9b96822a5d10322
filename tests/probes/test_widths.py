"""How wide packs lie from everybody: found where it is, neutral where it is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probes.calibration import widened_pseudo_harms
from probes.contrast import contrasts, control_null, family_differences
from probes.errors import MeasureError
from probes.widths import pack_widths

rules = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 10_000)


def differences(seed, sizes=(8,), n_harms=6, n_controls=40, tails=np.inf, harm_width=1.0):
    """Family differences; with finite ``tails`` every pack has a width of its own."""
    rng = np.random.default_rng(seed)

    def width(n):
        return np.ones(n) if np.isinf(tails) else np.sqrt(tails / rng.chisquare(tails, n)) / 1.4

    own = np.concatenate([harm_width * width(n_harms), width(n_controls)])
    families = {
        f"family{i}": family_differences(own * rng.normal(size=(size, n_harms + n_controls)))
        for i, size in enumerate(sizes)
    }
    harms = {name: values[:, :n_harms] for name, values in families.items()}
    return harms, {name: values[:, n_harms:] for name, values in families.items()}


def p_values(harms, controls, widths=None):
    """p of every contrast of every family."""
    out = []
    for family, values in controls.items():
        null = control_null(values)
        given_widths = None if widths is None else widths.harms[family]
        df = None if widths is None else widths.df(null.df)
        out.append(contrasts(harms[family], null, widths=given_widths, df=df).p_upper.ravel())
    return np.concatenate(out)


def test_packs_that_are_all_alike_keep_the_width_of_one():
    found = [pack_widths(*differences(seed)) for seed in range(40)]

    assert np.mean([w.weight == 0 for w in found]) >= 0.8
    assert np.median([w.common for w in found]) < 1.05


def test_packs_of_different_widths_are_told_apart():
    found = [pack_widths(*differences(seed, tails=4)) for seed in range(40)]

    assert np.mean([w.weight >= 0.3 for w in found]) >= 0.85


def test_a_wide_pack_no_longer_rejects_too_often():
    plain, widened = [], []
    for seed in range(200):
        harms, controls = differences(seed, tails=4)
        plain.append(p_values(harms, controls).min() < 0.05 / 48)
        widened.append(p_values(harms, controls, pack_widths(harms, controls)).min() < 0.05 / 48)

    assert np.mean(plain) > 0.10
    assert np.mean(widened) < 0.07


def test_harm_packs_wider_than_controls_are_seen():
    common = [pack_widths(*differences(s, sizes=(8, 8), harm_width=1.5)).common for s in range(30)]

    assert 1.25 < np.median(common) < 1.5


def test_a_link_in_every_pack_is_not_taken_for_width():
    common = []
    for seed in range(30):
        harms, controls = differences(seed)
        linked = harms["family0"].copy()
        for pack in range(linked.shape[1]):
            linked[:, pack] -= 8 / 7
            linked[pack, pack] += 8 + 8 / 7
        common.append(pack_widths({"family0": linked}, controls).common)

    # Taking links for width gave 1.86 here.
    assert np.median(common) < 1.2


def test_a_true_link_does_not_hide_itself():
    harms, controls = differences(2)
    before = pack_widths(harms, controls)
    linked = {family: values.copy() for family, values in harms.items()}
    linked["family0"][0, 0] += 50
    linked["family0"][1:, 0] -= 50 / 7
    after = pack_widths(linked, controls)

    np.testing.assert_allclose(after.harms["family0"][0, 0], before.harms["family0"][0, 0])
    np.testing.assert_allclose(after.controls["family0"], before.controls["family0"])


@rules
@given(seed=seeds, factor=st.floats(0.01, 100))
def test_scale_does_not_matter_and_order_does_not_either(seed, factor):
    harms, controls = differences(seed, sizes=(4, 5), tails=4)
    whole = pack_widths(harms, controls)
    scaled = pack_widths(
        {f: factor * v for f, v in harms.items()}, {f: factor * v for f, v in controls.items()}
    )
    order = np.random.default_rng(seed).permutation(6)
    mixed = pack_widths({f: v[:, order] for f, v in harms.items()}, controls)

    for family in harms:
        np.testing.assert_allclose(scaled.harms[family], whole.harms[family], rtol=1e-6)
        np.testing.assert_allclose(mixed.harms[family], whole.harms[family][:, order], rtol=1e-6)


@rules
@given(seed=seeds, at=st.integers(0, 7))
def test_a_width_is_that_of_the_other_groups_compared_among_themselves(seed, at):
    harms, controls = differences(seed, tails=3)
    widths = pack_widths(harms, controls)
    rest = np.arange(8) != at
    sd = control_null(controls["family0"]).sd[rest, None]

    def squares(values):
        centre = controls["family0"].mean(axis=1, keepdims=True)
        others = (values - centre)[rest]
        return (((others - others.mean(axis=0)) / sd) ** 2).sum(axis=0)

    own = squares(harms["family0"])
    np.testing.assert_allclose(
        np.argsort(widths.harms["family0"][at]) if widths.weight else np.argsort(own),
        np.argsort(own),
    )


def test_two_groups_have_no_width_to_learn_from():
    harms, controls = differences(0, sizes=(2,), tails=4)
    widths = pack_widths(harms, controls)

    assert (widths.harms["family0"] == 1).all()
    assert widths.df(39) == 39


def test_many_small_families_learn_from_each_other():
    found = [pack_widths(*differences(s, sizes=(2,) * 8, tails=3)).weight for s in range(20)]

    assert np.mean(found) > 0.4


def test_controls_that_never_vary_leave_every_width_at_one():
    flat = {"isles": np.zeros((6, 40))}
    widths = pack_widths({"isles": np.ones((6, 3))}, flat)

    assert (widths.harms["isles"] == 1).all()


def test_single_labels_give_a_common_width_only():
    harms, controls = differences(4, n_controls=200, tails=4)
    packs = {f: v / np.sqrt(8) for f, v in harms.items()}
    widths = pack_widths(packs, controls, pack_size=8)

    assert widths.weight == 0
    assert widths.common < 1.6


def test_pseudo_harms_are_widened_as_harms_are():
    rates = []
    for seed in range(60):
        harms, controls = differences(seed, tails=4)
        tests = widened_pseudo_harms(controls, pack_widths(harms, controls))
        rates.append(np.mean(stats.t.sf(tests.t, tests.df) < 0.01))

    assert np.mean(rates) == pytest.approx(0.01, abs=0.005)


def test_sides_that_meet_other_families_are_refused():
    with pytest.raises(MeasureError, match="same families in the same order"):
        pack_widths({"a": np.zeros((3, 2))}, {"b": np.zeros((3, 30))})
