"""Ticks in a loop, for a container that has no clock of its own to call us."""

from collections.abc import Callable
from datetime import timedelta

from audit.errors import OutputError, PlanError

LONGEST = timedelta(minutes=1)
"""Between two looks; a changed file, a dead lease or a new trigger is seen within it."""


def keep_ticking(
    tick: Callable[[], None],
    wait: Callable[[float], None],
    say: Callable[[str], None],
    *,
    every: timedelta = LONGEST,
    rounds: int | None = None,
) -> None:
    """Tick until somebody stops the process.

    Parameters
    ----------
    tick : callable
        One tick, which reads the schedule file again.
    wait : callable
        Takes seconds.
    say : callable
        Takes a sentence.
    every : timedelta
        Pause between two ticks.
    rounds : int, optional
        How many ticks; for ever by default.
    """
    done = 0
    while rounds is None or done < rounds:
        try:
            tick()
        except (OutputError, PlanError) as error:
            # A full disk, a busy database or a file being edited is no reason to stop looking.
            say(str(error))
        done += 1
        wait(every.total_seconds())
