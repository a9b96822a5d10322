"""A tick runs what is due once, whoever calls it, however often and however late."""

from datetime import timedelta

import pytest

from audit.errors import OutputError
from audit.schedule.child import Ended
from audit.schedule.errors import TriggerError
from audit.schedule.ledger import runs
from audit.schedule.states import OPEN, State

NIGHTLY = """
[[schedule]]
id = "nightly"
owner = "Ada"
timezone = "Europe/Berlin"
cron = "30 2 * * *"
"""
WEEKLY = NIGHTLY.replace('cron = "30 2 * * *"', 'every = "7d"').replace("nightly", "weekly")
WATCHED = NIGHTLY.replace('cron = "30 2 * * *"', 'trigger = "weights digest"')
FULL = Ended(code=3, error="OutputError", why="The disk is full.", transient=True)
WRONG = Ended(code=2, error="PlanError", why="No such key.")


def states(base):
    return [run.state.value for run in runs(base)]


def test_nothing_was_due_before_a_schedule_was_known(tick, base):
    assert tick() == ()
    assert runs(base) == ()


def test_what_is_due_runs_once(tick, clock, runner):
    tick()
    clock.to("2026-01-02T01:29")
    assert tick() == ()
    clock.to("2026-01-02T01:30")
    (run,) = tick()

    assert run.state is State.PASSED
    assert run.folder.endswith("20260102T013000Z/audit-1")
    assert run.lease is None
    assert tick() == tick() == ()
    assert len(runner.asked) == 1


def test_a_week_asleep_is_one_audit(tick, clock, runner, base):
    tick()
    clock.on(days=7)
    tick()
    tick()

    assert len(runner.asked) == 1
    assert states(base) == ["passed"]
    assert runs(base)[0].slot.isoformat() == "2026-01-08T01:30:00+00:00"


def test_a_week_asleep_runs_nothing_where_late_ones_are_to_be_skipped(tick, clock, runner, base):
    text = NIGHTLY + 'misfire = "skip"\ngrace = "1h"\n'
    tick(text)
    clock.on(days=7)
    tick(text)
    assert (states(base), runner.asked) == (["missed"], [])
    clock.to("2026-01-09T02:29")
    tick(text)
    assert states(base) == ["missed", "passed"]


def test_an_interval_begins_at_once_and_then_keeps_its_beat(tick, clock, base):
    for _ in range(30):
        tick(WEEKLY)
        clock.on(days=1)

    assert [run.slot.day for run in runs(base)] == [1, 8, 15, 22, 29]


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-10-24T12:00", 2, ["25 00:30", "26 01:30"]),
        ("2026-03-28T12:00", 2, ["29 01:00", "30 00:30"]),
    ],
)  # fmt: skip
def test_ticks_through_a_change_of_the_clocks_run_each_night_once(
    tick, clock, base, start, days, expected
):
    clock.to(start)
    for _ in range(days * 48):
        tick()
        clock.on(minutes=30)

    assert [f"{run.slot:%d %H:%M}" for run in runs(base)] == expected


def test_a_clock_that_goes_back_runs_nothing_twice(tick, clock, runner, base):
    tick()
    clock.to("2026-01-02T12:00")
    tick()
    clock.to("2026-01-01T12:00")
    for _ in range(30):
        tick()
        clock.on(hours=1)
    assert len(runner.asked) == 1
    clock.to("2026-01-03T12:00")
    tick()

    assert states(base) == ["passed", "passed"]


def test_a_person_may_start_afresh_after_a_clock_was_years_ahead(tick, clock, base):
    tick()
    clock.to("2036-01-02T12:00")
    tick()
    clock.to("2026-01-03T12:00")
    assert tick() == ()
    (run,) = tick(forced=True)
    assert run.slot == clock.now
    clock.on(days=1)
    assert len(tick()) == 1


def test_changed_hours_count_from_now(tick, clock, runner):
    tick()
    clock.on(hours=1)
    tick(NIGHTLY.replace("30 2", "50 12"))
    assert runner.asked == []
    clock.on(hours=23)
    tick(NIGHTLY.replace("30 2", "50 12"))
    assert len(runner.asked) == 1


def test_a_disabled_schedule_rests(tick, clock, runner):
    text = NIGHTLY + "enabled = false\n"
    tick(text)
    clock.on(days=3)
    assert tick(text) == ()
    assert runner.asked == []


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, "passed"), (1, "gate failed"), (3, "untrusted"), (4, "evidence missing")],
)
def test_the_exit_code_of_an_audit_says_how_it_ended(tick, runner, base, code, state):
    runner.script = [{"code": code}]
    (run,) = tick(WEEKLY)

    assert (run.state.value, run.exit_code) == (state, code)
    assert len(runner.asked) == 1


def test_an_exit_code_without_an_audit_is_never_a_pass(tick, runner):
    runner.script = [Ended(code=0)]
    (run,) = tick(WEEKLY)

    assert run.state is State.FAILED
    assert "without a whole audit folder" in run.why


def test_a_crash_is_not_a_failed_gate(tick, runner):
    runner.script = [Ended(code=1)]

    assert tick(WEEKLY)[0].state is State.FAILED


def test_what_may_pass_is_tried_again_and_then_no_more(tick, clock, runner, base):
    runner.script = [FULL] * 9
    waited = []
    for _ in range(25):
        done = tick(WEEKLY)
        if done and done[0].retry_at is not None:
            waited.append(done[0].retry_at - clock.now)
        clock.on(minutes=2)

    assert len(runner.asked) == 3
    assert states(base) == ["failed"]
    assert len(waited) == 2
    assert timedelta(minutes=2.5) <= waited[0] <= timedelta(minutes=7.5)
    assert timedelta(minutes=5) <= waited[1] <= timedelta(minutes=15)


def test_what_does_not_pass_is_not_tried_again(tick, clock, runner, base):
    runner.script = [WRONG]
    tick(WEEKLY)
    clock.on(hours=9)
    tick(WEEKLY)

    assert len(runner.asked) == 1
    assert states(base) == ["failed"]


def test_a_newer_slot_takes_the_place_of_one_that_waits(tick, clock, runner, base):
    tick()
    runner.script = [FULL]
    clock.to("2026-01-02T01:30")
    tick()
    clock.to("2026-01-03T01:30")
    tick()

    assert states(base) == ["superseded", "passed"]


def test_a_wait_that_a_wrong_clock_set_is_not_waited_for(tick, clock, runner):
    clock.to("2036-01-01T00:00")
    runner.script = [FULL]
    tick(WEEKLY)
    clock.to("2026-01-01T00:00")

    assert tick(WEEKLY)[0].state is State.PASSED


@pytest.mark.parametrize(("overlap", "then"), [("forbid", ["skipped"]), ("queue_one", ["queued"])])
def test_a_slot_that_comes_while_another_runs(tick, clock, runner, base, overlap, then):
    text = WEEKLY + f'overlap = "{overlap}"\n'
    during = []

    def slow(order, beat):
        clock.on(days=8)
        during.append(tick(text))
        clock.on(days=7)
        during.append(tick(text))

    runner.script = [slow]
    tick(text)

    assert during == [(), ()]
    assert len(runner.asked) == 1
    assert states(base) == ["passed", *then, "skipped"]
    tick(text)
    tick(text)
    assert len(runner.asked) == (1 if overlap == "forbid" else 2)
    assert not [s for s in states(base) if s in OPEN]


def test_a_trigger_runs_on_a_change_and_only_then(tick, clock, runner):
    seen = ["a", "a", "b", "b", "a"]
    ran = []
    for digest in seen:
        ran.append(len(tick(WATCHED, watch=lambda schedule, home, d=digest: d)))
        clock.on(hours=1)

    assert ran == [1, 0, 1, 0, 1]


def test_a_trigger_that_cannot_be_read_runs_nothing_and_is_said(tick, said, runner):
    def broken(schedule, home):
        raise TriggerError("no such file")

    assert tick(WATCHED, watch=broken) == ()
    assert runner.asked == []
    assert said == ["nightly: no such file"]


def test_an_audit_goes_into_the_store_and_is_tried_again_where_that_failed(
    tick, runner, base, tmp_path, said
):
    calls = []

    def keep(folder):
        calls.append(folder)
        if len(calls) == 1:
            raise OutputError("The disk is full.")
        return tmp_path / "kept"

    def tidy(folder):
        assert runs(base)[0].folder == str(tmp_path / "kept")
        removed.append(folder)

    removed = []
    tick(WEEKLY, keep=keep, tidy=tidy)
    assert (runs(base)[0].stored, removed) == ("kept", [calls[0]])
    assert "not in the store yet: The disk is full." in said[-1]
    tick(WEEKLY, keep=keep, tidy=tidy)
    tick(WEEKLY, keep=keep, tidy=tidy)

    assert len(calls) == 2
    assert runs(base)[0].folder == str(tmp_path / "kept")
    assert runs(base)[0].state is State.PASSED


def test_what_waits_to_be_told_is_tried_after_every_run(tick, runner):
    posts = []
    two = WEEKLY + WEEKLY.replace("weekly", "second")
    tick(two, post=lambda: posts.append(len(runner.asked)))

    assert posts == [1, 2, 2]


def test_one_schedule_that_fails_does_not_stop_the_next(tick, runner, base):
    runner.script = [WRONG]
    tick(WEEKLY + WEEKLY.replace("weekly", "second"))

    assert sorted(states(base)) == ["failed", "passed"]
