"""Killed, eight at once, out of space, locked: nothing half-added, a rerun completes."""

import errno
import multiprocessing
import os
import random
import signal
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from audit.errors import OutputError, ResultError
from audit.store import adding, chain, database, disk
from audit.store.adding import keep
from audit.store.chain import Event
from audit.store.contents import rows_of
from audit.store.history import audits
from audit.store.index import create_store, open_store, reindex, writing
from audit.store.retention import Policy, prune
from audit.store.verifying import verify_store

FORK = multiprocessing.get_context("fork")

STEPS = [
    (disk.os, "fsync"), (disk.os, "open"), (chain.os, "write"), (adding.shutil, "rmtree"),
    (adding.Path, "mkdir"), (adding.Path, "rename"),
]  # fmt: skip
"""Calls at which a store's state on the disk changes."""

WRITES = [(owner, name) for owner, name in STEPS if name != "rmtree"]
"""Those that a full disk refuses."""


def in_child(action, *arguments):
    """Run in a process of its own; its exit code, negative for the signal that ended it."""
    child = FORK.Process(target=action, args=arguments)
    child.start()
    child.join(60)
    return child.exitcode


def add_to(place, audit):
    with open_store(place) as store:
        keep(audit, store)


def prune_all(place):
    with open_store(place) as store:
        prune(store, Policy(keep_last=1), dry_run=False)


def after_calls(count, stop, steps=STEPS):
    """Do something before the n-th call that changes the disk."""
    left = [count]

    def watched(real):
        def call(*words, **named):
            left[0] -= 1
            if left[0] == 0:
                stop()
            return real(*words, **named)

        return call

    for owner, name in steps:
        setattr(owner, name, watched(getattr(owner, name)))


def dies_at(count, action, *arguments):
    after_calls(count, lambda: os.kill(os.getpid(), signal.SIGKILL))
    action(*arguments)


def kept_by_chain_and_index(place):
    with open_store(place) as store:
        return sorted(a.folder for a in audits(store.database))


def test_killed_before_every_change_of_the_disk_an_add_is_whole_after_a_rerun(place, audit_of):
    done = audit_of(day=0)
    add_to(place, done)
    audit = audit_of(day=1)
    deaths = 0
    while in_child(dies_at, deaths + 1, add_to, place, audit) == -signal.SIGKILL:
        deaths += 1
        verified = verify_store(place)
        strays = [p for p in verified.problems if "no record says that it was added" not in p]
        assert strays == [], f"after death {deaths}"
        add_to(place, audit)
        assert verify_store(place).holds
        assert kept_by_chain_and_index(place) == [done.name, audit.name]
        with open_store(place) as store:
            forget_last(store)

    assert deaths >= 8
    assert sorted(p.name for p in (place / "audits").iterdir()) == [done.name, audit.name]


def forget_last(store):
    """Let the last audit go, so that it can be added anew."""
    last = audits(store.database)[-1]
    with writing(store) as held:
        event = Event(what="removed", subject=last.id, folder=last.folder)
        held.record(event, last.finished)
    adding.shutil.rmtree(store.audits / last.folder)


def test_killed_at_random_moments_an_add_is_whole_after_a_rerun(place, audit_of):
    chance = random.Random(7)
    whole = time.monotonic()
    assert in_child(add_to, place, audit_of(day=0)) == 0
    whole = time.monotonic() - whole

    killed = 0
    for day in range(1, 13):
        audit = audit_of(day=day, extra={"table.bin": os.urandom(300_000)})
        child = FORK.Process(target=add_to, args=(place, audit))
        child.start()
        time.sleep(chance.uniform(0, whole))
        child.kill()
        child.join(30)
        killed += child.exitcode == -signal.SIGKILL
        add_to(place, audit)
        assert len(kept_by_chain_and_index(place)) == day + 1

    assert killed >= 6
    assert verify_store(place).holds
    assert len(list((place / "audits").iterdir())) == 13


def test_killed_before_every_change_of_the_disk_a_prune_keeps_or_removes_whole(place, audit_of):
    made = [audit_of(day=day) for day in range(3)]
    deaths = 0
    for audit in made:
        add_to(place, audit)
    while in_child(dies_at, deaths + 1, prune_all, place) == -signal.SIGKILL:
        deaths += 1
        assert verify_store(place).problems == (), f"after death {deaths}"
        assert kept_by_chain_and_index(place), "the last that passed stays"
        for audit in made:
            add_to(place, audit)

    assert deaths >= 4
    assert len(kept_by_chain_and_index(place)) == 1
    assert verify_store(place).holds


def test_eight_writers_at_once_lose_nothing_and_add_nothing_twice(place, audit_of):
    shared = audit_of(day=50)
    own = [audit_of(day=day) for day in range(8)]

    def write(audit):
        add_to(place, audit)
        add_to(place, shared)

    children = [FORK.Process(target=write, args=(audit,)) for audit in own]
    for child in children:
        child.start()
    for child in children:
        child.join(60)

    assert [child.exitcode for child in children] == [0] * 8
    verified = verify_store(place)
    assert verified.problems == ()
    assert (verified.audits, verified.records) == (9, 10)


def test_a_full_disk_at_every_write_leaves_the_store_as_it_was(place, audit_of, monkeypatch):
    audit = audit_of(day=1)
    add_to(place, audit_of(day=0))
    before = verify_store(place).head

    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    failures = 0
    for count in range(1, 40):
        with monkeypatch.context() as patch:
            for owner, name in WRITES:
                patch.setattr(owner, name, getattr(owner, name))
            after_calls(count, full, WRITES)
            told = failure_of(add_to, place, audit)
        if told is None:
            break
        assert isinstance(told, OutputError), repr(told)
        failures += 1
        verified = verify_store(place)
        assert verified.problems == ()
        assert verified.head == before
        assert verified.audits == 1

    assert failures >= 6
    assert kept_by_chain_and_index(place) == sorted(p.name for p in (place / "audits").iterdir())


def failure_of(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return error


def test_an_index_that_is_full_right_after_the_record_catches_up(place, audit_of, monkeypatch):
    audit = audit_of()

    @contextmanager
    def fails_to_commit(store):
        with writing(store) as held:
            yield held
            if held.present:
                raise OutputError("The disk is full.")

    monkeypatch.setattr(adding, "writing", fails_to_commit)
    with open_store(place) as store, pytest.raises(OutputError):
        keep(audit, store)
    monkeypatch.undo()

    assert kept_by_chain_and_index(place) == [audit.name]
    assert verify_store(place).holds
    with open_store(place) as store:
        assert keep(audit, store).state == "already there"


def test_what_no_database_can_hold_is_refused_before_it_is_recorded(place, audit_of, monkeypatch):
    def too_large(*words):
        rows = rows_of(*words)
        return replace(rows, audit={**rows.audit, "size": 2**70})

    before = verify_store(place).head
    with monkeypatch.context() as patch, open_store(place) as store:
        patch.setattr("audit.store.index.rows_of", too_large)
        with pytest.raises((OutputError, OverflowError)):
            keep(audit_of(), store)

    assert list((place / "audits").iterdir()) == []
    assert verify_store(place).head == before
    add_to(place, audit_of())


def test_a_database_that_somebody_holds_is_told_and_nothing_is_left(place, audit_of, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with (
        open_store(place) as one,
        open_store(place) as other,
        one.database.write(),
        pytest.raises(OutputError, match="another process holds it"),
    ):
        keep(audit_of(), other)

    assert list((place / "audits").iterdir()) == []


def test_a_clock_that_goes_back_changes_no_order(place, audit_of, result_of):
    early, late = result_of(day=0).run.finished, result_of(day=9).run.finished
    with open_store(place) as store:
        keep(audit_of(day=9), store, now=late)
        keep(audit_of(day=0), store, now=early)
        folders = [a.folder[:8] for a in audits(store.database)]

    assert folders == ["20260110", "20260101"]
    verified = verify_store(place)
    assert verified.holds
    assert any("The clock went back" in note for note in verified.notes)


def test_folders_that_somebody_works_on_are_left_alone(place, audit_of):
    (place / "audits" / ".adding-dead").mkdir()
    (place / "audits" / ".adding-alive").mkdir()
    with disk.taken(place / "audits" / ".adding-alive"):
        add_to(place, audit_of())

    hidden = [p.name for p in (place / "audits").iterdir() if p.name.startswith(".")]
    assert hidden == [".adding-alive"]


def test_a_damaged_index_is_set_aside_and_made_again(tmp_path, audit_of):
    place = tmp_path / "store"
    with create_store(place) as store:
        for day in range(3):
            keep(audit_of(day=day, passed=day != 1), store)
        before = audits(store.database)
    for end in ("-wal", "-shm"):
        (place / f"index.sqlite{end}").unlink(missing_ok=True)
    content = bytearray((place / "index.sqlite").read_bytes())
    # Every page behind the file's own header: where a table lies depends on how many there are.
    content[100:] = bytes(0xA5 for _ in content[100:])
    (place / "index.sqlite").write_bytes(content)
    with pytest.raises(ResultError, match="clip-audit store reindex"):
        add_to(place, audit_of(day=7))
    assert not verify_store(place).holds

    (told,) = reindex(place)

    assert told == "The damaged index was set aside as index.sqlite.damaged."
    with open_store(place) as store:
        assert audits(store.database) == before
    assert verify_store(place).holds
