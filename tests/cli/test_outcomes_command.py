"""``clip-audit outcomes``: tables of decisions, and nothing of any one person."""

import csv
import io
import json
import tomllib
from html.parser import HTMLParser

import pytest

ABOUT = """\
tool = "Sorter 3"
distribution_date = 2026-01-02
audit_date = "2026-11-23"
auditor = "Example Auditors, no part in the tool"
data_source = "decisions of 2025, all offices"
data_kind = "historical"
"""


@pytest.fixture
def decisions(tmp_path):
    path = tmp_path / "decisions.csv"
    rows = ["name,sex,race,selected,score"]
    counts = {("female", "A"): (40, 20), ("male", "A"): (50, 40), ("male", "B"): (9, 3),
              ("", "A"): (7, 1), ("male", "C"): (1, 1)}  # fmt: skip
    for (sex, race), (n, chosen) in counts.items():
        for at in range(n):
            score = n - at + (0.5 if sex == "male" else 0)
            rows.append(f"Secret Person {at},{sex},{race},{'yes' if at < chosen else 'no'},{score}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def about(tmp_path):
    path = tmp_path / "about.toml"
    path.write_text(ABOUT)
    return path


def both(decisions, *more):
    return ("outcomes", decisions, "--category", "sex", "--category", "race", *more)


def rows_of(told):
    return {(r["table"], r["category"]): r for r in csv.DictReader(io.StringIO(told.out))}


def test_each_column_and_the_crossing_get_a_table(cli, decisions):
    rows = rows_of(cli(*both(decisions, "--selected", "selected", "--format", "csv")))

    assert rows["sex", "female"]["rate"] == "0.5"
    assert float(rows["sex", "male"]["rate"]) == pytest.approx(44 / 60)
    assert float(rows["sex", "female"]["ratio"]) == pytest.approx(0.5 / (44 / 60))
    assert rows["sex", "(unknown)"]["n"] == "7"
    assert rows["race", "(unknown)"]["n"] == "0"
    assert rows["sex x race", "(unknown)"]["n"] == "7"
    assert float(rows["sex x race", "male & A"]["rate"]) == pytest.approx(0.8)
    assert ("sex x race", "female & B") not in rows


def test_a_small_category_keeps_its_rate_and_loses_its_ratio(cli, decisions):
    words = both(decisions, "--selected", "selected", "--format", "csv")
    all_in, without = rows_of(cli(*words)), rows_of(cli(*words, "--leave-out-small"))

    assert all_in["race", "C"]["ratio"] == "1.0"
    assert without["race", "C"]["rate"] == "1.0"
    assert without["race", "C"]["ratio"] == ""
    assert "under 2 %" in without["race", "C"]["reason"]
    assert float(without["race", "A"]["ratio"]) == 1


def test_scores_count_above_the_median_of_everybody(cli, decisions):
    told = cli(*both(decisions, "--score", "score", "--format", "json"))
    document = json.loads(told.out)

    everybody = document["tables"][1]["rows"]
    assert document["from_scores"]
    assert sum(row["selected"] for row in everybody) <= document["n_people"] / 2
    assert document["median"] > 0


@pytest.mark.parametrize("form", ["text", "html", "csv", "json"])
@pytest.mark.parametrize("public", [(), ("--public",)])
def test_no_word_of_any_one_person_leaves_the_file(cli, decisions, form, public):
    told = cli(*both(decisions, "--selected", "selected", "--format", form, *public))

    assert told.code == 0
    assert "Secret Person" not in told.out
    assert str(decisions.parent) not in told.out


@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_every_edition_says_bluntly_what_it_is_not(cli, decisions, form):
    told = cli(*both(decisions, "--selected", "selected", "--format", form))

    words = told.out.replace("&#39;", "'")
    assert "it is not a bias audit under New York City's Local Law 144" in words
    assert "independent auditor" in words
    assert "not asked by the rule" in words


def test_the_public_summary_has_no_interval(cli, decisions):
    words = both(decisions, "--selected", "selected", "--format", "csv")

    assert rows_of(cli(*words))["sex", "female"]["ratio_low"]
    assert not rows_of(cli(*words, "--public"))["sex", "female"]["ratio_low"]


def test_a_final_edition_without_what_people_say_ends_with_4(cli, decisions, about):
    words = both(decisions, "--selected", "selected", "--final")
    without, given = cli(*words), cli(*words, "--about", about)

    assert without.code == 4
    assert "not provided: tool, distribution_date, audit_date, auditor, data_source" in without.err
    assert without.out == ""
    assert given.code == 0
    assert "DRAFT" not in given.out
    assert "2 January 2026" in given.out


@pytest.mark.parametrize(
    ("change", "more", "lacks"),
    [
        (('"historical"', '"test"'), (), "test_data_reason"),
        (("", ""), ("--leave-out-small",), "small_categories_reason"),
    ],
)
def test_what_is_unusual_needs_its_reason(cli, decisions, about, change, more, lacks):
    about.write_text(ABOUT.replace(*change))
    words = both(decisions, "--selected", "selected", "--final", "--about", about)

    told = cli(*words, *more)
    about.write_text(about.read_text() + f'{lacks} = "because"\n')

    assert told.code == 4
    assert f"not provided: {lacks}." in told.err
    assert cli(*words, *more).code == 0


def test_the_template_is_a_description_to_fill_in(cli):
    told = cli("outcomes", "--about-template")

    assert set(tomllib.loads(told.out)) >= {"data_source", "data_kind", "audit_date"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "its columns are none"),
        ("sex,selected\n", "has only a header"),
        (
            "sex,selected\nf\n",
            "line 2: every row must have 2 cells like the header; this one has 1",
        ),
        ("sex,selected\nf,perhaps\n", "line 2, column 'selected': must be one of 1, 1.0, yes"),
        ("sex,selected\nf,\n", "line 2, column 'selected'"),
        ("sex,selected\nf,nan\n", "got 'nan'"),
        ("sex,sex,selected\nf,f,1\n", "2 of them are named so"),
        ("gender,selected\nf,1\n", "must have one column 'sex'"),
        ("sex,selected\nf,1\nF,1\n", "'F' and 'f' differ only in case"),
        ("sex,selected\n" + "".join(f"p{n},1\n" for n in range(61)), "at most 60 different values"),
        ('sex,selected\n"f,1\n', "must be CSV"),
        (b"sex,selected\n\xff\xfe,1\n", "must be CSV in UTF-8"),
        ("sex,selected\n" + "f" * 200_000 + ",1\n", "must be CSV"),
    ],
)
def test_a_file_that_cannot_be_counted_gets_a_sentence(cli, tmp_path, content, said):
    path = tmp_path / "d.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    told = cli("outcomes", path, "--category", "sex", "--selected", "selected")

    assert told.code == 2
    assert said in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("score", ["nan", "inf", "", "high"])
def test_a_score_that_is_none_names_its_row(cli, tmp_path, score):
    path = tmp_path / "d.csv"
    path.write_text(f"sex,score\nf,1\nm,{score}\n")

    told = cli("outcomes", path, "--category", "sex", "--score", "score")

    assert told.code == 2
    assert "line 3, column 'score': must be a finite number" in told.err


def test_one_row_is_a_table_with_one_row(cli, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("\ufeffsex,selected\nf,0\n")

    rows = rows_of(cli("outcomes", path, "--category", "sex", "--selected", "selected",
                       "--format", "csv"))  # fmt: skip

    assert rows["sex", "f"]["rate"] == "0.0"
    assert rows["sex", "f"]["ratio"] == ""
    assert rows["sex", "f"]["reason"] == "undefined: nobody was selected"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give DECISIONS"),
        (("FILE", "--selected", "selected"), "1 to 3 category columns; got 0"),
        (("FILE", "--category", "sex"), "got neither"),
        (("FILE", "--category", "sex", "--selected", "selected", "--score", "score"), "got both"),
        (("absent.csv", "--category", "sex", "--score", "score"), "must be readable; absent.csv"),
        (("FILE", "--category", "sex", "--score", "score", "--about", "no.toml"), "no.toml gave"),
    ],
)
def test_a_wrong_order_gets_a_sentence(cli, decisions, words, said):
    told = cli("outcomes", *(decisions if word == "FILE" else word for word in words))

    assert told.code == 2
    assert said in told.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("data_kind = 'old'", "must be historical or test; got 'old'"),
        ("audit_date = 'soon'", "key audit_date: must be a date as 2026-11-23; got 'soon'"),
        ("tool = 3", "key tool: must be text; got 3"),
        ("colour = 'red'", "key colour: must be one of tool, "),
        ("tool = ", "must be TOML"),
    ],
)
def test_a_wrong_description_names_its_key(cli, decisions, tmp_path, line, said):
    (tmp_path / "about.toml").write_text(line)

    told = cli(*both(decisions, "--selected", "selected", "--about", tmp_path / "about.toml"))

    assert told.code == 2
    assert said in told.err


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def tags_of(cli, tmp_path, category):
    path = tmp_path / "d.csv"
    path.write_text(f'sex,selected\n"{category}",1\n~m,0\n')
    told = cli("outcomes", path, "--category", "sex", "--selected", "selected", "--format", "html")
    parser = Tags()
    parser.feed(told.out)
    return parser.tags, told.out


@pytest.mark.parametrize(
    "evil", ["</td><script>x</script>", "{{ 7*7 }}", "a\u202eb", "<b onclick=x>"]
)
def test_a_hostile_category_leaves_the_page_as_it_is(cli, tmp_path, evil):
    plain, _ = tags_of(cli, tmp_path, "f")
    bad, page = tags_of(cli, tmp_path, evil)

    assert bad == plain
    assert page.count("<caption") == page.count("<table") == 1
    assert "script" not in plain


def test_no_cell_of_the_csv_is_read_as_a_formula(cli, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("sex,selected\n=1+1,1\nm,0\n")
    told = cli("outcomes", path, "--category", "sex", "--selected", "selected", "--format", "csv")

    assert "sex,'=1+1," in told.out
