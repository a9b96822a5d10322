"""What treatments do to embeddings, and what a model is still good for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import MeasureError
from probes.treatments import (
    Ablation,
    basis_of,
    dominated,
    group_direction,
    mixed,
    project_out,
)
from probes.treatments_benign import accuracy, association, benign, change, retrieval

SEEDS = st.integers(0, 2**16)
STRENGTHS = st.floats(0, 1)


def drawn(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


@settings(max_examples=30, deadline=None)
@given(SEEDS, STRENGTHS)
def test_a_projection_takes_its_share_and_nothing_across(seed, strength):
    rows, basis = drawn(seed, 7, 6), basis_of(list(drawn(seed + 1, 2, 6)))
    out = project_out(rows, basis, strength).astype(float)

    assert out @ basis.T == pytest.approx((1 - strength) * rows @ basis.T, abs=1e-5)
    across = np.eye(6) - basis.T @ basis
    assert out @ across == pytest.approx(rows @ across, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_strength_0_changes_no_bit(seed):
    rows = drawn(seed, 5, 4).astype(np.float32)

    assert (project_out(rows, basis_of([drawn(seed, 4)]), 0.0) == rows).all()
    assert (mixed(rows, drawn(seed + 1, 5, 4), 0.0) == rows).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 4))
def test_a_basis_is_perpendicular_of_length_1_and_spans_its_directions(seed, count):
    directions = [*drawn(seed, count, 6), drawn(seed, count, 6)[0] * -3]
    basis = basis_of(directions)

    assert len(basis) == count
    assert basis @ basis.T == pytest.approx(np.eye(count), abs=1e-9)
    for direction in directions:
        assert (direction @ basis.T) @ basis == pytest.approx(direction, abs=1e-8)


def test_every_concept_of_the_rest_has_one_vote_in_a_groups_direction():
    rows = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0], [0, 0, 1.0]])

    found = group_direction(rows, np.array([0, 1, 1, 2]))

    assert found == pytest.approx([1, -0.5, -0.5])


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_mixing_all_the_way_gives_the_others_at_length_1(seed):
    others = drawn(seed, 5, 4)

    out = mixed(drawn(seed + 1, 5, 4), others, 1.0)

    assert out == pytest.approx(others / np.linalg.norm(others, axis=1, keepdims=True), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=9))
def test_who_dominates_is_undominated_and_better_in_something(points):
    table = np.array(points, dtype=float)
    harms, benefits = table[:, :2], table[:, 2:]
    by = dominated(harms, benefits)

    assert (by == -1).any()
    for i, j in enumerate(by):
        beaten = [
            k
            for k in range(len(table))
            if (harms[k] <= harms[i]).all()
            and (benefits[k] >= benefits[i]).all()
            and (table[k] != table[i]).any()
        ]
        assert (j >= 0) == bool(beaten)
        assert j < 0 or (j in beaten and by[j] == -1)


def test_a_point_that_is_not_known_is_not_compared():
    harms = np.array([[1.0], [np.nan], [2.0]])

    assert dominated(harms, np.array([[1.0], [1.0], [1.0]])).tolist() == [-1, -1, 0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: project_out(np.eye(2), np.eye(2), 1.5), "from 0 to 1; got 1.5"),
        (lambda: mixed(np.eye(2), np.eye(2), -0.1), "from 0 to 1; got -0.1"),
        (lambda: basis_of([]), "At least one direction"),
        (lambda: basis_of([np.zeros(3)]), "length 0"),
        (lambda: basis_of([np.array([np.nan, 1])]), "finite"),
        (lambda: group_direction(np.eye(2), np.array([0, 0])), "another concept"),
        (lambda: group_direction(np.eye(2), np.array([1, 2])), "clusters of the group"),
        (lambda: Ablation(layer="a", units=(1, 1), values=(0.0, 0.0)), "different units"),
        (lambda: Ablation(layer="a", units=(1,), values=()), "a value for each"),
        (lambda: Ablation(layer="a", units=(1,), values=(np.inf,)), "must be finite"),
        (lambda: Ablation(layer="a", units=(1,), values=(0.0,), strength=2), "from 0 to 1"),
        (lambda: benign(np.eye(2), np.array([0, 0]), np.eye(2)), "each shown"),
        (lambda: benign(np.eye(2), np.array([0, 0]), np.eye(1)), "2 or more"),
    ],
)
def test_what_cannot_be_treated_or_measured_is_refused_in_words(make, words):
    with pytest.raises(MeasureError, match=words):
        make()


def harmless(seed=0, n=24, k=4, noise=0.4):
    rng = np.random.default_rng(seed)
    classes = np.eye(k)
    codes = np.arange(n) % k
    return classes[codes] + noise * rng.normal(size=(n, k)), codes, classes


def test_harmless_concepts_are_counted_by_hand():
    clusters = np.array([[1.0, 0], [0.6, 0.8], [0, 1.0]])
    found = benign(clusters, np.array([0, 0, 1]), np.eye(2))

    assert found.hits.tolist() == [1, 0, 1]
    assert found.margins == pytest.approx([1, -0.2, 1])
    assert found.precision.tolist() == [1, 1]
    assert accuracy(found).value == pytest.approx(2 / 3)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_renaming_concepts_changes_no_accuracy_and_no_retrieval(seed):
    clusters, codes, classes = harmless(seed)
    order = np.random.default_rng(seed).permutation(len(classes))
    before = benign(clusters, codes, classes)
    after = benign(clusters, np.argsort(order)[codes], classes[order])

    assert after.hits.mean() == before.hits.mean()
    assert after.precision.mean() == pytest.approx(before.precision.mean())


def test_association_is_1_for_the_same_state_and_falls_with_the_margins():
    before = benign(*harmless(noise=0.1))
    rng = np.random.default_rng(0)

    assert association(before, before, rng).value == 1
    assert np.isnan(association(before, before, rng).low)
    worse = association(before, benign(*harmless(noise=0.8)), rng)
    assert worse.value < worse.high < 1


def test_a_change_that_moves_nothing_has_no_interval_and_says_why():
    state = benign(*harmless())
    found = change(state.hits, state.hits, np.random.default_rng(0))

    assert found.value == 0
    assert np.isnan(found.low)
    assert "as before" in found.reason


def test_what_everything_retrieves_alike_has_no_interval():
    state = benign(*harmless(noise=0.0))

    assert retrieval(state, np.random.default_rng(0)).value == 1
    assert np.isnan(retrieval(state, np.random.default_rng(0)).low)
