"""Tables in shards: what was appended is read, what was damaged is refused, kills lose little."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from probes.errors import ExtractionError
from probes.shard_format import TableKey, encode_shard
from probes.shard_writer import ShardWriter, begin, open_log, write_shard
from probes.shards import open_table, seal, shards_of


def key(units=7, dtype="float32", rows=10):
    return TableKey(
        layer="visual.layer4",
        pooling="preact-max",
        encoder="sha256:toy",
        n_units=units,
        dtype=dtype,
        rows_per_shard=rows,
    )


def rows(count, units=7, dtype="float32"):
    values = np.random.default_rng(3).standard_normal((count, units)).astype(dtype)
    return [f"photo:{i:04d}" for i in range(count)], values


def table_of(folder, count=25, **kinds):
    ids, values = rows(count, **{k: v for k, v in kinds.items() if k != "rows"})
    with ShardWriter(folder, key(**kinds)) as writer:
        writer.append(ids, values)
    return values


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 45),
    cuts=st.lists(st.integers(0, 45), max_size=5),
    dtype=st.sampled_from(["float16", "float32"]),
)
def test_any_way_of_appending_gives_the_same_bytes_and_rows(count, cuts, dtype, tmp_path_factory):
    ids, values = rows(count, dtype=dtype)
    whole, pieces = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("pieces")
    table_of(whole, count, dtype=dtype)
    bounds = [0, *sorted(min(cut, count) for cut in cuts), count]

    with ShardWriter(pieces, key(dtype=dtype)) as writer:
        for first, after in itertools.pairwise(bounds):
            writer.append(ids[first:after], values[first:after])

    assert contents(pieces) == contents(whole)
    table = open_table(pieces)
    np.testing.assert_array_equal(table.units(0, 7), values.T)
    np.testing.assert_array_equal(table.unit(3), values[:, 3])
    np.testing.assert_array_equal(np.concatenate(list(shards_of(table))), values)
    assert list(table.ids()) == ids
    table.check()


def test_shards_are_safetensors_that_its_library_reads(tmp_path):
    values = table_of(tmp_path, dtype="float16")

    with safe_open(tmp_path / "part-000001.safetensors", framework="np") as shard:
        np.testing.assert_array_equal(shard.get_tensor("values"), values[10:20].T)
        assert shard.get_tensor("checks").dtype == np.uint32


@pytest.mark.parametrize("place", ["checks", "values"])
def test_one_changed_byte_is_refused_when_that_unit_is_read(tmp_path, place):
    table_of(tmp_path)
    table = open_table(tmp_path)
    part = table.parts[1]
    where = getattr(part, place) + 4 * 2 * (1 if place == "checks" else part.rows)
    path = tmp_path / part.name
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)

    table.unit(1)
    with pytest.raises(ExtractionError, match=r"part-000001.*checksum; remove this file"):
        table.unit(2)
    with pytest.raises(ExtractionError, match="SHA-256"):
        table.check()


def test_a_shard_that_was_cut_off_is_refused_when_the_table_is_opened(tmp_path):
    table_of(tmp_path)
    path = tmp_path / "part-000001.safetensors"
    table = open_table(tmp_path)
    os.truncate(path, path.stat().st_size - 1)

    with pytest.raises(ExtractionError, match=r"bytes instead of .*run the extraction again"):
        open_table(tmp_path)
    with pytest.raises(ExtractionError, match="cut off"):
        table.unit(6)


def test_a_missing_shard_is_refused(tmp_path):
    table_of(tmp_path)
    (tmp_path / "part-000000.safetensors").unlink()

    with pytest.raises(ExtractionError, match="it is missing"):
        open_table(tmp_path)


def test_changed_row_ids_are_refused(tmp_path):
    table_of(tmp_path)
    path = tmp_path / "part-000002.json"
    path.write_text(path.read_text().replace("photo:0024", "photo:0099"))

    with pytest.raises(ExtractionError, match="row ids are not those"):
        list(open_table(tmp_path).ids())


@pytest.mark.parametrize("text", ["", "{}", '{"format": "of somebody else"}', "[1]"])
def test_a_manifest_that_is_none_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(ExtractionError, match="must be the manifest of a table"):
        open_table(tmp_path)


def test_an_unfinished_table_is_not_opened_and_can_be_gone_on_with(tmp_path):
    ids, values = rows(25)
    whole = tmp_path / "whole"
    table_of(whole)
    writer = ShardWriter(tmp_path / "cut", key())
    writer.append(ids[:17], values[:17])
    writer.abandon()

    with pytest.raises(ExtractionError, match="must hold a finished table"):
        open_table(tmp_path / "cut")
    again = ShardWriter(tmp_path / "cut", key())
    assert again.n_rows == 10
    with again:
        again.append(ids[10:], values[10:])
    assert contents(tmp_path / "cut") == contents(whole)


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
import probes.shard_writer as module
from probes.shard_format import TableKey

key = TableKey(**{key!r})
values = np.random.default_rng(3).standard_normal((25, 7)).astype(np.float32)
calls = 0
stop = os.replace
def replace(a, b):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os._exit(9)
    stop(a, b)
os.replace = replace
with module.ShardWriter(Path(sys.argv[1]), key) as writer:
    writer.append([f"photo:{{i:04d}}" for i in range(25)], values)
"""


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 8])
def test_a_kill_at_any_rename_leaves_a_table_that_is_gone_on_with(tmp_path, at):
    said = {name: getattr(key(), name) for name in TableKey.__slots__}
    folder = tmp_path / "table"
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(key=said), str(folder), str(at)], check=False
    )
    assert done.returncode == 9
    whole = tmp_path / "whole"
    table_of(whole)
    ids, values = rows(25)

    with ShardWriter(folder, key()) as writer:
        first = writer.n_rows
        writer.append(ids[first:], values[first:])

    kept = {name: text for name, text in contents(folder).items() if not name.startswith(".")}
    assert kept == contents(whole)


def test_another_table_is_not_appended_to(tmp_path):
    table_of(tmp_path / "done")
    begin(tmp_path / "begun", key())

    with pytest.raises(ExtractionError, match="holds a finished table"):
        ShardWriter(tmp_path / "done", key())
    with pytest.raises(ExtractionError, match="hold the same table"):
        ShardWriter(tmp_path / "begun", key(units=8))


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "float32"), (1e6, "float16")])
def test_what_is_no_finite_number_in_the_stored_type_is_refused(value, dtype):
    _, values = rows(4)
    values[2, 3] = value

    with pytest.raises(ExtractionError, match="NaN or infinity"):
        encode_shard(values, ["a", "b", "c", "d"], key(dtype=dtype), "part")


def test_units_that_are_not_there_are_refused(tmp_path):
    table_of(tmp_path)

    with pytest.raises(ExtractionError, match="run from 0 to 6; got 7"):
        open_table(tmp_path).unit(7)


def test_a_table_without_one_of_its_shards_is_not_finished(tmp_path):
    ids, values = rows(10)
    begin(tmp_path, key())
    write_shard(tmp_path, 1, ids, values, key())

    with pytest.raises(ExtractionError, match="shard 0 is not"):
        seal(tmp_path, key(), 2)


def test_a_full_disk_is_told_in_a_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    ids, values = rows(10)
    begin(tmp_path, key())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExtractionError, match="No space left on device; free some space"):
        write_shard(tmp_path, 0, ids, values, key())


@settings(max_examples=30, deadline=None)
@given(lost=st.integers(1, 400), batches=st.integers(1, 4))
def test_a_log_that_was_cut_off_keeps_its_complete_batches(lost, batches, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "log"
    ids, values = rows(4 * batches)
    log = open_log(path, 7)
    for i in range(batches):
        log.add(ids[4 * i : 4 * i + 4], values[4 * i : 4 * i + 4], [["bad", i]])
    size = path.stat().st_size
    os.truncate(path, max(0, size - lost))

    again = open_log(path, 7)

    kept = again.batches
    assert kept == max(0, batches - -(-min(lost, size) // (size // batches)))
    np.testing.assert_array_equal(again.values(), values[: 4 * kept])
    assert again.ids == ids[: 4 * kept]
    assert again.bad == [["bad", i] for i in range(kept)]
    again.add(ids[:1], values[:1], [])
    assert open_log(path, 7).batches == kept + 1


def test_the_manifest_holds_no_time_and_no_path(tmp_path):
    table_of(tmp_path)
    said = json.loads((tmp_path / "manifest.json").read_text())

    assert sorted(said) == sorted(
        ["format", "layer", "pooling", "encoder", "units", "dtype", "rows_per_shard", "shards"]
    )
    assert str(tmp_path) not in json.dumps(said)
