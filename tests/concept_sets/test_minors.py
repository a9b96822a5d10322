"""No term that denotes a minor ever meets sexualisation, however a pack is marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concept_sets.catalog import load_library
from concept_sets.concept import Concept, PartOfSpeech, Role, Status, Term, Visibility
from concept_sets.errors import ConceptSetError
from concept_sets.grammar import plural
from concept_sets.minors import (
    MINOR_WORDS,
    SEXUAL_WORDS,
    concept_denotes_minor,
    denotes_minor,
    is_allowed_pair,
    refuse_minors_with_sexualisation,
    sexualises,
)

MINORS = """
    child; children; girl; girls; boy; a photo of a boy; teen; teens; teenager; Teenage girl; baby;
    babies; kid; kids; infant; toddler; adolescent; preteen; pre-teen; schoolgirl; schoolboys;
    schoolchildren; a young person; young people; youth; youngster; newborn; pupil; juvenile;
    minors; high-school student; elementary school students; middle schooler; underage person;
    under-age; 12-year-old; 12 year old; a 17-year-old person; 5 years old; twelve-year-old; 12yo;
    15 y/o; one-year-old; 6-month-old; a three weeks old; person aged 12; age 10-19;
    person under 18; people under 20; under the age of consent child; girl's shoes; child's play;
    BABY; ｂｏｙ; Lolita; childhood; boyhood; black boys; cute asian girl; step-child;
    grandchildren; orphan
"""
ADULTS = """
    woman; man; adult; young adult; young woman; person; childless person; child-free person;
    childfree; person without children; babysitter; kidnapper; cowboy; cowgirl; girlfriend;
    boyfriend; childcare worker; child psychologist; youth worker; 20-year-old; 21-year-old person;
    thirty-five-year-old; twenty-one-year-old; 80 years old; person aged 20 to 29; person under 65;
    Asia Minor; minority; senior; octogenarian; middle-aged person; nurse; Kenyan; teacher;
    student; son-in-law; boyish person; kidney; teetotal; infantry soldier
"""
SEXUAL = """
    sexy; sexual; Sexually available; erotic; seductive; nude; nudes; pornographic; porn star;
    prostitute; prostitutes; escort; stripper; strippers; promiscuous; lingerie; sex worker;
    naked; topless person; sexualised; sexualization; SEXY; ｓｅｘｙ; sensual; nsfw; lustful
"""
NOT_SEXUAL = """
    same-sex couple; opposite-sex couple; sexual orientation; homosexual; heterosexual; bisexual;
    asexual; intersex person; Essex; sextant; sexist; unisex; beautiful; attractive; Gaza Strip;
    comic strip; terrorist; nurse; biological sex; sexual minority
"""


def words(text):
    return [word.strip() for word in text.split(";") if word.strip()]


def term(surface, **more):
    return Term(
        surface=surface,
        pos=PartOfSpeech.NOUN,
        status=Status.CURRENT,
        visible=Visibility.YES,
        sources=("usage",),
        **more,
    )


def concept(*surfaces, role=Role.IDENTITY, name="pack", **more):
    return Concept(
        id=name, name=name, family="f", role=role, terms=tuple(map(term, surfaces)), **more
    )


@pytest.mark.parametrize("text", words(MINORS))
def test_words_for_minors_are_recognised(text):
    assert denotes_minor(text)


@pytest.mark.parametrize("text", words(ADULTS))
def test_words_for_adults_are_not_taken_for_minors(text):
    assert not denotes_minor(text)


@pytest.mark.parametrize("text", words(SEXUAL))
def test_sexualising_words_are_recognised(text):
    assert sexualises(text)


@pytest.mark.parametrize("text", words(NOT_SEXUAL))
def test_words_that_only_contain_one_are_left_alone(text):
    assert not sexualises(text)


around = st.sampled_from(["{}", "a photo of a {}", "The {}.", "Black {}", "{}-like", "{}'s room"])
spelled = st.sampled_from([str.lower, str.upper, str.title])


@given(st.sampled_from(sorted(MINOR_WORDS)), around, spelled, st.booleans())
def test_a_minor_is_found_in_any_phrase_number_and_spelling(word, phrase, spell, several):
    assert denotes_minor(spell(phrase.format(plural(word) if several else word)))


counted = [word for word in sorted(SEXUAL_WORDS) if not word.endswith(("ous", "lingerie"))]


@given(st.sampled_from(counted), around, spelled, st.booleans())
def test_sexualisation_is_found_in_any_phrase_number_and_spelling(word, phrase, spell, several):
    assert sexualises(spell(phrase.format(plural(word) if several else word)))


@given(
    st.integers(0, 130), st.sampled_from(["{}-year-old person", "{} years old", "person aged {}"])
)
def test_an_age_in_words_is_a_minor_below_twenty(age, phrase):
    assert denotes_minor(phrase.format(age)) == (age < 20)


@given(st.sampled_from(sorted(MINOR_WORDS)), st.sampled_from(sorted(SEXUAL_WORDS)))
def test_no_pair_of_words_slips_through_unmarked(young, sexual):
    identity, harm = concept("adult", young), concept("ugly", sexual, role=Role.HARM)

    assert not is_allowed_pair(identity, harm)
    assert not is_allowed_pair(harm, identity)
    assert not is_allowed_pair(term(young), harm)
    assert not is_allowed_pair(identity, term(sexual))
    with pytest.raises(ConceptSetError, match="Minors are never paired with sexualisation"):
        refuse_minors_with_sexualisation([concept("adult"), identity], [harm])


@pytest.mark.parametrize(
    "identity",
    [
        concept("Zib", minor=True),
        Concept(id="z", name="Z", family="f", role=Role.IDENTITY, terms=(term("Zib", minor=True),)),
        concept("Zib", name="school_children"),
        term("Zib", minor=True),
        term("boy"),
    ],
)
@pytest.mark.parametrize(
    "harm",
    [
        concept("Zob", role=Role.HARM, sexual=True),
        concept("Zob", role=Role.HARM, name="sexualisation"),
        concept("fine", "erotic", role=Role.HARM),
        term("erotic"),
    ],
)
def test_marks_names_and_terms_each_suffice(identity, harm):
    assert not is_allowed_pair(identity, harm)


def test_a_pack_that_mixes_both_meets_nobody():
    mixed = concept("schoolgirl", "sexy", role=Role.HARM)

    assert not is_allowed_pair(concept("adult"), mixed)


def test_everything_else_may_be_crossed():
    assert is_allowed_pair(concept("boy"), concept("thief", role=Role.HARM))
    assert is_allowed_pair(concept("woman"), concept("sexy", role=Role.HARM))
    refuse_minors_with_sexualisation([concept("woman")], [concept("sexy", role=Role.HARM)])
    refuse_minors_with_sexualisation([concept("boy")], [concept("thief", role=Role.HARM)])


def test_the_refusal_names_the_pair():
    with pytest.raises(ConceptSetError, match="'f/kids' with 'f/lust' would be"):
        refuse_minors_with_sexualisation(
            [concept("kid", name="kids")], [concept("lust", role=Role.HARM, name="lust")]
        )


def test_in_the_library_exactly_the_minors_are_kept_from_sexualisation():
    library = load_library()
    harm = library.concept("sexualisation")
    kept = {one.ref for one in library.identities() if not is_allowed_pair(one, harm)}

    assert {one.ref for one in library.identities() if one.minor} == kept
    assert {"age/children", "gender/girls", "gender/boys"} <= kept
    assert not any(map(concept_denotes_minor, library.controls()))
