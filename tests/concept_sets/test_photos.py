"""Photos are listed in order, told by their bytes, and never lead out of their folder."""

import csv
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from concept_sets.catalog import load_library
from concept_sets.errors import ConceptSetError, StimulusError
from concept_sets.manifest import read_rows
from concept_sets.photos import read_photos, with_concepts
from concept_sets.pictures import load_picture

ROWS = [
    {"path": "b.png", "concept": "europe", "age": "20-29", "cluster": "p1", "licence": "CC0"},
    {"path": "a.png", "concept": "africa", "age": "", "cluster": "", "licence": ""},
    {"path": "in/c.png", "concept": "", "age": "30-39", "cluster": "p1", "licence": "CC0"},
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for shade, name in enumerate(("a.png", "b.png", "in/c.png")):
        Image.new("RGB", (8, 8), (shade, 0, 0)).save(tmp_path / name)
    return tmp_path


def as_csv(folder, rows=ROWS, name="photos.csv", delimiter=","):
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def as_parquet(folder, rows=ROWS):
    pq.write_table(pa.Table.from_pylist(rows), folder / "photos.parquet")
    return folder / "photos.parquet"


def as_tsv(folder, rows=ROWS):
    return as_csv(folder, rows, "photos.tsv", "\t")


@pytest.mark.parametrize("write", [as_csv, as_tsv, as_parquet])
def test_a_manifest_keeps_its_order_and_its_columns(folder, write):
    photos = read_photos(write(folder))

    assert [os.path.basename(photo.content) for photo in photos.stimuli] == [
        "b.png", "a.png", "c.png",
    ]  # fmt: skip
    assert [photo.concept for photo in photos.stimuli] == ["europe", "africa", ""]
    assert [photo.cluster for photo in photos.stimuli] == ["p1", "a.png", "p1"]
    assert [photo.groups for photo in photos.stimuli] == [
        (("age", "20-29"),), (), (("age", "30-39"),),
    ]  # fmt: skip
    assert photos.group_columns == ("age",)
    assert photos.bad == ()
    assert load_picture(photos.stimuli[2]).getpixel((0, 0)) == (2, 0, 0)


def test_csv_and_parquet_say_the_same(folder):
    assert read_photos(as_csv(folder)) == read_photos(as_parquet(folder))


def test_the_digest_follows_pictures_and_labels_and_not_the_place(folder, tmp_path_factory):
    before = read_photos(as_csv(folder)).digest
    moved = tmp_path_factory.mktemp("moved") / "deep"
    folder.rename(moved)
    assert read_photos(moved / "photos.csv").digest == before

    Image.new("RGB", (8, 8), "green").save(moved / "a.png")
    assert read_photos(moved / "photos.csv").digest != before


def test_cells_are_stripped_and_groups_sorted_by_column(folder):
    rows = [{" path ": " a.png ", "race": " White ", "age": " 30 "}]
    photos = read_photos(as_csv(folder, rows))

    assert photos.group_columns == ("race", "age")
    assert photos.stimuli[0].groups == (("age", "30"), ("race", "White"))


def test_a_missing_picture_is_counted_and_named(folder):
    photos = read_photos(as_csv(folder, [*ROWS, {**ROWS[0], "path": "none.png"}]))

    assert len(photos.stimuli) == 3
    (bad,) = photos.bad
    assert (bad.where, bad.path, bad.reason) == ("row 5", "none.png", "No such file or directory")


@pytest.mark.parametrize(
    "path",
    [
        "../a.png", "in/../../x.png", "/etc/passwd", "C:/x.png", "C:x.png", "\\\\host\\x.png",
        "in\\c.png", "out.png", "out/a.png",
    ],
)  # fmt: skip
def test_a_path_that_leads_out_is_refused_with_its_row(folder, tmp_path_factory, path):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.new("RGB", (8, 8)).save(elsewhere / "a.png")
    (folder / "out.png").symlink_to(elsewhere / "a.png")
    (folder / "out").symlink_to(elsewhere)

    with pytest.raises(StimulusError, match=r"photos\.csv, row 3: a path must stay in the"):
        read_photos(as_csv(folder, [ROWS[0], {**ROWS[1], "path": path}]))


def test_a_link_that_stays_inside_is_followed(folder):
    (folder / "link.png").symlink_to(folder / "a.png")

    assert len(read_photos(as_csv(folder, [{"path": "link.png"}])).stimuli) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must have a column 'path'; has none"),
        ("file,concept\na.png,x\n", "must have a column 'path'; has 'file', 'concept'"),
        ("path\n", "must list at least one picture; it has no rows"),
        ("path,age\n\n \n", "must list at least one picture"),
        ("path,age,age\na.png,1,2\n", "needs one name per column; got 'age'"),
        ("path,\na.png,1\n", "needs one name per column; got ''"),
        ("path,license\na.png,CC0\n", "'license' would be a group column. Did you mean 'licence'?"),
        ("path,Concept\na.png,x\n", "'Concept' would be a group column. Did you mean 'concept'?"),
        ("path,clusters\na.png,x\n", "Did you mean 'cluster'?"),
        ("path,age\na.png\n", "row 2: must have 2 cells like the header; has 1"),
        ("path,age\na.png,1,2\n", "row 2: must have 2 cells like the header; has 3"),
        ("path,age\na.png,1\n\nb.png\n", "row 4: must have 2 cells"),
        ("path,age\n,1\n", "row 2: the path is empty"),
        ("path\na.png\n./a.png\n", "row 3: the picture 'a.png' is in row 2 already"),
        ("path,age\na.png,\x1b[31m\n", "row 2, age: must not hold control characters"),
        ("path,age\na.png,x\x00y\n", "row 2, age: must not hold control characters"),
        ('path,age\na.png,"x\n', "is not a CSV table"),
    ],
)
def test_a_wrong_manifest_is_refused_with_file_and_row(folder, text, sentence):
    (folder / "photos.csv").write_text(text)
    with pytest.raises(StimulusError, match=r"^photos\.csv") as caught:
        read_photos(folder / "photos.csv")

    assert sentence in str(caught.value)


def test_a_manifest_that_is_no_text_is_refused(folder):
    (folder / "photos.csv").write_bytes(b"path\n\xff\xfe.png\n")

    with pytest.raises(StimulusError, match="must be UTF-8 text"):
        read_photos(folder / "photos.csv")


def test_a_byte_order_mark_is_no_part_of_the_first_column(folder):
    (folder / "photos.csv").write_text("\ufeffpath\na.png\n", encoding="utf-8")

    assert len(read_photos(folder / "photos.csv").stimuli) == 1


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\x00" * 40 + b"PAR1", b"path\na"])
def test_a_parquet_file_that_is_none_is_refused(folder, content):
    (folder / "photos.parquet").write_bytes(content)

    with pytest.raises(StimulusError, match=r"^photos\.parquet: is not a Parquet table"):
        read_photos(folder / "photos.parquet")


def test_parquet_numbers_and_blanks_become_text(folder):
    photos = read_photos(as_parquet(folder, [{"path": "a.png", "age": 31, "race": None}]))

    assert photos.stimuli[0].groups == (("age", "31"),)
    assert photos.group_columns == ("age", "race")


@given(st.text(max_size=200))
def test_any_text_is_a_manifest_or_refused_in_our_words(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "photos.csv"
    file.write_text("path,age\n" + text, encoding="utf-8", errors="replace", newline="")
    try:
        columns, rows = read_rows(file)
    except StimulusError:
        return
    assert columns == ("path", "age")
    assert rows


def test_a_folder_per_concept_is_read_in_sorted_order(tmp_path):
    for name in ("south/b.jpg", "north/z.png", "north/deep/a.png", "loose.png", "north/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("txt"):
            (tmp_path / name).write_text("x")
        else:
            Image.new("RGB", (8, 8)).save(tmp_path / name)
    photos = read_photos(tmp_path)

    assert [(photo.concept, photo.cluster) for photo in photos.stimuli] == [
        ("north", "north/deep/a.png"), ("north", "north/z.png"), ("south", "south/b.jpg"),
    ]  # fmt: skip
    assert photos.bad == ()


def test_pictures_of_a_tree_that_are_not_read_are_named(tmp_path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.png"
    Image.new("RGB", (8, 8)).save(elsewhere)
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "a.tiff").write_bytes(b"x")
    (tmp_path / "north" / "out.png").symlink_to(elsewhere)
    photos = read_photos(tmp_path)

    assert photos.stimuli == ()
    assert [bad.reason for bad in photos.bad] == [
        ".tiff pictures are not read", "its link leads out of the folder",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("none", "does not exist"), ("photos.txt", "is none of these"), ("empty", "it has none")],
)
def test_a_source_of_no_photos_is_refused(tmp_path, name, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos.txt").write_text("x")

    with pytest.raises(StimulusError, match=sentence):
        read_photos(tmp_path / name)


def test_concept_names_become_references_of_the_library(folder):
    rows = [{"path": "a.png", "concept": "muslim"}, {"path": "b.png", "concept": ""}]
    library = load_library()
    name = library.identities()[0]
    rows[0]["concept"] = name.ref
    photos = with_concepts(read_photos(as_csv(folder, rows)), library)

    assert [photo.concept for photo in photos.stimuli] == [name.ref, ""]


def test_a_concept_that_the_library_lacks_is_refused(folder):
    photos = read_photos(as_csv(folder, [{"path": "a.png", "concept": "terorism"}]))

    with pytest.raises(ConceptSetError, match=r"'terorism'.*Did you mean 'terrorism'\?"):
        with_concepts(photos, load_library())
