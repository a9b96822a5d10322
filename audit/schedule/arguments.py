"""A schedule as the command that a person would type."""

from collections.abc import Iterator
from pathlib import Path

from audit.schedule.file import Schedule

OPTIONS = (
    "model", "pretrained", "other", "other_pretrained", "photos", "device", "cache", "fail_on",
    "fail_on_new", "fail_on_worse", "min_coverage", "on_inconclusive", "baseline", "waivers",
)  # fmt: skip
"""Keys that are options of ``clip-audit run`` under the same name."""

FLAGS = ("offline", "strict")


def run_arguments(schedule: Schedule, out: Path) -> tuple[str, ...]:
    """Return what follows ``clip-audit`` for one audit; paths start at the schedule file.

    Parameters
    ----------
    schedule : Schedule
    out : Path
        Folder that gets the audit.
    """
    return (
        "run",
        *_options(schedule),
        "--format",
        ",".join(schedule.formats) or "json",
        "--out",
        str(out),
        *(["--", schedule.plan] if schedule.plan else []),
    )


def _options(schedule: Schedule) -> Iterator[str]:
    defaults = {name: field.default for name, field in Schedule.model_fields.items()}
    for name in OPTIONS:
        value = getattr(schedule, name)
        if value != defaults[name]:
            yield f"--{name.replace('_', '-')}={value}"
    for pack in schedule.packs:
        yield f"--packs={pack}"
    for name in FLAGS:
        if getattr(schedule, name):
            yield f"--{name}"
