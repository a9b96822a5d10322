"""A class planted as a sum of units comes out as that sum, and its accuracy is held out."""

import numpy as np
import pytest

from probes.decomposition import SMALLEST, decompose, n_paths
from probes.errors import MeasureError
from probes.fixed_units import balanced
from probes.sparse_path import posed, standardised
from probes.sparse_solvers import SOLVERS, NotConverged, default_solver

NAMES = {0: "finance", 1: "porcelain", 2: "barn"}
SUMS = {
    "piggy bank": (0, 1),
    "bank": (0,),
    "teacup": (1,),
    "barn": (2,),
    "kite": (3,),
    "lamp": (4,),
    "moss": (5,),
}


def world(seed=0, per_class=14, strength=3.0, n_units=20, repeats=2):
    """Every class raises its units; those of the piggy bank are finance and porcelain."""
    rng = np.random.default_rng(seed)
    own = np.repeat(list(SUMS), per_class)
    values = rng.normal(size=(len(own), n_units))
    for at, name in enumerate(own):
        values[at, list(SUMS[name])] += strength
    clusters = np.repeat(np.arange(len(own)), repeats)
    values = values * rng.uniform(0.5, 4, n_units) + 1
    return values[clusters], own[clusters].tolist(), clusters


def run(material, **options):
    return decompose(*material, rng=np.random.default_rng(1), **({"folds": 3} | options))


def test_a_class_comes_out_as_the_sum_it_was_planted_as():
    found = run(world(), mean_units=2)

    terms = found.terms("piggy bank", names=NAMES)
    assert {t.name for t in terms[:2]} == {"finance", "porcelain"}
    assert all(t.weight > 0 for t in terms[:2])
    assert found.terms("barn", names=NAMES)[0].name == "barn"
    assert found.terms("kite")[0][::2] == (3, "unit 3")
    strength = [abs(t.weight) for t in terms]
    assert strength == sorted(strength, reverse=True)


def test_a_unit_that_speaks_against_a_class_has_a_negative_sign():
    values, labels, clusters = world(1)
    values[:, 9] = np.random.default_rng(0).normal(size=len(labels)) / 4
    values[[label == "barn" for label in labels], 9] -= 5

    terms = {t.unit: t.weight for t in run((values, labels, clusters)).terms("barn")}

    assert terms[9] < 0 < terms.get(2, 1)


def test_the_equation_reads_like_the_article_s():
    found = run(world(), mean_units=1.2)

    weights = [t.weight for t in found.terms("barn")]
    assert found.equation("barn", names=NAMES).startswith(f"barn = {weights[0]:.2g} barn")
    against = found.equation("bank", names={0: "finance"})
    assert against.startswith("bank = ")
    assert all(part in against for part in [f"{abs(t.weight):.2g}" for t in found.terms("bank")])


def test_a_minus_stands_before_what_speaks_against():
    found = run(world(), mean_units=3)
    name, term = next((n, t) for n in found.classes for t in found.terms(n)[1:] if t.weight < 0)

    assert f" − {-term.weight:.2g} unit {term.unit}" in found.equation(name)


@pytest.mark.parametrize("wanted", [1.0, 2.0, 3.0])
def test_classes_have_about_as_many_units_as_wanted_on_average(wanted):
    found = run(world(), mean_units=wanted, n_penalties=60, folds=2)

    assert found.mean_units == pytest.approx(wanted, abs=0.5)
    assert found.mean_units == pytest.approx(
        np.mean([len(found.terms(name)) for name in found.classes])
    )


def test_weights_are_those_of_each_class_solved_alone_at_the_common_penalty():
    values, labels, clusters = world(2, repeats=1)
    found = run((values, labels, clusters))

    design, own = standardised(values).design, np.array(labels)
    every = np.ones(len(own), dtype=bool)
    problems = {
        name: posed(design, own == name, balanced(own == name, every), np.ones(1)) for name in SUMS
    }
    top = max(p.lambdas[0] for p in problems.values())
    for name, problem in problems.items():
        lambdas = top * np.geomspace(1, SMALLEST, 30)
        lambdas = lambdas[lambdas >= top * found.penalty * (1 - 1e-9)]
        alone = SOLVERS[default_solver()](problem._replace(lambdas=lambdas))
        np.testing.assert_allclose(
            found.weights[found.classes.index(name)],
            alone.coefficients[-1] * problem.factors,
            atol=1e-3,
        )


def test_accuracy_is_high_for_planted_classes_and_at_chance_for_shuffled_ones():
    values, labels, clusters = world(3, repeats=1)

    found = run((values, labels, clusters))
    chance = [
        run((values, np.random.default_rng(s).permutation(labels).tolist(), clusters))
        for s in range(5)
    ]

    assert found.accuracy.low > 0.6
    assert found.top_accuracy.value >= found.accuracy.value
    assert found.accuracy.neutral == pytest.approx(1 / 7)
    assert np.mean([c.accuracy.value for c in chance]) == pytest.approx(1 / 7, abs=0.08)
    assert np.mean([c.top_accuracy.value for c in chance]) == pytest.approx(5 / 7, abs=0.12)


def test_order_scale_and_repeats_do_not_matter():
    values, labels, clusters = world(4)
    rows = np.random.default_rng(0).permutation(np.tile(np.arange(len(labels)), 2))

    one = run((values, labels, clusters))
    other = run((values[rows] * 3 + 1, [labels[r] for r in rows], clusters[rows]))

    np.testing.assert_allclose(other.weights, one.weights, atol=2e-3)
    assert other.accuracy.value == pytest.approx(one.accuracy.value, abs=0.03)


def test_a_class_with_too_few_clusters_has_a_reason_and_stays_among_the_rest():
    values, labels, clusters = world(5)
    kept = np.array([label != "moss" for label in labels]) | (clusters >= clusters.max() - 2)
    codes = np.unique(clusters[kept], return_inverse=True)[1]

    found = run((values[kept], np.array(labels)[kept].tolist(), codes))

    assert found.reasons == {"moss": "needs at least 5 clusters, has 3"}
    assert np.isnan(found.weights[found.classes.index("moss")]).all()
    assert found.terms("moss") == ()
    assert found.equation("moss") == "moss: needs at least 5 clusters, has 3"
    assert (found.clusters, found.accuracy.clusters) == (87, 84)
    assert found.accuracy.neutral == pytest.approx(1 / 6)


def test_the_best_of_five_is_undefined_among_five():
    values, labels, clusters = world(6)
    kept = np.isin(labels, ["bank", "teacup", "barn"])
    codes = np.unique(clusters[kept], return_inverse=True)[1]

    found = run((values[kept], np.array(labels)[kept].tolist(), codes))

    assert np.isnan(found.top_accuracy.value)
    assert found.top_accuracy.reason == "there are only 3 classes"
    assert found.accuracy.value > 0.7


def test_bad_input_is_told_in_a_sentence(monkeypatch):
    values, labels, clusters = world(7)
    with pytest.raises(MeasureError, match="No class 'sofa' was decomposed"):
        run((values, labels, clusters)).terms("sofa")
    with pytest.raises(MeasureError, match="at least 2 folds; got 0 and 3"):
        run((values, labels, clusters), mean_units=0)
    with pytest.raises(MeasureError, match="at least 2 folds; got 3 and 1"):
        run((values, labels, clusters), folds=1)
    with pytest.raises(MeasureError, match="one class per stimulus; got 3"):
        run((values, labels[:3], clusters))
    with pytest.raises(MeasureError, match="cluster 0 has piggy bank and sofa"):
        run((values, [labels[0], "sofa", *labels[2:]], clusters))
    with pytest.raises(MeasureError, match="at least 2 classes of 5 clusters; got 1"):
        run((values, ["kite"] * len(labels), clusters))
    with pytest.raises(MeasureError, match="No unit varies"):
        run((values * 0, labels, clusters))
    with pytest.raises(MeasureError, match=r"in units \[1\]"):
        run((np.where(np.arange(20) == 1, np.nan, values), labels, clusters))

    def fail(_):
        raise NotConverged("no answer in 64 bits")

    monkeypatch.setitem(SOLVERS, "stubborn", fail)
    with pytest.raises(MeasureError, match="no answer in 64 bits"):
        run((values, labels, clusters), solver="stubborn")


def test_every_path_is_told_and_their_number_is_known_beforehand():
    values, labels, clusters = world(per_class=6)
    labels = ["seldom" if c < 3 else label for label, c in zip(labels, clusters, strict=True)]
    walked = []

    run((values, labels, clusters), n_penalties=4, after_each=lambda: walked.append(1))

    assert len(walked) == n_paths(labels, clusters, 3) == 6 * 4
