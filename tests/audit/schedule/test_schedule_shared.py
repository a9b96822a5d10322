"""Several machines share a schedule in a database server, and run each audit once."""

import importlib.util
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from audit.schedule.lease import this_process
from audit.schedule.ledger import runs
from audit.schedule.states import State
from audit.schedule.tables import DATABASE, open_schedule
from audit.schedule.tick import run_due
from audit.store.index import create_store, reindex

FIXTURES = Path(__file__).parents[1] / "store" / "conftest.py"
SPEC = importlib.util.spec_from_file_location("store_fixtures", FIXTURES)
STORE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(STORE)
server = STORE.server

EIGHT = "".join(
    f'[[schedule]]\nid = "s{n}"\nowner = "Ada"\ntimezone = "UTC"\nevery = "7d"\n' for n in range(8)
)


@pytest.fixture
def place(server, tmp_path):
    folder = tmp_path / "shared"
    create_store(folder, server.new_place()).close()
    return folder


def test_ticks_of_several_machines_run_each_audit_once(place, desk, runner):
    def tick(name):
        base = open_schedule(place)
        try:
            owner = replace(this_process(), place=name)
            run_due(replace(desk(EIGHT), base=base, place=place, owner=owner))
        finally:
            base.close()

    threads = [threading.Thread(target=tick, args=(f"machine {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    base = open_schedule(place)

    assert len(runner.asked) == 8
    assert Counter(run.state for run in runs(base)) == {State.PASSED: 8}
    base.close()
    assert not (place / DATABASE).exists()


def test_a_machine_that_is_not_heard_of_is_taken_over(place, desk, runner, clock):
    base = open_schedule(place)
    here = replace(desk(EIGHT), base=base, place=place, only=("s0",))
    away = replace(here, owner=replace(here.owner, name="away", place="another machine"))

    def gone(order, beat):
        clock.on(minutes=4)
        (taken, again) = run_due(here)
        assert (taken.state, again.state) == (State.INTERRUPTED, State.PASSED)
        beat(None)

    runner.script = [gone]
    assert run_due(away) == ()
    assert [run.state for run in runs(base)] == [State.PASSED]
    base.close()


def test_what_was_run_outlives_a_new_index(place, desk, runner):
    base = open_schedule(place)
    run_due(replace(desk(EIGHT), base=base, place=place))
    reindex(place)
    run_due(replace(desk(EIGHT), base=base, place=place))
    base.close()

    assert len(runner.asked) == 8


def test_what_was_run_outlives_an_index_that_was_thrown_away(desk, base, tmp_path, runner):
    run_due(desk(EIGHT))
    base.close()
    (tmp_path / "store" / "index.sqlite").write_bytes(b"no database at all, and long enough" * 99)
    reindex(tmp_path / "store")
    again = open_schedule(tmp_path / "store")
    run_due(replace(desk(EIGHT), base=again))
    again.close()

    assert len(runner.asked) == 8
