"""A folder of copies, and what its store said of each of them when it was copied."""

import json
import os
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What a store says of a file."""

    size: int
    """Bytes."""

    mark: str
    """Another one once the file was written anew, as far as the store tells."""


def is_plain(name: str) -> bool:
    r"""Tell whether a name can be a path below a folder, and nothing else.

    Examples
    --------
    >>> [is_plain(name) for name in ("cats/1.png", "../1.png", "/1.png", "a//b.png", "a\\b.png")]
    [True, False, False, False, False]
    """
    parts = name.split("/")
    return (
        not any(part in ("", ".", "..") for part in parts)
        and "\\" not in name
        and name[1:2] != ":"
        and not any(unicodedata.category(sign) == "Cc" for sign in name)
    )


class Copies:
    """A folder of copies with its list beside it.

    While copying goes on the list is a log with a line for every file, written once the file is
    in its place; after a kill every file that is listed is there. At the end it is one document.

    Parameters
    ----------
    folder : Path
        Of the copies alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._done, self._log = folder.with_suffix(".json"), folder.with_suffix(".log")
        self._lock = Lock()
        self._known = self._read()

    def holds(self, name: str, copy: Copy) -> bool:
        """Tell whether the file is here as the store has it."""
        if self._known.get(name) != copy:
            return False
        try:
            return (self.folder / name).stat().st_size == copy.size
        except OSError:
            return False

    def begin(self) -> None:
        """Say that copies may change from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [_line(name, copy) for name, copy in self._known.items()]
        _replace(self._log, "".join(lines))
        self._done.unlink(missing_ok=True)

    def note(self, name: str, copy: Copy) -> None:
        """List a file that is in its place."""
        with self._lock, self._log.open("a", encoding="utf-8") as log:
            log.write(_line(name, copy))
            self._known[name] = copy

    def keep_only(self, names: Collection[str]) -> None:
        """Remove every other file, unfinished ones of a killed process too."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self.folder).as_posix() not in names:
                path.unlink()
        self._known = {name: copy for name, copy in self._known.items() if name in names}

    def finish(self, name: str, held: dict[str, Copy]) -> None:
        """Say that all are here, and which of them is to be read (empty for the folder)."""
        known = {each: asdict(copy) for each, copy in sorted(held.items())}
        _replace(self._done, json.dumps({"read": name, "files": known}, indent=1) + "\n")
        self._log.unlink(missing_ok=True)

    def finished(self) -> str | None:
        """Return what is to be read, or nothing if copying was not finished."""
        try:
            document = json.loads(self._done.read_text(encoding="utf-8"))
            name: str = document["read"]
            whole = all(self.holds(each, Copy(**copy)) for each, copy in document["files"].items())
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return name if whole else None

    def _read(self) -> dict[str, Copy]:
        try:
            known = json.loads(self._done.read_text(encoding="utf-8"))["files"]
            return {name: Copy(**copy) for name, copy in known.items()}
        except (OSError, ValueError, TypeError, KeyError):
            return dict(self._logged())

    def _logged(self) -> Iterator[tuple[str, Copy]]:
        try:
            lines = self._log.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        for line in lines:
            try:
                told = json.loads(line)
                yield told["name"], Copy(size=told["size"], mark=told["mark"])
            except (ValueError, TypeError, KeyError):
                # the last line of a process that was killed
                continue


def _line(name: str, copy: Copy) -> str:
    return json.dumps({"name": name, **asdict(copy)}) + "\n"


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
