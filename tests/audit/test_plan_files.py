"""Lines of keys are found, values are written as TOML, and written plans are plans."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.plan import AuditPlan, builtin_plan, parse_plan, validate_plan
from audit.plan_explained import explain_plan, explained_lines
from audit.plan_lines import key_lines
from audit.plan_written import GATES, STRICTNESS, Answers, written_plan
from audit.toml_text import toml_key, toml_value

# Lone surrogates are no Unicode text, and no UTF-8 file can hold them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = (
    texts
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(value=values, key=texts)
def test_a_written_value_is_read_back(value, key):
    assert tomllib.loads(f"{toml_key(key)} = {toml_value(value)}") == {key: value}


NAMES = st.sampled_from(["a", "b", "c d", "é", "."])
TABLES = st.lists(
    st.tuples(st.booleans(), st.dictionaries(NAMES, values, min_size=1, max_size=3)), max_size=4
)


@given(tables=TABLES, blanks=st.integers(0, 2), crlf=st.booleans())
def test_every_key_is_found_where_it_was_written(tables, blanks, crlf):
    lines, expected, count = [], {}, 0
    for index, (is_list, pairs) in enumerate(tables):
        lines += ["# a = 1"] * blanks + ["[[list]]" if is_list else f"[t{index}]"]
        above = ("list", count) if is_list else (f"t{index}",)
        count += is_list
        for name, value in pairs.items():
            expected[*above, name] = len(lines) + 1
            lines.append(f"{toml_key(name)} = {toml_value(value)} # = comment")
    found = key_lines(("\r\n" if crlf else "\n").join(lines))

    assert {key for key in expected if not any(f[: len(key)] == key for f in found)} == set()
    for key, line in found.items():
        assert [where for name, where in expected.items() if key[: len(name)] == name] == [line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = [\n 1,\n 2,\n]\nb = 1\n", {("a",): 1, ("b",): 5}),
        ('a = """\n[no]\nx = 1\n"""\nb = 1\n', {("a",): 1, ("b",): 5}),
        ("a.b.c = 1\na.d = 2\n", {("a", "b", "c"): 1, ("a", "d"): 2}),
        ("[a]\n[a.b]\nc = 1\n", {("a", "b", "c"): 3}),
        ("[[a]]\nx = 1\n[a.b]\ny = 1\n[[a]]\nx = 2\n",
         {("a", 0, "x"): 2, ("a", 0, "b", "y"): 4, ("a", 1, "x"): 6}),
        ("a = [{b = 1}, {b = 2}]\n", {("a", 0, "b"): 1, ("a", 1, "b"): 1}),
        ("", {}),
    ],
)  # fmt: skip
def test_statements_over_several_lines_stand_where_they_begin(text, lines):
    assert key_lines(text) == lines


PLANS = st.builds(
    lambda **sections: validate_plan(
        {k: {n: v for n, v in s.items() if v is not None} for k, s in sections.items()}, where=""
    ),
    gate=st.fixed_dictionaries(
        {
            "fail_on": st.sampled_from(["none", "high"]),
            "min_coverage": st.none() | st.floats(0, 1),
            "strict": st.booleans(),
            "waivers": texts,
        }
    ),
    deployment=st.fixed_dictionaries(
        {
            "labels": st.lists(texts, max_size=2),
            "harmful": st.dictionaries(texts, texts, max_size=2),
            "target": st.dictionaries(
                texts, st.dictionaries(texts, st.floats(0, 1), max_size=2), max_size=2
            ),
        }
    ),
    model=st.fixed_dictionaries({"name": texts}),
)


@given(plan=PLANS)
def test_an_explained_plan_is_the_plan(plan):
    text = "\n".join(explained_lines(explain_plan(plan, {}, "", {})))

    assert parse_plan(text, where="") == plan


def test_every_key_of_a_plan_is_explained_once():
    told = [entry.key for entry in explain_plan(builtin_plan("default"), {}, "", {})]
    tables = {key[0] for key in told}

    assert len(told) == len(set(told))
    assert tables == set(AuditPlan.model_fields)


ANSWERS = st.builds(
    Answers,
    model=texts,
    pretrained=texts,
    photos=texts,
    families=st.lists(st.sampled_from(["regions", "race/black", "religions/*"])).map(tuple),
    packs=st.lists(texts, max_size=2).map(tuple),
    harms=st.lists(texts, max_size=2).map(tuple),
    labels=st.dictionaries(texts, texts, max_size=3),
    gate=st.sampled_from(STRICTNESS),
)


@given(answers=ANSWERS, name=texts)
def test_whatever_was_answered_is_in_the_plan(answers, name):
    plan = parse_plan(written_plan(name, answers), where="")

    assert plan.name == name
    assert plan.model.name == answers.model
    assert plan.model.pretrained == (answers.pretrained if answers.model else "")
    assert plan.photos.path == answers.photos
    assert plan.concepts.folders == answers.packs
    assert plan.concepts.identities == answers.identities
    assert plan.blocking == answers.blocking
    assert plan.deployment.labels == tuple(answers.labels)
    assert plan.deployment.harmful == {label: h for label, h in answers.labels.items() if h}
    assert plan.gate == GATES[answers.gate]


def test_a_group_that_blocks_is_compared_with_its_whole_family():
    answers = Answers(families=("race/black", "regions"))

    assert answers.identities == ("race/*", "regions/*")
    assert answers.blocking[0].identities == ("race/black", "regions/*")


def test_comments_of_a_written_plan_name_keys_that_exist():
    text = written_plan("plan", Answers(photos="p", labels={"a": "", "b": ""}, model="m"))
    opened = "\n".join(
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in text.splitlines()
    )

    assert parse_plan(opened, where="").gate.baseline == "baseline.json"
