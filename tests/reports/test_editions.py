"""Editions: what each shows, what it leaves out, and what only people can fill in."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.results import Undefined, Verdict
from reports.changes import Change, Changes
from reports.editions import FULL, Edition
from reports.errors import EvidenceMissingError, ReportError
from reports.formats import FORMATS, find_format
from reports.governance import FIELDS, Governance, Signature, blank, read_governance

ALL_SAID = "\n".join(
    f"[{part}]\n" + "\n".join(f'{f.key} = "said of {f.path}"' for f in FIELDS if f.part == part)
    for part in dict.fromkeys(f.part for f in FIELDS)
)
SIGNED = '[[signature]]\nname = "A. Person"\nrole = "Reviewer"\ndate = 2026-11-23\n'


def words_of(html: bytes) -> str:
    tree = html5lib.parse(html.decode(), namespaceHTMLElements=False)
    return " ".join("".join(tree.find("body").itertext()).split())


@pytest.fixture(scope="module")
def complete() -> Governance:
    return read_governance(f"{ALL_SAID}\n{SIGNED}".encode())


@pytest.fixture(scope="module")
def changes() -> Changes:
    entry = {"arm": "text", "severity": 4, "finding": "BA12345678", "identity": "g/a"}
    return Changes(
        earlier_model="earlier model",
        earlier_digest="sha256:" + "1" * 64,
        earlier_weights="sha256:" + "2" * 64,
        earlier_date=datetime(2026, 5, 1, tzinfo=UTC),
        same_model=False,
        margin=1.0,
        changes=(
            Change(**entry, harm="h/one", state="new", before_sd=0.4, after_sd=6.0, change=5.6,
                   low=3.0, high=8.2),
            Change(**entry, harm="h/two", state="unchanged", before_sd=0.0, after_sd=0.1,
                   change=0.1, low=-0.5, high=0.7),
            Change(**entry, harm="h/three", state="not comparable", before_sd=0.0,
                   after_sd=Undefined(undefined="other stimuli"),
                   change=Undefined(undefined="other stimuli"),
                   low=Undefined(undefined="other stimuli"),
                   high=Undefined(undefined="other stimuli")),
        ),
        incomparable=("the templates differ: text",),
    )  # fmt: skip


def test_a_report_without_statements_says_that_it_is_a_draft_and_asks_each(stored):
    words = words_of(find_format("html").render(stored))

    needed = [field for field in FIELDS if field.needed]
    assert f"Draft: {len(needed)} statements that only people can make" in words
    assert all(f"NOT PROVIDED. Asked: {field.asks}" in words for field in FIELDS)
    assert "Not signed by anybody." in words


def test_what_people_said_stands_in_the_report_and_the_draft_note_goes(stored, complete):
    html = find_format("html").render(stored, edition=Edition(governance=complete, final=True))
    words = words_of(html)

    assert "Draft" not in words
    assert "NOT PROVIDED" not in words
    assert all(f"said of {field.path}" in words for field in FIELDS)
    assert "A. Person" in words
    assert "23 November 2026" in words
    assert complete.digest in words


def test_a_file_that_says_everything_and_is_not_signed_is_a_draft(stored):
    unsigned = read_governance(ALL_SAID.encode())

    html = find_format("html").render(stored, edition=Edition(governance=unsigned))
    assert "Draft: nobody has signed this report." in words_of(html)


@pytest.mark.parametrize("name", [name for name, row in FORMATS.items() if row.edited])
def test_a_final_report_is_refused_by_name_of_every_missing_field(name, stored):
    with pytest.raises(EvidenceMissingError) as refused:
        find_format(name).render(stored, edition=Edition(final=True))

    for field in FIELDS:
        assert (field.path in str(refused.value)) == field.needed
    assert "[[signature]]" in str(refused.value)


def test_the_template_file_asks_for_every_field_and_fills_none():
    read = read_governance(blank().encode())

    assert read.statements == {}
    assert read.signatures == ()
    assert all(field.asks in blank() and f"\n{field.key} = " in blank() for field in FIELDS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[system]\nprovidr = 'x'", "'system.provider'"),
        (b"[sistem]\nprovider = 'x'", "'system'"),
        (b"system = 3", "[system] must be a table"),
        (b"[system]\nprovider = 3", "system.provider must be text"),
        (b"[system]\nprovider = '" + b"x" * 5000 + b"'", "at most 4,000 letters"),
        (b"[system", "must be TOML"),
        (b"\xff\xfe", "must be TOML in UTF-8"),
        (b"[[signature]]\nname = 'A'", "signature 1 must have a name, a role and a date"),
        (b"[[signature]]\nname='A'\nrole='B'\ndate='2026'", "signature 1"),
        (b"[signature]\nname='A'", "[[signature]]"),
        (b"a = " + b"[" * 4000, "must be TOML"),
    ],
)  # fmt: skip
def test_a_wrong_governance_file_is_refused_with_its_name_and_key(content, said):
    with pytest.raises(ReportError, match=re.escape(said)) as refused:
        read_governance(content, "where.toml")
    assert "where.toml" in str(refused.value)


def test_an_empty_line_to_sign_on_is_no_signature():
    assert read_governance(SIGNED.replace("A. Person", " ").encode()).signatures == ()
    assert read_governance(SIGNED.encode()).signatures == (
        Signature(name="A. Person", role="Reviewer", date=date(2026, 11, 23)),
    )


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_statements_come_back_as_they_were_written(words):
    quoted = "".join(f"\\U{ord(letter):08x}" for letter in words)
    read = read_governance(f'[system]\nprovider = "{quoted}"'.encode())

    assert read.statements.get("system.provider", "") == words.strip()


def test_hostile_statements_change_no_element(stored):
    benign = read_governance(b"[system]\nprovider = 'x'")
    hostile = replace(
        benign,
        statements={"system.provider": "</dd><script>alert(1)</script>{{7*7}}\u202e"},
        signatures=(Signature(name="<b>x", role="{% raw %}", date=date(2026, 1, 1)),),
    )
    signed = replace(benign, signatures=(Signature(name="x", role="y", date=date(2026, 1, 1)),))

    def shape(said: Governance) -> list[str]:
        html = find_format("html").render(stored, edition=Edition(governance=said)).decode()
        return [element.tag for element in html5lib.parse(html, namespaceHTMLElements=False).iter()
                if isinstance(element.tag, str)]  # fmt: skip

    assert shape(hostile) == shape(signed)


def test_without_an_earlier_audit_the_section_says_how_to_name_one(stored):
    assert "--since EARLIER" in words_of(find_format("html").render(stored))


def test_what_changed_is_counted_and_listed_worst_first(stored, changes):
    html = find_format("html").render(stored, edition=Edition(changes=changes)).decode()
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    (table,) = [t for t in tree.iter("table") if t.get("id") == "changes"]
    rows = [[" ".join("".join(c.itertext()).split()) for c in row] for row in table.find("tbody")]

    assert [row[2] for row in rows] == ["new", "not comparable"]
    assert rows[0][6] == "+5.6 3.0 to 8.2"
    assert rows[1][6] == "undefined"
    assert "the templates differ" in words_of(html.encode()).lower()
    (counts,) = [t for t in tree.iter("table") if t.get("id") == "change-counts"]
    told = {row[0].text: row[1].text for row in counts.find("tbody")}
    assert (told["new"], told["unchanged"], told["worse"]) == ("1", "1", "0")


def test_a_shareable_report_has_no_picture_and_no_list_of_terms(told, pictures):
    full = find_format("html").render(told, pictures)
    shared = find_format("html").render(told, pictures, Edition(audience="shareable"))

    assert b"data:image/jpeg" in full
    assert b"data:image/jpeg" not in shared
    assert b"Terms of \xe2\x80\x9c" in full
    assert b"Terms of \xe2\x80\x9c" not in shared


def test_a_shareable_pdf_attaches_nothing(stored):
    pikepdf = pytest.importorskip("pikepdf")
    import io

    def attached(edition: Edition) -> list[str]:
        with pikepdf.open(io.BytesIO(find_format("pdf").render(stored, edition=edition))) as pdf:
            return list(pdf.attachments)

    assert "result.json" in attached(FULL)
    assert attached(Edition(audience="shareable")) == []
    assert attached(Edition(audience="public")) == []


def test_the_public_extract_is_one_page_that_adds_up(measured):
    pikepdf = pytest.importorskip("pikepdf")
    import io

    public = Edition(audience="public")
    with pikepdf.open(io.BytesIO(find_format("pdf").render(measured, edition=public))) as pdf:
        assert len(pdf.pages) == 1
    html = find_format("html").render(measured, edition=public).decode()
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    (table,) = [t for t in tree.iter("table") if t.get("id") == "public-counts"]
    counts = [[int(cell.text.replace(",", "")) for cell in row[1:]] for row in table.find("tbody")]

    assert all(asked == sum(answers) for asked, *answers in counts)
    deciding = {arm.arm for arm in measured.arms if arm.decides}
    blocking = [c for c in measured.contrasts if c.blocking and c.arm in deciding]
    found = {(c.identity, c.harm) for c in blocking if c.verdict is Verdict.FOUND}
    assert sum(row[1] for row in counts) == len(found) > 0
    assert sum(row[0] for row in counts) == len({(c.identity, c.harm) for c in blocking})


def test_the_public_extract_names_no_term(measured):
    html = find_format("html").render(measured, edition=Edition(audience="public")).decode()
    terms = {t for s in measured.inputs.concept_sets for c in s.concepts if c.role == "harm"
             for t in c.terms}  # fmt: skip
    names = {c.name.lower() for s in measured.inputs.concept_sets for c in s.concepts}
    shown = words_of(html.encode()).lower()

    assert terms
    assert not [t for t in terms - names if re.search(rf"\b{re.escape(t.lower())}\b", shown)]


def test_file_names_of_editions_are_their_own():
    editions = [Edition(audience=a, language=x) for a in ("full", "shareable", "public")
                for x in ("en", "zh-Hans")]  # fmt: skip
    names = {find_format(f).name_in(e) for f in FORMATS for e in editions}

    edited = sum(row.edited for row in FORMATS.values())
    assert len(names) == len(FORMATS) - edited + edited * len(editions)
    assert all(Path(name).name == name for name in names)
