"""Photos at an address of an object store; the store here is in memory."""

import tomllib
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from audit.cli.mitigate import _photos, _plan
from concept_sets.catalog import load_library
from concept_sets.photos import read_photos

RUN = ["run", "plan.toml", "--format", "json", "--photos"]
ADDRESS = "memory://audits/photos/photos.csv"


@pytest.fixture
def photos(world, tmp_path) -> Path:
    """A manifest of 24 pictures, here and in the store."""
    manifest = world.write_photos(tmp_path / "photos")
    MemoryFileSystem.store.clear()
    for path in manifest.parent.iterdir():
        MemoryFileSystem().pipe_file(f"/audits/photos/{path.name}", path.read_bytes())
    yield manifest
    MemoryFileSystem.store.clear()


def name_in_the_plan() -> None:
    plan = Path("plan.toml")
    plan.write_text(f'{plan.read_text()}\n[photos]\npath = "{ADDRESS}"\n')


def test_the_document_does_not_tell_where_photos_lie(cli, photos):
    here = cli(*RUN, photos, "--cache", "c1")
    there = cli(*RUN, ADDRESS, "--cache", "c2")

    assert (here.code, there.code) == (0, 0), there.err
    assert there.encoded("photo") == (24, 0)
    assert there.result.digest == here.result.digest
    assert there.result.inputs == here.result.inputs
    assert "Copying photos" in there.err


def test_a_plan_names_an_address_and_offline_uses_its_copies(cli, photos):
    name_in_the_plan()
    first = cli("run", "plan.toml", "--format", "json", "--cache", "c")
    MemoryFileSystem.store.clear()
    again = cli("run", "plan.toml", "--format", "json", "--cache", "c", "--offline")
    elsewhere = cli("run", "plan.toml", "--format", "json", "--cache", "d", "--offline")

    assert (first.code, again.code) == (0, 0), again.err
    assert again.encoded("photo") == (0, 24)
    assert again.result.digest == first.result.digest
    assert elsewhere.code == 2
    assert "Run once without --offline" in elsewhere.err


def test_workers_read_the_copies(cli, photos):
    alone = cli(*RUN, photos, "--cache", "c1")
    shared = cli(*RUN, ADDRESS, "--cache", "c2", "--executor", "plain")

    assert shared.code == 0, shared.err
    assert shared.encoded("photo") == (0, 24)
    assert shared.result.digest == alone.result.digest


def test_credentials_in_an_address_are_refused_and_not_repeated(cli, world):
    end = cli(*RUN, "s3://key:hush@bucket/photos.csv")

    assert end.code == 2
    assert "no credentials" in end.err
    assert "hush" not in end.err


def test_treatments_are_tried_on_photos_at_an_address(cli, photos, tmp_path):
    end = cli(*RUN, ADDRESS)
    plan = _plan(end.result, "", "")
    library = load_library((Path("packs"),), builtin=True)
    named = plan.model_copy(update={"photos": plan.photos.model_copy(update={"path": ADDRESS})})
    given = _photos(plan, end.result, library, ADDRESS, tmp_path / "c", offline=False)
    planned = _photos(named, end.result, library, None, tmp_path / "c", offline=True)

    assert given is not None
    assert len(given.stimuli) == 24
    assert planned == given


def test_commands_about_plans_leave_addresses_as_they_are(cli, world, tmp_path):
    (tmp_path / "plans").mkdir()
    written = cli("init", "plans", "--yes", "--photos", ADDRESS)
    plan = tmp_path / "plans" / "plan.toml"
    checked = cli("config", "check", plan)
    explained = cli("config", "explain", "--plan", plan)

    assert (written.code, checked.code, explained.code) == (0, 0, 0), checked.err
    assert tomllib.loads(plan.read_text())["photos"]["path"] == ADDRESS
    assert f"its photos, {ADDRESS}, are in a store that was not asked." in checked.out + checked.err
    assert ADDRESS in explained.out


def test_pictures_inside_a_table_are_audited_as_in_a_folder(cli, photos, tmp_path):
    """Shared out to processes too: the document is that of the same files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    shown = read_photos(photos)
    rows = [
        {
            "image": Path(each.content).read_bytes(),
            "concept": each.concept,
            "cluster": each.cluster,
            "licence": each.licence,
            "source": each.source,
            **dict(each.groups),
        }
        for each in shown.stimuli
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet", row_group_size=5)
    here = cli(*RUN, photos, "--cache", "c1")
    inside = cli(*RUN, "t.parquet", "--cache", "c2")
    shared = cli(*RUN, "t.parquet", "--cache", "c3", "--executor", "plain")

    assert (inside.code, shared.code) == (0, 0), inside.err + shared.err
    assert inside.encoded("photo") == (24, 0)
    assert inside.result.contrasts == here.result.contrasts
    assert shared.result.digest == inside.result.digest
