import json
import re
import unicodedata
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from audit.cli.ending import exit_code as ending_code
from audit.conclude import trustworthy
from audit.results import Verdict, parse_result, write_result
from reports.as_sarif import message_text
from reports.cases import cases, exit_code
from reports.formats import FORMATS, find_format
from reports.wording import FORBIDDEN
from reports.written import derived_id, plain

EXPORTS = ["sarif", "junit", "cyclonedx", "spdx", "intoto", "modelcard", "markdown"]
OUTCOMES = ["found", "nothing", "insufficient", "scores", "measured", "units", "gated"]
HARSH = ("grushker", "mordrane", "velth raider", "skritch", "murk swarm", "lockfolk", "brigger")
HOSTILE = [
    "<script>alert(1)</script>&amp;]]>",
    "\x00\x1b[31m\x85\ufffe\ufdd0",
    "\u202egnp.exe\u2066\u200f",
    "| a | b |\n\n# head\n- item\n1. one\n---\n```\ncode",
    "[x](http://evil.example) ![i](j) @everyone www.evil.example",
    "{0} {{7*7}} ${HOME} \\ ' \" --- : # &a *b !!python/object",
    "**bold** _it_ ~~no~~ `code` \\| $x$",
]


@pytest.fixture(scope="module")
def written(exported):
    """Return what every format says of every kind of result."""
    return {
        (outcome, name): find_format(name).render(exported[outcome]).decode()
        for outcome in OUTCOMES
        for name in EXPORTS
    }


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_equal_results_give_equal_bytes(exported, written, outcome):
    again = parse_result(json.loads(write_result(exported[outcome])), where="test")

    for name in EXPORTS:
        assert find_format(name).render(again).decode() == written[outcome, name], name


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_export_says_a_forbidden_word(written, outcome, name):
    text = written[outcome, name].lower()

    assert [word for word in FORBIDDEN if re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_export_holds_a_harsh_or_contested_term(written, outcome, name):
    text = written[outcome, name].lower()

    assert [term for term in (*HARSH, "norrin elder") if term in text] == []


@pytest.mark.parametrize("name", ["sarif", "junit", "cyclonedx", "modelcard", "markdown"])
def test_names_of_harms_stay_readable(written, name):
    assert "Violent crime" in written["found", name]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_finding_is_in_every_export(stored, written, name):
    text = written["found", name]

    for finding in stored.findings:
        told = finding.identity in text if name == "intoto" else finding.id in text
        assert told or (not finding.blocking and name in {"intoto", "junit"}), finding.id


def test_files_of_formats_never_collide():
    names = [row.file_name for row in FORMATS.values()]

    assert len(set(names)) == len(names)


def test_ids_are_derived_from_the_digest_and_the_matter():
    ids = {derived_id(digest, what) for digest in ("one", "two") for what in ("a", "b")}

    assert len(ids) == 4
    assert derived_id("one", "a") in ids


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_exit_code_is_the_one_that_the_command_ends_with(exported, outcome):
    result = exported[outcome]

    assert exit_code(result) == ending_code(result.gate, trustworthy(result.arms))


def test_an_arm_that_fails_its_calibration_is_exit_code_3_as_at_the_end_of_an_audit(stored):
    arms = tuple(arm.model_copy(update={"role": "decides"}) for arm in stored.arms)
    broken = stored.model_copy(update={"arms": arms})

    assert exit_code(broken) == ending_code(broken.gate, trustworthy(broken.arms)) == 3


def test_a_gate_that_cannot_tell_is_exit_code_3_where_that_was_asked(gated):
    rule = gated.gate.rules[0].model_copy(
        update={"name": "on-inconclusive", "asked": "error", "outcome": "inconclusive"}
    )
    gate = gated.gate.model_copy(update={"rules": (rule,), "outcome": "inconclusive"})
    unsure = gated.model_copy(update={"gate": gate})

    assert exit_code(unsure) == ending_code(unsure.gate, trustworthy(unsure.arms)) == 3


def test_a_contrast_open_in_one_deciding_arm_is_open_unless_it_was_found(stored):
    known = {case.id: case for case in cases(stored)}
    opened = next(c for c in known.values() if c.verdict is Verdict.NOT_FOUND and c.contrasts)
    unsure = tuple(
        c.model_copy(update={"verdict": Verdict.INSUFFICIENT}) if c == opened.contrasts[0] else c
        for c in stored.contrasts
    )
    after = {case.id: case for case in cases(stored.model_copy(update={"contrasts": unsure}))}

    assert after[opened.id].verdict is Verdict.INSUFFICIENT
    assert {id for id in after if after[id].verdict is not known[id].verdict} == {opened.id}


def test_a_contrast_without_evidence_is_open_and_not_passed(stored):
    bare = stored.model_copy(update={"contrasts": (), "findings": ()})

    assert {case.verdict for case in cases(bare)} == {Verdict.INSUFFICIENT}
    assert len(cases(bare)) == len(stored.plan.blocking)


def structure(name, content):
    """Return what a parser sees besides the text."""
    if name == "junit":
        return [(e.tag, sorted(e.attrib)) for e in ElementTree.fromstring(content).iter()]
    if name == "markdown":
        return blocks(content.decode())
    if name == "modelcard":
        _, head, body = re.split("^---\n", content.decode(), maxsplit=2, flags=re.M)
        return [keys(yaml.safe_load(head)), blocks(body)]
    return keys(json.loads(content))


def keys(value):
    if isinstance(value, dict):
        return {key: keys(part) for key, part in value.items()}
    return [keys(part) for part in value] if isinstance(value, list) else type(value).__name__


def blocks(text):
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    words = {"text", "text_special"}
    return [
        (token.type, token.tag, [c.type for c in token.children or () if c.type not in words])
        for token in parser.parse(text)
    ]


@pytest.fixture(scope="module")
def calm(gate_specimens, gated):
    benign = gate_specimens.hostile(gated, "x")
    return {name: structure(name, find_format(name).render(benign)) for name in EXPORTS}


def hidden(text):
    """Return characters that hide or turn text, and those that XML forbids."""
    return {
        c
        for c in text
        if c not in "\n\u200c\u200d" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


words = st.text(max_size=12) | st.sampled_from(HOSTILE) | st.text("|`*_[]<>&{}@#-+.1)!$~\\/:w \n")


def all_examples(test):
    for text in HOSTILE:
        test = example(words=text)(test)
    return test


@settings(max_examples=6, deadline=None)
@given(words=words)
@all_examples
def test_hostile_words_in_every_text_change_nothing_but_text(words, calm, gated, gate_specimens):
    poisoned = gate_specimens.hostile(gated, words)
    contents = {name: find_format(name).render(poisoned) for name in EXPORTS}

    changed = [name for name in EXPORTS if structure(name, contents[name]) != calm[name]]
    unseen = {name: hidden(content.decode()) for name, content in contents.items()}
    assert changed == []
    assert not any(unseen.values())


@given(st.text())
def test_plain_text_is_one_line_that_reads_as_itself(text):
    line = plain(text)

    assert "\n" not in line
    assert blocks(f"a {line}")[1][2] == []
    assert len(blocks(f"| a |\n| --- |\n| {line} |")) == len(blocks("| a |\n| --- |\n| x |"))


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_escaped_messages_can_be_read_back(text):
    once = message_text(text).replace("{{", "{").replace("}}", "}")

    assert re.sub(r"\\([\\\[\]])", r"\1", once) == text
