"""Copies of a store's files in a folder of this machine, and the note of what they are copies of.

A folder of copies holds ``files/``, the journal ``copies.jsonl`` with a line for every file that
came, and ``whole.json``, which is there while nothing is missing. A file is written beside them and
renamed into place, so an interruption costs the files under way and nothing else.
"""

import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any, Protocol

from fsspec.callbacks import Callback

from concept_sets.errors import StimulusError
from concept_sets.store_files import AT_ONCE, Store, StoredFile, reason_of

FILES = "files"
JOURNAL = "copies.jsonl"
UNDER_WAY = "under-way"
LEFT_BEHIND = 24 * 3600
"""Seconds after which a file under way is one that an interruption left."""

MEGABYTE = 10**6
BATCH = 32 * AT_ONCE

Journal = dict[str, tuple[int | None, str]]
"""Name to size and version, as the store told them when the file came."""


class Progress(Protocol):
    """Where copying tells how far it is."""

    def start(self, total: int, label: str) -> None:
        """Begin a step."""

    def advance(self, n: int) -> None:
        """Say that ``n`` more are done."""

    def finish(self) -> None:
        """End the step, finished or not."""


def read_journal(home: Path) -> Journal:
    """Read what the copies are copies of; a line that was cut off counts as not written."""
    journal: Journal = {}
    try:
        lines = (home / JOURNAL).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return journal
    for line in lines:
        try:
            name, size, version = json.loads(line)
        except (ValueError, TypeError):
            continue
        journal[name] = (size, version)
    return journal


def lacking(home: Path, wanted: Iterable[StoredFile]) -> list[StoredFile]:
    """Return the files that were not copied, or changed since in the store or here."""
    journal = read_journal(home)
    return [
        file
        for file in wanted
        if journal.get(file.name) != (file.size, file.version) or not _is_here(home, file)
    ]


def _is_here(home: Path, file: StoredFile) -> bool:
    path = home / FILES / file.name
    return path.is_file() and file.size in (None, path.stat().st_size)


def copy_files(
    store: Store, home: Path, pending: Sequence[StoredFile], progress: Progress | None
) -> None:
    """Copy files, several at once.

    Raises
    ------
    StimulusError
        If the disk has no room for them, or one cannot be copied; what came stays.
    """
    (home / UNDER_WAY).mkdir(parents=True, exist_ok=True)
    _sweep(home / UNDER_WAY)
    total = sum(file.size or 0 for file in pending)
    refuse_small_disk(store.address, home, total)
    with (home / JOURNAL).open("a", encoding="utf-8") as journal:
        # After a line that was cut off.
        journal.write("\n" if journal.tell() else "")
        with _tally(progress, total) as tally:
            copying = _Copying(store=store, home=home, journal=journal, tally=tally)
            _side_by_side(copying, pending)


def refuse_small_disk(address: str, home: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises
    ------
    StimulusError
        Saying how much is needed and how much is free.
    """
    free = shutil.disk_usage(home).free
    if needed > free:
        raise StimulusError(
            f"{address}: copying needs {needed / MEGABYTE:,.1f} MB of disk below the cache; "
            f"{free / MEGABYTE:,.1f} MB are free. Make room, or name another folder with --cache."
        )


def _sweep(folder: Path) -> None:
    """Remove what earlier interruptions left; what another audit writes now is younger."""
    oldest = time.time() - LEFT_BEHIND
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _side_by_side(copying: "_Copying", pending: Sequence[StoredFile]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for start in range(0, len(pending), BATCH):
                list(pool.map(copying.copy, pending[start : start + BATCH]))
        except BaseException:
            copying.stopped.set()
            raise


@dataclass(slots=True, kw_only=True)
class _Copying:
    """One pass over files of a store."""

    store: Store
    home: Path
    journal: Any
    tally: "_Tally"
    stopped: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def copy(self, file: StoredFile) -> None:
        """Copy a file, rename it into place and note it; one that has gone stays away."""
        if self.stopped.is_set():
            return
        number, path = tempfile.mkstemp(dir=self.home / UNDER_WAY)
        os.close(number)
        try:
            self._fetch(file, Path(path))
            self._keep(file, Path(path))
        except FileNotFoundError:
            (self.home / FILES / file.name).unlink(missing_ok=True)
        except StimulusError:
            raise
        except Exception as error:  # every store has exceptions of its own
            raise StimulusError(
                f"{self.store.address}: {file.name} must be copied; it could not be: "
                f"{reason_of(error)}. Run again: what was copied is kept."
            ) from error
        finally:
            Path(path).unlink(missing_ok=True)

    def _fetch(self, file: StoredFile, path: Path) -> None:
        came = 0

        def seen(_: object, value: int, **__: object) -> None:
            nonlocal came
            if self.stopped.is_set():
                raise InterruptedError("another file could not be copied")
            self.tally.add(value - came)
            came = value

        self.store.filesystem.get_file(file.key, str(path), callback=Callback(hooks={"seen": seen}))
        self.tally.add((file.size or 0) - came)
        if file.size not in (None, path.stat().st_size):
            raise StimulusError(
                f"{self.store.address}: {file.name} must have {file.size:,} bytes; "
                f"{path.stat().st_size:,} came. Run again: what was copied is kept."
            )

    def _keep(self, file: StoredFile, path: Path) -> None:
        place = self.home / FILES / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
        with self.lock:
            self.journal.write(_line(file.name, file.size, file.version))
            self.journal.flush()


def _line(name: str, size: int | None, version: str) -> str:
    return json.dumps([name, size, version], ensure_ascii=False) + "\n"


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Bytes that came, told as whole megabytes."""

    total: int
    advance: Callable[[int], None]
    lock: Lock = field(default_factory=Lock)
    came: int = 0
    told: int = 0

    def add(self, n_bytes: int) -> None:
        """Count bytes that came."""
        with self.lock:
            self.came += n_bytes
            whole = min(self.came // MEGABYTE, self.total)
            if whole > self.told:
                self.advance(whole - self.told)
                self.told = whole


@contextmanager
def _tally(progress: Progress | None, n_bytes: int) -> Iterator[_Tally]:
    total = max(1, math.ceil(n_bytes / MEGABYTE))
    if progress is None:
        yield _Tally(total=total, advance=lambda n: None)
        return
    progress.start(total, "Copying photos, MB")
    try:
        tally = _Tally(total=total, advance=progress.advance)
        yield tally
        # What is left of the last megabyte.
        progress.advance(total - tally.told)
    finally:
        progress.finish()


def keep_only(home: Path, wanted: Iterable[str]) -> None:
    """Remove copies of what the store has no longer, and write the journal anew."""
    names = set(wanted)
    root = home / FILES
    for folder, _, files in os.walk(root, topdown=False):
        for file in files:
            path = Path(folder, file)
            if path.relative_to(root).as_posix() not in names:
                path.unlink()
        if Path(folder) != root and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    kept = {name: said for name, said in read_journal(home).items() if name in names}
    write_whole(home / JOURNAL, "".join(_line(name, *kept[name]) for name in sorted(kept)))


def write_whole(path: Path, text: str) -> None:
    """Write a small file completely or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
