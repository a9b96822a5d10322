"""Every kind of page of the history, served and opened in a real browser."""

import importlib.util
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from audit.cli.serve_http import Server
from audit.cli.serve_pages import answer
from audit.cli.serve_sources import Sources
from audit.store.history import audits
from audit.store.index import create_store
from audit.store.reading import read_store
from reports.as_html import render

SPECIMEN = Path(__file__).parents[1] / "specimens" / "specimen_history.py"
KINDS = (
    "overview", "audits", "narrowed", "model", "finding", "ended", "audit", "changed", "schedules",
    "waivers", "nowhere", "report",
)  # fmt: skip
EMPTY = ("overview", "audits", "schedules", "waivers")
CHECKS = ["axe", "htmlcs", "overflow", "contrast"]


@pytest.fixture(scope="module")
def past():
    spec = importlib.util.spec_from_file_location("specimen_history", SPECIMEN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listening(sources):
    server = Server("127.0.0.1", 0, partial(answer, sources))
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server


@pytest.fixture(scope="module")
def served(past, tmp_path_factory):
    """The address of each kind of page of a store with a past."""
    home = tmp_path_factory.mktemp("history")
    place = home / "model-audits"
    create_store(place).close()
    past.fill_store(place, home / "made", past=past.PAST[:2], report=render)
    past.fill_store(place, home / "made", past=past.PAST[2:])
    past.write_waivers(home / "waivers.toml")
    past.write_schedules(home / "schedules.toml", place)
    with read_store(place) as store:
        folders = [a.folder for a in audits(store.database) if a.model == past.HARBOUR]
    (place / "audits" / folders[1] / "report.html").write_text("changed")
    sources = Sources(
        place=place, clock=lambda: past.NOW, schedules=home / "schedules.toml",
        waivers=(home / "waivers.toml",),
    )  # fmt: skip
    ids = {f.id: quote(f.fingerprint) for f in past.stored().findings}
    with listening(sources) as server:
        at = server.url.rstrip("/")
        yield {
            "overview": f"{at}/",
            "audits": f"{at}/audits",
            "narrowed": f"{at}/audits?model={past.HARBOUR}&gate=failed",
            "model": f"{at}/model?name={past.HARBOUR}&plan=quarterly",
            "finding": f"{at}/finding?model={past.HARBOUR}&id={ids[past.CRIME]}",
            "ended": f"{at}/finding?model={past.HARBOUR}&id={ids[past.CUSTODY]}",
            "audit": f"{at}/audit?name={folders[0]}",
            "changed": f"{at}/audit?name={folders[1]}",
            "schedules": f"{at}/schedules",
            "waivers": f"{at}/waivers",
            "nowhere": f"{at}/nowhere",
            "report": f"{at}/file?audit={folders[0]}&name=report.html",
        }
        server.shutdown()


@pytest.fixture(scope="module")
def bare(past, tmp_path_factory):
    """The same of a store without audits, and without files beside it."""
    place = tmp_path_factory.mktemp("bare") / "kept"
    create_store(place).close()
    with listening(Sources(place=place, clock=lambda: past.NOW)) as server:
        yield {kind: server.url + (kind if kind != "overview" else "") for kind in EMPTY}
        server.shutdown()


def faults_of(told):
    """What is wrong with a page, in one list."""
    faint = [words for words in told["contrast"] if words["ratio"] < 4.5]
    return [
        *(rule["id"] for rule in told["axe"]["violations"]), *told["htmlcs"], *faint,
        *told["overflow"]["wide"], *told["dialogs"], *told["policy"], *told["requests"],
    ]  # fmt: skip


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "report"])
def test_no_checker_finds_anything_on_a_page(browser, served, kind, scheme, width):
    told = browser.look(served[kind], scheme=scheme, width=width, checks=CHECKS)

    assert faults_of(told) == []
    assert told["overflow"]["excess"] == 0


@pytest.mark.parametrize("kind", EMPTY)
def test_no_checker_finds_anything_on_a_page_of_an_empty_store(browser, bare, kind):
    told = browser.look(bare[kind], scheme="dark", width=320, checks=CHECKS)

    assert faults_of(told) == []


@pytest.mark.parametrize("kind", ["overview", "model", "finding"])
def test_a_page_is_whole_without_scripts(browser, served, kind):
    ask = [["ask", "document.body.innerText.length"]]
    on, off = (browser.look(served[kind], scripts=on, steps=ask) for on in (True, False))

    assert on["answers"] == off["answers"]
    assert on["answers"][0] > 1_000


def test_a_keyboard_comes_to_the_page_by_the_first_key(browser, served):
    inside = "document.querySelector('main').contains(document.activeElement)"
    steps = [["press", "Tab"], ["ask", "document.activeElement.textContent"], ["press", "Enter"],
             ["ask", "location.hash"], ["press", "Tab"], ["ask", inside]]  # fmt: skip

    assert browser.look(served["model"], steps=steps)["answers"] == [
        "Skip to the page", "#main", True,
    ]  # fmt: skip


def test_a_report_opens_in_its_sandbox_and_loads_nothing(browser, served):
    told = browser.look(served["report"], steps=[["ask", "document.querySelectorAll('h1').length"]])

    assert told["answers"] == [1]
    assert told["requests"] == told["dialogs"] == []
