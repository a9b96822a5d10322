"""Embeddings become cluster means, and cluster means one table of cosines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.arms import Embeddings, ScoreTable, cross, normalise, pool_clusters, score_arm
from probes.contrast import jackknife_se

rules = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 10_000)

GROUPS = tuple(f"f/g{i}" for i in range(3))
PACKS = ("harm", *(f"control{i}" for i in range(6)))


def stimuli(seed, concepts, n_terms=4, slots=("bare", "photo"), dim=12):
    """Values, concepts, clusters and templates of every stimulus."""
    rows = [(c, f"{c}:{k}", s) for c in concepts for k in range(n_terms) for s in slots]
    values = np.random.default_rng(seed).normal(size=(len(rows), dim)) + 1
    return values, *zip(*rows, strict=True)


def arm(seed, names=lambda name: name, shuffle=None, **sizes):
    rows = pool_clusters(*stimuli(seed, GROUPS, **sizes))
    columns = pool_clusters(*stimuli(seed + 1, PACKS, **sizes))
    if shuffle is not None:
        rng = np.random.default_rng(shuffle)
        rows = rows.take(rng.permutation(len(rows.names)))
        columns = columns.take(rng.permutation(len(columns.names)))
    table = cross(rows, columns)
    return score_arm(
        "text",
        ScoreTable(
            scores=table.scores,
            by_template=table.by_template,
            row_names=table.row_names,
            row_concepts=tuple(map(names, table.row_concepts)),
            column_names=table.column_names,
            column_concepts=tuple(map(names, table.column_concepts)),
        ),
        families={"f": tuple(map(names, GROUPS))},
        controls={names("harm"): tuple(map(names, PACKS[1:]))},
    )


@rules
@given(seed=seeds)
def test_means_are_those_of_every_pair_of_terms(seed):
    scores = arm(seed)
    means = scores.means("f", PACKS)

    for row, group in enumerate(GROUPS):
        for column, pack in enumerate(PACKS):
            pairs = [scores.scores[i, j] for i in scores.identities[group]
                     for j in scores.packs[pack]]  # fmt: skip
            assert means[row, column] == pytest.approx(np.mean(pairs))


@rules
@given(seed=seeds)
def test_the_order_of_terms_does_not_matter(seed):
    ordered, shuffled = arm(seed), arm(seed, shuffle=seed)

    np.testing.assert_allclose(
        shuffled.differences("f", PACKS), ordered.differences("f", PACKS), atol=1e-14
    )


@rules
@given(seed=seeds)
def test_names_change_nothing(seed):
    renamed = arm(seed, names=lambda name: f"x/{name[::-1]}")

    np.testing.assert_array_equal(
        renamed.differences("f", [f"x/{p[::-1]}" for p in PACKS]),
        arm(seed).differences("f", PACKS),
    )


@rules
@given(seed=seeds, copies=st.integers(2, 4))
def test_showing_every_stimulus_several_times_changes_nothing(seed, copies):
    values, concepts, clusters, slots = stimuli(seed, GROUPS)
    once = pool_clusters(values, concepts, clusters, slots)
    often = pool_clusters(
        np.tile(values, (copies, 1)), concepts * copies, clusters * copies, slots * copies
    )

    assert often.names == once.names
    np.testing.assert_allclose(often.pooled, once.pooled)
    for slot in once.by_template:
        np.testing.assert_allclose(often.by_template[slot], once.by_template[slot])


@rules
@given(seed=seeds, factor=st.floats(0.1, 50))
def test_the_length_of_an_embedding_does_not_matter(seed, factor):
    values, *about = stimuli(seed, GROUPS)
    lengths = np.random.default_rng(seed).uniform(0.1, factor + 0.2, size=(len(values), 1))

    np.testing.assert_allclose(
        pool_clusters(values * lengths, *about).pooled, pool_clusters(values, *about).pooled
    )


def test_a_cluster_has_unit_length_and_one_row_for_each_concept_it_stands_for():
    pooled = pool_clusters(
        np.array([[2.0, 0.0], [0.0, 5.0], [1.0, 1.0]]), "aab", "xxx", ["", "", ""]
    )

    assert (pooled.concepts, pooled.names) == (("a", "b"), ("x", "x"))
    np.testing.assert_allclose(pooled.pooled, np.full((2, 2), np.sqrt(0.5)))


def test_repeats_such_as_fonts_are_no_templates():
    values, *about = stimuli(0, GROUPS)

    assert pool_clusters(values, *about, keep_templates=False).by_template == {}


def test_a_side_without_templates_meets_every_template_of_the_other():
    slots = {"a": np.array([[1.0, 0.0]]), "b": np.array([[0.0, 1.0]])}
    photo, term = np.array([[1.0, 0.0]]), np.array([[0.6, 0.8]])
    one = Embeddings(names=("p",), concepts=("f/g0",), pooled=photo, by_template={})
    other = Embeddings(names=("t",), concepts=("harm",), pooled=term, by_template=slots)
    table = cross(one, other)

    assert table.scores[0, 0] == pytest.approx(0.6)
    assert {slot: v[0, 0] for slot, v in table.by_template.items()} == {"a": 1.0, "b": 0.0}


def test_a_row_of_zeros_has_no_direction():
    assert np.isnan(normalise(np.zeros((1, 3)))).all()


@rules
@given(seed=seeds)
def test_the_mean_of_a_centred_cell_is_the_family_difference(seed):
    scores = arm(seed)
    differences = scores.differences("f", PACKS)

    for row, group in enumerate(GROUPS):
        for column, pack in enumerate(PACKS):
            cell = scores.centred("f", group, pack)
            assert cell.shape == (4, 4)
            assert cell.mean() == pytest.approx(differences[row, column], abs=1e-14)


def test_only_packs_smaller_than_their_controls_have_a_floor():
    full = arm(1)
    short = score_arm(
        "text",
        ScoreTable(
            scores=full.scores[:, 1:],
            by_template={},
            row_names=full.row_names,
            row_concepts=tuple(g for g in GROUPS for _ in range(4)),
            column_names=full.column_names[1:],
            column_concepts=tuple(p for p in PACKS for _ in range(4))[1:],
        ),
        families=full.families,
        controls=full.controls,
    )

    assert np.isnan(full.floor("f", ["harm"])).all()
    expected = [[jackknife_se(short.centred("f", g, "harm"))] for g in GROUPS]
    np.testing.assert_allclose(short.floor("f", ["harm"]), expected)


def test_single_labels_count_as_the_packs_that_they_make_up():
    whole = arm(1)
    names = [f"{p}#{k}" for p in PACKS[1:] for k in range(4)]
    dealt = score_arm(
        "text",
        ScoreTable(
            scores=whole.scores,
            by_template={},
            row_names=whole.row_names,
            row_concepts=tuple(g for g in GROUPS for _ in range(4)),
            column_names=whole.column_names,
            column_concepts=("harm",) * 4 + tuple(names),
        ),
        families=whole.families,
        controls={"harm": tuple(names)},
        dealt={"harm": 4},
    )

    assert (whole.n_controls("harm"), dealt.n_controls("harm")) == (6, 6)
    assert np.isnan(dealt.floor("f", ["harm"])).all()
    np.testing.assert_allclose(
        dealt.differences("f", names).mean(axis=1),
        whole.differences("f", PACKS[1:]).mean(axis=1),
    )
