"""An audit folder is complete under its name, or absent."""

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import OutputError, ResultError
from audit.folder import (
    MANIFEST,
    UNFINISHED,
    begin_folder,
    digest_of,
    file_digest,
    manifest_bytes,
    replace_file,
    require_writable,
    result_path,
    write_file,
)
from audit.verify import verify_folder, write_again


def test_a_folder_has_its_name_only_when_it_is_finished(tmp_path):
    folder = begin_folder(tmp_path / "out", "audit")
    folder.write("a.txt", b"one")

    assert not (tmp_path / "out" / "audit").exists()
    assert UNFINISHED in folder.partial.name
    assert folder.partial.name.startswith(".")

    assert folder.finish() == tmp_path / "out" / "audit"
    assert (tmp_path / "out" / "audit" / "a.txt").read_bytes() == b"one"
    assert not folder.partial.exists()


def test_the_manifest_lists_every_other_file_by_digest(tmp_path):
    folder = begin_folder(tmp_path, "audit")
    folder.write("b.txt", b"two")
    folder.write("a.txt", b"one")
    final = folder.finish()

    listed = json.loads((final / MANIFEST).read_text())["files"]

    assert listed == {"a.txt": digest_of(b"one"), "b.txt": digest_of(b"two")}
    assert list(listed) == ["a.txt", "b.txt"]


def test_an_abandoned_folder_leaves_nothing(tmp_path):
    folder = begin_folder(tmp_path / "out", "audit")
    folder.write("a.txt", b"one")
    folder.abandon()

    assert list((tmp_path / "out").iterdir()) == []


def test_names_that_are_taken_get_a_number(tmp_path):
    (tmp_path / "audit-2").symlink_to("nowhere")
    finals = [begin_folder(tmp_path, "audit").finish().name for _ in range(3)]

    assert finals == ["audit", "audit-3", "audit-4"]


def test_two_folders_begun_at_once_get_two_names(tmp_path):
    one, other = begin_folder(tmp_path, "audit"), begin_folder(tmp_path, "audit")
    one.write("x", b"1")
    other.write("x", b"2")

    assert one.partial != other.partial
    assert {one.finish().name, other.finish().name} == {"audit", "audit-2"}


def test_a_file_is_digested_like_its_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")

    assert file_digest(tmp_path / "x") == digest_of(b"abc")
    assert digest_of(b"abc").endswith("61f20015ad")


@given(files=st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=5))
def test_a_manifest_is_the_same_in_any_order(files):
    backwards = dict(reversed(files.items()))

    assert manifest_bytes(files) == manifest_bytes(backwards)
    assert json.loads(manifest_bytes(files))["files"] == files


def test_a_replaced_file_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    replace_file(tmp_path / "x", b"new")

    assert (tmp_path / "x").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_replacement_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"old")

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match="is full"):
        replace_file(tmp_path / "x", b"new")

    assert (tmp_path / "x").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("write", [write_file, replace_file])
def test_a_file_in_a_folder_that_is_not_there_is_one_sentence(write, tmp_path):
    with pytest.raises(OutputError, match=r"none.x gave: No such file.*choose another place\."):
        write(tmp_path / "none" / "x", b"")


def test_the_nearest_existing_folder_decides_what_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    require_writable(tmp_path / "new" / "deep")

    assert not (tmp_path / "new").exists()
    for place in ("file", "file/deep"):
        with pytest.raises(OutputError, match="file gave: Not a directory"):
            require_writable(tmp_path / place)


def test_a_relative_output_folder_is_looked_up_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    require_writable(Path("audit-runs"))

    Path("audit-runs").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        require_writable(Path("audit-runs"))


def test_a_result_is_found_in_its_folder_or_is_the_file_itself(tmp_path):
    assert result_path(tmp_path) == tmp_path / "result.json"
    assert result_path(tmp_path / "x.json") == tmp_path / "x.json"


def test_a_folder_without_a_result_is_no_audit(tmp_path):
    folder = begin_folder(tmp_path, "audit")
    folder.write("a.txt", b"one")
    final = folder.finish()

    with pytest.raises(ResultError, match="must have its manifest"):
        verify_folder(final)
    with pytest.raises(ResultError, match="must have its manifest"):
        write_again(final, {"a.txt": b"two"})
    assert (final / "a.txt").read_bytes() == b"one"


def test_an_unfinished_folder_never_verifies(tmp_path):
    folder = begin_folder(tmp_path, "audit")
    folder.write("result.json", b"{}")
    folder.write(MANIFEST, manifest_bytes({"result.json": digest_of(b"{}")}))

    with pytest.raises(ResultError, match="was left by a run that was stopped"):
        verify_folder(folder.partial)
