"""``clip-audit track``: log a finished audit where a team keeps its experiments."""

import os
from pathlib import Path

import click

from audit.cli.ending import exit_code
from audit.cli.printing import note, say
from audit.conclude import trustworthy
from audit.errors import PlanError, ResultError
from audit.results import AuditResult
from audit.tracking.addresses import without_secrets
from audit.tracking.entry import Entry, entry_of
from audit.tracking.trackers import TRACKERS, load_tracker
from audit.verify import verify_folder

EXPERIMENT = "clip-audit"


@click.command()
@click.argument("audit", type=click.Path(path_type=Path, exists=False))
@click.option("--to", "name", type=click.Choice(tuple(TRACKERS)), required=True,
              help="Kind of tracker.")  # fmt: skip
@click.option("--tracking-uri", "uri", default="", metavar="URI",
              help="Server or database.  [default: the variable that the tracker's own client "
              "reads, such as MLFLOW_TRACKING_URI]")  # fmt: skip
@click.option("--experiment", default=EXPERIMENT, show_default=True, metavar="NAME",
              help="Made where there is none.")  # fmt: skip
@click.option("--with-pictures", "pictures", is_flag=True,
              help="Log the pictures and the reports that hold them, too.")  # fmt: skip
def track(audit: Path, name: str, uri: str, experiment: str, pictures: bool) -> None:
    """Log AUDIT as a run: effects, counts, gate, digests and files. An audit is logged once.

    Nothing is read back, and the audit stays as it is.
    """
    uri = uri or os.environ.get(TRACKERS[name].variable, "")
    if not uri:
        raise PlanError(
            f"A tracker must be named; got neither --tracking-uri nor {TRACKERS[name].variable}. "
            "Name a server or a database, such as --tracking-uri sqlite:///mlflow.db."
        )
    result = _verified(audit)
    code = exit_code(result.gate, trustworthy(result.arms))
    entry = entry_of(result, audit, code=code, pictures=pictures)
    logged = load_tracker(name)(entry, uri=uri, experiment=experiment)
    say(f"{logged.state}: run {logged.run} of {experiment} at {without_secrets(uri)}")
    if logged.state != "already there":
        _tell_left_out(audit, entry)


def _verified(audit: Path) -> AuditResult:
    if not audit.is_dir():
        raise ResultError(f"An audit to log must be its folder; got {audit}. Give the folder.")
    return verify_folder(audit)


def _tell_left_out(audit: Path, entry: Entry) -> None:
    logged = {path.name for path in entry.files}
    left = sorted(path.name for path in audit.iterdir() if path.name not in logged)
    if left:
        note(f"Note: {', '.join(left)} hold pictures and were left out; --with-pictures logs them.")
