"""The paged edition: archival, tagged, with the result attached."""

import logging
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from audit.results import AuditResult
from reports.editions import FULL, Edition
from reports.errors import ReportError
from reports.fonts import HAN_SANS, SANS, check_han, full_faces
from reports.formats import NO_PICTURES, NO_TABLES
from reports.messages import _, speaking
from reports.pdf_metadata import attachments, date, declare_accessible
from reports.pdf_structure import mend
from reports.sections.contrasts import MARKER_LEGEND
from reports.sections.unit_examples import ILLUSTRATE
from reports.templates import PICTURE, environment
from reports.view import build_view

INK = {
    "font": f"{SANS},{HAN_SANS[0]}",
    "paper": "#ffffff",
    "text": "#1c2126",
    "muted": "#545e68",
    "rule": "#d5dade",
    "found": "#8c1420",
    "plain": "#2c5474",
    "unsure": "#7a5c00",
    "bar": "#9db8cb",
}
"""Colours of the charts, as in ``tones.css``: drawings in pages know no style variables."""

OPENED = (PICTURE, "data:font/")
"""How every address begins that pages may open."""

VARIANT = "pdf/a-3a"
"""Archival, accessible, with attachments: only the levels ending in a are tagged."""

INSTALL = {
    "apt-get": "sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "dnf": "sudo dnf install pango",
    "brew": "brew install pango",
}
"""Package tool to the command that brings what the PDF needs."""


def render(
    result: AuditResult,
    pictures: Mapping[str, bytes] = NO_PICTURES,
    edition: Edition = FULL,
    *,
    tables: Mapping[str, bytes] = NO_TABLES,
) -> bytes:
    """Render a result as a file after PDF/A-3a and PDF/UA-1, with the result attached.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes, dates come from its ``run`` block.
    pictures : mapping
        Name to JPEG, as the audit folder has them.
    edition : Edition
        Language and audience.
    tables : mapping
        Name to content of the tables that lie beside the result; they are attached with it.

    Returns
    -------
    bytes
        The PDF.

    Raises
    ------
    ReportError
        If Pango, or a font for the language, is missing; the message has the command that
        installs it.
    """
    weasyprint = _weasyprint()
    check_han(edition.language)
    with _quiet():
        source = page_source(result, pictures, edition)
        return _write(weasyprint, source, result, tables, attach=edition.audience == "full")


def page_source(
    result: AuditResult, pictures: Mapping[str, bytes] = NO_PICTURES, edition: Edition = FULL
) -> str:
    """Return the HTML that becomes the pages."""
    edition.check()
    template = environment().get_template("pages.html.j2")
    with speaking(edition.language):
        return template.render(
            view=build_view(result, pictures, edition),
            paged=True,
            ink=INK,
            marker_legend=MARKER_LEGEND,
            illustrate=_(ILLUSTRATE),
        )


def _write(
    weasyprint: Any,
    html: str,
    result: AuditResult,
    tables: Mapping[str, bytes] = NO_TABLES,
    *,
    attach: bool = True,
) -> bytes:
    fonts = weasyprint.text.fonts.FontConfiguration()
    fetcher = _fetcher(weasyprint)
    faces = weasyprint.CSS(string=full_faces(), font_config=fonts, url_fetcher=fetcher)
    try:
        document = weasyprint.HTML(string=html, url_fetcher=fetcher).render(
            stylesheets=[faces], font_config=fonts, pdf_variant=VARIANT
        )
    except weasyprint.urls.FatalURLFetchingError as error:
        raise ReportError(
            f"A report must not load anything from elsewhere; the pages asked for it: {error}. "
            "This is a defect of the report templates: please report it."
        ) from None
    date(document.metadata, result.run.finished)
    declare_accessible(document.metadata)
    if attach:
        document.metadata.attachments = attachments(weasyprint, result, tables, fetcher)
    identifier = bytes.fromhex(result.digest.removeprefix("sha256:"))[:16]
    pdf: bytes = document.write_pdf(pdf_variant=VARIANT, pdf_identifier=identifier, finisher=mend)
    return pdf


def _fetcher(weasyprint: Any) -> Any:
    """Return what opens addresses: own fonts and pictures, no file, no network, no other kind."""

    class OwnData(weasyprint.urls.URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith(OPENED):
                shown = url.partition(",")[0][:80]
                raise weasyprint.urls.FatalURLFetchingError(f"{shown} is neither font nor picture")
            return super().fetch(url, headers)

    return OwnData(allowed_protocols={"data"}, fail_on_errors=True)


def _weasyprint() -> Any:
    try:
        import weasyprint
        import weasyprint.text.fonts
        import weasyprint.urls
    except OSError as error:
        raise ReportError(
            f"A PDF needs the Pango library, and it could not be loaded ({_first_line(error)}). "
            f"Run: {install_command()}, or ask for HTML, which needs nothing."
        ) from None
    return weasyprint


def install_command() -> str:
    """Return the command that installs Pango on this system."""
    known = [command for tool, command in INSTALL.items() if shutil.which(tool)]
    if known:
        return known[0]
    if platform.system() == "Darwin":
        return INSTALL["brew"]
    return " or ".join(INSTALL.values())


def _first_line(error: OSError) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]


@contextmanager
def _quiet() -> Iterator[None]:
    # Browsers' rules that pages do not know are logged by the dozen and mean nothing here.
    logger = logging.getLogger("weasyprint")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
