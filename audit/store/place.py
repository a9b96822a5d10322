"""Where a store is: a folder with audits, their chain, and a database that is only an index."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from platformdirs import user_data_path
from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from audit.errors import PlanError, ResultError
from audit.inputs import Record
from audit.store.database import Database, open_database
from audit.store.disk import refuse_network, unwritten, write_new

STORE_VARIABLE = "CLIP_AUDIT_STORE"
"""Environment variable that names the store."""

SETTINGS = "store.json"
AUDITS_FOLDER = "audits"
CHAIN = "chain.jsonl"
INDEX = "index.sqlite"

ADDING = ".adding-"
REMOVED = ".removed-"
"""What names of folders in ``audits`` begin with that hold no finished audit."""


class StoreSettings(Record):
    """``store.json``."""

    format: Literal["clip-audit store 1"] = "clip-audit store 1"
    id: str
    """Drawn when the store was made; the chain begins with it."""

    index: str = INDEX
    """Name of the SQLite file in the store, or a database URL without password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An opened store."""

    path: Path
    id: str
    database: Database

    @property
    def audits(self) -> Path:
        """Folder of the audits."""
        return self.path / AUDITS_FOLDER

    @property
    def chain(self) -> Path:
        """File of the chain."""
        return self.path / CHAIN

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def store_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the store of this user; it need not exist yet.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Looked up for ``CLIP_AUDIT_STORE``; the process's own by default.

    Examples
    --------
    >>> store_folder({"CLIP_AUDIT_STORE": "kept"})
    PosixPath('kept')
    """
    chosen = (os.environ if environment is None else environment).get(STORE_VARIABLE, "").strip()
    return Path(chosen).expanduser() if chosen else user_data_path("clip-audit") / "store"


def is_store(path: Path) -> bool:
    """Whether a folder is a store."""
    return (path / SETTINGS).is_file()


def make_store(path: Path, index: str = "") -> None:
    """Make a folder a store; one that is a store already stays as it is.

    Parameters
    ----------
    path : Path
        A folder that does not exist, is empty, or holds what is left of a store.
    index : str, optional
        Database URL, without password; by default an SQLite file in the folder.

    Raises
    ------
    PlanError
        If the folder holds other things, the URL is none or has a password, or the store that is
        there has another index.
    OutputError
        If it cannot be written.
    """
    settings = StoreSettings(id=secrets.token_hex(16), index=_checked_index(index) or INDEX)
    if not index and not is_store(path):
        refuse_network(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        others = {p.name for p in path.iterdir()} - {SETTINGS, AUDITS_FOLDER, CHAIN, INDEX}
        if not is_store(path) and any(not name.startswith(".") for name in others):
            raise PlanError(
                f"A new store must be an empty folder; {path} holds {min(others)}. Choose another."
            )
        (path / AUDITS_FOLDER).mkdir(exist_ok=True)
        content = json.dumps(settings.model_dump(), indent=1) + "\n"
        made = write_new(path / SETTINGS, content.encode())
    except OSError as error:
        raise unwritten(path, error) from None
    there = read_settings(path)
    if not made and index and there.index != settings.index:
        raise PlanError(
            f"A store has one index; {path} has {there.index}, and {settings.index} was asked for. "
            f"To move it, change {SETTINGS} and run `clip-audit store reindex`."
        )


def _checked_index(index: str) -> str:
    if not index:
        return ""
    try:
        url = make_url(index)
    except ArgumentError:
        raise PlanError(
            "An index must be a database URL such as postgresql+psycopg://user@host/name; "
            f"got {index!r}."
        ) from None
    if url.password:
        raise PlanError(
            "A password must not be kept in a store; the URL of the index holds one. Leave it out "
            "and use the PGPASSWORD variable or a .pgpass file."
        )
    return index


def read_settings(path: Path) -> StoreSettings:
    """Read ``store.json``.

    Raises
    ------
    ResultError
        If the folder is no store, or the file was changed.
    """
    try:
        return StoreSettings.model_validate_json((path / SETTINGS).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ResultError(
            f"There is no store at {path}. `clip-audit store init` makes one; --store or "
            f"{STORE_VARIABLE} names another."
        ) from None
    except (OSError, ValidationError) as error:
        raise ResultError(
            f"A store must have its {SETTINGS} unchanged; {path} has none that is "
            f"({str(error).splitlines()[0]}). Restore it from a backup."
        ) from None


def connect(path: Path) -> Store:
    """Open a store and its index as they are; `audit.store.index.open_store` also catches up.

    Raises
    ------
    ResultError
        If it is no store or its index is damaged.
    OutputError
        If its index cannot be written.
    """
    settings = read_settings(path)
    if "://" in settings.index:
        index: str | Path = settings.index
    else:
        refuse_network(path)
        index = path / settings.index
    return Store(path=path, id=settings.id, database=open_database(index))
