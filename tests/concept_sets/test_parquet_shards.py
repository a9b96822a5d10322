"""Pictures inside Parquet tables are those of a folder, read where they lie."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from concept_sets import parquet_shards
from concept_sets.errors import PictureError, StimulusError
from concept_sets.object_store import read_stored_photos
from concept_sets.parquet_shards import read_picture
from concept_sets.photos import read_photos
from concept_sets.pictures import load_picture

CONCEPTS = ("cats", "dogs", "cats", "birds", "dogs", "cats")
NAMES = {"info": {"features": {"concept": {"names": ["birds", "cats", "dogs"],
                                           "_type": "ClassLabel"}}}}  # fmt: skip


def png(number):
    held = BytesIO()
    Image.new("RGB", (8, 8), (number * 40, 9, 9)).save(held, "PNG")
    return held.getvalue()


def structs(pictures):
    return [None if p is None else {"bytes": p, "path": f"{i}.png"} for i, p in enumerate(pictures)]


def write(path, pictures=None, /, *, noted=None, group=2, **columns):
    """Write a table of six pictures, two in a row group."""
    pictures = structs(map(png, range(6))) if pictures is None else pictures
    columns = columns or {"concept": list(CONCEPTS)}
    table = pa.table({"image": pictures, **columns})
    if noted is not None:
        table = table.replace_schema_metadata({b"huggingface": json.dumps(noted).encode()})
    pq.write_table(table, path, row_group_size=group)
    return path


def test_they_are_what_the_same_files_in_a_folder_are(tmp_path):
    inside = read_photos(write(tmp_path / "t.parquet"))
    for number, concept in enumerate(CONCEPTS):
        (tmp_path / "tree" / concept).mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / concept / f"{number}.png").write_bytes(png(number))
    outside = read_photos(tmp_path / "tree")

    assert {(p.digest, p.concept) for p in inside.stimuli} == {
        (p.digest, p.concept) for p in outside.stimuli
    }
    assert [inside.name(p.content) for p in inside.stimuli] == [f"t.parquet::{n}" for n in range(6)]
    assert [p.cluster for p in inside.stimuli] == [f"t.parquet::{n}" for n in range(6)]
    for number, stimulus in enumerate(inside.stimuli):
        assert np.asarray(load_picture(stimulus))[0, 0, 0] == number * 40


def test_plain_bytes_are_pictures_too(tmp_path):
    plain = read_photos(write(tmp_path / "t.parquet", [png(n) for n in range(6)]))
    struct = read_photos(write(tmp_path / "u.parquet"))
    assert [p.digest for p in plain.stimuli] == [p.digest for p in struct.stimuli]


def test_labels_have_the_names_that_the_table_notes(tmp_path):
    path = write(tmp_path / "t.parquet", noted=NAMES, concept=[1, 2, 1, 0, 2, None])
    assert [p.concept for p in read_photos(path).stimuli] == [*CONCEPTS[:5], ""]
    bare = write(tmp_path / "u.parquet", noted={"info": None}, concept=[1, 2, 1, 0, 2, 1])
    assert [p.concept for p in read_photos(bare).stimuli] == ["1", "2", "1", "0", "2", "1"]


def test_other_columns_are_clusters_and_groups(tmp_path):
    path = write(
        tmp_path / "t.parquet",
        concept=list(CONCEPTS),
        cluster=list("aabbcc"),
        tone=[" x", None, "y", "y", "x", "x"],
        size=[1, 2, 3, 4, 5, 6],
    )
    photos = read_photos(path)
    assert photos.group_columns == ("tone", "size")
    assert [p.cluster for p in photos.stimuli] == list("aabbcc")
    assert photos.stimuli[0].groups == (("size", "1"), ("tone", "x"))
    assert photos.stimuli[1].groups == (("size", "2"),)


def test_a_folder_of_tables_is_one_set(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    write(folder / "b.parquet", structs([png(0), png(1)]), concept=["cats", "dogs"])
    write(folder / "a.parquet", structs([png(2)]), concept=["cats"])
    photos = read_photos(folder)
    assert [photos.name(p.content) for p in photos.stimuli] == [
        "a.parquet::0", "b.parquet::0", "b.parquet::1",
    ]  # fmt: skip
    (folder / "c.parquet").write_bytes(b"PAR1 damaged PAR1")
    with pytest.raises(StimulusError, match=r"c\.parquet: must be a whole Parquet table"):
        read_photos(folder)


def test_archives_beside_tables_are_refused(tmp_path):
    write(tmp_path / "t.parquet")
    (tmp_path / "a.tar").write_bytes(b"")
    with pytest.raises(StimulusError, match="it holds both"):
        read_photos(tmp_path)


def test_a_manifest_in_a_folder_of_pictures_stays_a_manifest(tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "0.png").write_bytes(png(0))
    pq.write_table(pa.table({"path": ["cats/0.png"]}), tmp_path / "photos.parquet")
    assert len(read_photos(tmp_path / "photos.parquet").stimuli) == 1
    assert [p.concept for p in read_photos(tmp_path).stimuli] == ["cats"]


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (None, "it has no picture"),
        ({"bytes": b"", "path": None}, "it has no picture"),
        ({"bytes": None, "path": "far.png"}, "names its picture and does not hold it"),
        ({"bytes": b"x" * 101, "path": None}, "larger than 64 MB"),
    ],
)
def test_rows_without_a_usable_picture_are_named(tmp_path, monkeypatch, picture, reason):
    monkeypatch.setattr(parquet_shards, "MAX_MEMBER_BYTES", 100)
    small = {"bytes": b"small", "path": "0.png"}
    photos = read_photos(write(tmp_path / "t.parquet", [small, picture], concept=["a", "b"]))
    assert len(photos.stimuli) == 1
    (bad,) = photos.bad
    assert (bad.where, bad.path) == ("t.parquet", "row 1")
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"path": ["a"] * 6}, "it has both columns"),
        ({"boxes": [[1]] * 6}, "'boxes' holds list"),
        ({"mask": [b"x"] * 6}, "'mask' holds binary"),
    ],
)
def test_columns_that_are_no_plain_values_are_refused(tmp_path, columns, said):
    with pytest.raises(StimulusError, match=said):
        read_photos(write(tmp_path / "t.parquet", **columns))


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_shards, "MAX_MEMBERS", 5)
    with pytest.raises(StimulusError, match="at most 5 rows; has 6"):
        read_photos(write(tmp_path / "t.parquet"))


def refused(path):
    """What is said of a table: why it is refused, or why some of its pictures are."""
    try:
        photos = read_photos(path)
    except StimulusError as error:
        return str(error)
    said = [bad.reason for bad in photos.bad]
    for stimulus in photos.stimuli:
        try:
            load_picture(stimulus)
        except PictureError as error:
            said.append(str(error))
    return "; ".join(said)


def test_damage_anywhere_gets_a_sentence_or_changes_nothing_that_is_shown(tmp_path):
    whole = write(tmp_path / "t.parquet").read_bytes()
    said = []
    for number, byte in enumerate(range(0, len(whole), 37)):
        hit = bytes(each ^ 0xFF for each in whole[byte : byte + 8])
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(whole[:byte] + hit + whole[byte + 8 :])
        said.append(refused(path))
    assert sum("must be a whole Parquet table" in each for each in said) > 5
    assert refused(tmp_path / "t.parquet") == ""


def test_one_picture_after_the_other_reads_each_row_group_once(tmp_path, monkeypatch):
    path = write(tmp_path / "t.parquet")
    asked = []
    batches = parquet_shards._batches
    monkeypatch.setattr(
        parquet_shards, "_batches", lambda path, group: asked.append(group) or batches(path, group)
    )
    assert [read_picture(path, str(n)) for n in range(6)] == [png(n) for n in range(6)]
    assert asked == [0, 1, 2]
    monkeypatch.setattr(parquet_shards, "GROUP_BYTES", 0)
    monkeypatch.setattr(parquet_shards, "ROWS_AT_ONCE", 1)
    assert [read_picture(path, str(n)) for n in range(6)] == [png(n) for n in range(6)]


def test_threads_read_the_same_table(tmp_path):
    path = write(tmp_path / "t.parquet")
    wanted = [n % 6 for n in range(60)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: read_picture(path, str(n)), wanted))
    assert found == [png(n) for n in wanted]


def test_a_table_that_changed_is_noticed(tmp_path):
    photos = read_photos(write(tmp_path / "t.parquet"))
    write(tmp_path / "t.parquet", structs(map(png, (5, 4, 3))), concept=["a", "b", "c"])
    for stimulus in (photos.stimuli[0], photos.stimuli[4]):
        with pytest.raises(PictureError):
            load_picture(stimulus)
    gone = replace(photos.stimuli[0], content=f"{tmp_path / 'gone.parquet'}::0")
    with pytest.raises(PictureError):
        load_picture(gone)


@pytest.mark.parametrize("address", ["memory://bucket/shards", "memory://bucket/shards/t.parquet"])
def test_tables_in_a_store_are_copied(tmp_path, address):
    local = write(tmp_path / "t.parquet")
    MemoryFileSystem.store.clear()
    MemoryFileSystem().pipe_file("/bucket/shards/t.parquet", local.read_bytes())
    there = read_stored_photos(address, tmp_path / "cache")
    MemoryFileSystem.store.clear()
    assert there.digest == read_photos(local).digest
