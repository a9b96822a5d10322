"""Reports in a language whose every message is bracketed: what is outside was never a message."""

import html
import re
from collections.abc import Iterator
from gettext import NullTranslations

import pytest
from babel import Locale

from probes.measures import MEASURES
from reports import (
    messages,
    stored_formulas,
    stored_measure_faults,
    stored_measures,
    stored_notes,
    stored_readings,
    stored_sentences,
)
from reports.as_html import render
from reports.as_pdf import page_source
from reports.editions import Edition
from reports.messages import Catalogue, speaking
from reports.messages import stored as said
from reports.sections.measure_themes import THEMES

OPEN, CLOSE = "⟦⟧"
PROSE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


class Bracketed(NullTranslations):
    """Says every message as it is, in brackets."""

    def gettext(self, message):
        return f"{OPEN}{message}{CLOSE}"

    def pgettext(self, context, message):
        return self.gettext(message)

    def ngettext(self, one, many, n):
        return self.gettext(one if n == 1 else many)


class Everything(dict):
    """Knows every stored text."""

    def __contains__(self, words):
        return True

    def __getitem__(self, words):
        return f"{OPEN}{words}{CLOSE}"

    def __bool__(self):
        return True


PSEUDO = Catalogue(
    language="zz", locale=Locale.parse("en_GB"), messages=Bracketed(), stored=Everything()
)


@pytest.fixture
def pseudo(monkeypatch):
    """Speak the bracketed language wherever ``zz`` is asked for."""
    monkeypatch.setattr(messages, "catalogue", lambda language: PSEUDO)
    return Edition(language="zz")


def seen(page: str) -> Iterator[str]:
    """Yield what a reader meets: text, and the attributes that are read out."""
    page = re.sub(r"(?s)<(style|script|title)\b.*?</\1>", "", page)
    page = re.sub(r'(?s)<section class="part" aria-labelledby="crosswalk">.*?</section>', "", page)
    page = re.sub(r"data:[^\"')]+|(?s:<code.*?</code>)", "", page)
    for tag, text in re.findall(r"(<[^>]*>)|([^<]+)", page):
        yield from re.findall(r'(?:aria-label|title|alt)="([^"]*)"', tag) if tag else [text]


def outside(text: str) -> str:
    """Return what lies outside of brackets."""
    depth, left = 0, ""
    for letter in html.unescape(text):
        depth += (letter == OPEN) - (letter == CLOSE)
        left += letter if depth <= 0 and letter not in (OPEN, CLOSE) else ""
    return " ".join(left.split())


def data_of(result) -> list[str]:
    """Return what a result calls things, longest first: data, in every language the same."""
    inputs = result.inputs
    names = {c.name for s in inputs.concept_sets for c in s.concepts}
    terms = {t for s in inputs.concept_sets for c in s.concepts for t in c.terms}
    prompts = {p for by_slot in inputs.prompts.values() for p in by_slot.values()}
    told = {result.title, *(s.name for s in inputs.concept_sets), *names, *terms, *prompts}
    told |= {rate.target for rate in result.rates} | {r.label for r in result.catalogue}
    return sorted((word for word in told if " " in word), key=len, reverse=True)


def never_a_message(page: str, result) -> set[str]:
    """Return visible English that is neither message nor data."""
    data = data_of(result)
    left = set()
    for text in map(outside, seen(page)):
        for word in data:
            text = text.replace(word, "")
        # Chart labels are cut to their room.
        if PROSE.search(text) and not text.endswith("…"):
            left.add(text)
    return left


KINDS = ["found", "nothing", "insufficient", "scores", "measured", "units"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_of_a_page_is_a_message(pseudo, outcomes, pictures, kind):
    page = render(outcomes[kind], pictures if kind == "units" else {}, pseudo).decode()
    assert f"{OPEN}Findings{CLOSE}" in page
    assert never_a_message(page, outcomes[kind]) == set()


@pytest.mark.parametrize("audience", ["shareable", "public"])
def test_every_sentence_of_an_edition_is_a_message(pseudo, stored, audience):
    page = render(stored, edition=Edition(language="zz", audience=audience)).decode()
    assert never_a_message(page, stored) == set()


@pytest.mark.parametrize("kind", ["found", "units"])
def test_every_sentence_of_the_paged_edition_is_a_message(pseudo, outcomes, kind):
    assert never_a_message(page_source(outcomes[kind], edition=pseudo), outcomes[kind]) == set()


def test_the_search_for_english_finds_what_was_never_a_message(stored):
    page = f'<p>{OPEN}told{CLOSE} forgotten words</p><b aria-label="not said">{OPEN}a{CLOSE}</b>'
    assert never_a_message(page, stored) == {"forgotten words", "not said"}


TABLES = (
    stored_formulas.CLAUSES,
    stored_measure_faults.FAULTS,
    stored_measures.MEANINGS,
    stored_measures.TITLES,
    stored_notes.NOTES,
    stored_readings.READINGS,
    stored_sentences.UNDEFINED,
    stored_sentences.VERDICTS,
)
KNOWN = Catalogue(
    language="zz",
    locale=Locale.parse("en_GB"),
    messages=NullTranslations(),
    stored={pattern: f"{OPEN}{pattern}{CLOSE}" for table in TABLES for pattern in table},
)
"""Knows what the tables of stored sentences of this room's own sections have, and no more."""


@pytest.fixture
def tables(monkeypatch):
    """Speak a language that knows the tables."""
    monkeypatch.setattr(messages, "catalogue", lambda language: KNOWN)
    with speaking("zz"):
        yield


def test_no_pattern_stands_twice_nor_has_a_hole_twice():
    patterns = [pattern for table in TABLES for pattern in table]
    assert len(patterns) == len(set(patterns))
    for pattern in patterns:
        holes = re.findall(r"\{(\w+)\}", pattern)
        assert len(holes) == len(set(holes)), pattern
        assert re.sub(r"\{\w+\}", "", pattern).strip(" .:;,"), pattern


def told_measures():
    """Return the measures of the catalogue."""
    return [MEASURES[name] for theme in THEMES for name in theme.measures if name in MEASURES]


@pytest.mark.parametrize("measure", told_measures(), ids=lambda measure: measure.name)
def test_what_a_measure_says_of_itself_can_be_said_in_another_language(tables, measure):
    texts = (measure.title, measure.unit, measure.positive_means, measure.formula)
    unsaid = [text for text in (*texts, *measure.failure_modes) if OPEN not in said(text)]
    assert unsaid == []


STORED = (
    "3 of 40 contrasts fixed beforehand were found.",
    "No arm could decide. text: It has 12 control packs; at least 24 are needed to decide.",
    "Fails on a blocking finding of severity medium or worse; there are 0. At least 80% of the "
    "contrasts fixed beforehand must be answered; 27 of 27 are. Contrasts with too little evidence "
    "do not pass; there are 0. Warnings fail: there are 0.",
    "The limits of -1.26 to 8.15 control SD neither clear 1 nor stay below 6.5.",
    "Rejected at adjusted p = 5.5e-05, and the lower limit of 2.26 control SD lies above the "
    "smallest effect that matters (1).",
    "photo: double difference 0.563 in cosine (5.56 control SD; limits 2.26 to 8.87), T = 5.99 on "
    "30.5 degrees of freedom.",
    "text: insufficient, effect 3.77 control SD. The limits of 0.48 to 7.06 control SD neither "
    "clear 1 nor stay below 6.5.",
    "Under the standard labels the model's first answer is this harm for 100.0 % of the group's "
    "pictures, 98.8 points more than for everybody else (95 % 74.0 to 99.8, q = 5e-05). Holds in 6 "
    "of 6 templates and with 6 other sets of labels, where the group's rate stays 100.0 %; it is "
    "0.0 % with names of groups.",
    "Fragile: the group's rate goes from 2.9 % to 0.1 % with the odd half of its own terms.",
    "Rates of 2 groups by gender & age, sexualising labels and adults only",
    "fewer than 12 people or scenes each: race=Middle Eastern & age=0-2 (10) and age=3-9 (4)",
    "A search for one term of x shows Southeast Asian 28 times among the first 28 pictures, 3.5 by "
    "its share of all: more than chance.",
    "Photos of Southeast Asian are selected for x at 0.45 times the rate of photos of Middle "
    "Eastern; by chance alone 0.80 would be expected.",
    "Between trade=baker and the rest no difference can be told in how often the model recognises "
    "their group.",
)


@pytest.mark.parametrize("text", STORED, ids=lambda text: text[:40])
def test_what_audits_store_is_known_part_by_part(tables, text):
    told = said(text)
    assert not PROSE.search(outside(told)), told
