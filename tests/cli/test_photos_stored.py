"""Photos in an object store, as a user meets them: the result is that of a folder."""

import json
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from audit.plan import parse_plan, read_plan

ADDRESS = "memory://bucket/set/photos.csv"
RUN = ["run", "plan.toml", "--format", "json", "--photos"]
SECRET = "s3://AKIAKEY:hushhush@bucket/photos.csv"


@pytest.fixture
def photos(world, tmp_path) -> Path:
    """A manifest of 24 pictures, here and in a store in memory."""

    def empty():
        memory = fsspec.filesystem("memory")
        if memory.exists("/bucket"):
            memory.rm("/bucket", recursive=True)

    empty()
    path = world.write_photos(tmp_path / "photos")
    for file in path.parent.iterdir():
        fsspec.filesystem("memory").pipe_file(f"/bucket/set/{file.name}", file.read_bytes())
    yield path
    empty()


@pytest.fixture
def asked(monkeypatch):
    """Names of files that the store was asked for."""
    names = []
    plain = MemoryFileSystem.get_file

    def get_file(self, rpath, lpath, **more):
        names.append(rpath.rpartition("/")[2])
        return plain(self, rpath, lpath, **more)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    return names


def plan_photos(path: str) -> None:
    plan = Path("plan.toml")
    plan.write_text(f'{plan.read_text()}\n[photos]\npath = "{path}"\n')


def content(end) -> dict:
    """The result document without what tells of this run."""
    document = json.loads((end.folder / "result.json").read_text())
    document.pop("run")
    return document


def test_the_result_is_that_of_the_same_files_in_a_folder(cli, photos, asked, tmp_path):
    here = cli(*RUN, photos, "--cache", tmp_path / "other")
    stored = cli(*RUN, ADDRESS)

    assert stored.code == here.code == 0, stored.err
    assert stored.encoded("photo") == (24, 0)
    assert len(asked) == 25
    assert stored.result.digest == here.result.digest
    assert content(stored) == content(here)
    assert "Copying photos, MB" in stored.err

    again = cli(*RUN, ADDRESS)
    assert again.encoded("photo") == (0, 24)
    assert again.result.digest == here.result.digest
    assert len(asked) == 25


def test_nothing_that_an_audit_writes_names_the_place_of_the_copies(cli, photos, tmp_path):
    folder = cli(*RUN, ADDRESS).folder

    written = [path for path in folder.rglob("*") if path.is_file()]
    assert written
    for path in written:
        assert str(tmp_path / "cache").encode() not in path.read_bytes(), path.name


def test_a_plan_and_the_option_name_a_store_alike(cli, photos):
    by_option = cli(*RUN, ADDRESS)
    plan_photos(ADDRESS)
    Path("plans").mkdir()
    text = Path("plan.toml").read_text().replace('["packs"]', '["../packs"]')
    Path("plans/plan.toml").write_text(text)

    by_plan = cli("run", "plans/plan.toml", "--format", "json")

    assert by_plan.code == 0, by_plan.err
    assert by_plan.encoded("photo") == (0, 24)
    assert by_plan.result.contrasts == by_option.result.contrasts
    assert by_plan.result.plan.resolved["photos"]["path"] == ADDRESS


def test_a_file_address_is_the_path(cli, photos):
    assert cli(*RUN, f"file://{photos}").result.digest == cli(*RUN, photos).result.digest


def test_offline_needs_the_copies_and_then_the_store_no_more(cli, photos):
    refused = cli(*RUN, ADDRESS, "--offline")
    assert (refused.code, refused.out) == (2, "")
    assert "Run once without --offline" in refused.err
    online = cli(*RUN, ADDRESS)
    fsspec.filesystem("memory").rm("/bucket", recursive=True)

    offline = cli(*RUN, ADDRESS, "--offline")

    assert offline.code == 0, offline.err
    assert offline.result.digest == online.result.digest
    gone = cli(*RUN, ADDRESS)
    assert gone.code == 2
    assert f"{ADDRESS} is not there" in gone.err


def test_workers_read_the_copies(cli, photos, tmp_path):
    alone = cli(*RUN, ADDRESS)
    cache = ("--cache", tmp_path / "other")
    shared = cli(*RUN, ADDRESS, *cache, "--executor", "processes", "--workers", 1)

    assert shared.code == 0, shared.err
    assert shared.encoded("photo") == (0, 24)
    assert shared.result.digest == alone.result.digest


@pytest.mark.parametrize(
    "words",
    [
        [*RUN, SECRET],
        ["config", "explain", "--photos", SECRET],
        ["init", "mine.toml", "--yes", "--photos", SECRET],
    ],
)
def test_a_secret_is_refused_and_neither_printed_nor_written(words, cli, world, tmp_path):
    end = cli(*words)

    assert end.code == 2
    assert "environment" in end.err
    assert "hush" not in end.err + end.out
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"hushhush" in path.read_bytes()]


@pytest.mark.parametrize(
    "words",
    [["run", "plan.toml"], ["config", "check", "plan.toml"],
     ["config", "explain", "--plan", "plan.toml"]],
)  # fmt: skip
def test_a_secret_in_a_plan_is_refused_and_not_printed(words, cli, world):
    plan_photos(SECRET)
    end = cli(*words)

    assert end.code == 2
    assert "photos.path" in end.err
    assert "hush" not in end.err + end.out


def test_a_missing_driver_is_told_with_its_extra(cli, world, monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    end = cli(*RUN, "s3://bucket/photos.csv")

    assert end.code == 2
    assert "pip install 'clip-bias-audit[s3]'" in end.err


def test_a_plan_is_explained_and_checked_with_its_address(cli, world):
    typed = cli("config", "explain", "--photos", "s3://bucket/photos.csv").out
    assert parse_plan(typed, where="").photos.path == "s3://bucket/photos.csv"
    plan_photos("s3://bucket/photos.csv")

    end = cli("config", "check", "plan.toml")

    assert end.code == 0
    assert "its photos, s3://bucket/photos.csv, are in a store and were not looked at" in end.err


def test_questions_take_an_address_as_it_is(cli, tmp_path):
    (tmp_path / "plans").mkdir()
    words = ["--photos", "gs://bucket/set", "--families", "regions"]
    end = cli("init", "plans", "--yes", *words)

    assert end.code == 0, end.err
    assert read_plan(tmp_path / "plans" / "plan.toml").photos.path == "gs://bucket/set"


def test_treatments_are_tried_on_photos_of_a_store(cli, photos, asked):
    plan_photos(ADDRESS)
    audit = cli("run", "plan.toml", "--format", "json").folder
    asked.clear()
    words = ["mitigate", audit, "--packs", "packs", "--treatment", "project", "--strengths", "0,1"]

    by_plan = cli(*words, "--out", "by-plan")
    by_option = cli(*words, "--out", "by-option", "--photos", ADDRESS, "--offline")

    assert by_plan.code == by_option.code == 0, by_plan.err
    assert asked == []
    (one,), (other,) = (Path(name).glob("*/mitigation.json") for name in ("by-plan", "by-option"))
    assert one.read_bytes() == other.read_bytes()
    assert b'"photo"' in one.read_bytes()
