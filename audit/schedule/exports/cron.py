"""A line for crontab."""

import shlex

from audit.schedule.exports.clock import Tick


def cron_files(tick: Tick) -> dict[str, str]:
    """Return a crontab with one line.

    A per cent sign ends the command in a crontab, so that it is escaped.
    """
    command = shlex.join(tick.words).replace("%", r"\%")
    return {
        "clip-audit.crontab": (
            "# What is due, and in which time zone, is in the schedule file. This only calls\n"
            "# often enough: calling twice, or after a week, runs each audit once.\n"
            f"*/{tick.minutes} * * * * {command}\n"
        )
    }
