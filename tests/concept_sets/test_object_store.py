"""Photos of a store are what the same files in a folder are, and are copied once."""

import io
import json
import os
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from concept_sets import object_store, store_copies, store_files
from concept_sets.errors import StimulusError
from concept_sets.object_store import home_of, read_stored_photos
from concept_sets.photos import read_photos
from concept_sets.pictures import load_picture

NAMES = ("a.png", "in/b.png", "in/deep/c.png")


class Tolds:
    """Progress that remembers what it was told."""

    def __init__(self):
        self.steps = []

    def start(self, total, label):
        self.steps.append([label, total, 0])

    def advance(self, n):
        self.steps[-1][2] += n

    def finish(self):
        self.steps[-1].append("finished")


@pytest.fixture(autouse=True)
def store():
    """A store in memory, empty before and after."""

    def empty():
        memory = fsspec.filesystem("memory")
        if memory.exists("/bucket"):
            memory.rm("/bucket", recursive=True)

    empty()
    yield fsspec.filesystem("memory")
    empty()


@pytest.fixture
def copied(monkeypatch):
    """Names of files in the order in which they were asked for."""
    asked = []
    plain = MemoryFileSystem.get_file

    def get_file(self, rpath, lpath, **more):
        asked.append(rpath.rpartition("/")[2])
        return plain(self, rpath, lpath, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    return asked


def paint(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(path)


def manifest(folder, names=NAMES):
    for shade, name in enumerate(names):
        paint(folder / name, shade)
    rows = [f"{name},europe,Female" for name in names]
    (folder / "photos.csv").write_text("\n".join(["path,concept,gender", *rows]) + "\n")
    return "photos.csv"


def tree(folder):
    for shade, name in enumerate(("africa/1.png", "africa/more/2.jpg", "europe/1.webp", "top.png")):
        paint(folder / name, shade)
    (folder / "europe" / "old.bmp").write_bytes(b"BM")
    (folder / "europe" / "notes.txt").write_text("not a picture")
    return ""


def archive(path, shade=0):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(data, "PNG")
    with tarfile.open(path, "w") as tar:
        for name, content in ((f"{shade}.png", data.getvalue()), (f"{shade}.cls", b"europe")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def one_archive(folder):
    archive(folder / "faces.tar")
    return "faces.tar"


def archives(folder):
    for shade in range(3):
        archive(folder / f"faces-{shade}.tar", shade)
    paint(folder / "europe" / "passed-over.png", 9)
    return ""


KINDS = [manifest, tree, one_archive, archives]


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def upload(store, folder, bucket="/bucket/set"):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.pipe_file(f"{bucket}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def address(name=""):
    return f"memory://bucket/set/{name}".rstrip("/")


def told(photos):
    """All that a result can say of photos."""
    return (
        photos.digest,
        photos.group_columns,
        photos.bad,
        [
            (photos.name(s.content), s.concept, s.cluster, s.groups, s.digest)
            for s in photos.stimuli
        ],
    )


def files_below(home):
    return sorted(
        path.relative_to(home / "files").as_posix()
        for path in (home / "files").rglob("*")
        if path.is_file()
    )


@pytest.mark.parametrize("make", KINDS)
def test_a_store_and_a_folder_of_the_same_files_say_the_same(make, store, here, cache):
    name = make(here)
    upload(store, here)

    photos = read_stored_photos(address(name), cache)

    assert photos.stimuli
    assert told(photos) == told(read_photos(here / name))
    assert load_picture(photos.stimuli[0]).size == (8, 8)
    assert photos.root.is_relative_to(cache)


def test_names_of_a_manifest_are_read_as_a_disk_reads_them(store, here, cache):
    manifest(here)
    text = (here / "photos.csv").read_text()
    (here / "photos.csv").write_text(text.replace("a.png", "./a.png").replace("in/b", "in//b"))
    upload(store, here)

    photos = read_stored_photos(address("photos.csv"), cache)

    assert photos.bad == ()
    assert told(photos) == told(read_photos(here / "photos.csv"))


def test_a_slash_at_the_end_of_a_folder_changes_nothing(store, here, cache, copied):
    upload(store, here / tree(here))
    first = read_stored_photos(address(), cache)
    copied.clear()

    assert read_stored_photos(address() + "/", cache) == first
    assert copied == []


def test_a_bucket_is_a_folder(store, here, cache):
    tree(here)
    upload(store, here, "/bucket")

    assert told(read_stored_photos("memory://bucket", cache)) == told(read_photos(here))


def test_only_what_is_needed_is_copied(store, here, cache):
    manifest(here)
    paint(here / "unlisted.png", 9)
    upload(store, here)
    read_stored_photos(address("photos.csv"), cache)
    assert files_below(home_of(address("photos.csv"), cache)) == ["a.png", "in/b.png",
        "in/deep/c.png", "photos.csv"]  # fmt: skip

    tree(here)
    upload(store, here)
    read_stored_photos(address(), cache)
    below = files_below(home_of(address(), cache))
    assert {"africa/1.png", "in/b.png", "europe/old.bmp"} <= set(below)
    assert not {"top.png", "a.png", "photos.csv", "europe/notes.txt"} & set(below)

    archives(here)
    upload(store, here)
    read_stored_photos(address(), cache)
    assert files_below(home_of(address(), cache)) == [f"faces-{i}.tar" for i in range(3)]


@pytest.mark.parametrize("make", KINDS)
def test_a_second_reading_copies_nothing(make, store, here, cache, copied):
    name = make(here)
    upload(store, here)
    first = read_stored_photos(address(name), cache)
    assert copied
    copied.clear()
    progress = Tolds()

    assert read_stored_photos(address(name), cache, progress=progress) == first
    assert copied == []
    assert progress.steps == []


def test_what_changed_in_the_store_is_copied_again(store, here, cache, copied):
    manifest(here)
    upload(store, here)
    first = read_stored_photos(address("photos.csv"), cache)
    copied.clear()
    paint(here / "in" / "b.png", 77)
    data = (here / "in" / "b.png").read_bytes()
    # As many bytes as before, so that only the version tells.
    assert len(data) == store.size("/bucket/set/in/b.png")
    store.pipe_file("/bucket/set/in/b.png", data)

    second = read_stored_photos(address("photos.csv"), cache)

    assert copied == ["b.png"]
    assert second.digest != first.digest
    assert told(second) == told(read_photos(here / "photos.csv"))


def test_a_changed_manifest_brings_its_new_pictures_and_drops_the_old(store, here, cache, copied):
    manifest(here)
    upload(store, here)
    read_stored_photos(address("photos.csv"), cache)
    copied.clear()
    manifest(here, ("a.png", "new/d.png"))
    for name in ("photos.csv", "new/d.png"):
        store.pipe_file(f"/bucket/set/{name}", (here / name).read_bytes())

    photos = read_stored_photos(address("photos.csv"), cache)

    assert copied == ["photos.csv", "d.png"]
    assert len(photos.stimuli) == 2
    home = home_of(address("photos.csv"), cache)
    assert files_below(home) == ["a.png", "new/d.png", "photos.csv"]
    assert not (home / "files" / "in").exists()


def test_what_the_store_has_no_longer_is_removed(store, here, cache):
    tree(here)
    upload(store, here)
    read_stored_photos(address(), cache)
    store.rm("/bucket/set/africa/1.png")

    photos = read_stored_photos(address(), cache)

    assert [photos.name(s.content) for s in photos.stimuli] == [
        "africa/more/2.jpg",
        "europe/1.webp",
    ]
    assert "africa/1.png" not in files_below(home_of(address(), cache))
    assert "africa/1.png" not in store_copies.read_journal(home_of(address(), cache))


def test_a_listed_picture_that_the_store_lacks_is_bad_as_on_a_disk(store, here, cache):
    manifest(here)
    (here / "in" / "b.png").unlink()
    upload(store, here)

    photos = read_stored_photos(address("photos.csv"), cache)

    (bad,) = photos.bad
    assert (bad.path, bad.reason) == ("in/b.png", "No such file or directory")
    assert told(photos) == told(read_photos(here / "photos.csv"))


def test_a_picture_that_went_after_it_was_listed_is_bad_and_not_the_old_one(
    store, here, cache, monkeypatch
):
    manifest(here)
    upload(store, here)
    read_stored_photos(address("photos.csv"), cache)
    store.pipe_file("/bucket/set/a.png", b"changed")

    def gone(self, rpath, lpath, **more):
        raise FileNotFoundError(rpath)

    monkeypatch.setattr(MemoryFileSystem, "get_file", gone)
    photos = read_stored_photos(address("photos.csv"), cache)

    assert [bad.path for bad in photos.bad] == ["a.png"]
    assert len(photos.stimuli) == 2


def test_copies_that_were_cut_off_or_removed_here_are_made_again(store, here, cache, copied):
    manifest(here)
    upload(store, here)
    read_stored_photos(address("photos.csv"), cache)
    files = home_of(address("photos.csv"), cache) / "files"
    (files / "a.png").write_bytes(b"cut")
    (files / "in" / "b.png").unlink()
    copied.clear()

    photos = read_stored_photos(address("photos.csv"), cache)

    assert sorted(copied) == ["a.png", "b.png"]
    assert told(photos) == told(read_photos(here / "photos.csv"))


@pytest.fixture
def one_by_one(monkeypatch):
    """Copy in order, so that what an interruption leaves is known."""
    monkeypatch.setattr(store_copies, "AT_ONCE", 1)
    monkeypatch.setattr(store_copies, "BATCH", 1)


def interrupt(monkeypatch, name, error):
    """Write half of a file, and stop."""
    plain = MemoryFileSystem.get_file

    def get_file(self, rpath, lpath, **more):
        if rpath.endswith(name):
            Path(lpath).write_bytes(self.cat_file(rpath)[:10])
            raise error
        return plain(self, rpath, lpath, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the line broke?token=hush")])
def test_an_interruption_costs_the_file_under_way(
    error, store, here, cache, one_by_one, copied, monkeypatch
):
    tree(here)
    upload(store, here)
    names = [file.name for file in store_files.in_tree(store_files.open_store(address()))]
    shown = [name for name in names if object_store._is_shown(name)]
    third = shown[2]
    with monkeypatch.context() as patch:
        interrupt(patch, third, error)
        with pytest.raises((KeyboardInterrupt, StimulusError)) as end:
            read_stored_photos(address(), cache)
    home = home_of(address(), cache)
    assert "hush" not in str(end.value)
    if isinstance(error, RuntimeError):
        assert f"{third} must be copied; it could not be: RuntimeError: the line broke" in str(
            end.value
        )
    assert files_below(home) == sorted(shown[:2])
    assert list((home / "under-way").iterdir()) == []
    with pytest.raises(StimulusError, match="not all of them"):
        read_stored_photos(address(), cache, offline=True)
    copied.clear()

    photos = read_stored_photos(address(), cache)

    assert sorted(copied) == sorted(name.rpartition("/")[2] for name in shown[2:])
    assert told(photos) == told(read_photos(here))


@pytest.mark.parametrize("step", ["copy_files", "keep_only"])
def test_copies_that_were_whole_are_not_while_they_change(step, store, here, cache, monkeypatch):
    tree(here)
    upload(store, here)
    read_stored_photos(address(), cache)
    store.pipe_file("/bucket/set/africa/1.png", b"changed")

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(object_store, step, stop)
        with pytest.raises(KeyboardInterrupt):
            read_stored_photos(address(), cache)

    with pytest.raises(StimulusError, match="not all of them"):
        read_stored_photos(address(), cache, offline=True)


def test_a_removal_alone_makes_copies_partial_until_it_is_done(store, here, cache, monkeypatch):
    tree(here)
    upload(store, here)
    read_stored_photos(address(), cache)
    store.rm("/bucket/set/africa/1.png")

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(object_store, "keep_only", stop)
    with pytest.raises(KeyboardInterrupt):
        read_stored_photos(address(), cache)

    with pytest.raises(StimulusError, match="not all of them"):
        read_stored_photos(address(), cache, offline=True)


def test_listings_that_a_driver_remembers_are_not_believed(store, here, cache, monkeypatch):
    forgotten = []
    monkeypatch.setattr(
        MemoryFileSystem, "invalidate_cache", lambda self, path=None: forgotten.append(path)
    )
    manifest(here)
    upload(store, here)
    forgotten.clear()

    read_stored_photos(address("photos.csv"), cache)

    assert forgotten == [None]


def test_a_line_of_the_journal_that_was_cut_off_costs_its_file(store, here, cache, copied):
    manifest(here)
    upload(store, here)
    read_stored_photos(address("photos.csv"), cache)
    path = home_of(address("photos.csv"), cache) / "copies.jsonl"
    lines = path.read_text().splitlines()
    assert [json.loads(line)[0] for line in lines] == sorted([*NAMES, "photos.csv"])
    path.write_text("\n".join([*lines[:-1], lines[-1][:-4]]))
    copied.clear()

    for expected in (["photos.csv"], []):
        copied.clear()
        read_stored_photos(address("photos.csv"), cache)
        assert copied == expected


def test_what_an_old_interruption_left_is_removed_and_not_what_is_written_now(store, here, cache):
    manifest(here)
    upload(store, here)
    under_way = home_of(address("photos.csv"), cache) / "under-way"
    under_way.mkdir(parents=True)
    for name, age in (("old", 2 * store_copies.LEFT_BEHIND), ("young", 0)):
        (under_way / name).touch()
        os.utime(under_way / name, (time.time() - age,) * 2)

    read_stored_photos(address("photos.csv"), cache)

    assert [path.name for path in under_way.iterdir()] == ["young"]


def test_a_small_disk_is_told_before_anything_is_copied(store, here, cache, copied, monkeypatch):
    archives(here)
    upload(store, here)
    needed = sum(path.stat().st_size for path in here.glob("*.tar"))
    monkeypatch.setattr(store_copies, "MEGABYTE", 1)

    def free(n_bytes):
        monkeypatch.setattr(
            store_copies.shutil, "disk_usage", lambda _: SimpleNamespace(free=n_bytes)
        )

    free(needed - 1)
    with pytest.raises(
        StimulusError, match=f"needs {needed:,}.0 MB .* {needed - 1:,}.0 MB are free"
    ):
        read_stored_photos(address(), cache)
    assert copied == []
    free(needed)
    assert len(read_stored_photos(address(), cache).stimuli) == 3


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/a.png", "in\\a.png", "in/../../a.png", "in/../d.png"]
)
def test_a_manifest_that_leads_out_is_refused_before_pictures_are_copied(
    name, store, here, cache, copied
):
    manifest(here)
    with (here / "photos.csv").open("a") as file:
        file.write(f"{name},europe,Female\n")
    upload(store, here)

    with pytest.raises(StimulusError, match="must stay in the manifest's folder"):
        read_stored_photos(address("photos.csv"), cache)
    assert copied == ["photos.csv"]


def test_names_that_no_folder_can_hold_are_bad_and_stay_outside(store, here, cache, monkeypatch):
    tree(here)
    upload(store, here)
    odd = {
        "africa/../../../out.png": "leads out",
        "africa/back\\slash.png": "leads out",
        "africa/con\ntrol.png": "control characters",
        "africa//empty.png": "empty part",
        f"africa/{'n' * 260}.png": "too long",
    }
    for name in odd:
        store.store[f"/bucket/set/{name}"] = store.store["/bucket/set/africa/1.png"]
    plain = MemoryFileSystem.find

    def find(self, path, **more):
        """As stores of flat keys answer; the one in memory takes keys for paths."""
        odd_ones = {
            f"{path}/{name}": {"name": f"{path}/{name}", "size": 1, "type": "file", "created": 1}
            for name in odd
        }
        return {**plain(self, path, **more), **odd_ones}

    for name in odd:
        del store.store[f"/bucket/set/{name}"]
    monkeypatch.setattr(MemoryFileSystem, "find", find)
    photos = read_stored_photos(address(), cache)
    local = read_photos(here)

    assert photos.digest == local.digest
    assert photos.bad[: len(local.bad)] == local.bad
    reasons = {bad.path: bad.reason for bad in photos.bad[len(local.bad) :]}
    assert len(reasons) == len(odd)
    for name, reason in odd.items():
        assert reason in reasons[name.encode("unicode_escape").decode()]
    assert all(path.is_relative_to(home_of(address(), cache)) for path in cache.rglob("*.png"))
    assert read_stored_photos(address(), cache, offline=True) == photos


def test_offline_uses_whole_copies_and_asks_nobody(store, here, cache, monkeypatch):
    manifest(here)
    upload(store, here)
    with pytest.raises(StimulusError, match="Run once without --offline"):
        read_stored_photos(address("photos.csv"), cache, offline=True)
    online = read_stored_photos(address("photos.csv"), cache)

    def asked(*_, **__):
        raise RuntimeError("nobody may be asked")

    monkeypatch.setattr(fsspec.core, "url_to_fs", asked)
    assert read_stored_photos(address("photos.csv"), cache, offline=True) == online
    with pytest.raises(StimulusError, match="nobody may be asked"):
        read_stored_photos(address("photos.csv"), cache)


def test_what_is_not_there_or_of_no_kind_or_empty_is_a_sentence(store, cache):
    store.pipe_file("/bucket/set/notes.txt", b"hello")
    store.pipe_file("/bucket/set/photos.csv", b"path\n")

    with pytest.raises(StimulusError, match=r"memory://bucket/nowhere is not there"):
        read_stored_photos("memory://bucket/nowhere", cache)
    with pytest.raises(StimulusError, match=r"notes\.txt is none of these"):
        read_stored_photos(address("notes.txt"), cache)
    with pytest.raises(StimulusError, match="it has no rows"):
        read_stored_photos(address("photos.csv"), cache)
    with pytest.raises(StimulusError) as end:
        read_stored_photos(address(), cache)
    assert str(end.value) == f"{address()}: must hold at least one picture; it has none."


def test_a_secret_in_an_address_is_refused_before_the_store_is_asked(cache):
    with pytest.raises(StimulusError, match="environment") as end:
        read_stored_photos("s3://KEY:hush@bucket/photos.csv", cache)

    assert "hush" not in str(end.value)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("begins", "extra"), [("s3", "s3"), ("gs", "gcs"), ("abfs", "azure"), ("az", "azure")]
)
def test_a_missing_driver_is_told_with_its_extra(begins, extra, cache, monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install it to access this store")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(StimulusError, match=rf"pip install 'clip-bias-audit\[{extra}\]'"):
        read_stored_photos(f"{begins}://bucket/photos.csv", cache)


def test_an_unknown_beginning_is_told(cache):
    with pytest.raises(StimulusError, match="stores that fsspec knows"):
        read_stored_photos("warehouse://bucket/photos.csv", cache)


def test_a_store_that_does_not_answer_is_a_sentence_without_its_tokens(store, cache, monkeypatch):
    def broken(self, path, **more):
        raise PermissionError("403 for https://store.example.org/x?sig=hush\nsecond line")

    monkeypatch.setattr(MemoryFileSystem, "info", broken)
    with pytest.raises(StimulusError, match="PermissionError: 403 for") as end:
        read_stored_photos(address("photos.csv"), cache)

    assert "hush" not in str(end.value)
    assert "second" not in str(end.value)


def test_progress_reaches_its_end_whatever_the_sizes(store, here, cache, monkeypatch):
    monkeypatch.setattr(store_copies, "MEGABYTE", 1000)
    archives(here)
    upload(store, here)
    progress = Tolds()

    read_stored_photos(address(), cache, progress=progress)

    assert progress.steps == [["Copying photos, MB", 31, 31, "finished"]]


def test_files_that_arrive_cut_off_are_not_kept(store, here, cache, monkeypatch):
    one_archive(here)
    upload(store, here)

    def half(self, rpath, lpath, **more):
        Path(lpath).write_bytes(self.cat_file(rpath)[:100])

    monkeypatch.setattr(MemoryFileSystem, "get_file", half)
    with pytest.raises(StimulusError, match=r"must have 10,240 bytes; 100 came"):
        read_stored_photos(address("faces.tar"), cache)
    assert files_below(home_of(address("faces.tar"), cache)) == []


@pytest.mark.parametrize(
    ("info", "version"),
    [
        ({"ETag": '"abc"', "LastModified": 5}, 'ETag "abc"'),
        ({"etag": "CJ", "generation": "7"}, "etag CJ"),
        ({"md5Hash": "zz", "updated": 1}, "md5Hash zz"),
        ({"mtime": 12.5}, "mtime 12.5"),
        ({"ETag": None, "created": 3}, "created 3"),
        ({}, "ukey of bucket/set/a.png"),
    ],
)
def test_the_version_is_the_strongest_thing_that_a_store_tells(info, version):
    filesystem = SimpleNamespace(ukey=lambda key: f"of {key}")
    store = store_files.Store(address="s3://bucket/set", filesystem=filesystem, key="bucket/set")
    whole = {"name": "bucket/set/a.png", "size": 4, "type": "file", **info}

    file = store_files._stored(store, whole, store.key)

    assert (file.name, file.size, file.version) == ("a.png", 4, version)


def test_copies_that_cannot_be_written_are_a_sentence(store, here, tmp_path):
    manifest(here)
    upload(store, here)
    (tmp_path / "file").touch()

    with pytest.raises(StimulusError, match="which cannot be written"):
        read_stored_photos(address("photos.csv"), tmp_path / "file")
