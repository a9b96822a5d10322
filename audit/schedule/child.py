"""An audit in a process of its own: begun, heard of, stopped in time."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from audit.folder import output_error
from audit.schedule.lease import BEAT, PATIENCE, signal_group

COMMAND = "from audit.cli.main import main; main()"
TIMED_OUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One try."""

    arguments: tuple[str, ...]
    """What follows ``clip-audit``."""

    home: Path
    """Where relative paths start."""

    out: Path
    """Folder of this slot alone: the audit, and a log for each try."""

    attempt: int
    timeout: timedelta

    @property
    def log(self) -> Path:
        """What the audit printed."""
        return self.out / f"attempt-{self.attempt}.log"

    @property
    def report(self) -> Path:
        """Why the audit ended early, written by itself."""
        return self.out / f"attempt-{self.attempt}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a try ended."""

    code: int
    error: str = ""
    """Kind of error, such as ``OutputError``; empty if none was told."""

    why: str = ""
    transient: bool = False
    """Whether trying again may help."""

    interrupted: bool = False
    """Whether it was stopped, and goes on at once."""


Beat = Callable[[int | None], None]
"""Tell that the audit lives, with its process id; raises where the lease was lost."""


class Runner(Protocol):
    """Runs one try and returns when it has ended."""

    def __call__(self, order: Order, beat: Beat) -> Ended:
        """Run it, calling ``beat`` at once and every now and then."""
        ...


def run_child(order: Order, beat: Beat) -> Ended:
    """Run an audit as a child in a process group of its own.

    Raises
    ------
    OutputError
        If its log cannot be written.
    LostLeaseError
        If another tick took the run over; the child was stopped.
    """
    head = ["schedule", "attempt", "--report", str(order.report), "--"]
    command = [sys.executable, "-P", "-c", COMMAND, *head, *order.arguments]
    try:
        order.out.mkdir(parents=True, exist_ok=True)
        log = order.log.open("wb")
    except OSError as error:
        raise output_error(order.log, error) from None
    with log:
        child = subprocess.Popen(
            command, cwd=order.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        timed_out = _wait(child, order.timeout, beat)
    except BaseException:
        _stop(child)
        raise
    return _ended(order, child.returncode, timed_out)


def _wait(child: subprocess.Popen[bytes], timeout: timedelta, beat: Beat) -> bool:
    """Wait for the end; True if it had to be stopped since its time was over."""
    until = time.monotonic() + timeout.total_seconds()
    beat(child.pid)
    while True:
        left = until - time.monotonic()
        try:
            child.wait(max(0.0, min(BEAT.total_seconds(), left)))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= until:
                _stop(child)
                return True
            beat(child.pid)
        else:
            return False


def _stop(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(child.pid, number)
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        # What the audit started itself may outlive it.
        signal_group(child.pid, signal.SIGKILL)
        return


def _ended(order: Order, code: int, timed_out: bool) -> Ended:
    if timed_out:
        return Ended(code=code, error=TIMED_OUT, transient=True,
                     why="It was not finished within its timeout, and was stopped.")  # fmt: skip
    if code < 0 or code in (130, 143):
        number = -code if code < 0 else code - 128
        return Ended(code=code, error="signal", why=f"It was stopped by signal {number}.",
                     transient=True, interrupted=True)  # fmt: skip
    told = _told(order.report)
    return Ended(
        code=code,
        error=str(told.get("error", "")),
        why=str(told.get("why", "")),
        transient=told.get("transient") is True,
    )


def _told(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
