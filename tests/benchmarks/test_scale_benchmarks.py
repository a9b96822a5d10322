"""The benchmarks of storage, growth and workers compute what they say, at toy size."""

import numpy as np

from benchmarks.speed import growth, out_of_core, ray_workers, storage
from benchmarks.speed.growth_picture import picture
from probes.streaming import columns


def test_both_ways_of_storing_hold_the_same_rows(tmp_path):
    rows = storage._measured(tmp_path, 100, 8)

    assert [row.difference for row in rows] == ["0, bit for bit"] * 2


def test_growth_is_measured_with_its_bound(tmp_path):
    found = growth.grown(600, tmp_path, units=4)

    assert found.rows == 600
    assert 0 < found.bound < 0.05
    assert list(tmp_path.iterdir()) == []


def test_the_picture_says_its_figures_in_words():
    drawn = picture([(1000, 300.0, 160.0), (1_000_000, 310.0, 170.0)])

    assert "1,000,000 stimuli: 310 microseconds each, 170 MiB" in drawn


def test_areas_of_a_small_table_have_no_error(tmp_path):
    table = growth.write(tmp_path / "table", 3000, growth.made(4))

    assert out_of_core.largest_miss(table, out_of_core.associated(table)) == 0


def test_areas_of_a_binned_table_lie_within_their_bound(tmp_path, monkeypatch):
    monkeypatch.setitem(columns.EXACT_ROWS, "float16", 1_000)
    table = growth.write(tmp_path / "table", 3000, growth.made(4))
    found = out_of_core.associated(table)

    miss = out_of_core.largest_miss(table, found)
    assert 0 < miss <= found.auroc.error[:4].max()


def test_the_job_of_the_workers_gives_one_row_for_each_input():
    encode = ray_workers.ProductJob(shards=1, depth=1).open()

    assert len(encode(0, 16).ids) == 16
    np.testing.assert_array_equal(encode(16, 32).tables[0], encode(16, 32).tables[0])
