"""Many paths of one design: posed together, solved by whoever is here."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import probes.sparse_batched as together
from probes.errors import MeasureError
from probes.sparse_batched import default_batch_solver, posed_all, solve_all
from probes.sparse_path import posed, standardised
from probes.sparse_solvers import SOLVERS, default_solver

RATIOS = np.geomspace(1, 0.1, 5)


def material(seed=0, n=80, n_units=30, n_problems=4):
    rng = np.random.default_rng(seed)
    design = standardised(np.maximum(rng.normal(size=(n, n_units)), 0)).design
    labels = design[:, :n_problems] + rng.normal(size=(n, n_problems)) > 0
    weights = rng.uniform(0.5, 2, labels.shape) * (rng.random(labels.shape) < 0.8)
    return design, labels, weights / weights.sum(axis=0)


def test_posing_together_equals_posing_alone():
    design, labels, weights = material()

    several = posed_all(design, labels, weights, RATIOS)

    for at, one in enumerate(several):
        alone = posed(design, labels[:, at], weights[:, at], RATIOS)
        assert one.design is design
        np.testing.assert_allclose(one.factors, alone.factors, rtol=1e-4)
        np.testing.assert_allclose(one.lambdas, alone.lambdas, rtol=1e-4)
        np.testing.assert_array_equal(one.labels, alone.labels)


def test_solving_together_equals_solving_alone_digit_for_digit():
    several = posed_all(*material(), RATIOS)

    for one, path in zip(several, solve_all(several, default_solver()), strict=True):
        np.testing.assert_array_equal(
            path.coefficients, SOLVERS[default_solver()](one).coefficients
        )


def test_paths_come_one_by_one_and_not_before_they_are_asked_for(monkeypatch):
    solved = []
    monkeypatch.setitem(SOLVERS, "counting", solved.append)

    paths = solve_all(posed_all(*material(), RATIOS), "counting")

    assert solved == []
    next(paths)
    assert len(solved) == 1


def test_nothing_to_solve_is_nothing_solved():
    assert list(solve_all([], "liblinear")) == []


def _loaded(monkeypatch, usable):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    backend = SimpleNamespace(usable=lambda: usable, solve_batch=lambda problems: iter(problems))
    monkeypatch.setattr(together, "import_module", lambda _: backend)


def test_the_batched_solver_is_chosen_only_where_a_device_is(monkeypatch):
    _loaded(monkeypatch, usable=False)
    assert default_batch_solver() == default_solver()
    _loaded(monkeypatch, usable=True)
    assert default_batch_solver() == "torch"


def test_torch_is_not_loaded_to_find_out(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(together, "import_module", lambda _: pytest.fail("was imported"))

    assert default_batch_solver() == default_solver()


def test_the_batched_solver_is_refused_on_a_cpu_and_given_everything_on_a_device(monkeypatch):
    several = posed_all(*material(), RATIOS)
    _loaded(monkeypatch, usable=False)
    with pytest.raises(MeasureError, match="needs a CUDA device, and torch sees none"):
        next(solve_all(several, "torch"))
    _loaded(monkeypatch, usable=True)
    assert list(solve_all(several, "torch")) == several


def test_unknown_solvers_and_paths_of_several_designs_are_refused():
    several = posed_all(*material(), RATIOS)
    other = several[1]._replace(design=several[1].design.copy())
    shorter = several[1]._replace(lambdas=several[1].lambdas[:2])

    with pytest.raises(MeasureError, match=r"one of adelie, liblinear, torch; got 'adeline'"):
        next(solve_all(several, "adeline"))
    for odd in (other, shorter):
        with pytest.raises(MeasureError, match="problem 1 differs from the first"):
            next(solve_all([several[0], odd], "liblinear"))


def test_labels_without_both_sides_and_wrong_shapes_are_refused():
    design, labels, weights = material()
    one_sided = labels.copy()
    one_sided[:, 2] = True

    with pytest.raises(MeasureError, match="column 2 has them on one"):
        posed_all(design, one_sided, weights, RATIOS)
    with pytest.raises(MeasureError, match=r"got labels \(79, 4\), weights \(80, 4\)"):
        posed_all(design, labels[1:], weights, RATIOS)
