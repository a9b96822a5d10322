"""A table in shards gives what arrays in memory give, whatever the shards and blocks."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from probes.clusters import cluster_labels, cluster_means
from probes.errors import ExtractionError, MeasureError
from probes.permutation import two_sample
from probes.shard_format import TableKey
from probes.shard_writer import ShardWriter
from probes.shards import open_table
from probes.streaming import columns, permuted
from probes.streaming.columns import associate_table
from probes.streaming.permuted import permute_table, sampled_clusters
from probes.streaming.rank_sketch import ROUNDING

ROWS, UNITS = 210, 5


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks that a small table fills several of."""
    monkeypatch.setattr(columns, "UNITS_AT_ONCE", 2)
    monkeypatch.setattr(columns, "ROWS_AT_ONCE", 64)
    monkeypatch.setattr(permuted, "DRAWS_AT_ONCE", 7)


def values_and_clusters(seed=0):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(42), 5)
    shown = codes % 3 == 0
    values = rng.standard_normal((ROWS, UNITS)) + rng.standard_normal((42, UNITS))[codes] + 3
    values[:, 2] += 2.5 * shown
    values[:, 4] = 0.1
    order = rng.permutation(ROWS)
    return values[order].astype(np.float32), shown[order], codes[order]


def table_of(folder, values):
    key = TableKey(layer="l", pooling="p", encoder="e", n_units=UNITS, rows_per_shard=40)
    with ShardWriter(folder, key) as writer:
        writer.append([f"{i}" for i in range(len(values))], values)
    return open_table(folder)


@pytest.mark.usefixtures("small_blocks")
def test_a_table_gives_the_effects_of_the_array(tmp_path):
    values, shown, _ = values_and_clusters()
    labels = np.stack([shown, ~shown, np.arange(ROWS) < 60], axis=1)

    found = associate_table(table_of(tmp_path, values), labels, n_bins=32)

    assert found.n_with.tolist() == labels.sum(axis=0).tolist()
    for unit in range(4):
        for concept in range(3):
            with_it, without = (
                values[picked, unit].astype(np.float64)
                for picked in (labels[:, concept], ~labels[:, concept])
            )
            t = stats.ttest_ind(with_it, without, equal_var=False).statistic
            np.testing.assert_allclose(found.effects.t[unit, concept], t, rtol=1e-9)
            exact = roc_auc_score(labels[:, concept], values[:, unit])
            area = found.auroc
            assert abs(area.value[unit, concept] - exact) <= area.error[unit, concept] < 0.05
    assert np.isnan(found.effects.d[4]).all()


def test_ranks_of_a_small_table_are_exact(tmp_path):
    values, shown, _ = values_and_clusters()
    labels = np.stack([shown, ~shown, np.zeros(ROWS, bool)], axis=1)

    found = associate_table(table_of(tmp_path, values), labels)

    for scores, oracle in (
        (found.auroc, roc_auc_score),
        (found.average_precision, average_precision_score),
    ):
        expected = [[oracle(labels[:, c], values[:, u]) for c in (0, 1)] for u in range(UNITS)]
        np.testing.assert_allclose(scores.value[:, :2], expected, atol=1e-9)
        assert (scores.error[:, :2] == ROUNDING).all()
        assert np.isnan(scores.value[:, 2]).all()
        assert np.isnan(scores.error[:, 2]).all()


@pytest.mark.usefixtures("small_blocks")
def test_a_table_is_tested_like_the_means_of_its_clusters(tmp_path):
    values, shown, codes = values_and_clusters()
    means, labels = cluster_means(values, codes), cluster_labels(shown, codes)

    found = permute_table(
        table_of(tmp_path, values), shown, codes, rng=np.random.default_rng(1), draws=199
    )

    assert not found.sampled
    assert found.sentence() == "All 42 clusters were tested."
    welch = stats.ttest_ind(means[labels, :4], means[~labels, :4], equal_var=False).statistic
    np.testing.assert_allclose(found.statistic[:4], welch, rtol=1e-9)
    one_by_one = [
        two_sample(means[:, unit], labels, rng=np.random.default_rng(2)).p for unit in range(4)
    ]
    np.testing.assert_allclose(found.p[:4], one_by_one, atol=0.12)
    assert (found.adjusted[:4] >= found.p[:4]).all()
    assert found.adjusted[2] == found.adjusted[:4].min() < 0.05
    assert np.isnan([found.statistic[4], found.p[4], found.adjusted[4]]).all()


@pytest.mark.usefixtures("small_blocks")
def test_few_clusters_are_tested_by_every_arrangement(tmp_path):
    values, shown, codes = values_and_clusters()
    few = codes % 7 == 0
    values, shown = values[few], shown[few]
    _, codes = np.unique(codes[few], return_inverse=True)

    found = permute_table(table_of(tmp_path, values), shown, codes, rng=np.random.default_rng(1))

    assert found.exact
    # 2 of 6 clusters: 15 arrangements, and p is a share of them
    np.testing.assert_allclose(found.p[:4] * 15, np.round(found.p[:4] * 15))


def test_rejections_under_the_null_keep_to_alpha_when_clusters_are_sampled(tmp_path):
    rng = np.random.default_rng(8)
    codes = np.repeat(np.arange(100), 2)
    values = rng.standard_normal((200, UNITS)) + 2 * rng.standard_normal((100, UNITS))[codes]
    table = table_of(tmp_path, values)
    hits = 0
    for _ in range(60):
        shown = (rng.permutation(100) < 12)[codes]
        found = permute_table(table, shown, codes, rng=rng, draws=99, max_clusters=40)
        assert found.sampled
        assert len(found.clusters) == 40
        hits += bool((found.adjusted <= 0.05).any())

    assert hits <= stats.binom.ppf(0.9999, 60, 0.05)


def test_the_rarer_side_is_kept_and_the_sample_is_the_same_for_a_seed():
    labels = np.arange(5000) % 500 == 0
    kept = sampled_clusters(labels, 100, np.random.default_rng(4))

    assert len(kept) == 100
    assert labels[kept].sum() == 10
    np.testing.assert_array_equal(kept, sampled_clusters(labels, 100, np.random.default_rng(4)))
    assert not np.array_equal(kept, sampled_clusters(labels, 100, np.random.default_rng(5)))


def test_a_sample_is_stated():
    nothing = np.zeros(1)
    found = permuted.StreamedTest(
        statistic=nothing, p=nothing, adjusted=nothing,
        clusters=np.arange(20_000), n_clusters=1_000_000, exact=False,
    )  # fmt: skip

    assert found.sentence().startswith("20,000 of 1,000,000 clusters were tested: a seeded sample")


def test_a_concept_that_no_cluster_shows_is_undefined(tmp_path):
    values, shown, codes = values_and_clusters()
    found = permute_table(
        table_of(tmp_path, values), np.zeros_like(shown), codes, rng=np.random.default_rng(0)
    )

    assert np.isnan(found.p).all()


def test_labels_of_another_length_are_refused(tmp_path):
    values, shown, codes = values_and_clusters()
    table = table_of(tmp_path, values)

    with pytest.raises(MeasureError, match="each of the 210 rows"):
        associate_table(table, shown[:9, None])
    with pytest.raises(MeasureError, match="each of the 210 rows"):
        permute_table(table, shown[:9], codes, rng=np.random.default_rng(0))


def test_a_cluster_with_both_labels_is_refused(tmp_path):
    values, shown, codes = values_and_clusters()
    shown = shown.copy()
    shown[0] = not shown[0]

    with pytest.raises(MeasureError, match="must carry the same label"):
        permute_table(table_of(tmp_path, values), shown, codes, rng=np.random.default_rng(0))


def test_a_damaged_shard_stops_the_measure(tmp_path):
    values, shown, _ = values_and_clusters()
    table = table_of(tmp_path, values)
    path = tmp_path / "part-000003.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 255
    path.write_bytes(content)

    with pytest.raises(ExtractionError, match="part-000003"):
        associate_table(table, shown[:, None])
