"""The tables for people that lie beside a result, for reports that carry them along."""

from pathlib import Path

from audit.errors import ResultError
from audit.folder import digest_of
from audit.results import AuditResult

PEOPLE = ".csv"
"""How the names of tables end that people open; the others are for programs."""


def read_people_tables(home: Path, result: AuditResult) -> dict[str, bytes]:
    """Return the tables that a result names and that people can open, by name.

    Parameters
    ----------
    home : Path
        Folder of the result.
    result : AuditResult
        The document that names its tables with their digests.

    Returns
    -------
    dict
        Name to content. A table that is not there is left out: a result can travel alone.

    Raises
    ------
    ResultError
        If a table is not the one that the result names, or cannot be read.
    """
    found: dict[str, bytes] = {}
    for table in result.measurements:
        path = home / Path(table.name).name
        if not table.name.endswith(PEOPLE) or not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ResultError(
                f"Every table of an audit must be readable; {path} gave: {error.strerror}. "
                "Correct its permissions or restore it."
            ) from None
        if digest_of(content) != table.digest:
            raise ResultError(
                f"Every table must be the one that the result names; {path} is another. Restore it."
            )
        found[path.name] = content
    return found
