"""When something is due: the clocks change twice a year, and audits neither double nor vanish."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.schedule.file import Schedule
from audit.schedule.slots import latest_slot, next_slot


def schedule(cron: str = "", zone: str = "Europe/Berlin", **other: object) -> Schedule:
    return Schedule(id="a", owner="o", timezone=zone, cron=cron, **other)


def slots(one: Schedule, start: str, hours: int) -> list[str]:
    """Every slot that ticks each ten minutes would find."""
    taken = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found, now = [], taken
    for _ in range(hours * 6):
        now += timedelta(minutes=10)
        slot = latest_slot(one, taken, now)
        if slot is not None:
            taken = slot
            found.append(slot.astimezone(one.zone).isoformat())
    return found


def test_an_hour_that_comes_twice_runs_once():
    assert slots(schedule("30 2 * * *"), "2026-10-24T00:00", 72) == [
        "2026-10-24T02:30:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_an_hour_that_does_not_come_runs_when_the_clocks_have_moved():
    assert slots(schedule("30 2 * * *"), "2026-03-28T00:00", 72) == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


@pytest.mark.parametrize("day", ["2026-03-29T00:00", "2026-10-25T00:00"])
def test_every_half_hour_is_every_half_hour_when_the_clocks_change(day):
    assert len(slots(schedule("*/30 * * * *"), day, 6)) == 12


def test_monday_is_monday():
    (first, *_) = slots(schedule("0 3 * * 1", "UTC"), "2026-01-01T00:00", 24 * 7)

    assert datetime.fromisoformat(first).strftime("%A") == "Monday"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@given(
    cron=st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 3 * * 1", "5 1 1 * *", "0 */6 * * *"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),
    hours=st.integers(1, 24 * 45),
)
@settings(max_examples=25, deadline=None)
def test_the_newest_slot_is_the_one_that_asking_one_by_one_ends_with(zone, cron, start, hours):
    one = schedule(cron, zone)
    after = start.replace(tzinfo=UTC)
    now = after + timedelta(hours=hours)
    expected, slot = None, next_slot(one, after)
    while slot <= now:
        expected, slot = slot, next_slot(one, slot)

    assert latest_slot(one, after, now) == expected


def test_an_interval_keeps_its_beat_however_late_it_is_seen():
    one = schedule("", every="7d")
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert latest_slot(one, start, start + timedelta(days=6)) is None
    assert latest_slot(one, start, start + timedelta(days=16)) == start + timedelta(days=14)


def test_a_clock_that_went_back_finds_nothing():
    after = datetime(2026, 6, 1, tzinfo=UTC)

    assert latest_slot(schedule("* * * * *"), after, after - timedelta(days=400)) is None
