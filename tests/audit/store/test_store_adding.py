"""An audit goes in whole, once, and comes out as it was."""

import shutil
from pathlib import Path

import pytest

from audit.errors import OutputError, PlanError, ResultError
from audit.folder import MANIFEST, RESULT
from audit.store import disk
from audit.store.adding import keep, remove_source
from audit.store.exporting import export_audits, export_store, find_audit
from audit.store.history import audits
from audit.store.index import create_store, open_store
from audit.store.place import SETTINGS, make_store, store_folder
from audit.store.verifying import verify_store
from audit.verify import verify_folder


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_kept_audit_is_the_same_byte_for_byte_and_is_told(place, audit_of, result_of):
    audit = audit_of(day=3, passed=False)
    with open_store(place) as store:
        kept = keep(audit, store)
        (row,) = audits(store.database)

    assert kept.state == "added"
    assert files_of(kept.folder) == files_of(audit)
    result = result_of(day=3, passed=False)
    assert (row.digest, row.model, row.plan) == (result.digest, "toy", "quarterly")
    assert (row.started, row.finished) == (result.run.started, result.run.finished)
    assert (row.gate, row.passed, row.trustworthy, row.signed) == ("failed", False, True, False)
    assert row.size == sum(len(content) for content in files_of(audit).values())
    assert verify_store(place).holds


def test_adding_again_changes_nothing(place, audit_of):
    audit = audit_of()
    with open_store(place) as store:
        keep(audit, store)
        before = store.chain.read_bytes()
        again = keep(audit, store)
        from_within = keep(again.folder, store)

        assert (again.state, from_within.state) == ("already there", "already there")
        assert store.chain.read_bytes() == before
        assert len(audits(store.database)) == 1


def test_two_days_with_equal_results_are_two_audits(place, audit_of, result_of):
    assert result_of(day=0).digest == result_of(day=1).digest
    with open_store(place) as store:
        keep(audit_of(day=0), store)
        keep(audit_of(day=1), store)

        assert [a.position for a in audits(store.database)] == [1, 2]


def test_two_audits_of_one_name_get_two_folders(place, audit_of):
    with open_store(place) as store:
        one = keep(audit_of(day=0, name="same"), store)
        two = keep(audit_of(day=1, name="same"), store)

    assert [one.folder.name, two.folder.name] == ["same", "same-2"]


@pytest.mark.parametrize("name", ["..hidden", "a b\nc", "…", "x" * 200])
def test_a_folder_gets_a_name_that_every_file_system_takes(place, audit_of, tmp_path, name):
    odd = audit_of().rename(tmp_path / name)
    with open_store(place) as store:
        kept = keep(odd, store)

    assert kept.folder.parent == place / "audits"
    assert kept.folder.name.isascii()
    assert not kept.folder.name.startswith(".")
    assert verify_store(place).holds


@pytest.mark.parametrize("damage", ["changed", "lacking", "more", "folder", "no manifest"])
def test_a_damaged_audit_is_refused_and_leaves_nothing(place, audit_of, damage):
    audit = audit_of()
    {
        "changed": lambda: (audit / "report.html").write_bytes(b"other"),
        "lacking": lambda: (audit / "report.html").unlink(),
        "more": lambda: (audit / "notes.txt").write_bytes(b"mine"),
        "folder": lambda: (audit / "sub").mkdir(),
        "no manifest": lambda: (audit / MANIFEST).unlink(),
    }[damage]()
    with open_store(place) as store:
        with pytest.raises(ResultError):
            keep(audit, store)
        assert audits(store.database) == ()

    assert list((place / "audits").iterdir()) == []
    assert verify_store(place).holds


def test_a_result_without_its_folder_is_refused(place, audit_of):
    with open_store(place) as store:
        with pytest.raises(ResultError, match="whole audit folders"):
            keep(audit_of() / RESULT, store)
        with pytest.raises(ResultError, match="has none that can be read"):
            keep(place, store)


def test_a_moved_audit_leaves_its_place_once_it_is_kept(place, audit_of):
    audit = audit_of()
    with open_store(place) as store:
        kept = keep(audit, store)

    assert remove_source(audit, kept)
    assert not audit.exists()
    assert not remove_source(kept.folder, kept)
    assert kept.folder.exists()


def test_a_source_with_other_reports_than_the_copy_is_never_removed(place, audit_of):
    first = audit_of(extra={"report.html": b"first"})
    other = audit_of(extra={"report.html": b"second"})
    with open_store(place) as store:
        keep(first, store)
        kept = keep(other, store)

    assert kept.state == "already there"
    assert not remove_source(other, kept)
    assert other.exists()


def test_a_lost_folder_comes_back_from_where_it_came(place, audit_of):
    audit = audit_of()
    with open_store(place) as store:
        kept = keep(audit, store)
        shutil.rmtree(kept.folder)
        again = keep(audit, store)

    assert (again.state, again.folder) == ("restored", kept.folder)
    assert verify_store(place).holds


def test_a_lost_folder_does_not_come_back_as_another(place, audit_of):
    with open_store(place) as store:
        shutil.rmtree(keep(audit_of(), store).folder)
        other = audit_of(extra={"report.html": b"other"})
        with pytest.raises(ResultError, match="comes back only as it was"):
            keep(other, store)


def test_an_audit_is_named_by_folder_or_by_the_beginning_of_its_id(place, audit_of):
    with open_store(place) as store:
        kept = keep(audit_of(), store)
        named = find_audit(store, kept.folder.name)

        assert find_audit(store, kept.record.subject[:20]) == named
        assert find_audit(store, kept.record.subject.removeprefix("sha256:")[:8]) == named
        for name in ("", "nothing", kept.record.subject[:12]):
            with pytest.raises(ResultError, match="names 0 of 1"):
                find_audit(store, name)


def test_audits_come_out_whole_and_replace_nothing(place, audit_of, tmp_path):
    with open_store(place) as store:
        kept = keep(audit_of(), store)
        (out,) = export_audits(store, audits(store.database), tmp_path / "out")
        with pytest.raises(PlanError, match="must not replace"):
            export_audits(store, audits(store.database), tmp_path / "out")

    assert verify_folder(out)
    assert files_of(out) == files_of(kept.folder)


def test_a_copy_of_a_store_is_a_store(place, audit_of, tmp_path):
    with open_store(place) as store:
        keep(audit_of(day=0), store)
        (keep(audit_of(day=1), store).folder.parent / "20260102T120000Z-toy.sig").write_bytes(b"x")
        copy = export_store(store, tmp_path / "backup")
        with pytest.raises(PlanError, match="needs a new folder"):
            export_store(store, copy)
        with open_store(copy) as other:
            then = audits(other.database)
        before = audits(store.database)

    assert [a.id for a in then] == [a.id for a in before]
    assert [a.signed for a in then] == [False, True]
    assert verify_store(copy).head == verify_store(place).head
    assert verify_store(copy).holds


def test_a_folder_with_other_things_does_not_become_a_store(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"")
    with pytest.raises(PlanError, match=r"holds a\.png"):
        create_store(tmp_path / "photos")


def test_a_store_keeps_no_password_and_one_index(tmp_path):
    with pytest.raises(PlanError, match="must not be kept"):
        make_store(tmp_path / "store", "postgresql+psycopg://ada:secret@host/name")
    make_store(tmp_path / "store")
    make_store(tmp_path / "store")
    with pytest.raises(PlanError, match="A store has one index"):
        make_store(tmp_path / "store", "postgresql+psycopg://host/name")
    with pytest.raises(PlanError, match="must be a database URL"):
        make_store(tmp_path / "other", "here and there")


def test_what_is_no_store_is_told(tmp_path):
    with pytest.raises(ResultError, match="There is no store at"):
        open_store(tmp_path / "nowhere")
    (tmp_path / SETTINGS).write_bytes(b"{}")
    with pytest.raises(ResultError, match="unchanged"):
        open_store(tmp_path)


def test_the_store_of_a_user_is_where_the_environment_says():
    assert store_folder({"CLIP_AUDIT_STORE": " kept "}).name == "kept"
    assert store_folder({}).parts[-2:] == ("clip-audit", "store")


def test_an_index_in_a_file_is_refused_on_a_network_file_system(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"disk / ext4 rw 0 0\nhost:/a {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(disk, "MOUNTS", mounts)

    with pytest.raises(OutputError, match="lies on nfs4"):
        create_store(tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/mnt/a", "nfs"), ("/mnt/a/b/c", "ext4"), ("/mnt/ab", ""), ("/mnt/a b/c", "cifs")],
)
def test_the_nearest_mount_decides(path, kind):
    mounts = (
        "disk / ext4 rw 0 0\nhost:/x /mnt/a nfs rw 0 0\nother /mnt/a/b ext4 rw 0 0\n"
        "host /mnt/a\\040b cifs rw 0 0\nodd\n"
    )
    local = kind if kind in disk.NETWORK else ""

    assert disk.network_type(Path(path), mounts) == local


def test_a_machine_that_lists_no_file_systems_is_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "MOUNTS", tmp_path / "none")
    disk.refuse_network(tmp_path)
