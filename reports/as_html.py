"""The single page: one file, no network, complete without its one script."""

from collections.abc import Mapping

from audit.results import AuditResult
from reports.editions import FULL, Edition
from reports.fonts import SANS, small_faces
from reports.formats import NO_PICTURES
from reports.messages import _, speaking
from reports.sections.contrasts import MARKER_LEGEND
from reports.sections.unit_examples import ILLUSTRATE
from reports.templates import environment, own_script, own_style, script_source
from reports.view import build_view

INK = {
    "font": f"'{SANS}', Roboto, Arial, sans-serif",
    "paper": "var(--paper)",
    "text": "var(--text)",
    "muted": "var(--muted)",
    "rule": "var(--rule)",
    "found": "var(--found)",
    "plain": "var(--plain)",
    "unsure": "var(--unsure)",
    "bar": "var(--bar)",
}
"""Colours of the charts: they follow the reader's light or dark scheme."""


def render(
    result: AuditResult, pictures: Mapping[str, bytes] = NO_PICTURES, edition: Edition = FULL
) -> bytes:
    """Render a result as one HTML file.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.
    pictures : mapping
        Name to JPEG, as the audit folder has them.
    edition : Edition
        Language and audience.

    Returns
    -------
    bytes
        UTF-8 HTML that loads nothing and runs nothing but the script of this package, which its
        policy names by digest; the public edition runs none.
    """
    edition.check()
    page = environment().get_template("screen.html.j2")
    script = None if edition.audience == "public" else own_script("screen.js")
    with speaking(edition.language):
        html = page.render(
            view=build_view(result, pictures, edition),
            paged=False,
            ink=INK,
            marker_legend=MARKER_LEGEND,
            illustrate=_(ILLUSTRATE),
            faces=own_style(small_faces()),
            script=script,
            script_source=script and script_source(script),
        )
    return html.encode()
