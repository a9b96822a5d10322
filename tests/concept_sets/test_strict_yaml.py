"""The YAML reader refuses what surprises, and says where."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concept_sets.entry import Entry
from concept_sets.errors import ConceptSetError
from concept_sets.strict_yaml import MAX_BYTES, MAX_DEPTH, parse_yaml, read_yaml

texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)


def plain(entry: Entry):
    """Return an entry as plain Python, without places."""
    if isinstance(entry.value, dict):
        return {key: plain(value) for key, value in entry.value.items()}
    if isinstance(entry.value, list):
        return [plain(value) for value in entry.value]
    return entry.value


def nested(depth: int) -> str:
    return "a: " + "[" * depth + "]" * depth


BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "y", "True", "NULL"])
def test_words_that_other_readers_turn_into_something_else_stay_text(word):
    assert plain(parse_yaml(f"a: {word}", name="x")) == {"a": word}


def test_only_true_false_and_null_have_a_meaning_of_their_own():
    assert plain(parse_yaml("{a: true, b: false, c: null, d: ~, e: }", name="x")) == {
        "a": True, "b": False, "c": None, "d": None, "e": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("1.5", 1.5), ("1.0.0", "1.0.0"), ("0x10", "0x10"), ("'4'", "4"),
        ("1_000", "1_000"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1e5", "1e5"),
        ("!!str 5", "5"), (".inf", ".inf"),
    ],
)  # fmt: skip
def test_a_number_is_what_looks_like_one_to_anybody(text, value):
    assert plain(parse_yaml(f"a: {text}", name="x")) == {"a": value}


trees = st.recursive(
    texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8
)


@given(trees)
def test_what_json_says_is_what_is_read(tree):
    text = json.dumps({"top": tree}, ensure_ascii=False)

    assert plain(parse_yaml(text, name="x")) == {"top": tree}


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_in_our_words(text):
    try:
        top = parse_yaml(text, name="x.yaml")
    except ConceptSetError:
        return
    assert isinstance(top.value, dict)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is there already, on line 1"),
        ("a: &x 1", "line 1: anchors and aliases are not allowed"),
        ("a: 1\nb: *x", "line 2: anchors and aliases are not allowed"),
        ("a: !!int 5", "line 1: tags are not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: tags are not allowed"),
        ("a: !mine 1", "line 1: tags are not allowed"),
        ("a: 1\n---\nb: 1", "line 2: must hold one document"),
        ("[a]: 1", "line 1: a key must be text"),
        ("- a\n- b", "line 1: must be a mapping of keys to values; got a list"),
        ("just text", "must be a mapping of keys to values; got 'just text'"),
        ("", "the file is empty"),
        ("# nothing", "the file is empty"),
        ("a: [1, 2", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("a: '\x00'", "is not YAML"),
        (nested(MAX_DEPTH), "nested at most 12 levels deep"),
    ],
)
def test_a_refusal_names_file_and_line(text, sentence):
    with pytest.raises(ConceptSetError, match=r"^x\.yaml") as caught:
        parse_yaml(text, name="x.yaml")

    assert sentence in str(caught.value)


def test_eleven_levels_inside_the_document_are_still_read():
    parse_yaml(nested(MAX_DEPTH - 1), name="x")


@pytest.mark.parametrize("text", [BOMB, nested(400_000), "a: " + "{b: " * 200_000, "[" * 900_000])
def test_a_bomb_is_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(ConceptSetError):
        parse_yaml(text, name="x")

    assert time.perf_counter() - start < 2


def test_a_large_file_is_refused_unread(tmp_path):
    file = tmp_path / "big.yaml"
    file.write_text("a: 1\n#" + "x" * MAX_BYTES)

    with pytest.raises(ConceptSetError, match="at most 1,000,000 bytes; has 1,000,006"):
        read_yaml(file)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))

    with pytest.raises(ConceptSetError, match=r"latin\.yaml: must be UTF-8 text; byte 3 is not"):
        read_yaml(tmp_path / "latin.yaml")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ConceptSetError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConceptSetError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)


def test_every_entry_knows_its_place():
    top = parse_yaml("a:\n  - b: 1\n  - b: 2\n", name="x")
    second = top.fields()["a"].items()[1].fields()["b"]

    assert (second.key, second.line) == ("a[1].b", 3)
    assert str(second.error("is odd.")) == "x, line 3, a[1].b: is odd."


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u0007", "\ufeff", "\u2066"])
def test_invisible_signs_in_text_are_refused(sign):
    entry = Entry(file="x", key="a", line=1, value=f"Ar{sign}ab")

    with pytest.raises(ConceptSetError, match=f"invisible characters; got U\\+{ord(sign):04X}"):
        entry.text()


def test_text_is_trimmed_folded_and_composed():
    entry = Entry(file="x", key="a", line=1, value="  Ma\u0304ori\n  person ")

    assert entry.text() == "Māori person"


@pytest.mark.parametrize(
    ("value", "ask", "sentence"),
    [
        (5, lambda entry: entry.text(), "must be text; got 5. Put it in quotes."),
        (True, lambda entry: entry.text(), "must be text; got true. Put it in quotes."),
        (None, lambda entry: entry.text(), "must be text; got nothing. Put it in quotes."),
        (" ", lambda entry: entry.text(), "must not be empty."),
        (True, lambda entry: entry.whole(1, 4), "a whole number from 1 to 4; got true."),
        (5, lambda entry: entry.whole(1, 4), "a whole number from 1 to 4; got 5."),
        (1.0, lambda entry: entry.whole(1, 4), "a whole number from 1 to 4; got 1.0."),
        ("yes", lambda entry: entry.flag(), "must be true or false; got 'yes'."),
        ("nuon", lambda entry: entry.choice(["noun", "mass"]), "Did you mean 'noun'?"),
        ([], lambda entry: entry.items(), "a list with at least one entry; got an empty list."),
        ("a", lambda entry: entry.items(), "a list with at least one entry; got 'a'."),
        ("A b", lambda entry: entry.match("[a-z]+", "small letters"), "must be small letters"),
    ],
)
def test_a_value_of_another_kind_is_refused(value, ask, sentence):
    with pytest.raises(ConceptSetError) as caught:
        ask(Entry(file="x", key="a", line=1, value=value))

    assert sentence in str(caught.value)
