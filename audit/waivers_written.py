"""Waivers put into their file: one entry at its end, everything else as it was."""

import fcntl
import os
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit.errors import PlanError
from audit.folder import output_error, replace_file
from audit.toml_text import toml_value
from audit.waivers import Waiver, Waivers, parse_waivers, problems

NEW_FILE = b"# Findings that a person accepted, why, and until when.\nschema_version = 1\n"


def add_waiver(path: Path, waiver: Waiver) -> Waivers:
    """Write a waiver at the end of a file, which is made where there is none.

    What stands in the file stays as it is, byte for byte. The file holds the old or the new
    content, whatever happens meanwhile; of two that write at once, one waits.

    Returns
    -------
    Waivers
        What the file says now.

    Raises
    ------
    PlanError
        If the file cannot be used, or the waiver breaks its policy or stands there already; the
        file is as it was.
    OutputError
        If it cannot be written.
    """
    target = path.resolve()
    with _alone(target.parent):
        before = _content(path)
        content = with_waiver(before, waiver, where=str(path))
        read = parse_waivers(content, where=str(path))
        _replace(target, content)
    return read


def with_waiver(before: bytes, waiver: Waiver, *, where: str) -> bytes:
    """Return the content of a waiver file with one entry more.

    Raises
    ------
    PlanError
        If the content is no waiver file, or the waiver breaks its policy or stands there already.
    """
    there = parse_waivers(before, where=where)
    for problem in problems(waiver, there.policy):
        raise PlanError(f"The waiver of {waiver.finding} cannot be written to {where}: {problem}")
    _refuse_double(waiver, there, where)
    if not _takes_tables(before):
        raise PlanError(
            f"Waivers must stand as [[waiver]] tables for one to be written behind them; {where} "
            "keeps them in one list, waiver = [...]. Write them as tables."
        )
    line_end = "\r\n" if b"\r\n" in before else "\n"
    gap = line_end if (before or NEW_FILE).endswith(b"\n") else 2 * line_end
    entry = gap + line_end.join((*_lines(waiver), ""))
    return (before or NEW_FILE) + entry.encode()


def _lines(waiver: Waiver) -> Iterator[str]:
    yield "[[waiver]]"
    for name in Waiver.model_fields:
        value = getattr(waiver, name)
        if name in {"created", "expires"}:
            yield f"{name} = {value.isoformat()}"
        elif value or name != "link":
            yield f"{name} = {toml_value(value)}"


def _refuse_double(waiver: Waiver, there: Waivers, where: str) -> None:
    for other in there.waivers:
        if (other.finding, other.model) == (waiver.finding, waiver.model):
            raise PlanError(
                f"A finding must be waived once for a model; {where} waives {other.finding} for "
                f"{other.model} from {other.created} to {other.expires} already. Change that "
                "entry, or remove it first."
            )


def _takes_tables(content: bytes) -> bool:
    """Whether another ``[[waiver]]`` behind this content continues its list."""
    with suppress(tomllib.TOMLDecodeError):
        tomllib.loads(content.decode("utf-8") + "\n[[waiver]]\n")
        return True
    return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PlanError(
            f"Waivers must be a readable TOML file; {path} gave: {error.strerror}. Check the path."
        ) from None


def _replace(path: Path, content: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    replace_file(path, content)
    if mode is not None:
        with suppress(OSError):
            path.chmod(mode)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder until another that writes there has finished."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise output_error(folder, error) from None
    try:
        # Where a file system has no such locks, the file is still written in one step.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
