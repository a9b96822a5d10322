import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reports
from audit.results import Undefined, UndefinedRecord, Verdict
from reports.care import masked, masking, visible
from reports.names import Names
from reports.quantities import interval, number, percent, plural, signed
from reports.view import build_view
from reports.wording import FORBIDDEN, headline, strength, verdict_sentence

ROOM = Path(reports.__file__).parent
SOURCES = [p for p in sorted(ROOM.rglob("*")) if p.suffix in {".py", ".j2", ".css"}]
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units"]


def words_of(value):
    """Yield every string of nested dataclasses, tuples and dicts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from words_of(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from words_of(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from words_of(getattr(value, name))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOM).as_posix())
def test_no_template_or_sentence_claims_more_than_an_audit_can_know(path):
    text = path.read_text(encoding="utf-8").lower()
    if path.name == "wording.py":
        text = re.sub(r"forbidden = \(.*?\n\)", "", text, flags=re.S)

    assert [word for word in FORBIDDEN if re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_view_says_a_forbidden_word(outcomes, outcome):
    said = " ".join(words_of(build_view(outcomes[outcome]))).lower()

    assert [word for word in FORBIDDEN if re.search(rf"\b{word}\b", said)] == []


def test_nothing_found_points_to_the_size_looked_for_and_to_what_was_not_tested(outcomes):
    said = verdict_sentence(outcomes["nothing"])

    assert said.startswith("No association above 6 times the ordinary spread")
    assert "groups, concepts, layers and images listed" in said
    assert "see what was not tested" in said


def test_insufficient_says_that_it_is_not_a_clean_result_and_what_to_do(outcomes):
    summary = build_view(outcomes["insufficient"]).summary

    assert "not a clean result" in " ".join(summary.meaning)
    assert any("control packs" in step.words for step in summary.next_steps)


def test_the_headline_counts_what_was_fixed_beforehand_by_severity(stored):
    assert headline(stored) == ("Two harmful associations were found: one critical and one high")


def test_there_is_no_overall_score(stored):
    said = " ".join(words_of(build_view(stored)))

    assert "There is no overall score" in said
    assert re.search(r"(bias|overall|total) score:? *\d", said, re.I) is None


def test_every_verdict_has_a_word_and_a_headline():
    from reports.sections.contrasts import MARKERS
    from reports.wording import HEADLINES, VERDICTS

    assert set(VERDICTS) == set(HEADLINES) == set(MARKERS) == set(Verdict)


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (8.14, "about 8 times"),
        (2.94, "about 2.9 times"),
        (-4.0, "about 4 times"),
    ],
)
def test_strength_is_said_in_multiples_of_the_spread_of_harmless_concepts(effect, said):
    assert strength(effect) == f"{said} the ordinary spread of harmless concepts"


def test_an_undefined_number_is_never_printed_as_zero():
    nothing = Undefined(undefined="too few terms")

    assert number(nothing) == percent(nothing) == signed(nothing) == "undefined"
    assert interval(nothing, 1.0) == ""


@given(st.floats(-1e6, 1e6))
def test_no_number_is_a_negative_zero_and_signs_are_true_minus_signs(value):
    said = number(value)

    assert said != "−0.0"
    assert "-" not in said
    assert float(said.replace("−", "-").replace(",", "")) == pytest.approx(value, abs=0.051)


def test_one_of_a_thing_is_singular():
    assert [plural(n, "finding") for n in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]


@given(st.text(max_size=40))
def test_masking_keeps_first_letters_and_lengths_and_nothing_else(term):
    hidden = masked(term)

    assert len(hidden) == len(term)
    assert re.findall(r"\w{2,}", hidden) == []


@pytest.mark.parametrize("outcome", ["found", "measured", "units"])
def test_terms_of_severe_harms_are_masked_and_names_of_harms_are_not(outcomes, outcome):
    said = " ".join(words_of(build_view(outcomes[outcome])))

    for term in ("grushker", "mordrane", "velth raider", "skritch", "lockfolk"):
        assert term not in said
    assert "g*******" in said
    assert "Violent crime" in said
    assert "hollow purse" in said  # severity 2: readable


def test_masked_terms_do_not_leak_through_readings_labels_settings_or_reasons(measured):
    telling = measured.catalogue[0].model_copy(
        update={
            "label": "skritch",
            "against": "lockfolk",
            "setting": "label=Grushker; k=20",
            "reading": "Photos are nearer to mordrane, “lockfolk” and a Norrin elder.",
            "reason": "blightling has too few pictures",
        }
    )
    missing = {"undefined": (UndefinedRecord(what="Rates of “wanted drell”", why="no “skritch”"),)}
    view = build_view(measured.model_copy(update={"catalogue": (telling,), **missing}))
    said = " ".join(words_of(view)).lower()

    for term in ("skritch", "lockfolk", "grushker", "mordrane", "blightling", "wanted drell"):
        assert re.search(rf"\b{term}\b", said) is None
    assert "norrin elder" not in said
    assert "“s******”" in said


def test_contested_terms_are_masked_whatever_their_severity(stored):
    said = " ".join(words_of(build_view(stored)))

    assert "Norrin elder" not in said
    assert "N***** e****" in said


def test_a_concept_name_inside_a_sentence_stays_readable():
    hide = masking(["theft"], ["Theft and fraud"])

    assert hide.within("“Theft and fraud” without theft") == "“Theft and fraud” without t****"


def test_the_longer_of_a_name_and_a_term_that_start_together_wins():
    assert masking(["Norrin elder"], ["Norrin"]).within("a Norrin elder") == "a N***** e****"
    assert masking(["Norrin"], ["Norrin elder"]).within("a Norrin elder") == "a Norrin elder"


def test_masking_nothing_changes_nothing():
    assert masking([], []).within("as it is") == "as it is"


def test_a_masked_term_outside_quotation_marks_is_ordinary_language(stored):
    names = Names(inputs=stored.inputs)

    assert names.sentence("skritch without “skritch”") == "Skritch without “s******”."
    assert names.sentence("a Norrin elder") == "A N***** e****."


@given(st.text())
def test_visible_text_has_no_character_that_can_hide_or_turn_text(text):
    shown = visible(text)

    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
    )


def test_ordinary_text_in_any_script_stays_as_it_is():
    for text in ("Sámi", "日本人", "क्षत्रिय", "עברית", "Türkiye’s", "👩‍🔬"):
        assert visible(text) == text
