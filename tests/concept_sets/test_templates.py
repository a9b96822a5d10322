"""Templates are complete, hold known fields only, and give sentences that read right."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import concept_sets
from concept_sets.concept import Concept, PartOfSpeech, Role, Status, Term, Visibility
from concept_sets.errors import ConceptSetError
from concept_sets.prompts import expand, prompts_for
from concept_sets.templates import read_templates

SHIPPED = Path(concept_sets.__file__).parent / "library" / "templates.yaml"
TEMPLATES = read_templates(SHIPPED)

SMALL = """\
version: 1.0.0
slots: [bare, said]
templates:
  noun: {bare: "{a} {t}", said: "Here come {ts}."}
  mass: {bare: "{t}", said: "{t} is here."}
  adjective: {bare: "{a} {t} person", said: "A {t} person."}
  place: {bare: "from {t}", said: "From {t}."}
  phrase: {bare: "{t}", said: "{t}."}
purposes:
  emotion: {feeling: "i am feeling {t}", face: "me with {a} {t} face"}
anchors: [a photo of a person]
"""


def term(surface, pos=PartOfSpeech.NOUN, **more):
    return Term(
        surface=surface,
        pos=pos,
        status=Status.CURRENT,
        visible=Visibility.YES,
        sources=("usage",),
        **more,
    )


def concept(*terms):
    return Concept(id="c", name="C", family="f", role=Role.IDENTITY, terms=terms)


def small(folder, old="", new=""):
    assert old in SMALL
    (folder / "templates.yaml").write_text(SMALL.replace(old, new, 1))
    return read_templates(folder / "templates.yaml")


def test_every_part_of_speech_has_the_six_slots():
    assert TEMPLATES.slots == ("bare", "photo", "picture", "portrait", "close_up", "statement")
    assert set(TEMPLATES.texts) == set(PartOfSpeech)
    for texts in TEMPLATES.texts.values():
        assert tuple(texts) == TEMPLATES.slots
        assert len(set(texts.values())) == len(TEMPLATES.slots)


def test_captions_have_no_full_stop_and_statements_are_sentences():
    for texts in TEMPLATES.texts.values():
        for slot, text in texts.items():
            assert text.endswith(".") == (slot == "statement")
            assert text[0].isupper() == (slot == "statement")


@pytest.mark.parametrize(
    ("pos", "surface", "slot", "prompt"),
    [
        ("noun", "honest person", "photo", "a photo of an honest person"),
        ("noun", "nurse", "statement", "This is a nurse."),
        ("noun", "the Levant", "picture", "a picture of the Levant"),
        ("mass", "terrorism", "photo", "a photo of terrorism"),
        ("mass", "anger", "bare", "anger"),
        ("adjective", "European", "portrait", "a portrait of a European person"),
        ("adjective", "one-armed", "bare", "a one-armed person"),
        ("adjective", "Algerian", "close_up", "a close-up photo of an Algerian person"),
        ("adjective", "US", "statement", "This is a US person."),
        ("place", "the Andes", "photo", "a photo of a person from the Andes"),
        ("place", "Africa", "statement", "This is a person from Africa."),
        ("phrase", "two men holding hands", "photo", "a photo of two men holding hands"),
        ("phrase", "she", "statement", "This is she."),
    ],
)
def test_prompts_read_as_a_person_would_write_them(pos, surface, slot, prompt):
    assert (
        expand(term(surface, PartOfSpeech(pos)), TEMPLATES.texts[PartOfSpeech(pos)][slot]) == prompt
    )


@given(
    st.sampled_from(list(PartOfSpeech)),
    st.sampled_from(TEMPLATES.slots),
    st.text("abcdefgh -'UX8é", min_size=1).map(str.strip).filter(bool),
)
def test_every_prompt_holds_its_term_and_no_stray_blank_or_brace(pos, slot, surface):
    surface = " ".join(surface.split())
    prompt = expand(term(surface, pos), TEMPLATES.texts[pos][slot])

    assert surface in prompt
    assert prompt == " ".join(prompt.split())
    assert not set(prompt) & set("{}")


@given(st.sampled_from(["{t}", "{a}", "{ts}", "{0}", "a {t} b", "{", "{{t}}"]))
def test_braces_in_a_term_are_not_filled(surface):
    assert expand(term(surface, PartOfSpeech.MASS), "a photo of {t}") == f"a photo of {surface}"


@pytest.mark.parametrize(
    ("override", "prompt"), [("an", "an unicorn"), ("", "unicorn"), ("a", "a unicorn")]
)
def test_a_given_article_wins(override, prompt):
    assert expand(term("unicorn", article=override), "{a} {t}") == prompt


def test_a_given_plural_wins_and_a_sentence_starts_with_a_capital():
    assert expand(term("passer-by", plural="passers-by"), "{ts} look.") == "Passers-by look."
    assert expand(term("passer-by", plural="passers-by"), "some {ts}") == "some passers-by"


def test_a_plural_of_a_place_is_the_place():
    assert (
        expand(term("the Andes", PartOfSpeech.PLACE), "people from {ts}") == "people from the Andes"
    )


def test_prompts_come_term_by_term_and_slot_by_slot():
    prompts = prompts_for(concept(term("nurse"), term("anger", PartOfSpeech.MASS)), TEMPLATES)

    assert [prompt.cluster for prompt in prompts] == ["nurse"] * 6 + ["anger"] * 6
    assert [prompt.template for prompt in prompts] == list(TEMPLATES.slots) * 2
    assert {prompt.concept for prompt in prompts} == {"f/c"}
    assert prompts[1].content == "a photo of a nurse"


def test_equal_prompts_have_one_address_and_others_another():
    first, second = term("nurse"), term("doctor")
    here, there = (prompts_for(concept(first, second), TEMPLATES) for _ in range(2))

    assert [prompt.id for prompt in here] == [prompt.id for prompt in there]
    assert len({prompt.id for prompt in here}) == len(here)


def test_chosen_slots_keep_their_order():
    prompts = prompts_for(concept(term("nurse")), TEMPLATES, ["statement", "bare"])

    assert [prompt.content for prompt in prompts] == ["This is a nurse.", "a nurse"]


def test_an_unknown_slot_is_refused_with_the_nearest():
    with pytest.raises(ConceptSetError, match=r"No template slot named 'foto'.*'photo'\?"):
        prompts_for(concept(term("nurse")), TEMPLATES, ["foto"])


def test_a_purpose_takes_any_part_of_speech(tmp_path):
    prompts = prompts_for(
        concept(term("angry", PartOfSpeech.ADJECTIVE)), small(tmp_path), purpose="emotion"
    )

    assert [prompt.content for prompt in prompts] == ["i am feeling angry", "me with an angry face"]
    assert [prompt.template for prompt in prompts] == ["feeling", "face"]


def test_an_unknown_purpose_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ConceptSetError, match=r"purpose named 'emotions'; known: emotion.*Did you"):
        prompts_for(concept(term("angry")), small(tmp_path), purpose="emotions")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"{a} {t}"', '"{a} {trem}"', "templates.noun.bare: unknown field {trem}"),
        ('"{a} {t}"', '"{a} {tt}"', "known: {t} (the term), {a} (its article), {ts} (its plural)"),
        ('"{a} {t}"', '"{a} {tt}"', "Did you mean 't"),
        ('"{a} {t}"', '"{a} {t!r}"', "unknown field {t!r}"),
        ('"{a} {t}"', '"{a} {t.__class__}"', "unknown field {t.__class__}"),
        ('"{a} {t}"', '"{a} {}"', "unknown field {}"),
        ('"{a} {t}"', '"{a} {t"', "a brace stands alone"),
        ('"{a} {t}"', '"a person"', "must hold the term as {t} or {ts}; got 'a person'"),
        ('"{a} {t}"', '"{a} nice {t}"', "{a} must stand right before {t}"),
        ('bare: "{a} {t}", ', "", "templates.noun: the slot 'bare' is missing"),
        (
            'bare: "{a} {t}"',
            'bear: "{a} {t}"',
            "unknown key 'bear'; known: bare, said. Did you mean",
        ),
        ("  mass:", "  mess:", "unknown key 'mess'"),
        ('  phrase: {bare: "{t}", said: "{t}."}\n', "", "the part of speech 'phrase' is missing"),
        ("slots: [bare, said]", "slots: [bare, bare]", "must name each slot once"),
        ("version: 1.0.0", "version: 1", "must be text; got 1"),
        ("anchors: [a photo of a person]", "anchors: []", "at least one entry"),
        ("anchors: [a photo of a person]\n", "", "the key 'anchors' is missing"),
        ("i am feeling {t}", "i am {feeling}", "purposes.emotion.feeling: unknown field {feeling}"),
    ],
)
def test_a_wrong_template_is_refused_with_file_and_slot(tmp_path, old, new, sentence):
    with pytest.raises(ConceptSetError, match=r"^templates\.yaml, line \d+") as caught:
        small(tmp_path, old, new)

    assert sentence in str(caught.value)


def test_the_digest_follows_the_content(tmp_path):
    first = small(tmp_path).digest

    assert small(tmp_path, "version:", "# a comment\nversion:").digest == first
    assert small(tmp_path, "Here come", "There go").digest != first
