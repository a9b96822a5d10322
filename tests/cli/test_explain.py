"""Every measure can be looked up, on the command line and on the reference page."""

from pathlib import Path

import pytest

from audit.measure_page import facts, page, sections
from audit.results import read_result
from probes.measures import MEASURES
from reports.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "measures.md"


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_explained_with_formula_source_and_failure_modes(name, cli):
    end = cli("explain", name)

    measure = MEASURES[name]
    assert end.code == 0
    assert end.out.splitlines()[0] == f"{name}  {measure.title}"
    for text in (measure.formula, measure.source, measure.positive_means, *measure.failure_modes):
        assert text in end.out
    assert end.err == ""


@pytest.mark.parametrize("words", [[], ["--list"], ["auroc", "--list"]])
def test_all_measures_are_listed_by_section_and_all_rules(words, cli):
    end = cli("explain", *words)

    listed = [line.split()[0] for line in end.out.splitlines() if line.startswith("  ")]
    assert end.code == 0
    assert sorted(listed) == sorted([*MEASURES, *RULES])
    assert [line for line in end.out.splitlines() if not line.startswith("  ")][:-1] == [
        *sections(),
        "Rules of the exports",
    ]


@pytest.mark.parametrize("id", RULES)
def test_every_rule_is_explained_offline_with_what_it_does_not_say(id, cli):
    end = cli("explain", id)

    rule = RULES[id]
    assert end.code == 0
    assert end.out.splitlines()[0] == f"{id}  {rule.title}"
    for text in (rule.meaning, *rule.misleads, *rule.steps):
        assert text in end.out


def test_an_unknown_rule_gets_the_nearest(cli):
    end = cli("explain", "BA1009")

    assert end.code == 2
    assert "got 'BA1009'. Did you mean 'BA100" in end.err


def test_every_measure_stands_in_one_section():
    names = [row.name for rows in sections().values() for row in rows]

    assert sorted(names) == sorted(MEASURES)


def test_an_unknown_name_gets_the_nearest_and_the_way_to_findings(cli):
    end = cli("explain", "aurok")

    assert end.code == 2
    assert "got 'aurok'. Did you mean 'auroc'?" in end.err
    assert "A finding needs its audit: clip-audit explain FINDING AUDIT." in end.err


def test_a_neutral_value_that_data_decide_is_said_to_stand_beside_the_value():
    said = {
        name: dict(facts(measure))["Neutral"]
        for name, measure in MEASURES.items()
        if measure.neutral != measure.neutral
    }

    assert set(said.values()) <= {"stands beside every value: it depends on the data"}


def test_a_finding_is_explained_with_its_audit(cli, finished):
    result = read_result(finished / "result.json")

    end = cli("explain", result.findings[0].id, finished)

    assert end.code == 0
    assert end.out.startswith(f"{result.findings[0].id}  ")
    assert "Evidence:" in end.out


def test_an_unknown_finding_of_an_audit_is_still_a_finding(cli, finished):
    end = cli("explain", "auroc", finished)

    assert end.code == 3
    assert "A finding must be one of this audit's" in end.err


def test_the_reference_page_is_made_from_the_definitions():
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "write it anew: python -m audit.measure_page > docs/measures.md"
    )


def test_the_reference_page_has_every_measure_once():
    headings = [line for line in page().splitlines() if line.startswith("`")]

    assert sorted(headings) == sorted(f"`{name}`" for name in MEASURES)


def test_signs_of_formulas_are_not_read_as_layout():
    lines = [line for line in page().splitlines() if line.startswith("- **Formula**")]

    assert lines
    assert all("*" not in line.removeprefix("- **Formula**").replace("\\*", "") for line in lines)
