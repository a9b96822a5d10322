"""The crosswalk: frameworks are data, states follow from what an audit holds."""

import json
import re
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.crosswalk.evidence import ATTACHED, EVIDENCE, found_in
from reports.crosswalk.frameworks import Rule
from reports.crosswalk.human import HUMAN_FIELDS
from reports.crosswalk.reading import (
    framework_ids,
    parse_framework,
    read_framework,
    read_texts,
    translated,
)
from reports.crosswalk.states import STATES, State, answer
from reports.crosswalk.view import crosswalk_view
from reports.crosswalk.written import WRITTEN, as_csv, as_json
from reports.errors import ReportError
from reports.governance import NOTHING_SAID, Governance, Signature
from reports.messages import speaking
from reports.templates import environment
from reports.wording import FORBIDDEN

INK = {"text": "#000", "muted": "#555"}

SMALL = """\
id: small
version: "1"
as_of: 2026-11-23
short: Small
title: A small framework
jurisdiction: nowhere
kind: guidance
status: Invented.
verified: true
sources: [this test]
clauses:
  - id: 2.10
    asks: Something.
    evidence: Something else.
    sections: [R7]
    rule:
      needs: [has_units]
"""
CLAIMS = re.compile(r"\b(conforms? to|in conformity|meets the requirements|passes the)\b")
SAID = Governance(
    statements={path: "said" for path in HUMAN_FIELDS if path != "signatures"},
    signatures=(Signature(name="A", role="B", date=date(2026, 1, 1)),),
)


def spoilt(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


# -- the files


@pytest.mark.parametrize("id", framework_ids())
def test_every_framework_is_whole_and_says_how_it_stands(id):
    framework = read_framework(id)

    assert framework.status.strip()
    assert framework.as_of >= date(2026, 11, 23)
    assert framework.verified or framework.not_verified
    if not framework.verified and id not in {"eu-ai-act", "nyc-local-law-144", "iso-42001"}:
        assert framework.replaced_by or not all(c.verified for c in framework.clauses)


@pytest.mark.parametrize("id", framework_ids())
def test_no_framework_promises_more_than_an_audit_can_know(id):
    text = read_framework(id).model_dump_json().lower()

    assert [word for word in FORBIDDEN if word in text] == []
    assert CLAIMS.findall(text) == []


def test_the_frameworks_that_users_ask_for_are_there():
    assert {
        "eu-ai-act", "nist-ai-rmf", "nist-ai-600-1", "iso-42001", "iso-24027", "iso-12791",
        "ieee-7003", "pren-18283", "nyc-local-law-144", "california-feha", "colorado-sb-26-189",
        "colorado-sb-24-205", "uk-ico", "canada-directive",
    } <= set(framework_ids())  # fmt: skip


def test_the_dates_of_2026_are_told_with_their_doubt():
    act = read_framework("eu-ai-act")
    door = next(clause for clause in act.clauses if clause.id == "Art. 4a")

    assert "2 December 2027" in act.status
    assert "2 August 2028" in act.status
    assert "Article 4a" in act.not_verified
    assert not door.verified


def test_no_id_of_an_action_is_invented():
    text = read_framework("nist-ai-600-1").model_dump_json()

    assert not re.search(r"MS-?\d", text)
    assert "not found verbatim" in text


def test_every_kind_of_evidence_is_asked_for_somewhere():
    rules = [c.rule for id in framework_ids() for c in read_framework(id).clauses]
    asked = {name for rule in rules for name in (*rule.needs, *rule.only_if)}

    assert set(EVIDENCE) - asked <= {"has_deployment_labels", "has_replication"}


@pytest.mark.parametrize("id", framework_ids())
def test_every_clause_is_told_in_chinese_and_no_translation_is_of_something_else(id):
    framework, texts = read_framework(id), read_texts(id, "zh-Hans")
    chinese = translated(framework, texts)

    assert texts.of_version == framework.version
    assert set(texts.clauses) == {clause.id for clause in framework.clauses}
    for before, after in zip(framework.clauses, chinese.clauses, strict=True):
        for key in ("asks", "evidence", "human"):
            told = getattr(after, key)
            assert bool(told) == bool(getattr(before, key))
            assert not told or re.search("[\u4e00-\u9fff]", told), (before.id, key)
    for key in ("title", "jurisdiction", "status", "not_verified", "caution"):
        assert (getattr(chinese, key) == getattr(framework, key)) == (not getattr(framework, key))


def test_a_translation_of_another_version_is_not_shown():
    framework = read_framework("uk-ico").model_copy(update={"version": "9"})

    assert translated(framework, read_texts("uk-ico", "zh-Hans")) == framework


# -- reading


def test_numbers_and_words_like_no_stay_text():
    framework = parse_framework(spoilt("title: A small framework", "title: no"), name="small.yaml")

    assert framework.clauses[0].id == "2.10"
    assert framework.title == "no"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("needs: [has_units]", "needs: [has_unit]", r"line 16, key clauses\.0\.rule: .*'has_unit'"),
        ("sections: [R7]", "sections: [R99]", r"line 12, key clauses\.0: .*'R99'"),
        ("kind: guidance", "kind: rumour", r"line 7, key kind: "),
        ("title: A small", "titel: A small", r"key titel|key title"),
        ("verified: true", "verified: false", r"not_verified must say"),
        ("as_of: 2026-11-23", "as_of: yesterday", r"line 3, key as_of: "),
        ("status: Invented.", "status: &a Invented.", r"line 8: must have no anchors"),
        ("status: Invented.", "status: a\nstatus: b", r"line 9, key status: stands there twice"),
        ("sources: [this test]", "sources: [[[[[[[[[[[[[[]]]]]]]]]]]]]]", r"nested deeper"),
        ("id: small", "id: other", r"key id: must be the name of the file; got 'other'"),
        ("  - id: 2.10", "  - {", r"is not YAML"),
        (SMALL, "- a list", r"must be keys with values"),
        (SMALL, "", r"must be keys with values"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_key(old, new, said):
    with pytest.raises(ReportError, match=said) as error:
        parse_framework(spoilt(old, new), name="small.yaml")

    assert str(error.value).startswith("small.yaml")


def test_a_clause_that_stands_there_twice_is_refused():
    twice = SMALL + SMALL[SMALL.index("  - id") :]

    with pytest.raises(ReportError, match=r"'2\.10' is there twice"):
        parse_framework(twice, name="small.yaml")


def test_an_unknown_framework_names_the_known_ones():
    with pytest.raises(ReportError, match=r"one of california-feha, .*; got 'gdpr'"):
        read_framework("gdpr")


# -- states


names = st.sampled_from(sorted(EVIDENCE))
fields = st.sampled_from(sorted(HUMAN_FIELDS))
rules = st.builds(
    Rule,
    needs=st.lists(names, unique=True, max_size=4).map(tuple),
    fields=st.lists(fields, unique=True, max_size=3).map(tuple),
    only_if=st.lists(names, unique=True, max_size=1).map(tuple),
    rest_with_people=st.booleans(),
)
holdings = st.sets(names).map(lambda there: {name: name in there for name in EVIDENCE})
RANK = {State.NOT_APPLICABLE: -1, State.HUMAN: 0, State.PARTIAL: 1, State.SUPPLIED: 2}


@given(rule=rules, found=holdings, extra=names)
def test_more_evidence_never_lowers_a_state(rule, found, extra):
    before = answer(rule, found, NOTHING_SAID).state
    after = answer(rule, found | {extra: True}, NOTHING_SAID).state

    assert RANK[after] >= RANK[before]


@given(rule=rules, found=holdings)
def test_what_people_say_never_lowers_a_state(rule, found):
    before, after = (answer(rule, found, said).state for said in (NOTHING_SAID, SAID))

    assert RANK[after] >= RANK[before]


@given(rule=rules, found=holdings)
def test_supplied_means_that_nothing_named_is_lacking(rule, found):
    given_answer = answer(rule, found, NOTHING_SAID)

    if given_answer.state is State.SUPPLIED:
        assert not given_answer.missing
        assert not given_answer.waiting
        assert not rule.rest_with_people
        assert given_answer.present


@given(rule=rules, found=holdings, said=st.sampled_from([NOTHING_SAID, SAID]))
def test_an_audit_that_failed_its_calibration_supplies_nothing_in_full(rule, found, said):
    assert answer(rule, found, said, trusted=False).state is not State.SUPPLIED


def test_a_clause_that_no_audit_can_serve_needs_a_human():
    assert answer(Rule(), found_none(), NOTHING_SAID).state is State.HUMAN


def test_a_no_of_people_takes_a_clause_out_and_a_hesitation_does_not():
    rule = Rule(needs=("has_units",), applies="system.general_purpose")

    def state(words: str) -> State:
        said = Governance(statements={"system.general_purpose": words})
        return answer(rule, found_none(), said).state

    assert state("No, it generates nothing") is State.NOT_APPLICABLE
    assert state("no decision yet") is state("undetermined") is state("") is State.HUMAN


def found_none() -> dict[str, bool]:
    return dict.fromkeys(EVIDENCE, False)


# -- a whole audit


def of(view, id, clause):
    framework = next(f for f in view.frameworks if f.id == id)
    return next(c for c in framework.clauses if c.id == clause)


def test_states_depend_on_what_this_audit_has(told):
    bare = told.model_copy(
        update={"unit_pages": (), "causal": (), "findings": (), "contrasts": (), "rates": ()}
    )
    with_units = found_in(told)

    assert with_units["has_units"]
    assert not found_in(bare)["has_units"]
    assert found_in(bare)["has_answers"] is False
    assert of(crosswalk_view(bare), "nist-ai-rmf", "MEASURE 2.9").state is State.HUMAN


def test_what_lies_beside_an_audit_counts_only_when_it_is_said(stored):
    without, beside = found_in(stored), found_in(stored, ATTACHED)

    assert {name for name in beside if beside[name] != without[name]} == {
        f"has_{name}" for name in ATTACHED
    }


def test_an_association_audit_supplies_nothing_for_local_law_144(stored, told, measured):
    for result in (stored, told, measured):
        law = crosswalk_view(result, SAID).frameworks
        (city,) = [f for f in law if f.id == "nyc-local-law-144"]
        assert State.SUPPLIED not in {c.state for c in city.clauses}
        assert "not a bias audit under Local Law 144" in city.caution


def test_a_replaced_act_applies_to_nobody(stored):
    view = crosswalk_view(stored)

    assert of(view, "colorado-sb-24-205", "Whole act").state is State.NOT_APPLICABLE
    assert "SB 26-189" in of(view, "colorado-sb-24-205", "Whole act").reason


def test_a_signature_needs_a_signature(told):
    view = crosswalk_view(told, SAID)
    signed = crosswalk_view(told, SAID, attached=["signature"])

    assert of(view, "eu-ai-act", "Annex IV 2(g)").state is State.PARTIAL
    assert "a signature over the audit folder" in of(view, "eu-ai-act", "Annex IV 2(g)").reason
    assert "Missing: a signature" not in of(signed, "eu-ai-act", "Annex IV 2(g)").reason


def test_a_language_without_a_translation_says_so(stored):
    bare = parse_framework(SMALL, name="small.yaml")
    with speaking("zh-Hans"):
        (one,) = crosswalk_view(stored, frameworks=[bare]).frameworks

    assert one.clauses[0].asks == "Something."
    assert one.untranslated


def test_equal_results_are_told_in_equal_bytes(told):
    for write in WRITTEN.values():
        assert write(crosswalk_view(told)) == write(crosswalk_view(told))


def test_csv_and_json_hold_every_clause(told):
    view = crosswalk_view(told)
    clauses = sum(len(f.clauses) for f in view.frameworks)

    document = json.loads(as_json(view))
    assert sum(len(f["clauses"]) for f in document["frameworks"]) == clauses
    assert len(as_csv(view).splitlines()) == clauses + 1


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.captions = 0

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag == "th":
            assert dict(attrs).get("scope") in {"col", "row"}


def page(view, *, paged):
    source = '{% import "crosswalk.html.j2" as x with context %}{{ x.crosswalk(c) }}'
    return environment().from_string(source).render(c=view, paged=paged, ink=INK)


def elements(html: str) -> list[str]:
    parser = Elements()
    parser.feed(html)
    return parser.seen


@pytest.mark.parametrize("paged", [False, True])
def test_every_table_has_a_caption_and_every_state_a_word(told, paged):
    view = crosswalk_view(told)
    html = page(view, paged=paged)

    assert html.count("<caption") == html.count("<table") == len(view.frameworks) + 1
    assert html.count('class="state-mark"') == sum(len(f.clauses) for f in view.frameworks) + len(
        view.legend
    )
    for state in {c.state for f in view.frameworks for c in f.clauses}:
        assert f"</svg> {STATES[state]}</td>" in html
    assert elements(html)


def test_clauses_point_to_sections_that_the_report_has(told):
    titles = pytest.importorskip("reports.view").TITLES
    places = {
        place.section
        for framework in crosswalk_view(told).frameworks
        for clause in framework.clauses
        for place in clause.places
    }

    assert places - {""} <= set(titles)
    assert len(places) > 10


@pytest.mark.parametrize("evil", ["</table><script>x</script>", "{{ 7*7 }}", "a\u202eb\x00"])
def test_hostile_texts_of_a_framework_leave_the_page_as_it_is(stored, evil):
    framework = parse_framework(SMALL, name="small.yaml")
    clause = framework.clauses[0].model_copy(update={"asks": evil, "human": evil, "id": evil})
    spoilt_one = framework.model_copy(update={"clauses": (clause,), "status": evil})
    fine = framework.clauses[0].model_copy(update={"human": "x"})

    plain_page = page(
        crosswalk_view(stored, frameworks=[framework.model_copy(update={"clauses": (fine,)})]),
        paged=False,
    )
    bad_page = page(crosswalk_view(stored, frameworks=[spoilt_one]), paged=False)

    assert elements(bad_page) == elements(plain_page)
    assert "49" not in bad_page.replace("as of", "")
