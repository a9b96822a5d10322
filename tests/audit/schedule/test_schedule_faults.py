"""Two at once, death at any moment, no room, no lock: nothing is lost and nothing runs twice."""

import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from audit.errors import OutputError
from audit.schedule.child import Ended
from audit.schedule.lease import this_process
from audit.schedule.ledger import runs
from audit.schedule.outcome import finished_audit
from audit.schedule.states import OPEN, State
from audit.schedule.tables import open_schedule
from audit.schedule.tick import run_due
from audit.store import database

WEEKLY = """
[[schedule]]
id = "weekly"
owner = "Ada"
timezone = "UTC"
every = "7d"
retries = 5
"""
EIGHT = "".join(WEEKLY.replace("weekly", f"s{n}") for n in range(8))
FORKS = multiprocessing.get_context("fork")


def noted(path, delay):
    """A runner that notes every audit it finishes, in a file that many processes append to."""

    def run(order, beat):
        beat(None)
        folder = order.out / ".audit.partial-0"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("result.json", "manifest.json"):
            time.sleep(delay)
            (folder / name).write_text("{}")
        time.sleep(delay)
        folder.rename(order.out / "audit")
        with path.open("a") as log:
            log.write(f"{order.out.parent.name} {order.out.name}\n")
        time.sleep(delay)
        return Ended(code=0)

    return run


def finished(path):
    return Counter(path.read_text().splitlines() if path.exists() else ())


def wait_for(workers):
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)


def in_process(desk, place, text, **other):
    """A tick with a connection of its own, as a process of its own has."""

    def once():
        base = open_schedule(place)
        try:
            run_due(replace(desk(text, **other), base=base, owner=this_process()))
        finally:
            base.close()

    return once


@pytest.mark.parametrize("kind", [threading.Thread, FORKS.Process], ids=["threads", "processes"])
@pytest.mark.parametrize("workers", [2, 8])
def test_ticks_at_once_run_each_audit_once(desk, base, tmp_path, kind, workers):
    base.close()
    log = tmp_path / "log"
    tick = in_process(desk, tmp_path / "store", EIGHT, runner=noted(log, 0.002))
    wait_for([kind(target=tick) for _ in range(workers)])
    tick()

    assert finished(log) == Counter({f"s{n} 20260101T120000Z": 1 for n in range(8)})
    assert Counter(r.state for r in runs(base)) == {State.PASSED: 8}


def test_a_tick_that_is_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    desk, base, tmp_path, clock
):
    base.close()
    log = tmp_path / "log"
    dice = random.Random(os.getpid())
    tick = in_process(desk, tmp_path / "store", WEEKLY, runner=noted(log, 0.005))
    began = time.monotonic()
    wait_for([FORKS.Process(target=tick)])
    whole = time.monotonic() - began
    kills = 0
    for _ in range(60):
        clock.on(days=dice.choice([0, 7]) if kills % 2 else 7)
        victim = FORKS.Process(target=tick)
        victim.start()
        time.sleep(dice.uniform(0.0, 0.8 * whole))
        victim.kill()
        victim.join()
        kills += victim.exitcode == -signal.SIGKILL
        if kills == 10:
            break
    clock.on(days=7)
    for _ in range(3):
        tick()

    ended = runs(base)
    assert not [r for r in ended if r.state in OPEN]
    assert kills >= 5
    assert ended[-1].state is State.PASSED
    assert set(finished(log).values()) <= {1}
    for run in ended:
        assert (run.state is State.PASSED) == (finished_audit(tmp_path / run.out) is not None)
    with sqlite3.connect(tmp_path / "store" / "schedule.sqlite") as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_audit_that_was_finished_counts_though_its_tick_died(desk, clock, base, tick, tmp_path):
    log = tmp_path / "log"

    def last_words(order, beat):
        noted(log, 0)(order, beat)
        os._exit(9)

    clock_of_child = in_process(desk, tmp_path / "store", WEEKLY, runner=last_words)
    wait_for([FORKS.Process(target=clock_of_child)])
    assert [r.state for r in runs(base)] == [State.RUNNING]
    (run,) = tick(WEEKLY)

    assert run.state is State.PASSED
    assert run.folder.endswith("/audit")
    assert sum(finished(log).values()) == 1


def test_an_audit_that_the_store_had_already_is_kept_once(desk, base, tick, tmp_path, runner):
    kept, removed = tmp_path / "kept", []

    def keep(folder):
        kept.mkdir(exist_ok=True)
        with (tmp_path / "calls").open("a") as log:
            log.write("x")
        if len((tmp_path / "calls").read_text()) == 1:
            os._exit(9)
        return kept

    dead = in_process(desk, tmp_path / "store", WEEKLY, keep=keep)
    wait_for([FORKS.Process(target=dead)])
    assert [r.state for r in runs(base)] == [State.RUNNING]
    (run,) = tick(WEEKLY, keep=keep, tidy=removed.append)

    assert (run.state, run.stored, run.folder) == (State.PASSED, "kept", str(kept))
    assert [str(folder) for folder in removed] == [f"{run.out}/audit-1"]
    assert runner.asked == []


def test_a_run_whose_owner_died_is_interrupted_and_goes_on(
    desk, base, clock, tick, tmp_path, runner
):
    dead = in_process(desk, tmp_path / "store", WEEKLY, runner=lambda order, beat: os._exit(9))
    wait_for([FORKS.Process(target=dead)])
    first, *_ = tick(WEEKLY)

    assert first.state is State.INTERRUPTED
    assert "ended before it could write down" in first.why
    assert [r.state for r in runs(base)] == [State.PASSED]
    assert runs(base)[0].attempts == 2
    assert len(runner.asked) == 1


def test_one_that_dies_every_time_is_given_up(desk, base, tick, tmp_path, clock):
    text = WEEKLY.replace("retries = 5", "retries = 1")
    dead = in_process(desk, tmp_path / "store", text, runner=lambda order, beat: os._exit(9))
    for _ in range(4):
        wait_for([FORKS.Process(target=dead)])
    tick(text)

    assert [(r.state, r.attempts) for r in runs(base)] == [(State.FAILED, 2)]


def test_a_lease_elsewhere_is_dead_when_it_was_not_renewed(desk, base, tick, clock, runner):
    away = desk(WEEKLY)
    away = replace(away, owner=replace(away.owner, place="another machine"))
    seen = []

    def slow(order, beat):
        clock.on(minutes=2)
        seen.append(tick(WEEKLY))
        beat(None)
        clock.on(minutes=2)
        seen.append(tick(WEEKLY))
        clock.on(minutes=4)
        seen.append(tick(WEEKLY))
        beat(None)

    runner.script = [slow]
    assert run_due(away) == ()
    assert seen[:2] == [(), ()]
    assert [run.state for run in seen[2]] == [State.INTERRUPTED, State.PASSED]
    assert [r.state for r in runs(base)] == [State.PASSED]


def test_a_tick_that_is_stopped_lets_go_and_the_next_goes_on(tick, runner, base):
    runner.script = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        tick(WEEKLY)
    (run,) = runs(base)
    assert (run.state, run.attempts, run.lease) == (State.INTERRUPTED, 0, None)
    assert tick(WEEKLY)[0].state is State.PASSED


def test_a_database_that_stays_locked_is_told_and_nothing_is_begun(
    tick, base, runner, monkeypatch, tmp_path
):
    tick()
    base.engine.dispose()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    other = open_schedule(tmp_path / "store")
    short = open_schedule(tmp_path / "store")
    with other.write(), pytest.raises(OutputError, match="another process holds it"):
        tick(WEEKLY, base=short)
    assert runner.asked == []
    tick(WEEKLY)
    assert len(runner.asked) == 1


def test_a_database_that_is_locked_at_a_beat_does_not_end_the_audit(
    tick, desk, said, monkeypatch, tmp_path, runner
):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    other, short = open_schedule(tmp_path / "store"), open_schedule(tmp_path / "store")

    def busy(order, beat):
        with other.write():
            beat(None)

    runner.script = [busy]
    (run,) = tick(WEEKLY, base=short)

    assert run.state is State.PASSED
    assert any("another process holds it" in line for line in said)


def fail_at(engine, nth):
    """Let the nth statement that writes find a full disk."""
    count = iter(range(1, 10_000))

    def look(connection, cursor, statement, parameters, context, many):
        if statement.split()[0] in {"INSERT", "UPDATE"} and next(count) == nth:
            full = sqlite3.OperationalError("database or disk is full")
            raise OperationalError(statement, parameters, full)

    event.listen(engine, "before_cursor_execute", look)


@pytest.mark.parametrize("nth", range(1, 13))
def test_a_disk_that_is_full_at_any_write_loses_nothing(
    desk, base, tick, nth, tmp_path, clock, runner
):
    full = open_schedule(tmp_path / "store")
    fail_at(full.engine, nth)
    owner = this_process()
    told = []
    for _ in range(2):
        try:
            run_due(replace(desk(WEEKLY), base=full, owner=owner, say=told.append))
        except OutputError as error:
            told.append(str(error))
    full.close()

    assert any("full" in line for line in told) == (nth <= 9)
    assert [(r.state, r.slot) for r in runs(base)] == [
        (State.PASSED, datetime(2026, 1, 1, 12, tzinfo=UTC))
    ]
    assert len(runner.asked) == 1


def test_a_disk_without_room_is_told_by_sqlite_itself(tick, tmp_path, runner, base):
    full = open_schedule(tmp_path / "store")

    @event.listens_for(full.engine, "checkout")
    def _no_room(connection, record, proxy):
        connection.execute("PRAGMA max_page_count = 1")

    many = "".join(WEEKLY.replace("weekly", f"{'long' * 14}{n}") for n in range(150))
    with pytest.raises(OutputError, match="full"):
        tick(many, base=full)
    assert 1 <= len(runner.asked) < 150
    assert all(r.state is State.PASSED for r in runs(base) if r.state not in OPEN)


def test_a_week_asleep_in_the_middle_of_an_audit_is_no_second_audit(tick, clock, runner, base):
    def sleep(order, beat):
        clock.on(days=3)
        beat(None)

    runner.script = [sleep]
    tick(WEEKLY)
    tick(WEEKLY)

    assert len(runner.asked) == 1
    assert runs(base)[0].finished - runs(base)[0].started == timedelta(days=3)
