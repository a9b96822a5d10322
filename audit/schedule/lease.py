"""Who runs an audit, and whether they still live."""

import os
import signal
import socket
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

LASTS = timedelta(minutes=3)
"""How long a lease holds without a sign of life."""

BEAT = timedelta(seconds=20)
"""Between two signs of life."""

PATIENCE = 15.0
"""Seconds that a process gets to stop by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that runs audits."""

    name: str
    """Different for every tick."""

    place: str
    """Machine, since its last start, and the space in which ``pid`` means something."""

    pid: int
    birth: str
    """When the process began, in the machine's own count: process ids come back, this does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A run's lease, as it stands in the database."""

    owner: Owner
    expires: datetime
    child: int | None = None
    child_birth: str = ""


def this_process() -> Owner:
    """Return the owner that this process is, with a name of its own."""
    pid = os.getpid()
    return Owner(name=uuid.uuid4().hex, place=this_place(), pid=pid, birth=birth_of(pid))


def this_place() -> str:
    """Name the machine, its boot and its process namespace, as far as the system tells them."""
    boot = _read(Path("/proc/sys/kernel/random/boot_id"))[:8]
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return "/".join(part for part in (socket.gethostname(), boot, space) if part)


def birth_of(pid: int) -> str:
    """Return when a process began; empty if there is none, ``?`` where the system does not say."""
    if not sys.platform.startswith("linux"):
        return "?" if _exists(pid) else ""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    # A zombie has ended: only its parent has not looked yet.
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""


def lives(pid: int, birth: str) -> bool:
    """Whether a process of this place is still the one that was noted."""
    return bool(birth) and birth_of(pid) == birth


def is_dead(lease: Lease, now: datetime, here: str) -> bool:
    """Tell whether the owner of a lease is gone.

    At the same place the process itself is looked at, whatever the clock says; elsewhere a lease is
    dead when it was not renewed in time.
    """
    if lease.owner.place == here:
        return not lives(lease.owner.pid, lease.owner.birth)
    return now > lease.expires


def stop_orphan(lease: Lease, here: str) -> None:
    """Stop the audit of an owner that died, where it still runs at this place."""
    pid = lease.child
    if pid is None or lease.owner.place != here or not lives(pid, lease.child_birth):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(pid, number)
        until = time.monotonic() + PATIENCE
        while lives(pid, lease.child_birth) and time.monotonic() < until:
            time.sleep(0.05)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a process that leads a group of its own, with everything that it started."""
    # Some systems refuse to signal a group whose last process has ended and was not looked at.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
