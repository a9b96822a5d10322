"""Pages for what is not there, and for what could not be read."""

from reports.history.addresses import OVERVIEW
from reports.history.facts import StoreFact
from reports.history.pages import Page, draw

TITLES = {
    400: "This address cannot be read",
    404: "There is no such page",
    409: "This file is not handed out",
    500: "The store could not be read",
}


def message_page(store: StoreFact, status: int, sentences: tuple[str, ...]) -> bytes:
    """Render a page that says what is missing or wrong, and how to go on.

    Parameters
    ----------
    status : int
        HTTP status; it decides the heading.
    sentences : tuple of str
        What happened, and what to do.
    """
    heading = TITLES.get(status, TITLES[500])
    said = {"sentences": sentences, "overview": OVERVIEW}
    return draw(Page(template="message", heading=heading,
                     title=f"{status}: {heading} · clip-audit history", said=said),
                store)  # fmt: skip
