"""A schedule for somebody else's clock: the clock calls, the schedule file decides."""

from audit.schedule.exports.clock import Tick
from audit.schedule.exports.cron import cron_files
from audit.schedule.exports.github import github_files
from audit.schedule.exports.kubernetes import kubernetes_files
from audit.schedule.exports.systemd import systemd_files

EXPORTS = {
    "cron": cron_files,
    "systemd": systemd_files,
    "github-actions": github_files,
    "kubernetes": kubernetes_files,
}
"""Name of a clock to the function that gives its files, by name."""

__all__ = ["EXPORTS", "Tick"]
