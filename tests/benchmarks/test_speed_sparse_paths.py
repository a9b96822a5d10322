"""What is timed is the same computation on both sides."""

import numpy as np

from benchmarks.speed import sparse_paths
from benchmarks.speed.sparse_paths import LAMBDAS, NEAR, Shape, compared, material, ours

SMALL = Shape(120, 30, 3, 0.1, (5, 12))


def test_every_concept_gets_a_whole_path_with_gaps():
    paths = ours(material(SMALL))

    assert len(paths) == 3
    assert all(path.coefficients.shape == (LAMBDAS, 30) for path in paths)
    assert all(path.gap <= 1e-2 for path in paths)


def test_labels_are_balanced():
    np.testing.assert_array_equal(material(SMALL).labels.mean(axis=0), 0.5)


def test_liblinear_is_taken_at_a_tolerance_that_reaches_our_objective(monkeypatch):
    asked = []
    near = sparse_paths.excess

    def remember(*given):
        asked.append(near(*given))
        return asked[-1]

    monkeypatch.setattr(sparse_paths, "excess", remember)
    row = compared(SMALL, rounds=1)

    assert max(np.abs(asked[-2:])) <= NEAR
    assert "extrapolated from 2 of 60 fits" in row.note
