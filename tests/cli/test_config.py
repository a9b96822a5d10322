"""Plans, waivers and packs are shown, explained and checked, and nothing is measured."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from audit.cli.run import with_model
from audit.cli.second_model import with_other
from audit.plan import BUILTIN_PLANS, builtin_plan, builtin_text, parse_plan, read_plan

ROOT = Path(__file__).parents[2]


def block_of(page: str) -> str:
    return re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)[0]


def as_json(document: object) -> object:
    return json.loads(json.dumps(document, default=date.isoformat))


@pytest.mark.parametrize("name", BUILTIN_PLANS)
def test_the_schema_accepts_the_plans_that_come_along(cli, name):
    schema = json.loads(cli("config", "schema").out)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(builtin_text(name)), schema)


@pytest.mark.parametrize(
    ("kind", "page", "wrong"),
    [
        ("plan", "plans.md", {"limits": {"alfa": 0.1}}),
        ("plan", "plans.md", {"gate": {"fail_on": "severe"}}),
        ("waivers", "gate.md", {"waiver": [{"finding": "BA1"}]}),
        ("waivers", "gate.md", {"waivers": []}),
    ],
)
def test_a_schema_accepts_the_documented_file_and_refuses_what_the_reader_refuses(
    cli, kind, page, wrong
):
    schema = json.loads(cli("config", "schema", "--of", kind).out)

    jsonschema.validate(as_json(tomllib.loads(block_of(page))), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(block_of("plans.md"))
    return path


def rows(end) -> dict[str, tuple[object, str]]:
    return {row["key"]: (row["value"], row["origin"]) for row in json.loads(end.out)}


def test_every_value_is_told_with_its_line(cli, plan):
    text = plan.read_text().splitlines()
    told = rows(cli("config", "explain", "--plan", plan, "--format", "json"))

    assert told["concepts.builtin"] == (True, "default")
    assert told["blocking.0.harms"][0] == ["terrorism", "property_crime"]
    for key, (_, origin) in told.items():
        if origin != "default":
            path, _, line = origin.rpartition(", line ")
            assert path == str(plan)
            name = key.rpartition(".")[2]
            line_there = text[int(line) - 1]
            assert line_there.startswith(name) or key.startswith("deployment."), (key, line_there)


@pytest.mark.parametrize("name", [*BUILTIN_PLANS, "docs"])
def test_what_is_explained_is_a_plan_that_means_the_same(cli, plan, name):
    if name != "docs":
        plan.write_text(builtin_text(name))
    end = cli("config", "explain", "--plan", plan)

    assert parse_plan(end.out, where="") == read_plan(plan)


def test_without_a_file_the_default_plan_is_explained(cli):
    end = cli("config", "explain")

    assert parse_plan(end.out, where="") == builtin_plan("default")
    assert "# built-in plan default, line 7" in end.out


@pytest.mark.parametrize(
    "typed",
    [
        {"model": "RN50"},
        {"model": "RN50", "pretrained": "openai"},
        {"other": "RN101"},
        {"other": "RN101", "other_pretrained": "openai"},
    ],
)
def test_options_change_what_they_change_in_a_run(cli, plan, typed):
    text = plan.read_text().replace("[replication]", "[replication] # here")
    plan.write_text(text.replace('layer = "" ', 'layer = "visual.layer4.2" '))
    words = [w for k, v in typed.items() for w in (f"--{k.replace('_', '-')}", v)]
    told = parse_plan(cli("config", "explain", "--plan", plan, *words).out, where="")
    expected = read_plan(plan)
    expected = with_model(expected, typed.get("model", ""), typed.get("pretrained", ""))
    expected = with_other(expected, typed.get("other", ""), typed.get("other_pretrained", ""))

    assert told == expected


def test_options_are_named_as_origins_and_packs_are_added(cli, plan):
    told = rows(
        cli("config", "explain", "--plan", plan, "--fail-on", "none", "--no-strict", "--packs",
            "mine", "--fast", "--photos", "p.csv", "--waivers", "w.toml", "--format", "json")
    )  # fmt: skip

    assert told["gate.fail_on"] == ("none", "command line (--fail-on)")
    assert told["gate.strict"] == (False, "command line (--no-strict)")
    assert told["gate.waivers"] == ("w.toml", "command line (--waivers)")
    assert told["model.mode"] == ("fast", "command line (--fast)")
    assert told["photos.path"] == ("p.csv", "command line (--photos)")
    assert told["concepts.folders"] == (
        ["my-packs", "mine"],
        f"{plan}, line 16, and command line (--packs)",
    )


def test_what_is_not_asked_is_a_comment(cli):
    out = cli("config", "explain").out

    assert re.search(r"^# min_coverage = +# default$", out, re.MULTILINE)


WAIVERS = '[[waiver]]\nfinding = "BA1"\nreason = "{}"\ncategory = "accepted_risk"\nowner = "Ada"\n'
WAIVERS += 'approved_by = "Grace"\ncreated = 2026-01-10\nexpires = 2026-06-10\nmodel = "*"\n'


@pytest.fixture
def files(tmp_path, small_world):
    """A plan with packs, waivers and everything it names."""
    small_world.write_packs(tmp_path / "packs")
    small_world.write_plan(tmp_path, more='[gate]\nwaivers = "waivers.toml"\n')
    (tmp_path / "waivers.toml").write_text(WAIVERS.format("nobody is shown this by the product"))
    return tmp_path


def test_files_without_errors_are_told_by_kind(cli, files):
    end = cli("config", "check", "plan.toml", "waivers.toml")

    assert (end.code, end.err) == (0, "")
    assert end.out == "plan.toml: plan without errors\nwaivers.toml: waivers without errors\n"
    packs = cli("config", "check", "packs", "--no-builtin")
    assert (packs.code, packs.out) == (0, "packs: packs without errors\n")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("plan.toml", "lambdas", "lamdas", "Did you mean 'lambdas'?"),
        ("plan.toml", "people/ones", "people/onse", "Did you mean 'people/ones'?"),
        ("plan.toml", '"packs"', '"pack"', "does not exist"),
        ("plan.toml", "waivers.toml", "waiver.toml", "No such file"),
        ("plan.toml", "[gate]", '[gate]\nbaseline = "b.json"', "b.json"),
        ("plan.toml", "[gate]", "[deployment]\nthreshold = 0.5\n[gate]", "labels is empty"),
        ("plan.toml", "slots", "= slots", "line 3"),
        (
            "waivers.toml",
            "nobody is shown this by the product",
            "no",
            "a reason must have 20",
        ),
        ("waivers.toml", '"Grace"', '"ada"', "second person"),
        ("packs/gloom.yaml", "severity", "sevrity", "severity"),
        ("packs/gloom.yaml", "role: harm", "role: [", "gloom.yaml"),
    ],
)
def test_a_fault_is_a_sentence_and_the_code_of_configuration(cli, files, name, old, new, told):
    path = files / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    end = cli("config", "check", name, *(["--no-builtin"] if "packs" in name else []))

    assert end.code == 2
    assert told in end.err
    assert name.rpartition("/")[2] in end.err
    assert "without errors" not in end.out


def test_every_file_is_told_even_after_a_faulty_one(cli, files):
    (files / "bad.toml").write_text("sed = 1\n")
    end = cli("config", "check", "bad.toml", "waivers.toml", "plan.toml")

    assert end.code == 2
    assert end.err.startswith("Error: bad.toml has an unknown key sed. Did you mean 'seed'?")
    assert end.out.count("without errors") == 2


def test_photos_that_are_elsewhere_are_a_note(cli, files):
    plan = files / "plan.toml"
    plan.write_text(plan.read_text() + '[photos]\npath = "far/away.csv"\n')
    end = cli("config", "check", "plan.toml")

    assert end.code == 0
    assert "Note: plan.toml: its photos, far/away.csv, are not here" in end.err


def test_groups_of_a_manifest_may_block_before_it_is_read(cli, files):
    plan = files / "plan.toml"
    plan.write_text(plan.read_text().replace("people/ones", "photos:gender/Female"))

    assert cli("config", "check", "plan.toml").code == 0


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("nowhere.toml", None, "nowhere.toml is not"),
        ("notes.txt", "hello", "Say what it is with --as"),
        ("waivers-old.toml", "= 1", "Waivers must be valid TOML"),
        ("b.json", "{}", "key result_digest"),
    ],
)
def test_a_file_of_no_kind_or_a_broken_one_is_refused(cli, tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_text(content)
    end = cli("config", "check", name)

    assert end.code == 2
    assert told in end.err


def test_two_packs_that_contradict_each_other_are_found_together(cli, files):
    other = files / "other"
    other.mkdir()
    (other / "gloom.yaml").write_text(
        (files / "packs" / "gloom.yaml").read_text().replace("1.0.0", "2.0.0")
    )
    end = cli("config", "check", "packs", "other", "--no-builtin")

    assert end.code == 2
    assert "different concept sets with the id 'gloom'" in end.err
