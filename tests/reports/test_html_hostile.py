"""Names that others chose change no element that a browser builds, and run nothing."""

import importlib.util
from pathlib import Path

import pytest

from reports.as_html import render

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></svg></template><img src=x onerror=alert(1)>",
    "{{7*7}} {% raw %} {# x #}",
    "\u202egnp.exe\u2066 NUL \x00 ESC \x1b[31m",
    '"><a href="javascript:alert(1)" onfocus=alert(1) autofocus>x',
]


@pytest.fixture(scope="module")
def poisoned():
    """Return what puts words wherever a name of somebody else's can stand."""
    path = Path(__file__).with_name("test_html.py")
    spec = importlib.util.spec_from_file_location("names_of_others", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.poisoned


@pytest.fixture(scope="module")
def opened(browser, short, gated, gate_specimens, poisoned, tmp_path_factory):
    """Open two poisoned reports that together have every text of a result."""
    path = tmp_path_factory.mktemp("hostile") / "report.html"

    def look(words):
        seen = []
        for result in (poisoned(short, words), gate_specimens.hostile(gated, words)):
            path.write_bytes(render(result))
            quiet = browser.look(path, scripts=False, checks=["tree"])
            lively = browser.look(path, steps=[["ask", "document.querySelectorAll('b').length"]])
            seen.append((quiet, lively))
        return seen

    return look


@pytest.fixture(scope="module")
def plain_trees(opened):
    return [quiet["tree"] for quiet, _ in opened("plain")]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_leave_the_element_tree_of_the_browser_alone(opened, plain_trees, words):
    for (quiet, lively), plain in zip(opened(words), plain_trees, strict=True):
        assert quiet["tree"] == plain
        for told in (quiet, lively):
            assert told["dialogs"] == told["console"] == told["policy"] == told["requests"] == []
