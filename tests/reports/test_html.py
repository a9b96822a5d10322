import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import html5lib
import pytest

import reports
from reports.as_html import render

TEMPLATES = Path(reports.__file__).parent / "templates"
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units"]
SOURCE = "data:image/jpeg;base64,"


@pytest.fixture(scope="session")
def pages(outcomes, pictures):
    return {name: render(result, pictures) for name, result in outcomes.items()}


def tree_of(page):
    return html5lib.parse(page.decode())


def shape(element):
    """Return the element tree without its words."""
    return (element.tag, tuple(sorted(element.attrib)), tuple(shape(child) for child in element))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_page_parses_without_an_error(pages, outcome):
    parser = html5lib.HTMLParser()
    parser.parse(pages[outcome].decode())

    assert parser.errors == []


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_page_loads_nothing_and_runs_nothing_but_its_own_script(pages, outcome):
    page = pages[outcome].decode()
    tree = tree_of(pages[outcome])

    (script,) = tree.iter(f"{XHTML}script")
    assert script.text == (TEMPLATES / "screen.js").read_text(encoding="utf-8")
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name == "src":
                assert value.startswith(SOURCE), value[:60]
            elif name in {"href", "data", "action", "poster", "srcset"}:
                assert value.startswith("#"), (name, value)
    assert not re.search(r"url\((?!data:font)", page)
    assert "@import" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_page_can_be_walked_by_somebody_who_cannot_see_it(pages, outcome):
    tree = tree_of(pages[outcome])
    tags = [
        element.tag.removeprefix(XHTML) for element in tree.iter() if isinstance(element.tag, str)
    ]

    assert tree.attrib["lang"] == "en"
    assert tags.count("h1") == tags.count("main") == tags.count("nav") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in tree.iter(f"{XHTML}table"):
        assert table.find(f"{XHTML}caption") is not None
        assert all(th.get("scope") in {"col", "row"} for th in table.iter(f"{XHTML}th"))
    for image in tree.iter(f"{SVG}svg"):
        if image.get("aria-hidden") == "true":
            continue  # a mark beside the word that says the same
        assert image.get("role") == "img"
        assert image[0].tag == f"{SVG}title"
        assert image[1].tag == f"{SVG}desc"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_link_leads_to_one_place_on_the_page(pages, outcome):
    tree = tree_of(pages[outcome])
    ids = [element.get("id") for element in tree.iter() if element.get("id")]

    assert len(ids) == len(set(ids))
    links = {a.get("href") for a in tree.iter(f"{XHTML}a")}
    assert {link.removeprefix("#") for link in links} <= set(ids)
    named = {n for e in tree.iter() for n in (e.get("aria-labelledby") or "").split()}
    assert named <= set(ids)


def test_every_finding_is_told_with_its_concepts_and_severity(pages, outcomes):
    for name, page in pages.items():
        words = " ".join("".join(tree_of(page).itertext()).split())
        for finding in outcomes[name].findings:
            assert finding.id in words
            assert finding.severity.name.capitalize() in words
            assert finding.identity.split("/")[1].capitalize() in words


def test_severity_is_told_by_word_and_never_by_colour_alone(pages):
    marks = [
        e for e in tree_of(pages["found"]).iter() if "severity" in (e.get("class") or "").split()
    ]

    assert marks
    assert {mark.text for mark in marks} <= {"Low", "Medium", "High", "Critical"}


def test_whether_a_difference_holds_is_told_by_word_and_never_by_colour_alone(pages):
    marks = [
        e for e in tree_of(pages["measured"]).iter() if "hold" in (e.get("class") or "").split()
    ]

    assert {mark.text for mark in marks} == {"Fragile", "Holds"}


def test_every_value_of_the_catalogue_is_on_the_page(pages, outcomes):
    words = " ".join("".join(tree_of(pages["measured"]).itertext()).split())

    for measure in outcomes["measured"].measures:
        assert measure.title in words
        assert measure.positive_means in words
    assert "Under the product’s own labels" in words


def test_the_page_stays_small_when_there_are_ten_thousands_of_rates(specimens):
    page = render(specimens.scores_only(n_labels=600))

    assert len(page) < 1_500_000
    assert "measurements.csv" in page.decode()


def test_equal_results_give_equal_bytes(stored, pages):
    assert render(stored) == pages["found"]


HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></svg><img src=x onerror=alert(1)>",
    "{{7*7}} {% raw %} {# x #}",
    "\u202egnp.exe\u2066",
    "NUL \x00 BEL \x07 ESC \x1b[31m",
    '"><a href="javascript:alert(1)">x',
    "&lt;b&gt; &amp;",
    "long" * 2_000,
]


def poisoned(result, words):
    """Put the words wherever a name of somebody else's can stand."""
    sets = tuple(
        s.model_copy(
            update={
                "name": words,
                "concepts": tuple(
                    c.model_copy(update={"name": words, "terms": (words,) * len(c.terms)})
                    for c in s.concepts
                ),
            }
        )
        for s in result.inputs.concept_sets
    )
    stimuli = tuple(
        s.model_copy(update={"source": words, "unreadable": ((words, words),) * len(s.unreadable)})
        for s in result.inputs.stimuli
    )
    inputs = result.inputs.model_copy(update={"concept_sets": sets, "stimuli": stimuli})
    return result.model_copy(
        update={
            "title": words,
            "inputs": inputs,
            "notes": (words,),
            "model": result.model.model_copy(update={"name": words, "architecture": words}),
            "rates": tuple(poisoned_rate(r, words) for r in result.rates),
            "catalogue": tuple(
                r.model_copy(
                    update=dict.fromkeys(("group", "label", "setting", "reading", "reason"), words)
                )
                for r in result.catalogue
            ),
            "unit_pages": tuple(poisoned_page(p, words) for p in result.unit_pages),
            "typography": poisoned_typography(result.typography, words),
            "confounds": tuple(
                c.model_copy(update={"layer": words, "sentence": words}) for c in result.confounds
            ),
            "findings": tuple(
                f.model_copy(update={"evidence": (words,), "counter_evidence": (words,)})
                for f in result.findings
            ),
            "run": result.run.model_copy(update={"command": words}),
        }
    )


def poisoned_page(page, words):
    """Put the words wherever a page of a unit says something."""
    examples = tuple(
        e.model_copy(update={"concept": words, "hidden": words, "picture": words, "map": words})
        for e in page.examples
    )
    return page.model_copy(
        update={
            "layer": f"{words}{page.unit}",
            "pooling": words,
            "name": words,
            "story": (words,) * len(page.story),
            "notes": (words,) * len(page.notes),
            "examples": examples,
            "drawn": tuple(
                d.model_copy(update={"facet": words, "picture": words}) for d in page.drawn
            ),
            "curves": tuple(c.model_copy(update={"concept": words}) for c in page.curves),
            "spreads": tuple(s.model_copy(update={"concept": words}) for s in page.spreads),
        }
    )


def poisoned_typography(record, words):
    """Put the words where a word, a label, a group or a sentence stands."""
    attacks = tuple(
        a.model_copy(
            update={
                "word": words,
                "target": words,
                "groups": tuple(
                    g.model_copy(update={"column": words, "group": words}) for g in a.groups
                ),
            }
        )
        for a in record.attacks
    )
    left_out = (words,) * len(record.left_out)
    return record.model_copy(update={"readout": words, "attacks": attacks, "left_out": left_out})


def poisoned_rate(rate, words):
    """Put the words where the name of a group, a label set or a reason stands."""
    if rate.sensitivity is None:
        return rate.model_copy(update={"group": words})
    sets = {f"{words}{k}": v for k, v in enumerate(rate.sensitivity.label_sets.values())}
    fragile = rate.sensitivity.model_copy(update={"label_sets": sets, "reason": words})
    return rate.model_copy(update={"group": words, "sensitivity": fragile})


@pytest.fixture(scope="module")
def plain_shape(short):
    return shape(tree_of(render(poisoned(short, "plain"))))


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_do_not_change_the_page(short, plain_shape, words):
    page = render(poisoned(short, words))

    assert shape(tree_of(page)) == plain_shape


def test_direction_and_control_characters_are_made_visible(short):
    words = "".join(tree_of(render(poisoned(short, "a\u202eb\x00c"))).itertext())

    assert "a[U+202E]b[U+0000]c" in words
    assert "\u202e" not in words


def test_template_syntax_in_a_name_is_printed_as_it_is(short):
    assert "{{7*7}}" in render(poisoned(short, "{{7*7}}")).decode()


def test_charts_are_well_formed_drawings(pages):
    drawings = re.findall(r"<svg .*?</svg>", pages["found"].decode(), re.S)

    assert drawings
    for drawing in drawings:
        ElementTree.fromstring(drawing)
