"""The database under a store: one writer at a time, ours or refused, damaged or told."""

import sqlite3
import threading

import pytest
from sqlalchemy import insert, select

from audit.errors import OutputError, ResultError
from audit.store import database as module
from audit.store.database import VERSION, open_database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "index.sqlite"


def test_a_new_store_is_ours_and_durable(path):
    base = open_database(path)
    with base.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "application_id")
        }
    base.close()

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "application_id": module.APPLICATION_ID,
    }


def test_a_second_opening_changes_nothing(path):
    open_database(path).close()
    before = path.read_bytes()
    open_database(path).close()

    assert path.read_bytes() == before


def test_a_transaction_is_kept_whole_or_not_at_all(path):
    base = open_database(path)

    def half():
        with base.write() as connection:
            connection.execute(VERSION.update().values(version=7))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with base.read() as connection:
        assert connection.execute(select(VERSION.c.version)).scalar() == 1


def test_a_reader_does_not_wait_for_a_writer(path):
    base = open_database(path)
    with base.write() as writer, base.read() as reader:
        writer.execute(VERSION.update().values(version=1))
        assert reader.execute(select(VERSION.c.version)).scalar() == 1


def test_a_writer_that_waits_too_long_says_who_holds_it(path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    one, other = open_database(path), open_database(path)
    with one.write(), pytest.raises(OutputError, match="another process holds it"), other.write():
        pass


def test_eight_first_starts_at_once_make_one_store(path):
    failures = []

    def start():
        try:
            open_database(path).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with open_database(path).read() as connection:
        assert len(connection.execute(select(VERSION)).all()) == 1


def test_a_database_of_another_program_is_refused_and_untouched(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE photos (id)")
    with pytest.raises(ResultError, match="tables of another program"):
        open_database(path)
    with sqlite3.connect(path) as other:
        names = [row[0] for row in other.execute("SELECT name FROM sqlite_master")]
    assert names == ["photos"]


def test_a_newer_store_is_refused(path):
    base = open_database(path)
    with base.write() as connection:
        connection.execute(VERSION.update().values(version=99))
    base.close()
    with pytest.raises(ResultError, match="written by a newer clip-audit"):
        open_database(path)


def test_a_damaged_file_says_that_the_folders_are_the_truth(path):
    path.write_bytes(b"this is no database at all, and long enough to be read as a header" * 20)
    with pytest.raises(ResultError, match="clip-audit store reindex"):
        open_database(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises((OutputError, ResultError), match="store"):
        open_database(tmp_path / "no" / "such" / "folder" / "index.sqlite")


def test_a_url_that_means_nothing_is_told():
    with pytest.raises(OutputError, match="postgresql"):
        open_database("nothing://here")


def test_a_password_is_never_shown():
    base = module.Database(
        engine=module.server_engine("postgresql+psycopg://ada:secret@localhost/none"),
        where=module.server_engine(
            "postgresql+psycopg://ada:secret@localhost/none"
        ).url.render_as_string(hide_password=True),
    )
    assert "secret" not in base.where


def test_a_row_that_breaks_the_rules_is_told_as_a_failed_write(path):
    base = open_database(path)
    with pytest.raises(OutputError, match="Nothing was half-written"), base.write() as connection:
        connection.execute(insert(VERSION).values(only=1, version=1, tool="x"))
