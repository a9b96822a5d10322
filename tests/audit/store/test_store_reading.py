"""A store is looked at without leaving a trace, or refused in a sentence."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import insert

from audit.errors import OutputError, ResultError
from audit.store.adding import keep
from audit.store.database import VERSION
from audit.store.history import audits
from audit.store.index import is_up_to_date, open_store
from audit.store.reading import read_store
from audit.store.tables import CHAIN


@pytest.fixture
def kept(place, audit_of):
    with open_store(place) as opened:
        keep(audit_of(), opened)
    return place


def trace(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def test_a_store_that_is_read_tells_its_audits_and_keeps_every_byte(kept):
    before = trace(kept)
    with read_store(kept) as opened:
        told = audits(opened.database)
        assert is_up_to_date(opened)

    assert [a.model for a in told] == ["toy"]
    assert trace(kept) == before


def test_a_store_that_is_read_cannot_be_written(kept):
    with (
        read_store(kept) as opened,
        pytest.raises(OutputError, match="must be writable"),
        opened.database.write() as connection,
    ):
        connection.execute(insert(CHAIN).values(n=99, digest="x", line="y"))
    with read_store(kept) as opened:
        assert len(audits(opened.database)) == 1


def test_what_a_writer_commits_is_seen_by_the_next_reader_while_it_is_at_work(kept, audit_of):
    with open_store(kept) as writer:
        keep(audit_of(day=1), writer)
        with read_store(kept) as reader:
            assert len(audits(reader.database)) == 2


def test_an_index_that_a_killed_writer_left_is_read_with_its_log(tmp_path, kept, audit_of, index):
    if index:
        pytest.skip("a server keeps its own log")
    with open_store(kept) as writer:
        keep(audit_of(day=1), writer)
        copy = tmp_path / "copy"
        copy.mkdir()
        for path in [p for p in kept.iterdir() if p.is_file()]:
            (copy / path.name).write_bytes(path.read_bytes())
    assert (copy / "index.sqlite-wal").stat().st_size

    with read_store(copy) as reader:
        assert len(audits(reader.database)) == 2


def test_an_index_that_is_behind_its_chain_is_told(kept, audit_of):
    with open_store(kept) as writer:
        chain = (kept / "chain.jsonl").read_bytes()
        keep(audit_of(day=1), writer)
    longer = (kept / "chain.jsonl").read_bytes()
    (kept / "chain.jsonl").write_bytes(chain)
    with read_store(kept) as reader:
        assert not is_up_to_date(reader)

    (kept / "chain.jsonl").write_bytes(longer)
    with read_store(kept) as reader:
        assert is_up_to_date(reader)


def test_tables_of_a_newer_version_are_refused(kept):
    with open_store(kept) as writer, writer.database.write() as connection:
        connection.execute(VERSION.update().values(version=99))

    with pytest.raises(ResultError, match="newer clip-audit"):
        read_store(kept)


def test_tables_of_an_earlier_version_are_refused_with_what_to_type(kept, monkeypatch):
    monkeypatch.setattr("audit.store.reading.MIGRATIONS", (None, None))

    with pytest.raises(ResultError, match=r"earlier one \(1 of 2\).*store list"):
        read_store(kept)


@pytest.mark.parametrize("index", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is not there.*store reindex"), (b"", "has none.*store reindex"),
     (b"not a database" * 90, "file is not a database.*reindex")],
)  # fmt: skip
def test_an_index_that_is_missing_empty_or_damaged_is_refused(kept, content, said):
    path = kept / "index.sqlite"
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ResultError, match=said):
        read_store(kept)
    assert path.exists() is (content is not None)


@pytest.mark.parametrize("index", ["sqlite"], indirect=True)
def test_somebody_elses_database_is_refused(kept):
    (kept / "index.sqlite").unlink()
    with sqlite3.connect(kept / "index.sqlite") as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()

    with pytest.raises(ResultError, match="tables of another program"):
        read_store(kept)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(ResultError, match="There is no store at"):
        read_store(tmp_path)


READ = """
import os, sys
from pathlib import Path
from audit.store.history import audits
from audit.store.reading import read_store
place = Path(sys.argv[1])
def count():
    with read_store(place) as opened:
        return len(audits(opened.database))
first = count()
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
print(first, count(), os.access(place, os.W_OK))
"""


@pytest.fixture
def locked(kept):
    """A copy of the store that nobody may write, where everybody may look."""
    home = Path(tempfile.mkdtemp(prefix="locked-"))
    copy = Path(shutil.copytree(kept, home / "store"))
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    home.chmod(0o755)
    yield copy
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(home)


@pytest.mark.parametrize("index", ["sqlite"], indirect=True)
def test_a_folder_that_nobody_may_write_is_read(locked):
    command = [sys.executable, "-P", "-c", READ, str(locked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert (done.stdout, done.stderr) == ("1 1 False\n", "")
