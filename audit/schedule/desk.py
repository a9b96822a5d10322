"""Everything outside that a tick needs; tests put their own in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from audit.schedule.child import Runner
from audit.schedule.file import Schedule, Schedules
from audit.schedule.lease import Lease, Owner, is_dead, stop_orphan
from audit.schedule.outcome import Reader
from audit.schedule.triggers import Watch
from audit.store.database import Database

RUNS_FOLDER = "runs"
"""In the store: logs of every try, and audits until the store has them."""

Keep = Callable[[Path], Path]
"""Puts a finished audit into the store; gives the folder in which it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a tick reads, runs and writes with."""

    base: Database
    place: Path
    """Folder of the store."""

    book: Schedules
    owner: Owner
    clock: Callable[[], datetime]
    runner: Runner
    read: Reader
    watch: Watch
    rng: np.random.Generator
    say: Callable[[str], None]
    keep: Keep | None = None
    tidy: Callable[[Path], None] = lambda folder: None
    """Removes the copy that a run made, where the store has the same."""

    post: Callable[[], None] = lambda: None
    """Tries what waits to be told; called after every run."""

    dead: Callable[[Lease, datetime, str], bool] = is_dead
    stop: Callable[[Lease, str], None] = stop_orphan
    only: tuple[str, ...] = ()
    """Schedules to look at; all that are enabled if empty."""

    def schedules(self) -> tuple[Schedule, ...]:
        """Return the schedules that this tick looks at."""
        if self.only:
            return tuple(self.book.find(name) for name in self.only)
        return tuple(one for one in self.book.schedules if one.enabled)

    def out(self, schedule: Schedule) -> Path:
        """Return the folder of a schedule's runs."""
        parent = self.book.home / schedule.out if schedule.out else self.place / RUNS_FOLDER
        return parent.absolute() / schedule.id

    def left_behind(self, lease: Lease) -> bool:
        """Whether nobody keeps a lease any more.

        A lease of this very owner is one that it could not let go: it does one thing at a time.
        """
        if lease.owner.name == self.owner.name:
            return True
        return self.dead(lease, self.clock(), self.owner.place)
