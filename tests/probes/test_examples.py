"""Examples of a unit: one of each cluster, seeded, cropped inside the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import MeasureError
from probes.examples import (
    Box,
    centre_square,
    choose_examples,
    crop_at,
    strongest_position,
)

seeds = st.integers(0, 2**32 - 1)
WHOLE = Box(left=0, top=0, right=64, bottom=48)


def sample(seed, n_clusters=12, per_cluster=4):
    rng = np.random.default_rng(seed)
    clusters = rng.permutation(np.repeat(np.arange(n_clusters), per_cluster))
    return rng.normal(size=len(clusters)) + rng.normal(size=n_clusters)[clusters], clusters


def chosen(seed, count=4, **options):
    values, clusters = sample(seed, **options)
    return choose_examples(values, clusters, rng=np.random.default_rng(1), count=count)


@given(seed=seeds)
def test_a_cluster_is_shown_once_among_examples_of_a_kind(seed):
    found = chosen(seed)

    for kind in (found.top, found.middle, found.random):
        assert len({example.cluster for example in kind}) == len(kind) == 4


@given(seed=seeds)
def test_top_clusters_have_the_largest_means_and_show_their_strongest_stimulus(seed):
    values, clusters = sample(seed)

    top = choose_examples(values, clusters, rng=np.random.default_rng(0), count=4).top

    means = {c: values[clusters == c].mean() for c in range(12)}
    assert [e.cluster for e in top] == sorted(means, key=means.get, reverse=True)[:4]
    assert [e.response for e in top] == [values[clusters == e.cluster].max() for e in top]


@given(seed=seeds)
def test_as_many_clusters_lie_above_the_middle_ones_as_below(seed):
    values, clusters = sample(seed)

    middle = choose_examples(values, clusters, rng=np.random.default_rng(0), count=4).middle

    means = [values[clusters == c].mean() for c in range(12)]
    shown = {e.cluster for e in middle}
    others = [means[c] for c in range(12) if c not in shown]
    assert sum(mean > max(means[c] for c in shown) for mean in others) == 4
    assert sum(mean < min(means[c] for c in shown) for mean in others) == 4


@given(seed=seeds)
def test_the_rank_is_the_share_of_other_clusters_that_answer_less(seed):
    values, clusters = sample(seed)
    means = np.array([values[clusters == c].mean() for c in range(12)])

    for example in choose_examples(values, clusters, rng=np.random.default_rng(0)).random:
        below = sum(means[other] < means[example.cluster] for other in range(12))
        assert example.rank == pytest.approx(below / 11)


def test_the_same_seed_gives_the_same_random_examples_and_another_gives_others():
    values, clusters = sample(0, n_clusters=40)

    def draw(seed):
        return choose_examples(values, clusters, rng=np.random.default_rng(seed)).random

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_random_examples_do_not_look_at_responses():
    values, clusters = sample(0)

    def drawn(responses):
        found = choose_examples(responses, clusters, rng=np.random.default_rng(5))
        return [e.stimulus for e in found.random]

    assert drawn(values) == drawn(-values)


def test_fewer_clusters_than_asked_for_are_shown_once_each():
    found = chosen(0, count=9, n_clusters=3)

    assert [len(kind) for kind in (found.top, found.middle, found.random)] == [3, 3, 3]


def test_the_rank_of_a_lone_cluster_is_undefined():
    assert np.isnan(chosen(0, n_clusters=1).top[0].rank)


@given(
    row=st.integers(0, 6),
    column=st.integers(0, 6),
    share=st.floats(0.05, 1.0),
    size=st.tuples(st.integers(30, 400), st.integers(30, 400)),
)
def test_a_crop_is_a_square_inside_what_the_model_saw_and_holds_its_position(
    row, column, share, size
):
    seen = centre_square(size)
    crop = crop_at((row, column), (7, 7), seen, share=share)

    side = crop.right - crop.left
    assert side == crop.bottom - crop.top == max(1, round(share * min(size)))
    assert seen.left <= crop.left < crop.right <= seen.right
    assert seen.top <= crop.top < crop.bottom <= seen.bottom
    cell = min(size) / 7
    assert crop.left - 1 <= seen.left + (column + 0.5) * cell <= crop.right + 1
    assert crop.top - 1 <= seen.top + (row + 0.5) * cell <= crop.bottom + 1


def test_rows_run_down_and_columns_across():
    assert crop_at((1, 0), (2, 4), WHOLE, share=0.25) == Box(left=2, top=30, right=14, bottom=42)


def test_the_first_of_equal_positions_is_taken():
    assert strongest_position(np.array([[0.0, 2.0], [2.0, 1.0]])) == (0, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda rng: choose_examples(np.array([1.0, np.nan]), np.arange(2), rng=rng), "finite"),
        (lambda rng: choose_examples(np.ones(3), np.arange(2), rng=rng), r"\(3,\) and \(2,\)"),
        (lambda rng: choose_examples(np.ones(0), np.arange(0), rng=rng), "one response"),
        (lambda rng: choose_examples(np.ones(2), np.arange(2), rng=rng, count=0), "got 0"),
        (lambda rng: crop_at((7, 0), (7, 7), WHOLE), r"got \(7, 0\)"),
        (lambda rng: crop_at((0, 0), (7, 7), WHOLE, share=0), "above 0"),
        (lambda rng: strongest_position(np.full((2, 2), np.nan)), "class token"),
        (lambda rng: strongest_position(np.ones(4)), r"got shape \(4,\)"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_sentence(call, words):
    with pytest.raises(MeasureError, match=words):
        call(np.random.default_rng(0))
