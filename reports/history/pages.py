"""One frame for every page: head, ways to the other pages, and what the page says."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from markupsafe import Markup

from reports.as_html import INK
from reports.care import visible
from reports.fonts import small_faces
from reports.history.addresses import AUDITS, OVERVIEW, SCHEDULES, WAIVERS
from reports.history.facts import StoreFact
from reports.history.words import care_of, minute
from reports.quantities import cut
from reports.templates import environment, own_style

WAYS = ((OVERVIEW, "Overview"), (AUDITS, "Audits"), (SCHEDULES, "Schedules"), (WAIVERS, "Waivers"))

LONGEST_TITLE = 120
"""Letters of a window's title; the heading has the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says, before it is drawn."""

    template: str
    heading: str
    title: str = ""
    """Of the window; the heading where it is left out. Every page has its own."""

    current: str = ""
    """Which of the ways leads here; empty for pages deeper down."""

    crumbs: tuple[tuple[str, str], ...] = ()
    """Words and address of the pages above, from the top."""

    said: dict[str, Any] = field(default_factory=dict)


def draw(page: Page, store: StoreFact) -> bytes:
    """Render a page.

    Returns
    -------
    bytes
        UTF-8 HTML that loads nothing and runs nothing.
    """
    care = care_of(store)
    template = environment().get_template(f"history_{page.template}.html.j2")
    html = template.render(
        page=page,
        title=cut(visible(page.title or page.heading), LONGEST_TITLE),
        store=store,
        troubles=[care.within(sentence) for sentence in store.troubles],
        ways=WAYS,
        read_at=minute(store.now),
        ink=INK,
        faces=_faces(),
        **page.said,
    )
    return html.encode()


@cache
def _faces() -> Markup:
    return own_style(small_faces())
