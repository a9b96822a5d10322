"""Audits as runs of MLflow: a server, or a database that needs none."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy
from mlflow.entities import Metric, Param, Run, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from audit.errors import PlanError
from audit.tracking.addresses import without_secrets
from audit.tracking.entry import IDENTITY, Entry
from audit.tracking.errors import TrackerError
from audit.tracking.keys import metric_key
from audit.tracking.trackers import Logged

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https", "databricks")
BATCH = 1000
"""Metrics that MLflow takes at once."""

FOLDER = "audit"
"""Artifact folder of a run that holds the files of the audit."""


def publish(entry: Entry, *, uri: str, experiment: str) -> Logged:
    """Log an audit as a finished run, once.

    Parameters
    ----------
    entry : Entry
    uri : str
        Address of a tracking server, or URL of a database that holds MLflow's tables or nothing.
    experiment : str
        Made where there is none.

    Returns
    -------
    Logged
        The run; one that an earlier call left unfinished is completed.

    Raises
    ------
    PlanError
        If the address is none that MLflow takes, or a database of something else.
    TrackerError
        If MLflow does not answer or refuses; the same command goes on later.
    """
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    scheme = _scheme(uri)
    with _told(uri):
        if scheme in DATABASES:
            _require_database(uri)
        client = MlflowClient(uri)
        home = _experiment(client, experiment, uri)
        found = _earlier(client, home, entry)
        if found is not None and found.info.status == RunStatus.to_string(RunStatus.FINISHED):
            return Logged(state="already there", run=found.info.run_id)
        run = found or _begin(client, home, entry)
        _fill(client, run.info.run_id, entry)
    return Logged(state="completed" if found else "logged", run=run.info.run_id)


def _scheme(uri: str) -> str:
    scheme = "databricks" if uri == "databricks" else urlsplit(uri).scheme.partition("+")[0]
    if scheme not in (*DATABASES, *SERVERS):
        raise PlanError(
            "A tracking URI must name a server or a database, such as https://example.org or "
            f"sqlite:///mlflow.db; got {without_secrets(uri)!r}. MLflow keeps no runs in plain "
            "folders any more."
        )
    return scheme


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turn what MLflow and what is below it raise into a sentence without passwords."""
    try:
        yield
    except ImportError as error:
        raise PlanError(
            f"The driver of the database must be installed; {error}. Install it, and what a "
            "database of MLflow needs: pip install clip-bias-audit[mlflow]"
        ) from None
    except (MlflowException, SQLAlchemyError, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        why = without_secrets(lines[0])[:300].rstrip(" .:")
        raise TrackerError(
            f"MLflow must take the audit; {without_secrets(uri)} gave: {why}. The audit is as it "
            "was: correct the address or wait, then repeat the command."
        ) from None


def _require_database(uri: str) -> None:
    """Refuse a database of something else at once; MLflow would try for minutes, or fill it."""
    kept = sqlalchemy.create_engine(uri)
    try:
        tables = set(sqlalchemy.inspect(kept).get_table_names())
    finally:
        kept.dispose()
    if tables and "experiments" not in tables:
        raise PlanError(
            f"A database to log to must be MLflow's, or new; {without_secrets(uri)} holds "
            f"{sorted(tables)[0]}. Name another file."
        )


def _experiment(client: MlflowClient, name: str, uri: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, artifact_location=_artifacts(uri)))
    except MlflowException:
        # Another may have made it meanwhile.
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def _artifacts(uri: str) -> str | None:
    """Return the folder beside a file of runs; a server knows its own place."""
    file = sqlalchemy.make_url(uri).database if uri.startswith("sqlite") else None
    return (Path(file).absolute().parent / "mlartifacts").as_uri() if file else None


def _earlier(client: MlflowClient, home: str, entry: Entry) -> Run | None:
    runs = client.search_runs(
        [home],
        filter_string=f"tags.`{IDENTITY}` = '{entry.audit}'",
        run_view_type=ViewType.ACTIVE_ONLY,
    )
    done = RunStatus.to_string(RunStatus.FINISHED)
    return next(iter(sorted(runs, key=lambda run: run.info.status != done)), None)


def _begin(client: MlflowClient, home: str, entry: Entry) -> Run:
    return client.create_run(
        home, start_time=_milliseconds(entry.started), tags=dict(entry.tags), run_name=entry.name
    )


def _fill(client: MlflowClient, run: str, entry: Entry) -> None:
    """Log everything with the audit's own time, so that a second time changes nothing."""
    at = _milliseconds(entry.finished)
    metrics = [Metric(metric_key(name), value, at, 0) for name, value in entry.metrics.items()]
    params = [Param(name, value) for name, value in entry.params.items()]
    tags = [RunTag(name, value) for name, value in entry.tags.items()]
    client.log_batch(run, params=params, tags=tags)
    for part in _parts(metrics):
        client.log_batch(run, metrics=part)
    for path in entry.files:
        client.log_artifact(run, str(path), FOLDER)
    client.set_terminated(run, RunStatus.to_string(RunStatus.FINISHED), at)


def _parts(metrics: Sequence[Metric]) -> Iterator[Sequence[Metric]]:
    for start in range(0, len(metrics), BATCH):
        yield metrics[start : start + BATCH]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
