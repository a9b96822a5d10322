"""The batched solver finds what adelie finds; here on the CPU, where nobody else asks it."""

import numpy as np
import pytest
import torch

import probes.backends.batched_logistic as batched
from probes.backends.batched_logistic import TARGET, solve_batch
from probes.fixed_units import used
from probes.sparse_batched import posed_all, solve_all
from probes.sparse_path import standardised
from probes.sparse_problem import NotConverged, duality_gaps, objective
from probes.sparse_solvers import default_solver

device = pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ),
    ],
)


def several(seed=0, n=150, n_units=80, n_problems=5, end=0.05):
    """Correlated, rectified units; labels of any share, rows of weight 0."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 8))
    values = np.maximum(latent @ rng.normal(size=(8, n_units)) + rng.normal(size=(n, n_units)), 0)
    logits = latent @ rng.normal(size=(8, n_problems)) + rng.normal(size=(n, n_problems))
    labels = logits > np.linspace(-1, 2, n_problems)
    weights = rng.uniform(0.5, 2, labels.shape) * (rng.random(labels.shape) < 0.8)
    design = standardised(values).design
    return posed_all(design, labels, weights / weights.sum(axis=0), np.geomspace(1, end, 8))


@device
@pytest.mark.parametrize("seed", range(3))
def test_objectives_equal_those_of_adelie_to_one_in_ten_thousand(device, seed):
    problems = several(seed)

    ours, theirs = solve_batch(problems, device=device), solve_all(problems, default_solver())

    for problem, one, other in zip(problems, ours, theirs, strict=True):
        np.testing.assert_allclose(objective(problem, one), objective(problem, other), rtol=1e-4)
        np.testing.assert_allclose(one.coefficients, other.coefficients, atol=0.02)


@device
def test_its_gaps_are_ours_and_reach_the_target(device):
    problems = several(4)

    for problem, path in zip(problems, solve_batch(problems, device=device), strict=True):
        np.testing.assert_allclose(path.gaps, duality_gaps(problem, path), atol=5e-6)
        assert path.gap <= TARGET


def test_a_smaller_tolerance_is_reached():
    problems = [p._replace(tolerance=1e-5) for p in several(5, n_problems=2)]

    for problem, path in zip(problems, solve_batch(problems, device="cpu"), strict=True):
        assert duality_gaps(problem, path).max() <= 1.5e-5


def test_units_that_stay_out_are_exactly_zero():
    problems = several(6)

    for ours, theirs in zip(
        solve_batch(problems, device="cpu"), solve_all(problems, default_solver()), strict=True
    ):
        assert (ours.coefficients[0] == 0).all()
        assert (used(ours.coefficients) != used(theirs.coefficients)).mean() < 0.03


def test_neighbours_and_chunks_do_not_change_a_path(monkeypatch):
    problems = several(7)
    whole = list(solve_batch(problems, device="cpu"))

    monkeypatch.setattr(batched, "COLUMNS", 2)
    apart = list(solve_batch(problems, device="cpu"))

    assert len(apart) == len(whole) == 5
    for problem, one, other in zip(problems, whole, apart, strict=True):
        np.testing.assert_allclose(objective(problem, one), objective(problem, other), rtol=1e-4)


def test_a_path_that_cannot_end_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr(batched, "MOST_STEPS", 10)
    problems = [p._replace(tolerance=1e-5) for p in several(8)]

    with pytest.raises(NotConverged, match="the batched solver came to"):
        list(solve_batch(problems, device="cpu"))


def test_coarser_products_are_switched_off_and_on_again():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        paths = list(solve_batch(several(9, n_problems=1), device="cpu"))
        after = torch.get_float32_matmul_precision()
    finally:
        torch.set_float32_matmul_precision(before)

    assert after == "medium"
    assert paths[0].gap <= TARGET


def test_no_problems_have_no_paths():
    assert list(solve_batch([], device="cpu")) == []
