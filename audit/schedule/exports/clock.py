"""What every clock needs to know to call us."""

from dataclasses import dataclass
from datetime import timedelta

from audit.schedule.file import Schedules

SPARE = timedelta(minutes=30)
"""Beyond all timeouts, for writing what came out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The command that a clock calls, and how often."""

    program: str
    """Path of ``clip-audit``."""

    schedules: str
    """Path of the schedule file."""

    store: str
    minutes: int
    """Between two calls: a divisor of 60."""

    limit: timedelta
    """How long one call may take: every audit of the file, one after the other."""

    image: str = "clip-audit:latest"
    """Container image."""

    @property
    def words(self) -> tuple[str, ...]:
        """The command, word by word."""
        return (self.program, *self.arguments)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the program."""
        return ("schedule", "run-due", "--schedules", self.schedules, "--store", self.store)


def longest(book: Schedules) -> timedelta:
    """Return how long one tick may take."""
    return sum((s.timeout for s in book.schedules if s.enabled), SPARE)
