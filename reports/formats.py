"""The formats that a result can be told in: one row each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType

from audit.results import AuditResult
from reports.editions import FULL, Edition
from reports.errors import ReportError

NO_PICTURES: Mapping[str, bytes] = MappingProxyType({})
NO_TABLES: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way of telling a result."""

    extension: str
    media_type: str
    module: str
    """Module with ``render(result, pictures) -> bytes``; imported only when asked for."""

    edited: bool = False
    """Whether ``render`` takes an ``edition``; exports for machines are always in English."""

    attaches: bool = False
    """Whether ``render`` takes ``tables``, which the report then carries along."""

    name: str = ""
    """Name of the file where ``report`` and the extension would not tell it."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Further arguments of ``render``, for formats that a caller may set."""

    def render(
        self,
        result: AuditResult,
        pictures: Mapping[str, bytes] = NO_PICTURES,
        edition: Edition = FULL,
        *,
        tables: Mapping[str, bytes] = NO_TABLES,
    ) -> bytes:
        """Render a result in this format.

        Parameters
        ----------
        result : AuditResult
        pictures : mapping
            Name to JPEG, as the audit folder has them; without one, its place says so.
        edition : Edition
            Language and audience, for the formats that people read.
        tables : mapping
            Name to content of the tables for people beside the result.

        Raises
        ------
        ReportError
            If the format needs something that this system lacks; the message says what to do.
        """
        asked: dict[str, object] = {"edition": edition} if self.edited else {}
        if self.attaches:
            asked["tables"] = tables
        render = import_module(self.module).render
        content: bytes = render(result, pictures, **asked, **self.settings)
        return content

    @property
    def file_name(self) -> str:
        """Name of the file inside an audit folder."""
        return self.name or f"report.{self.extension}"

    def name_in(self, edition: Edition) -> str:
        """Name of the file of an edition; exports have one edition."""
        return edition.file_name(self.file_name) if self.edited else self.file_name


FORMATS = {
    "html": Format(extension="html", media_type="text/html", module="reports.as_html", edited=True),
    "pdf": Format(
        extension="pdf",
        media_type="application/pdf",
        module="reports.as_pdf",
        edited=True,
        attaches=True,
    ),
    "json": Format(
        extension="json",
        media_type="application/json",
        module="reports.as_json",
        name="result.json",
    ),
    "sarif": Format(
        extension="sarif", media_type="application/sarif+json", module="reports.as_sarif"
    ),
    "junit": Format(extension="junit.xml", media_type="application/xml", module="reports.as_junit"),
    "cyclonedx": Format(
        extension="cdx.json",
        media_type="application/vnd.cyclonedx+json",
        module="reports.as_cyclonedx",
    ),
    "spdx": Format(
        extension="spdx.json", media_type="application/spdx+json", module="reports.as_spdx"
    ),
    "intoto": Format(
        extension="intoto.json",
        media_type="application/vnd.in-toto+json",
        module="reports.as_intoto",
    ),
    "modelcard": Format(
        extension="md",
        media_type="text/markdown",
        module="reports.as_modelcard",
        name="model-card.md",
    ),
    "markdown": Format(
        extension="md", media_type="text/markdown", module="reports.as_markdown", name="summary.md"
    ),
}
"""Format name to its row; a new format is one module with ``render`` and one row here."""


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises
    ------
    ReportError
        If no format has this name.
    """
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ReportError(
            f"A report format must be one of {', '.join(FORMATS)}; got {name!r}.{hint}"
        )
    return FORMATS[name]
