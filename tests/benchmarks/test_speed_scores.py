from io import BytesIO

import numpy as np
import pikepdf
import pytest
from scipy import special

from benchmarks.planted.methods import dissect
from benchmarks.speed import association, report, soft_wpmi, weat
from probes.association import associate
from probes.errors import MeasureError
from probes.pair_scores import pair_scores


def test_scores_in_products_equal_those_of_scipy_and_scikit_learn():
    values, labels = association.planted(np.random.default_rng(0), (60, 9, 5))
    labels[:6] = True
    pairs = [(unit, concept) for unit in range(9) for concept in range(5)]

    ours = np.stack([score.ravel() for score in pair_scores(values, labels)], 1)

    np.testing.assert_allclose(ours, association.looped(values, labels, pairs), atol=1e-9)


def test_bare_scores_are_those_of_the_tables():
    values, labels = association.planted(np.random.default_rng(1), (90, 300, 4))
    labels[:8], labels[8:16] = True, False

    ours, tables = pair_scores(values, labels), associate(values, labels).estimates

    np.testing.assert_allclose(ours.auroc, tables["auroc"].value, atol=1e-12)
    np.testing.assert_allclose(ours.correlation, tables["correlation"].value, atol=1e-12)


def test_what_has_no_score_is_undefined_not_zero():
    values, labels = association.planted(np.random.default_rng(2), (30, 3, 3))
    values[:, 1] = 0.1
    labels[:, 0], labels[:, 2] = False, np.arange(30) < 1

    found = pair_scores(values, labels)

    assert all(np.isnan(score[1]).all() and np.isnan(score[:, 0]).all() for score in found)
    assert np.isnan(found.welch_t[:, 2]).all()
    assert np.isnan(found.cohen_d[:, 2]).all()
    assert np.isfinite(found.auroc[[0, 2], 2]).all()
    with pytest.raises(MeasureError, match=r"\(30, 3\) and \(29, 3\)"):
        pair_scores(values, labels[1:])
    values[3, 2] = np.inf
    with pytest.raises(MeasureError, match=r"units \[2\]"):
        pair_scores(values, labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multiplied_factors_have_the_sum_of_their_logs(dtype):
    rng = np.random.default_rng(3)
    shares = special.softmax(10 * rng.uniform(-1, 1, (150, 40)), axis=1)
    strongest = np.stack([rng.permutation(150)[:100] for _ in range(70)])
    weights = dissect.FIRST - np.arange(100) / 100 * (dissect.FIRST - dissect.LAST)

    ours = dissect.summed_logs(shares.astype(dtype), strongest)

    factors = 1 + weights[:, None] * (shares[strongest] - 1) + dissect.LEAST
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(ours, np.log(factors).sum(axis=1), rtol=tolerance)


def test_the_strongest_pictures_are_those_of_a_stable_sort():
    responses = np.random.default_rng(4).standard_normal((80, 12)).round(1)

    ours = dissect.strongest_first(responses, 20)

    np.testing.assert_array_equal(ours.T, np.argsort(-responses, axis=0, kind="stable")[:20])


def test_soft_wpmi_equals_the_loop_over_units():
    rng = np.random.default_rng(5)
    responses = rng.standard_normal((200, 30)).astype(np.float32)
    cosines = rng.uniform(-0.1, 0.4, (200, 25)).astype(np.float32)

    ours = dissect.soft_wpmi(responses, cosines)

    np.testing.assert_allclose(ours, soft_wpmi.looped(responses, cosines), atol=2e-3)


def test_the_exact_p_equals_that_of_the_list():
    values = weat.associations(7)

    assert weat.exact(values) == pytest.approx(weat.listed(values, 7, block=100), abs=1e-12)


def test_a_page_holds_four_charts_as_ours_and_as_matplotlib_draw_them():
    pytest.importorskip("matplotlib").use("svg")
    drawn = report.estimates(np.random.default_rng(0), 8)

    for draw in (report.ours, report.theirs):
        charts = draw(drawn)
        assert len(charts) == 8
        with pikepdf.open(BytesIO(report.pdf(charts))) as made:
            assert len(made.pages) == 2
