"""The checks find what they are for, and are silent about a sound library."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from concept_sets.catalog import Library, load_library
from concept_sets.check import ProblemSeverity, check_file, check_library, check_set
from concept_sets.concept import (
    Concept,
    ConceptSet,
    PartOfSpeech,
    Role,
    Status,
    Term,
    Visibility,
)
from concept_sets.leakage import lookalikes, shared_stems
from concept_sets.lemmas import content_stems, lemmas, singular, stem, words

TEMPLATES = load_library(builtin=False).templates
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def surfaces(stamp, count=8):
    """Make words that share no stem with those of another stamp."""
    return [f"{stamp}{''.join(DIGITS[int(digit)] for digit in str(n))}" for n in range(count)]


def term(surface, **more):
    return Term(
        surface=surface,
        pos=PartOfSpeech.NOUN,
        status=Status.CURRENT,
        visible=Visibility.YES,
        sources=("usage",),
        **more,
    )


def concept(name, listed, role=Role.IDENTITY, family="lands", **more):
    return Concept(
        id=name, name=name, family=family, role=role, terms=tuple(map(term, listed)), **more
    )


def family(name, role, *concepts, language="en"):
    return ConceptSet(
        id=name,
        version="1.0.0",
        name=name,
        role=role,
        language=language,
        about="",
        caution="",
        licence="CC0-1.0",
        sources={},
        concepts=concepts,
        digest="",
    )


def sound():
    lands = family(
        "lands",
        Role.IDENTITY,
        concept("north", surfaces("nor")),
        concept("south", surfaces("sou")),
        concept("person", surfaces("per"), unmarked=True),
    )
    doom = family(
        "doom",
        Role.HARM,
        concept("doom", surfaces("doo"), Role.HARM, "doom", severity=3, mirrors=("calm0",)),
    )
    names = [f"calm{n}" for n in range(40)]
    packs = [
        concept(
            name, surfaces(f"cal{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}"), Role.CONTROL, "c"
        )
        for n, name in enumerate(names)
    ]
    return [lands, doom, family("c", Role.CONTROL, *packs)]


def library(sets):
    return Library(sets=tuple(sets), templates=TEMPLATES)


def found(problems):
    return {(problem.severity.value, problem.code) for problem in problems}


def changed(index, **more):
    """Return a sound library with other terms or marks in the first concept of one set."""
    sets = sound()
    first, *rest = sets[index].concepts
    if "listed" in more:
        more["terms"] = tuple(map(term, more.pop("listed")))
    sets[index] = replace(sets[index], concepts=(replace(first, **more), *rest))
    return library(sets)


def test_a_sound_library_has_no_problems():
    assert check_library(library(sound())) == ()


@pytest.mark.parametrize(
    ("made", "problem", "sentence"),
    [
        (
            changed(0, listed=[*surfaces("nor"), "norzero"]),
            ("error", "duplicate"),
            "listed 2 times",
        ),
        (changed(0, listed=[*surfaces("nor"), "Norzero"]), ("warning", "duplicate"), "capitals"),
        (changed(0, listed=surfaces("sou")), ("error", "duplicate"), "both 'north' and 'south'"),
        (changed(0, listed=surfaces("nor", 7)), ("warning", "too_small"), "has 7: exploratory"),
        (changed(0, listed=surfaces("nor", 5)), ("warning", "too_small"), "exploratory only"),
        (changed(0, listed=surfaces("nor", 4)), ("error", "too_small"), "has 4: insufficient"),
        (changed(0, listed=["norzero"] * 8), ("error", "too_small"), "has 1: insufficient"),
        (changed(0, listed=[*surfaces("nor"), "Аrab"]), ("error", "homoglyph"), "CYRILLIC, LATIN"),
        (changed(0, listed=[*surfaces("nor"), "Москва"]), ("error", "homoglyph"), "CYRILLIC"),
        (changed(0, listed=[*surfaces("nor"), "αβγ"]), ("error", "homoglyph"), "GREEK"),
        (
            changed(0, listed=[*surfaces("nor"), "ｗｏｒｄ"]),
            ("error", "homoglyph"),
            "plain letters",
        ),
        (
            changed(0, listed=[*surfaces("nor"), "boy"]),
            ("warning", "minors"),
            "needs `minor: true`",
        ),
        (changed(0, listed=[*surfaces("nor"), "boy"]), ("warning", "minors"), "mixes minors"),
        (changed(1, listed=[*surfaces("doo"), "sexy"]), ("warning", "sexual"), "`sexual: true`"),
        (changed(1, listed=["sexy", "schoolgirl"]), ("error", "minors"), "denotes a minor"),
        (changed(1, mirrors=("calm",)), ("error", "mirror"), "Did you mean"),
        (changed(1, mirrors=()), ("warning", "mirror"), "names no positive or neutral mirror"),
        (changed(1, listed=[*surfaces("doo"), "norzeros"]), ("warning", "leakage"), "'norzero'"),
        (changed(2, listed=surfaces("doo")), ("error", "overlap"), "is a control but shares"),
    ],
)
def test_a_flaw_is_found(made, problem, sentence):
    problems = check_library(made)
    hits = [one for one in problems if (one.severity.value, one.code) == problem]

    assert any(sentence in one.sentence for one in hits), problems


@pytest.mark.parametrize(
    ("count", "expected"),
    [(23, {("error", "few_controls")}), (24, {("warning", "few_controls")}), (40, set())],
)
def test_the_number_of_control_packs_decides_what_can_be_said(count, expected):
    sets = sound()
    sets[2] = replace(sets[2], concepts=sets[2].concepts[:count])

    assert found(check_library(library(sets))) == expected


def test_a_family_of_one_cannot_be_compared():
    sets = sound()
    sets[0] = replace(sets[0], concepts=(sets[0].concepts[0], sets[0].concepts[2]))

    assert found(check_library(library(sets))) == {("error", "too_small")}


def test_a_family_without_an_unmarked_concept_is_told():
    sets = sound()
    sets[0] = replace(sets[0], concepts=sets[0].concepts[:2])

    assert found(check_library(library(sets))) == {("warning", "no_unmarked")}


def test_harms_that_share_a_term_are_told():
    sets = sound()
    gloom = concept("gloom", surfaces("doo"), Role.HARM, "gloom", severity=1, mirrors=("calm1",))
    sets.insert(1, family("gloom", Role.HARM, gloom))

    assert found(check_library(library(sets))) == {("warning", "overlap")}


def test_another_language_counts_as_not_tested():
    sets = sound()
    sets[0] = replace(sets[0], language="de")

    assert found(check_library(library(sets))) == {("warning", "language")}


def test_a_set_in_another_script_is_no_homoglyph():
    russian = family(
        "lands", Role.IDENTITY, concept("a", ["Москва"] * 1), language="ru"
    )  # fmt: skip

    assert ("error", "homoglyph") not in found(check_set(russian))


def test_look_alike_terms_of_two_sets_are_found():
    sets = sound()
    first = sets[0].concepts[0]
    twin = "саl" + first.terms[0].surface[3:]
    assert found(check_library(changed(0, listed=[*surfaces("nor"), twin]))) >= {
        ("error", "homoglyph")
    }


def test_errors_come_before_warnings():
    made = changed(1, mirrors=("nobody",), listed=surfaces("doo", 6))
    severities = [problem.severity for problem in check_library(made)]

    assert severities == sorted(severities, key=list(ProblemSeverity).index)
    assert len(set(severities)) == 2


def test_a_folder_is_checked_file_by_file(tmp_path):
    (tmp_path / "broken.yaml").write_text("id: broken")
    (tmp_path / "templates.yaml").write_text("version: 1")
    problems = check_file(tmp_path)

    assert [problem.code for problem in problems] == ["unreadable", "unreadable"]
    assert "the key 'version' is missing" in problems[0].sentence


@given(st.text(max_size=30))
@example("\N{MATHEMATICAL BOLD CAPITAL ALPHA}")
def test_words_and_lemmas_of_any_text_are_lower_case(text):
    for word in (*words(text), *lemmas(text)):
        assert word
        assert word == word.casefold()


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=15))
def test_reducing_a_word_never_makes_it_longer_or_empty(word):
    assert len(singular(word)) <= max(len(word), 6)
    assert bool(stem(word)) == bool(word)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("terrorist", "terrorism"), ("fanatics", "fanatical"), ("criminals", "criminal"),
        ("radical", "radicals"), ("extremist", "extremism"), ("poor people", "the poor"),
        ("Nazis", "Nazi"), ("thieves", "thief"), ("violent", "violent person"),
    ],
)  # fmt: skip
def test_forms_of_one_word_leak(one, other):
    assert content_stems(one) & content_stems(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("person with a hat", "person with a gun"), ("poor person", "rich person"),
        ("man of the north", "man of the house"), ("9-year-old person", "9 lives"),
    ],
)  # fmt: skip
def test_small_and_general_words_do_not_leak(one, other):
    assert not content_stems(one) & content_stems(other)


def test_shared_stems_are_named():
    shared = shared_stems(concept("a", ["poor family"]), concept("b", ["the poor", "rags"]))

    assert shared == ("poor",)


@pytest.mark.parametrize("twin", ["Аrab", "Аrаb", "Ａrab", "𝐀rab"])
def test_a_disguised_word_is_found(twin):
    assert list(lookalikes(["nurse", "Arab", twin])) == [("Arab", twin)]


@pytest.mark.parametrize("other", ["arab", "Aráb", "Arabs"])
def test_capitals_accents_and_plurals_are_no_disguise(other):
    assert list(lookalikes(["Arab", other])) == []
