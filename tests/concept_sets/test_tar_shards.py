"""Archives are streamed, and nothing in them can reach further than its own bytes."""

import io
import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from concept_sets import tar_shards
from concept_sets.errors import PictureError, StimulusError
from concept_sets.photos import read_photos
from concept_sets.pictures import load_picture


def picture(shade=0):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def shard(path, *members):
    """Write an archive of (name, bytes) pairs and ready-made headers."""
    with tarfile.open(path, "w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, data = member
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return path


def special(name, kind, target=""):
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, target
    return header


def test_members_of_one_name_make_one_photo_in_any_order(tmp_path):
    said = json.dumps({"concept": "north", "cluster": "p1", "age": 31, "race": None}).encode()
    path = shard(
        tmp_path / "a.tar",
        ("000001.jpg", picture(1)),
        ("000001.json", said),
        ("000002.cls", b" south\n"),
        ("000002.png", picture(2)),
        ("000002.txt", b"a caption"),
        ("sub/000001.png", picture(3)),
    )
    photos = read_photos(path)

    assert [(photo.concept, photo.cluster) for photo in photos.stimuli] == [
        ("north", "p1"), ("south", "a.tar::000002"), ("", "a.tar::sub/000001"),
    ]  # fmt: skip
    assert photos.group_columns == ("age", "race")
    assert photos.stimuli[0].groups == (("age", "31"),)
    assert photos.bad == ()
    assert [load_picture(photo).getpixel((0, 0))[0] for photo in photos.stimuli] == [1, 2, 3]


def test_a_folder_of_shards_is_read_in_sorted_order(tmp_path):
    shard(tmp_path / "b.tar", ("x.png", picture(2)))
    shard(tmp_path / "a.tar", ("x.png", picture(1)))

    assert [photo.cluster for photo in read_photos(tmp_path).stimuli] == ["a.tar::x", "b.tar::x"]


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (("../up.png", picture()), "its name leads out of the archive"),
        (("a/../../up.png", picture()), "its name leads out of the archive"),
        (("/abs.png", picture()), "its name leads out of the archive"),
        (("a\\b.png", picture()), "its name leads out of the archive"),
        (("e\x1b[31m.png", picture()), "its name holds control characters"),
        (("e\u202e.png", picture()), "its name holds control characters"),
        (special("l.png", tarfile.SYMTYPE, "/etc/passwd"), "it is a link, device or sparse file"),
        (special("l.png", tarfile.LNKTYPE, "good.png"), "it is a link, device or sparse file"),
        (special("l.png", tarfile.CHRTYPE), "it is a link, device or sparse file"),
        (special("l.png", tarfile.FIFOTYPE), "it is a link, device or sparse file"),
        (special("s.png", tarfile.GNUTYPE_SPARSE), "it is a link, device or sparse file"),
        (("p.tiff", b"x"), ".tiff pictures are not read"),
        (("good.jpg", picture(9)), "its sample has the picture 'good.png' already"),
        (("good.json", b"{"), "its description is neither text nor JSON"),
        (("good.json", b"[" * 60_000), "its description is neither text nor JSON"),
        (("good.json", b"[1]"), "its description must be one flat JSON object"),
        (("good.json", b'{"a": {"b": 1}}'), "its description must be one flat JSON object"),
        (("good.cls", b"\xff"), "its description is neither text nor JSON"),
        (("good.json", b" " * 70_000), "its description is larger than 64 kB"),
    ],
)
def test_a_hostile_member_is_passed_over_and_named(tmp_path, member, reason):
    photos = read_photos(shard(tmp_path / "a.tar", ("good.png", picture(1)), member))

    assert [photo.cluster for photo in photos.stimuli] == ["a.tar::good"]
    assert [bad.reason for bad in photos.bad] == [reason]
    assert photos.bad[0].path.isprintable()


def test_folders_in_an_archive_are_no_problem(tmp_path):
    path = shard(tmp_path / "a.tar", special("sub", tarfile.DIRTYPE), ("sub/x.png", picture()))

    assert read_photos(path).bad == ()


def test_a_member_over_the_cap_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(tar_shards, "MAX_MEMBER_BYTES", 2000)
    path = shard(tmp_path / "a.tar", ("x.png", picture()), ("y.png", b"x" * 3000))

    assert [bad.reason for bad in read_photos(path).bad] == ["it is larger than 64 MB"]


@pytest.mark.parametrize(("name", "cap"), [("MAX_MEMBERS", 2), ("MAX_TOTAL_BYTES", 100)])
def test_too_many_members_or_bytes_stop_the_reading(tmp_path, monkeypatch, name, cap):
    monkeypatch.setattr(tar_shards, name, cap)
    path = shard(tmp_path / "a.tar", *((f"{n}.png", picture()) for n in range(3)))

    with pytest.raises(StimulusError, match=r"^a\.tar: must have at most"):
        read_photos(path)


def test_a_header_that_lies_about_its_size_costs_nothing(tmp_path):
    header = tarfile.TarInfo("x.png")
    header.size = 2**40
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024)

    with pytest.raises(StimulusError, match=r"^a\.tar: must"):
        read_photos(path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_extended_header_that_asks_for_gigabytes_is_refused(tmp_path, kind):
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 2**33
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024)

    with pytest.raises(StimulusError, match="asks for too much memory"):
        read_photos(path)


def test_a_negative_size_does_not_loop_for_ever(tmp_path):
    header = bytearray(tarfile.TarInfo("x.png").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + (-1024 & 0xFFFF).to_bytes(2, "big")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    (tmp_path / "a.tar").write_bytes(bytes(header) * 4 + b"\0" * 1024)

    with pytest.raises(StimulusError, match=r"^a\.tar: must be a plain, complete tar archive"):
        read_photos(tmp_path / "a.tar")


@pytest.mark.parametrize("content", [b"", b"x" * 2000, b"\x1f\x8b" + b"x" * 600, b"\0" * 2048])
def test_a_file_that_is_no_archive_or_empty_is_refused(tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)

    with pytest.raises(StimulusError, match=r"a\.tar: must"):
        read_photos(tmp_path / "a.tar")


def test_an_archive_that_is_cut_off_is_refused(tmp_path):
    path = shard(tmp_path / "a.tar", ("x.png", picture()), ("y.png", b"x" * 5000))
    path.write_bytes(path.read_bytes()[:3000])

    with pytest.raises(StimulusError, match="complete tar archive"):
        read_photos(path)


GOOD = [("x.png", picture(1)), ("x.json", b'{"a": "b"}'), ("y.png", picture(2))]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5119), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_anywhere_gives_photos_or_a_sentence(tmp_path_factory, flips):
    path = shard(tmp_path_factory.mktemp("damaged") / "a.tar", *GOOD)
    data = bytearray(path.read_bytes())
    for place, value in flips:
        data[place] = value
    path.write_bytes(data)
    try:
        photos = read_photos(path)
    except StimulusError:
        return
    for photo in photos.stimuli:
        try:
            picture = load_picture(photo)
        except PictureError:
            continue
        assert picture.mode == "RGB"


def test_a_shard_that_changed_since_is_noticed(tmp_path):
    photo = read_photos(shard(tmp_path / "a.tar", ("x.png", picture(1)))).stimuli[0]
    shard(tmp_path / "a.tar", ("x.png", picture(2)))

    with pytest.raises(PictureError, match=r"x\.png: has changed since it was listed"):
        load_picture(photo)


def test_a_member_that_is_gone_is_named(tmp_path):
    photo = read_photos(shard(tmp_path / "a.tar", ("x.png", picture(1)))).stimuli[0]
    shard(tmp_path / "a.tar", ("other.png", picture(1)))

    with pytest.raises(PictureError, match=r"has no member 'x\.png'"):
        load_picture(photo)
