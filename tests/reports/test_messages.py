import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.results import Undefined
from reports import fonts
from reports.as_html import render
from reports.care import InEnglish, as_spoken, shown
from reports.editions import Edition
from reports.errors import ReportError
from reports.messages import (
    _,
    catalogue,
    catalogues_in,
    languages,
    ngettext,
    pgettext,
    speaking,
    stored,
    together,
)
from reports.names import Names
from reports.quantities import (
    count,
    day,
    full_sentence,
    limit,
    listed,
    number,
    percent,
    small,
    without_stop,
)

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"


def po(folder, language, plurals, messages):
    """Write a catalogue: message, or (context, message), or (one, many, None) to its words."""
    lines = ['msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=utf-8\\n"']
    lines += [f'"Plural-Forms: {plurals};\\n"', ""]
    for key, said in messages.items():
        if isinstance(said, tuple):
            lines += [f'msgid "{key[0]}"', f'msgid_plural "{key[1]}"']
            lines += [f'msgstr[{place}] "{form}"' for place, form in enumerate(said)]
        else:
            context, message = key if isinstance(key, tuple) else ("", key)
            lines += [f'msgctxt "{context}"'] if context else []
            lines += [f'msgid "{message}"', f'msgstr "{said}"']
        lines.append("")
    (folder / f"{language}.po").write_text("\n".join(lines), encoding="utf-8")
    return folder


ONE_AND_MANY = "nplurals=2; plural=(n != 1)"
THREE_FORMS = (
    "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)"
)


@pytest.fixture
def german(tmp_path):
    """Return a folder with a German catalogue of a few messages."""
    return po(
        tmp_path,
        "de",
        ONE_AND_MANY,
        {
            "Findings": "Befunde",
            ("verdict", "found"): "gefunden",
            ("stored", "the rest"): "alle übrigen",
            ("stored", "high"): "hoch",
            ("stored", "is {n}"): "ist {n}",
            ("stored", "are {n}"): "sind {n}",
            ("stored", "It fails at {level}; there {are}."): "Ab {level} zu Ende; es {are}.",
            ("stored", "Words for {group} lie closer to {harm} than {other} do."): "{group} liegt "
            "näher bei {harm} als {other}.",
            ("stored", "There was no control."): "Es gab keine Kontrolle.",
            ("stored", "no picture is in this group"): "kein Bild zeigt diese Gruppe",
        },
    )


def test_a_third_language_is_one_file(german):
    with catalogues_in(german):
        assert languages() == ("en", "de")
        with speaking("de"):
            assert _("Findings") == "Befunde"
            assert pgettext("verdict", "found") == "gefunden"
    assert "de" not in languages()
    assert _("Findings") == "Findings"


def test_a_report_in_a_third_language_says_what_it_can_and_marks_the_rest(german, measured):
    with catalogues_in(german):
        html = render(measured, edition=Edition(language="de")).decode()
    assert '<html lang="de">' in html
    assert "Befunde" in html
    assert "23. November" in html or " 2026" in html
    assert '<span lang="en">' in html
    assert not re.search(r'="[^"<>]*<span', html), "no attribute may hold the mark"
    assert "shown in the language in which it was stored" in html


def test_the_english_report_marks_nothing_and_says_nothing_of_languages(measured):
    html = render(measured).decode()
    assert '<span lang="en">' not in html
    assert "in which it was stored" not in html
    assert render(measured, edition=Edition(language="en")).decode() == html


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(ReportError, match=r"one of en, zh-Hans.*'zh-hans'.*'zh-Hans'"):
        catalogue("zh-hans")
    with pytest.raises(ReportError, match=r"got 'fr'"), speaking("fr"):
        pass


@pytest.mark.parametrize(
    ("amount", "form"),
    [(1, "1 wynik"), (2, "2 wyniki"), (5, "5 wyników"), (12, "12 wyników"), (22, "22 wyniki"),
     (1005, f"1{SPACE}005 wyników")],
)  # fmt: skip
def test_a_language_with_three_plural_forms_gets_the_right_one(tmp_path, amount, form):
    forms = ("{n} wynik", "{n} wyniki", "{n} wyników")
    folder = po(tmp_path, "pl", THREE_FORMS, {("{n} finding", "{n} findings"): forms})
    with catalogues_in(folder), speaking("pl"):
        assert ngettext("{n} finding", "{n} findings", amount) == form


def test_numbers_dates_and_lists_are_written_as_the_language_does(german):
    with catalogues_in(german), speaking("de"):
        assert number(-1234.5) == "\N{MINUS SIGN}1.234,5"
        assert count(12345) == "12.345"
        assert limit(6.5) == "6,5"
        assert percent(0.1234) == f"12,3{SPACE}%"
        assert day(MOMENT) == "23. November 2026"
        assert listed(["a", "b", "c"]) == "a, b und c"
        assert small(2) == "2"
    with speaking("zh-Hans"):
        assert number(-1234.5) == "\N{MINUS SIGN}1,234.5"
        assert day(MOMENT) == "2026年11月23日"
        assert listed(["a", "b", "c"]) == "a、b和c"
    assert small(2) == "two"
    assert day(MOMENT) == "23 November 2026"


def test_chinese_puts_no_space_before_per_cent_nor_between_sentences():
    with speaking("zh-Hans"):
        assert percent(0.1234) == "12.3%"
        assert together(["一。", "", "二。"]) == "一。二。"
        assert full_sentence("一") == "一。"
        assert full_sentence("一。") == "一。"
        assert without_stop("一。") == "一"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("the rest", "alle übrigen"),
        ("There was no control.", "Es gab keine Kontrolle."),
        ("There was no control", "Es gab keine Kontrolle"),
        ("no picture is in this group.", "kein Bild zeigt diese Gruppe."),
        ("It fails at high; there is 1.", "Ab hoch zu Ende; es ist 1."),
        (
            "It fails at high; there are 0. There was no control.",
            "Ab hoch zu Ende; es sind 0. Es gab keine Kontrolle.",
        ),
        ("no picture is in this group; the rest", "kein Bild zeigt diese Gruppe; alle übrigen"),
        (
            "Words for Velari lie closer to “x” than the rest do.",
            "Velari liegt näher bei “x” als alle übrigen.",
        ),
        ("it is not so", None),
        ("is nothing", None),
        ("is 1,234", "ist 1,234"),
        ("There was no control. Nobody translated this.", None),
        ("", None),
    ],
)
def test_stored_text_is_said_whole_by_pattern_by_sentence_or_by_clause(german, words, said):
    with catalogues_in(german), speaking("de"):
        assert stored(words) == (words if said is None else said)
    assert stored(words) == words


def test_text_without_translation_is_marked_as_english_through_every_step(german):
    with catalogues_in(german), speaking("de"):
        told = full_sentence(as_spoken("nobody translated this"))
        assert isinstance(told, InEnglish)
        assert told == "Nobody translated this."
        assert shown(told) == '<span lang="en">Nobody translated this.</span>'
        assert shown(as_spoken("nobody <b>at all</b>")) == (
            '<span lang="en">nobody &lt;b&gt;at all&lt;/b&gt;</span>'
        )
        assert isinstance(without_stop(told), InEnglish)
        assert not isinstance(as_spoken("visual.layer4.0"), InEnglish)
        assert not isinstance(as_spoken("the rest"), InEnglish)
    assert not isinstance(as_spoken("nobody translated this"), InEnglish)


def test_terms_are_masked_before_a_text_is_translated(german, stored_harsh):
    names, term = stored_harsh
    with catalogues_in(german), speaking("de"):
        told = names.sentence(f"Words for “{term}” lie closer to B than the rest do.")
        assert "näher bei B" in told
        assert term not in told
        assert f"“{term[0]}***" in told


def shown_terms(result, language):
    """Return the masked terms that a page shows outside of names."""
    names = Names(inputs=result.inputs)
    page = render(result, edition=Edition(language=language)).decode()
    page = re.sub(r"(?s)<(style|script)\b.*?</\1>|<[^>]*>", " ", page)
    for name in sorted({c.name for c in names.concepts.values()}, key=len, reverse=True):
        page = page.replace(name, "")
    # Han letters are letters: only Latin ones tell where a word ends.
    return {
        t for t in names.masked_terms if re.search(rf"(?<![A-Za-z]){re.escape(t)}(?![a-z])", page)
    }


def test_a_translation_shows_no_term_that_english_masks(measured):
    assert shown_terms(measured, "zh-Hans") <= shown_terms(measured, "en")


@pytest.fixture
def stored_harsh(stored):
    """Return the names of a result, and one of the terms that no report shows."""
    names = Names(inputs=stored.inputs)
    return names, min(t for t in names.masked_terms if " " not in t and len(t) > 3)


@given(st.text(max_size=80))
def test_any_stored_text_comes_back_as_words(words):
    with speaking("zh-Hans"):
        assert isinstance(stored(words), str)
    assert stored(words) == words


def test_undefined_numbers_say_so_in_the_language():
    with speaking("zh-Hans"):
        assert number(Undefined(undefined="no terms")) == "无定义"
    assert number(Undefined(undefined="no terms")) == "undefined"


def test_pages_in_chinese_are_refused_without_a_font_and_the_command_is_told(monkeypatch):
    monkeypatch.setattr(fonts, "has_font", lambda tag: False)
    with pytest.raises(ReportError, match=r"zh-Hans needs a font with Han characters.*Run: .*cjk"):
        fonts.check_han("zh-Hans")
    fonts.check_han("en")
    fonts.check_han("de")


def test_pages_in_chinese_are_set_where_there_is_a_font(monkeypatch):
    asked = []
    monkeypatch.setattr(fonts, "has_font", lambda tag: asked.append(tag) or True)
    fonts.check_han("zh-Hans")
    assert asked == ["zh-cn"]


def test_no_system_has_a_font_of_no_language():
    assert not fonts.has_font("xx-nowhere")


def test_a_page_names_system_fonts_for_chinese_after_its_own():
    rules = fonts.small_faces()
    start = rules.index(":lang(zh)")
    own, system = rules.index(fonts.SANS, start), rules.index("Noto Sans CJK SC", start)
    assert own < system
    assert ":lang(zh)" in fonts.full_faces()


def keeper():
    """Return the program behind ``make catalogues``."""
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / ".ci" / "catalogues.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_catalogue_is_complete_and_up_to_date_with_the_source():
    kept = keeper()
    source = kept.source_messages()
    for path in sorted(kept.FOLDER.glob("*.po")):
        content, untranslated = kept.updated(path, source)
        assert untranslated == []
        assert path.read_bytes() == content, "Run make catalogues."


def test_a_language_is_begun_with_every_message_empty(tmp_path):
    kept = keeper()
    source = kept.source_messages()
    content, untranslated = kept.updated(tmp_path / "es.po", source)
    assert len(untranslated) == len(source)
    assert b'msgid "Findings"' in content
