"""What a gate is asked: by options of a command, and by the plan where none was typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from audit.baseline import read_baseline
from audit.errors import PlanError
from audit.gate import FAIL_ON, GateOrder, refuse_without_baseline
from audit.plan import GateSection
from audit.waivers import NO_WAIVERS, read_waivers

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAsked:
    """What the command line asks of a gate; the plan's ``[gate]`` has the rest."""

    given: Mapping[str, Any]
    """Key of ``[gate]`` to the value of its option, for options that were typed."""

    def order(self, plan: GateSection, home: Path) -> GateOrder:
        """Put plan and command line together and read the files that they name.

        Parameters
        ----------
        plan : GateSection
            What the plan asks; an option that was typed wins.
        home : Path
            Folder of the plan; files that the plan names are relative to it.

        Raises
        ------
        PlanError
            If waivers cannot be used, or a rule has no baseline to compare with.
        ResultError
            If the baseline cannot be used.
        """
        files = {name: home / told for name in GATE_FILES if (told := getattr(plan, name))}
        return gate_order(**{**dict(plan), **dict.fromkeys(GATE_FILES), **files, **self.given})


GATE_FILES = ("baseline", "waivers")
"""Keys of ``[gate]`` that name files."""


def home_of(plan_path: Path | None) -> Path:
    """Return the folder that paths in a plan are relative to."""
    return plan_path.parent if plan_path is not None else Path()


def gate_options(command: Command) -> Command:
    """Add what a gate may be asked; the command gets a `GateAsked` as ``gate``."""

    @wraps(command)
    def with_gate(*arguments: Any, **given: Any) -> Any:
        asked = {name: given.pop(name) for name in GATE_OPTIONS}
        source = click.get_current_context().get_parameter_source
        typed = {n: value for n, value in asked.items() if source(n) is not ParameterSource.DEFAULT}
        return command(*arguments, gate=GateAsked(given=typed), **given)

    for option in reversed(GATE_OPTIONS.values()):
        with_gate = option(with_gate)
    return with_gate


GATE_OPTIONS: dict[str, Command] = {
    "fail_on": click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        default="none",
        show_default=True,
        help="Exit with 1 when a finding fixed beforehand has this severity or a worse one.",
    ),
    "fail_on_new": click.option(
        "--fail-on-new",
        type=click.Choice(FAIL_ON),
        default="none",
        show_default=True,
        help="The same for findings that the baseline lacks.",
    ),
    "fail_on_worse": click.option(
        "--fail-on-worse",
        type=click.FloatRange(min=0),
        metavar="SD",
        help="Exit with 1 when a contrast fixed beforehand has certainly risen by more control "
        "standard deviations than this since the baseline.",
    ),
    "min_coverage": click.option(
        "--min-coverage",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        help="Exit with 1 when fewer of the contrasts fixed beforehand could be answered.",
    ),
    "on_inconclusive": click.option(
        "--on-inconclusive",
        type=click.Choice(("pass", "fail", "error")),
        default="pass",
        show_default=True,
        help="What an open contrast does to a gate that nothing fails: fail exits with 1, error "
        "with 3.",
    ),
    "strict": click.option(
        "--strict/--no-strict",
        help="Warnings fail the gate: waivers that ended or are unused, another plan's baseline.",
    ),
    "baseline": click.option(
        "--baseline",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File that `clip-audit baseline` wrote.",
    ),
    "waivers": click.option(
        "--waivers",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of accepted findings (TOML); none of them leaves the report.",
    ),
}
"""Key of a plan's ``[gate]``, and argument of `gate_order`, to the option that gives it."""


def gate_order(baseline: Path | None, waivers: Path | None, **asked: Any) -> GateOrder:
    """Read the files of a gate and put its order together.

    Raises
    ------
    PlanError
        If waivers cannot be used, or a rule has no baseline to compare with.
    ResultError
        If the baseline cannot be used.
    """
    order = GateOrder(
        **asked,
        baseline=read_baseline(baseline) if baseline is not None else None,
        waivers=read_waivers(waivers) if waivers is not None else NO_WAIVERS,
    )
    missing = refuse_without_baseline(order)
    if missing:
        raise PlanError(missing)
    return order
