"""The whole demo report as readers meet it: two colour schemes, narrow, printed, without scripts.

The checkers see every folded part opened. What they cannot judge is in docs/accessibility.md.
"""

import zipfile
from dataclasses import replace

import pytest

from reports.as_html import render
from reports.editions import FULL

OPENED = ["ask", "document.querySelectorAll('details').forEach((d) => { d.open = true })"]
STRUCTURE = {"rules": {"color-contrast": {"enabled": False}}}
LOOKS = {
    "light": {"language": "en", "scheme": "light", "width": 1280},
    "dark and narrow": {"language": "en", "scheme": "dark", "width": 320},
    "without scripts": {"language": "en", "width": 320, "scripts": False, "axe": STRUCTURE},
    "printed": {"language": "en", "width": 780, "media": "print", "axe": STRUCTURE},
    "in Chinese": {"language": "zh-Hans", "scheme": "dark", "width": 320, "axe": STRUCTURE},
}
"""Colours are judged in both schemes; the other looks differ in structure only."""

CHECKS = ["axe", "htmlcs", "overflow", "contrast"]


@pytest.fixture(scope="session")
def demo_pages(demo_folder, demo_result, tmp_path_factory):
    """Return the report of the demo audit in both languages."""
    with zipfile.ZipFile(demo_folder / "pictures.zip") as file:
        pictures = {name: file.read(name) for name in file.namelist()}
    pages = {}
    for language in ("en", "zh-Hans"):
        pages[language] = tmp_path_factory.mktemp("report") / f"{language}.html"
        content = render(demo_result, pictures, replace(FULL, language=language))
        pages[language].write_bytes(content)
    return pages


@pytest.fixture(scope="session")
def look(browser, demo_pages):
    """Open the report in one of the looks; each is checked once."""
    seen = {}

    def at(name):
        if name not in seen:
            job = dict(LOOKS[name])
            page = demo_pages[job.pop("language")]
            seen[name] = browser.look(page, steps=[OPENED], checks=CHECKS, **job)
        return seen[name]

    return at


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_no_violation(look, name):
    told = look(name)["axe"]

    assert told["violations"] == []
    assert {rule["id"] for rule in told["incomplete"]} <= {"color-contrast"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_html_codesniffer_finds_no_error(look, name):
    assert look(name)["htmlcs"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_words_of_charts_stand_out_from_what_lies_below_them(look, name):
    told = look(name)["contrast"]

    assert len(told) > 100
    assert [entry for entry in told if entry["ratio"] < 4.5] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_the_page_is_never_wider_than_the_window(look, name):
    assert look(name)["overflow"] == {"excess": 0, "wide": []}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_the_page_asks_for_nothing_and_breaks_no_policy(look, name):
    told = look(name)

    assert told["requests"] == told["policy"] == told["console"] == told["dialogs"] == []


SEEN = """[...document.querySelectorAll('main details > :not(summary)')]
    .filter((e) => !e.checkVisibility({ contentVisibilityAuto: true })).length"""


def test_a_printed_report_has_its_folded_parts_opened(browser, demo_pages):
    steps = [["ask", SEEN], ["media", "print"], ["ask", SEEN]]

    folded, left = browser.look(demo_pages["en"], scripts=False, steps=steps)["answers"]

    assert folded > 20
    assert left == 0


HEADS = """getComputedStyle(document.querySelector('thead')).display + ' ' +
    ['nav', '.tools', '.folding', '.copy', '.skip'].filter(
        (s) => document.querySelector(s)?.checkVisibility()).join()"""


def test_a_printed_report_repeats_table_heads_and_leaves_out_what_one_operates(browser, demo_pages):
    told = browser.look(demo_pages["en"], media="print", steps=[["ask", HEADS]])

    assert told["answers"] == ["table-header-group "]


def test_the_skip_link_leads_into_the_report_by_keyboard(browser, demo_pages):
    steps = [
        ["press", "Tab"],
        ["ask", "document.activeElement.className"],
        ["press", "Enter"],
        ["ask", "location.hash"],
    ]

    assert browser.look(demo_pages["en"], steps=steps)["answers"] == ["skip", "#main"]


def test_without_scripts_nothing_of_the_script_is_shown(browser, demo_pages):
    count = "document.querySelectorAll('.tools, .folding, .copy, .sort, [aria-sort]').length"

    off, on = (
        browser.look(demo_pages["en"], scripts=scripts, steps=[["ask", count]])["answers"]
        for scripts in (False, True)
    )

    assert off == [0]
    assert on[0] > 50
