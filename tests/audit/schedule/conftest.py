"""A clock that tests turn, audits that take no time, and a desk with both."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from audit.errors import ResultError
from audit.schedule.child import Ended
from audit.schedule.desk import Desk
from audit.schedule.file import Schedules, parse_schedules
from audit.schedule.lease import this_process
from audit.schedule.outcome import Audited
from audit.schedule.tables import open_schedule
from audit.schedule.tick import run_due

NIGHTLY = """
[[schedule]]
id = "nightly"
owner = "Ada"
timezone = "Europe/Berlin"
cron = "30 2 * * *"
"""


@dataclass
class Clock:
    """Says what the test says."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def to(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


def write_audit(out: Path, code: int = 0, **told: object) -> Path:
    """Write what stands for an audit folder: whole in one step, as real ones are."""
    partial = out / ".audit.partial-0"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "result.json").write_text(json.dumps({"code": code, **told}))
    (partial / "manifest.json").write_text("{}")
    return partial.rename(out / f"audit-{len(list(out.iterdir()))}")


def read_audit(folder: Path, today: date) -> Audited:
    try:
        told = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError) as error:
        raise ResultError(str(error)) from None
    code = told.get("code", 0)
    return Audited(
        folder=folder,
        code=code,
        gate=told.get("gate", "failed" if code == 1 else "passed"),
        counts=told.get("counts", {}),
        high=tuple(map(tuple, told.get("high", ()))),
        expiring=tuple(map(tuple, told.get("expiring", ()))),
    )


@dataclass
class Runner:
    """Runs nothing; remembers what it was asked, and does what the test lined up."""

    asked: list = field(default_factory=list)
    script: list = field(default_factory=list)
    """For each try: an `Ended` without audit, an exception, a function, or what the audit tells."""

    def __call__(self, order, beat):
        self.asked.append(order)
        beat(None)
        step = self.script.pop(0) if self.script else {}
        if callable(step) and not isinstance(step, type):
            step = step(order, beat) or {}
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Ended):
            return step
        write_audit(order.out, **step)
        return Ended(code=step.get("code", 0))


@pytest.fixture
def clock():
    return Clock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def runner():
    return Runner()


@pytest.fixture
def said():
    return []


@pytest.fixture
def book(tmp_path) -> Callable[[str], Schedules]:
    return lambda text: parse_schedules(text, where="schedules.toml", home=tmp_path)


@pytest.fixture
def base(tmp_path):
    opened = open_schedule(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def desk(base, book, clock, runner, said, tmp_path) -> Callable[..., Desk]:
    """Make the desk of a process of its own: every call gives another owner."""

    def make(text: str = NIGHTLY, **other: object) -> Desk:
        made = Desk(
            base=base,
            place=tmp_path / "store",
            book=book(text),
            owner=this_process(),
            clock=clock,
            runner=runner,
            read=read_audit,
            watch=lambda schedule, home: "",
            rng=np.random.default_rng(0),
            say=said.append,
        )
        return replace(made, **other)

    return make


@pytest.fixture
def tick(desk):
    """One tick, as a process of its own would do it."""

    def once(text: str = NIGHTLY, forced: bool = False, **other: object):
        return run_due(desk(text, **other), forced=forced)

    return once
