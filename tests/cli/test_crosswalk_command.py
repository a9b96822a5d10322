"""``clip-audit crosswalk`` as a user meets it."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

STORED = Path(__file__).parents[1] / "specimens" / "result-1.0.json"


@pytest.fixture
def audit(tmp_path) -> Path:
    return Path(shutil.copy(STORED, tmp_path / "result.json"))


def test_without_an_audit_the_frameworks_are_listed_with_their_status(cli):
    told = cli("crosswalk")

    assert told.code == 0
    assert "eu-ai-act" in told.out
    assert "2 December 2027" in told.out
    assert "needs a human" not in told.out


def test_a_framework_alone_is_described_without_any_state(cli):
    told = cli("crosswalk", "nyc-local-law-144")

    assert told.code == 0
    assert "not a bias audit under Local Law 144" in told.out
    assert "People must supply: Decisions, categories, and an independent auditor." in told.out


def test_an_audit_gives_every_framework_its_states(cli, audit):
    told = cli("crosswalk", "--audit", audit)

    assert told.code == 0
    assert "never says that anything conforms" in told.out
    assert "nyc-local-law-144    NYC Local Law 144: 7 needs a human" in told.out


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json"])
def test_every_format_tells_the_clauses_of_one_framework(cli, audit, form):
    told = cli("crosswalk", "uk-ico", "--audit", audit, "--format", form)

    assert told.code == 0
    assert "Fairness at every stage" in told.out
    assert "ISO/IEC" not in told.out
    if form == "json":
        assert json.loads(told.out)["frameworks"][0]["id"] == "uk-ico"
    if form == "csv":
        assert {row["framework"] for row in csv.DictReader(io.StringIO(told.out))} == {"uk-ico"}


def test_a_governance_file_beside_the_result_is_read(cli, audit):
    words = ["crosswalk", "eu-ai-act", "--audit", audit, "--format", "json"]
    before = cli(*words)
    (audit.parent / "governance.toml").write_text('[system]\nrisk_class = "no: a toy"\n')
    after = cli(*words)

    (clauses,) = [f["clauses"] for f in json.loads(after.out)["frameworks"]]
    states = {clause["clause"]: clause["state"] for clause in clauses}
    assert "not_applicable" not in before.out.split('"frameworks"')[1]
    assert states["Art. 9(5)"] == "not_applicable"
    assert states["Art. 53, Annex XI 1(2)(c), Annex XII"] != "not_applicable"


def test_a_framework_of_ones_own_is_told_like_any_other(cli, audit, tmp_path):
    own = tmp_path / "house-rules.yaml"
    own.write_text(
        "id: house-rules\nversion: '1'\nas_of: 2026-11-23\nshort: House\ntitle: House rules\n"
        "jurisdiction: here\nkind: guidance\nstatus: Ours.\nverified: true\nsources: [us]\n"
        "clauses:\n  - id: H1\n    asks: Say who.\n    evidence: Names.\n    sections: [R3]\n"
        "    rule: {needs: [weights_identified]}\n"
    )

    told = cli("crosswalk", "--file", own, "--audit", audit)

    assert told.code == 0
    assert "H1" in told.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["uk-icco"], 2, "Did you mean 'uk-ico'?"),
        (["--file", "absent.yaml"], 2, "must be readable; absent.yaml"),
        (["uk-ico", "--file", "x.yaml"], 2, "not both"),
        (["--format", "json"], 2, "give it with --audit AUDIT"),
        (["--audit", "absent"], 3, "absent"),
        (["--audit", "AUDIT", "--governance", "none.toml"], 2, "must be readable; none.toml"),
        (["--language", "tlh"], 2, "language of a report must be one of"),
    ],
)
def test_a_wrong_order_gets_a_sentence(cli, audit, words, code, said):
    told = cli("crosswalk", *(audit if word == "AUDIT" else word for word in words))

    assert told.code == code
    assert said in told.err
    assert told.out == ""


def test_a_wrong_file_of_ones_own_names_file_line_and_key(cli, tmp_path):
    own = tmp_path / "house.yaml"
    own.write_text("id: house\nversion: '1'\nkind: rumour\n")

    told = cli("crosswalk", "--file", own)

    assert told.code == 2
    assert "house.yaml, line " in told.err


def test_the_answer_can_be_written_to_a_file(cli, audit, tmp_path):
    told = cli("crosswalk", "--audit", audit, "--format", "csv", "--output", tmp_path / "a.csv")

    assert told.out.strip() == str(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().startswith("framework,as_of,clause")
