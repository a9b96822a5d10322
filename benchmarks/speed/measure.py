"""Ours and the alternative run in turn in one process: ratios that hold on a noisy machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a hot path against what it is compared with."""

    path: str
    """What is computed, and how much of it."""

    against: str
    """The alternative, with its version where it is a library."""

    goal: float
    """Ratio that is wanted."""

    at_most: bool = False
    """Whether the ratio should stay below the goal; else it should reach it."""

    ratios: tuple[float, ...]
    """Time of the alternative over ours (``at_most``: ours over the alternative's) by round."""

    ours: float
    """Seconds, the median."""

    theirs: float
    """Seconds, the median."""

    limit: str = ""
    """Physical limit and how near we came, where there is one."""

    difference: str = ""
    """How far the two results lie apart, with its unit."""

    note: str = ""
    """What was tried where a goal is missed; which part of the alternative was extrapolated."""

    @property
    def ratio(self) -> float:
        """The median over rounds."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool:
        """Whether the median reaches the goal."""
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds of every round, ours and theirs right after each other."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def speedups(self) -> tuple[float, ...]:
        """How many times longer the alternative took, by round."""
        return tuple(b / a for a, b in zip(self.ours, self.theirs, strict=True))


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes, on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int = 5,
    warm: int = 1,
    share: float = 1.0,
) -> Timed:
    """Time two calls in turn, so that both meet the same weather.

    Parameters
    ----------
    ours, theirs : callable
    rounds : int
    warm : int
        Rounds before the clock runs.
    share : float
        Part of the work that ``theirs`` does; its time is divided by it. Said in the row's note.
    """
    for _ in range(warm):
        ours()
        theirs()
    pairs = [(seconds(ours), seconds(theirs) / share) for _ in range(rounds)]
    return Timed(ours=tuple(a for a, _ in pairs), theirs=tuple(b for _, b in pairs))


def row(timed: Timed, *, path: str, against: str, goal: float, **more: Any) -> Row:
    """Return the line of two timed calls.

    Examples
    --------
    >>> made = row(Timed(ours=(1.0, 1.0, 2.0), theirs=(3.0, 4.0, 4.0)),
    ...     path="p", against="a", goal=2)
    >>> made.ratio, made.met
    (3.0, True)
    """
    at_most = bool(more.get("at_most", False))
    ratios = tuple(1 / s for s in timed.speedups) if at_most else timed.speedups
    return Row(
        path=path,
        against=against,
        goal=goal,
        ratios=ratios,
        ours=statistics.median(timed.ours),
        theirs=statistics.median(timed.theirs),
        **more,
    )
