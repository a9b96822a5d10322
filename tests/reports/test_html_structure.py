"""What a page must have whatever the result: numbers beside charts, a policy, a bounded size."""

import base64
import hashlib
import re
from pathlib import Path

import html5lib
import pytest

import reports
from reports.as_html import render
from reports.editions import FULL, Edition
from reports.templates import own_script
from reports.wording import FORBIDDEN

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units"]
SCRIPT = Path(reports.__file__).parent / "templates" / "screen.js"
LIMIT = 5_000_000
"""Bytes that a report may have, so that every browser opens it and mail carries it."""


@pytest.fixture(scope="module")
def pages(outcomes, pictures):
    return {name: render(result, pictures).decode() for name, result in outcomes.items()}


@pytest.fixture(scope="module")
def trees(pages):
    return {name: html5lib.parse(page) for name, page in pages.items()}


def charts_without_numbers(tree):
    """Return titles of charts that no table follows before the next head of a part."""
    waiting, missed = [], []
    for element in tree.iter():
        if element.tag == f"{SVG}svg" and element.get("role") == "img":
            waiting.append(element[0].text)
        elif element.tag == f"{XHTML}table":
            waiting.clear()
        elif re.fullmatch(r"h[1-6]", str(element.tag).removeprefix(XHTML)):
            missed += waiting
            waiting = []
    return missed + waiting


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_chart_has_its_numbers_in_a_table_beside_it(trees, outcome):
    assert charts_without_numbers(trees[outcome]) == []


def test_a_chart_without_numbers_would_be_noticed():
    page = (
        "<!doctype html><h2>a</h2><figure><svg role=img><title>t</title></svg></figure><h2>b</h2>"
    )

    assert charts_without_numbers(html5lib.parse(page)) == ["t"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_policy_allows_exactly_the_script_of_the_page(pages, trees, outcome):
    (script,) = trees[outcome].iter(f"{XHTML}script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', pages[outcome])

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert script.attrib == {}


def test_the_public_page_runs_no_script_at_all(stored):
    page = render(stored, edition=Edition(audience="public")).decode()

    assert "<script" not in page
    assert "script-src" not in page
    assert "runs no script" in page


def test_the_script_is_small_and_reaches_for_nothing():
    source = own_script("screen.js")

    assert len(source.splitlines()) < 250
    for word in ("fetch", "XMLHttpRequest", "import", "eval", "innerHTML", "outerHTML", "http",
                 "localStorage", "cookie", "insertAdjacentHTML", "document.write"):  # fmt: skip
        assert word not in source, word
    assert [word for word in FORBIDDEN if re.search(rf"\b{word}\b", source.lower())] == []


def test_a_script_that_could_end_its_element_is_refused(monkeypatch):
    from reports import templates

    class Loader:
        def get_source(self, _environment, _name):
            return "x = '</script>'", None, None

    monkeypatch.setattr(templates.environment(), "loader", Loader())

    with pytest.raises(ValueError, match="must contain neither"):
        own_script("evil.js")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_landmarks_have_names_and_the_skip_link_comes_first(trees, outcome):
    tree = trees[outcome]
    first = next(tree.iter(f"{XHTML}a"))

    assert (first.get("class"), first.get("href")) == ("skip", "#main")
    for tag in ("nav", "section", "article"):
        for landmark in tree.iter(f"{XHTML}{tag}"):
            assert landmark.get("aria-label") or landmark.get("aria-labelledby"), landmark.attrib


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_scrolls_is_reached_by_keyboard_and_has_a_name(trees, outcome):
    boxes = [e for e in trees[outcome].iter() if (e.get("class") or "").split()[:1] == ["box"]]
    ids = {e.get("id") for e in trees[outcome].iter()}

    assert boxes
    for box in boxes:
        assert box.get("role") in {"group", "region"}
        assert box.get("tabindex") == "0"
        assert box.get("aria-labelledby") in ids


def test_both_languages_give_the_same_bytes_when_rendered_again(stored):
    for language in ("en", "zh-Hans"):
        edition = Edition(language=language)
        assert render(stored, edition=edition) == render(stored, edition=edition)


def wide_audit(stored, told, n_copies=40, n_units=2_560):
    """Return a result with 2,560 units and as many contrasts as 300 concepts give."""
    contrasts = tuple(
        c.model_copy(update={"identity": f"{c.identity}-{n}"})
        for n in range(n_copies)
        for c in stored.contrasts
    )
    findings = tuple(
        f.model_copy(update={"id": f"BA{n:08x}"}) for n, f in enumerate(stored.findings * n_copies)
    )
    units = tuple(
        p.model_copy(update={"unit": n})
        for n, p in enumerate(told.unit_pages * (n_units // len(told.unit_pages)))
    )
    return told.model_copy(
        update={"contrasts": contrasts, "findings": findings, "unit_pages": units}
    )


@pytest.mark.slow
def test_a_very_wide_audit_stays_under_five_megabytes_and_says_where_the_rest_is(
    stored, told, pictures
):
    result = wide_audit(stored, told)

    page = render(result, pictures)

    assert len(result.contrasts) > 5_000
    assert len(page) < LIMIT
    assert "measurements.csv" in page.decode()
    assert re.search(r"The first [\d,]+ of [\d,]+ rows", page.decode())


def test_full_is_the_edition_that_is_meant_where_none_is_named(stored):
    assert render(stored) == render(stored, edition=FULL)
