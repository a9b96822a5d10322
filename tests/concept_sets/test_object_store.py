"""Photos in an object store are those of a folder, copied once; the store here is in memory."""

import json
import shutil
import sys
import tarfile

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from concept_sets.errors import StimulusError
from concept_sets.object_store import fetch_photos, is_address
from concept_sets.photos import read_photos

BASE = "memory://bucket/photos"


class Told:
    """Keeps what was told of progress."""

    def __init__(self):
        self.total = self.done = self.ended = 0

    def start(self, total, label):
        self.total += total

    def advance(self, n):
        self.done += n

    def finish(self):
        self.ended += 1


@pytest.fixture(autouse=True)
def files():
    """The store, empty before and after."""
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield MemoryFileSystem()
    MemoryFileSystem.store.clear()


@pytest.fixture
def copied(monkeypatch):
    """Names of what is taken from the store."""
    names = []
    taken = MemoryFileSystem.get_file

    def get_file(self, rpath, lpath, **kwargs):
        names.append(rpath.removeprefix("/bucket/photos/"))
        return taken(self, rpath, lpath, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    return names


def tree(folder):
    for number, name in enumerate(("cats/1.png", "cats/2.png", "dogs/deep/3.png", "dogs/4.bmp")):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number * 40, 9, 9)).save(file)
    (folder / "README.txt").write_text("not a picture")
    return folder


def manifest(folder, rows=("cats/1.png,cats,a", "./cats/2.png,cats,b", "dogs/deep/3.png,dogs,a")):
    tree(folder)
    (folder / "photos.csv").write_text("path,concept,tone\n" + "\n".join(rows) + "\n")
    return folder / "photos.csv"


def archives(folder):
    source = tree(folder.parent / "source")
    folder.mkdir(exist_ok=True)
    for number in (1, 2):
        with tarfile.open(folder / f"part-{number}.tar", "w") as archive:
            archive.add(source / f"cats/{number}.png", f"{number}.png")
    return folder


def archive(folder):
    return archives(folder) / "part-1.tar"


def put(files, local):
    """Put a folder, with all that it holds, into the store."""
    for path in sorted(local.rglob("*")):
        if path.is_file():
            files.pipe_file(
                f"/bucket/photos/{path.relative_to(local).as_posix()}", path.read_bytes()
            )


def fetched(tmp_path, address=BASE, **options):
    return fetch_photos(address, tmp_path / "copies", options.pop("steps", Told()), **options)


@pytest.mark.parametrize("write", [tree, manifest, archives, archive])
def test_they_are_what_a_folder_would_be(tmp_path, files, write):
    local = write(tmp_path / "local")
    put(files, tmp_path / "local")
    address = f"{BASE}/{local.name}" if local.is_file() else f"{BASE}/"
    here, there = read_photos(local), read_photos(fetched(tmp_path, address))
    assert there.digest == here.digest
    assert there.bad == here.bad
    assert there.group_columns == here.group_columns
    assert [there.name(p.content) for p in there.stimuli] == [
        here.name(p.content) for p in here.stimuli
    ]
    assert [(p.id, p.concept, p.cluster) for p in there.stimuli] == [
        (p.id, p.concept, p.cluster) for p in here.stimuli
    ]


def test_only_what_a_manifest_lists_is_copied(tmp_path, files, copied):
    manifest(tmp_path / "local", rows=("cats/1.png,cats,a",))
    put(files, tmp_path / "local")
    told = Told()
    fetched(tmp_path, f"{BASE}/photos.csv", steps=told)
    assert copied == ["photos.csv", "cats/1.png"]
    assert (told.total, told.done, told.ended) == (1, 1, 1)


def test_a_second_time_nothing_is_copied(tmp_path, files, copied):
    manifest(tmp_path / "local")
    put(files, tmp_path / "local")
    first = fetched(tmp_path, f"{BASE}/photos.csv")
    copied.clear()
    told = Told()
    assert fetched(tmp_path, f"{BASE}/photos.csv", steps=told) == first
    assert copied == []
    assert told.total == 0


def test_what_changed_is_copied_again_and_what_is_gone_goes(tmp_path, files, copied):
    put(files, tree(tmp_path / "local"))
    before = read_photos(fetched(tmp_path))
    copied.clear()
    files.pipe_file("/bucket/photos/cats/1.png", (tmp_path / "local/cats/2.png").read_bytes())
    files.rm("/bucket/photos/dogs/deep/3.png")
    after = read_photos(fetched(tmp_path))
    assert copied == ["cats/1.png"]
    assert [after.name(p.content) for p in after.stimuli] == ["cats/1.png", "cats/2.png"]
    assert after.stimuli[0].digest == before.stimuli[1].digest
    assert not list((tmp_path / "copies").rglob("deep"))


def test_a_copy_that_was_lost_or_cut_off_here_is_made_again(tmp_path, files, copied):
    put(files, tree(tmp_path / "local"))
    folder = fetched(tmp_path)
    copied.clear()
    (folder / "cats/1.png").write_bytes(b"cut")
    (folder / "cats/2.png").unlink()
    fetched(tmp_path)
    assert sorted(copied) == ["cats/1.png", "cats/2.png"]


def test_a_listed_picture_that_the_store_lacks_is_named_with_its_row(tmp_path, files):
    local = manifest(tmp_path / "local")
    put(files, tmp_path / "local")
    files.rm("/bucket/photos/cats/2.png")
    (tmp_path / "local/cats/2.png").unlink()
    there = read_photos(fetched(tmp_path, f"{BASE}/photos.csv"))
    assert there.bad == read_photos(local).bad
    assert there.bad[0].where == "row 3"


def test_interrupted_copying_goes_on(tmp_path, files, monkeypatch, copied):
    put(files, tree(tmp_path / "local"))
    monkeypatch.setattr("concept_sets.object_store.AT_ONCE", 1)
    counted = MemoryFileSystem.get_file

    def breaks_off(self, rpath, lpath, **kwargs):
        if len(copied) == 2:
            raise ConnectionResetError("the line broke")
        return counted(self, rpath, lpath, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(MemoryFileSystem, "get_file", breaks_off)
        with pytest.raises(StimulusError, match=r"the line broke.*goes on there"):
            fetched(tmp_path)
    held = list(copied)
    with pytest.raises(StimulusError, match="not all"):
        fetched(tmp_path, offline=True)
    fetched(tmp_path)
    assert sorted(copied) == sorted(set(copied))
    assert len(held) == 2
    assert len(copied) == 4
    assert not list((tmp_path / "copies").rglob("*.part"))


def test_the_last_line_of_a_killed_log_may_be_half(tmp_path, files, copied):
    put(files, tree(tmp_path / "local"))
    folder = fetched(tmp_path)
    done, log = folder.with_suffix(".json"), folder.with_suffix(".log")
    known = json.loads(done.read_text())["files"]
    lines = [json.dumps({"name": name, **copy}) + "\n" for name, copy in known.items()]
    log.write_text("".join(lines)[:-20])
    done.unlink()
    copied.clear()
    fetched(tmp_path)
    assert copied == [list(known)[-1]]


def test_a_file_that_comes_short_is_refused(tmp_path, files, monkeypatch):
    put(files, tree(tmp_path / "local"))
    monkeypatch.setattr(
        MemoryFileSystem, "get_file", lambda self, rpath, lpath, **_: open(lpath, "wb").close()
    )
    with pytest.raises(StimulusError, match=r"must have \d+ bytes .* 0 came"):
        fetched(tmp_path)


def test_a_file_that_went_since_it_was_listed_is_missing(tmp_path, files, monkeypatch):
    local = manifest(tmp_path / "local")
    put(files, tmp_path / "local")
    taken = MemoryFileSystem.get_file

    def gone(self, rpath, lpath, **kwargs):
        if rpath.endswith("2.png"):
            raise FileNotFoundError(rpath)
        return taken(self, rpath, lpath, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "get_file", gone)
    there = read_photos(fetched(tmp_path, f"{BASE}/photos.csv"))
    (tmp_path / "local/cats/2.png").unlink()
    assert there.bad == read_photos(local).bad


def test_a_small_disk_is_told_before_anything_is_copied(tmp_path, files, monkeypatch, copied):
    put(files, tree(tmp_path / "local"))
    small = shutil._ntuple_diskusage(10, 9, 1)
    monkeypatch.setattr("concept_sets.object_store.shutil.disk_usage", lambda _: small)
    with pytest.raises(StimulusError, match=r"needs 0\.00 GB .* --cache"):
        fetched(tmp_path)
    assert copied == []


@pytest.mark.parametrize("name", ["../out.png", "/out.png", "a\\b.png"])
def test_rows_that_lead_out_are_refused_and_never_copied(tmp_path, files, copied, name):
    manifest(tmp_path / "local", rows=(f"{name},cats,a",))
    put(files, tmp_path / "local")
    files.pipe_file("/bucket/out.png", b"secret")
    with pytest.raises(StimulusError, match="row 2: a path must stay in the manifest's folder"):
        read_photos(fetched(tmp_path, f"{BASE}/photos.csv"))
    assert copied == ["photos.csv"]


@pytest.mark.parametrize("name", ["cats/a\\b.png", "cats/../../out.png", "cats/\x07.png"])
def test_names_of_a_store_that_are_no_paths_are_refused(tmp_path, files, copied, name):
    put(files, tree(tmp_path / "local"))
    whole = f"/bucket/photos/{name}"
    files.pipe_file("/bucket/photos/cats/5.png", b"x")
    MemoryFileSystem.store[whole] = MemoryFileSystem.store["/bucket/photos/cats/5.png"]
    MemoryFileSystem.store[whole].path = whole
    with pytest.raises(StimulusError, match="Names in a store must be usable as paths"):
        fetched(tmp_path)
    assert copied == []


@pytest.mark.parametrize(
    "address",
    ["s3://key:hush@bucket/p.csv", "s3://key:hu/hush@bucket/p.csv", "gs://bucket/p.csv?sig=hush"],
)
def test_credentials_are_refused_and_not_repeated(tmp_path, address):
    with pytest.raises(StimulusError, match="no credentials") as refused:
        fetched(tmp_path, address)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("extra", ["s3", "gcs", "azure"])
def test_a_missing_driver_names_its_extra(tmp_path, monkeypatch, extra):
    protocol, module = {
        "s3": ("s3", "s3fs"),
        "gcs": ("gs", "gcsfs"),
        "azure": ("abfs", "adlfs"),
    }[extra]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StimulusError, match=rf"pip install 'clip-bias-audit\[{extra}\]'"):
        fetched(tmp_path, f"{protocol}://container@account.example/p.csv")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://example.org/p.csv", "must lie in a file, folder or object store"),
        ("zip://p.csv::s3://bucket/x.zip", "must lie in a file, folder or object store"),
        ("nowhere://bucket/p.csv", "nowhere"),
        (f"{BASE}/absent.csv", "must be there"),
        (f"{BASE}/README.txt", "is none of these"),
    ],
)
def test_other_addresses_get_a_sentence(tmp_path, files, address, said):
    put(files, tree(tmp_path / "local"))
    with pytest.raises(StimulusError, match=said):
        fetched(tmp_path, address)


def test_offline_uses_what_was_copied_and_asks_nobody(tmp_path, files, copied):
    put(files, tree(tmp_path / "local"))
    with pytest.raises(StimulusError, match="Run once without --offline"):
        fetched(tmp_path, offline=True)
    folder = fetched(tmp_path)
    MemoryFileSystem.store.clear()
    assert fetched(tmp_path, offline=True) == folder
    (folder / "cats/1.png").unlink()
    with pytest.raises(StimulusError, match="not all"):
        fetched(tmp_path, offline=True)


def test_files_of_this_machine_are_read_where_they_lie(tmp_path):
    local = tree(tmp_path / "local")
    assert fetched(tmp_path, f"file://{local}") == local
    assert not (tmp_path / "copies").exists()


def test_addresses_are_told_from_paths():
    assert [is_address(each) for each in ("s3://b", "GS://b/x", "a/b.csv", "./s3:/b", "C:\\x")] == [
        True,
        True,
        False,
        False,
        False,
    ]
