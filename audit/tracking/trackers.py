"""The table of trackers: one row each, whose client is imported only when it is asked for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, Protocol, cast

from audit.errors import PlanError
from audit.tracking.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What became of an entry."""

    state: Literal["logged", "already there", "completed"]
    """*completed*: an earlier call began it and was stopped."""

    run: str
    """What the tracker calls it."""


class Publish(Protocol):
    """How an entry gets to a tracker."""

    def __call__(self, entry: Entry, *, uri: str, experiment: str) -> Logged:
        """Log an entry once.

        Raises
        ------
        PlanError
            If the address is none of this tracker.
        TrackerError
            If the tracker does not take it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """One tracker of experiments."""

    title: str
    package: str
    """Its client, as it is imported; the extra has its name."""

    variable: str
    """Environment variable with the address, where none is given."""

    publish: str
    """``module:function``, a `Publish`."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment of the client, where the caller has not set it otherwise."""


TRACKERS = {
    "mlflow": Tracker(
        title="MLflow",
        package="mlflow",
        variable="MLFLOW_TRACKING_URI",
        publish="audit.tracking.to_mlflow:publish",
        settings={
            # An audit reports to nobody but the tracker that was named.
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_LOGGING_LEVEL": "ERROR",
            # The client's own patience with a server that is away is minutes.
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        },
    ),
}
"""Name, as on the command line, to what it takes."""


def load_tracker(name: str) -> Publish:
    """Import the client of a tracker.

    Raises
    ------
    PlanError
        If it is not installed.
    """
    tracker = TRACKERS[name]
    for variable, value in tracker.settings.items():
        os.environ.setdefault(variable, value)
    module, _, function = tracker.publish.partition(":")
    try:
        if find_spec(tracker.package) is None:
            raise ModuleNotFoundError(f"No module named {tracker.package!r}")
        return cast(Publish, getattr(import_module(module), function))
    except ImportError as error:
        raise PlanError(
            f"The client of {tracker.title} must be installed to log there; it is not: {error}. "
            f"Install it: pip install clip-bias-audit[{tracker.package}]"
        ) from None
