"""``clip-audit run`` from a plan to a filed audit."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from audit.results import Verdict
from probes.measurement import COLUMNS

run_module = importlib.import_module("audit.cli.run")
SCRIPT = Path(sys.executable).parent / "clip-audit"


def test_a_planted_link_is_found_and_the_answer_names_it(cli, world):
    end = cli("run", "plan.toml", "--format", "json")

    assert end.code == 0
    assert "Harmful associations found: 1 of 2" in end.out
    (finding,) = [f for f in end.result.findings if f.blocking]
    assert (finding.identity, finding.harm) == ("people/ones", "menace")
    assert f"{finding.id}  critical" in end.out
    assert f"clip-audit explain {finding.id} {end.folder}" in end.out


def test_nothing_is_found_where_nothing_was_planted(cli, world, small_world, tmp_path):
    small_world.write_packs(tmp_path / "packs", planted=False)

    end = cli("run", "plan.toml", "--format", "json", "--fail-on", "low")

    assert end.code == 0
    assert end.result.findings == ()
    assert end.result.verdict.verdict is not Verdict.FOUND


@pytest.mark.parametrize(
    ("fail_on", "code"), [("none", 0), ("low", 1), ("medium", 1), ("high", 1), ("critical", 1)]
)
def test_the_gate_fails_from_the_severity_asked_for(fail_on, code, cli, world):
    end = cli("run", "plan.toml", "--format", "json", "--fail-on", fail_on)

    assert end.code == code
    assert f"Gate: {'FAILED' if code else 'passed'}." in end.out
    assert end.result.gate.passed is (code == 0)


@pytest.mark.parametrize(("fail_on", "code"), [("low", 1), ("medium", 1), ("high", 0)])
def test_a_finding_below_the_severity_asked_for_does_not_fail_the_gate(
    fail_on, code, cli, small_world, tmp_path, monkeypatch
):
    monkeypatch.setitem(small_world.HARMS, "menace", 2)
    small_world.write_packs(tmp_path / "packs")
    small_world.write_plan(tmp_path)

    end = cli("run", "plan.toml", "--format", "json", "--fail-on", fail_on)

    assert len(end.result.findings) == 1
    assert end.code == code


def test_an_exploratory_finding_never_fails_the_gate(cli, small_world, tmp_path, monkeypatch):
    small_world.write_packs(tmp_path / "packs")
    monkeypatch.setattr(small_world, "PLAN", small_world.PLAN.replace("people/ones", "people/twos"))
    small_world.write_plan(tmp_path)

    end = cli("run", "plan.toml", "--format", "json", "--fail-on", "low")

    assert [f.blocking for f in end.result.findings] == [False]
    assert end.code == 0
    assert "1 exploratory associations" in end.out


def test_equal_inputs_and_seed_give_equal_digests_and_tables(cli, world, tmp_path):
    ends = [cli("run", "plan.toml", "--format", "json", "--out", name) for name in "ab"]
    fresh = cli("run", "plan.toml", "--format", "json", "--cache", tmp_path / "other")

    assert {end.result.digest for end in (*ends, fresh)} == {ends[0].result.digest}
    assert ends[1].encoded() == (0, world.N_TERMS)
    assert fresh.encoded() == (world.N_TERMS, 0)


def test_another_seed_gives_another_digest(cli, world, tmp_path):
    first = cli("run", "plan.toml", "--format", "json")
    world.write_plan(tmp_path, name="other.toml", top="seed = 5")

    assert cli("run", "other.toml", "--format", "json").result.digest != first.result.digest


def test_two_audits_in_one_second_get_two_folders(cli, world, tmp_path):
    for _ in range(4):
        assert cli("run", "plan.toml", "--format", "json").code == 0

    assert len(list((tmp_path / "audit-runs").iterdir())) == 4
    for folder in (tmp_path / "audit-runs").iterdir():
        assert cli("verify", folder).code == 0


@pytest.fixture(scope="module")
def tables(finished_once):
    csv = pd.read_csv(finished_once / "measurements.csv", keep_default_na=False)
    parquet = pq.read_table(finished_once / "measurements.parquet").to_pandas()
    return csv, parquet


def test_both_tables_have_the_documented_columns_in_order(tables):
    for table in tables:
        assert tuple(table.columns) == COLUMNS


def test_the_table_for_people_has_contrasts_and_behaviour_and_no_units(tables, small_world):
    csv, _ = tables
    contrasts = csv[(csv.measure == "contrast") & (csv.template == "")]

    assert set(csv.arm) <= {"text", "rendered", "photo", "behaviour"}
    assert set(csv.unit) == {""}
    assert len(contrasts) == 2 * len(small_world.GROUPS) * len(small_world.HARMS)


def test_the_full_table_has_every_unit_with_every_concept(tables, small_world):
    csv, parquet = tables
    units = parquet[parquet.unit.notna()]
    n_concepts = len(small_world.GROUPS) + len(small_world.HARMS) + small_world.CONTROLS

    assert len(parquet[parquet.unit.isna()]) >= len(csv)
    for measure in ("correlation", "ap_lift", "glass_delta", "auroc"):
        rows = units[units.measure == measure]
        assert rows.groupby("concept", observed=True).unit.nunique().eq(12).all()
        assert len(rows) == 12 * n_concepts
        assert rows[rows.value.isna()].reason.ne("").all()


def test_the_result_names_its_tables_by_digest(finished_once, cli):
    assert cli("verify", finished_once).code == 0


def test_a_second_run_with_one_more_concept_encodes_only_that_concept(cli, world, tmp_path):
    world.write_plan(tmp_path, name="two.toml", identities='["people/ones", "people/twos"]')
    first = cli("run", "two.toml", "--format", "json")

    second = cli("run", "plan.toml", "--format", "json")

    assert first.encoded() == (world.N_TERMS - world.TERMS, 0)
    assert second.encoded() == (world.TERMS, world.N_TERMS - world.TERMS)
    assert second.result.run.encoded == {"text": world.TERMS}
    assert second.result.run.reused == {"text": world.N_TERMS - world.TERMS}


def test_one_more_concept_encodes_only_its_words_when_they_are_drawn(cli, world, tmp_path):
    world.write_plan(
        tmp_path,
        name="two.toml",
        identities='["people/ones", "people/twos"]',
        rendered="describes",
    )
    world.write_plan(tmp_path, rendered="describes")
    cli("run", "two.toml", "--format", "json")

    second = cli("run", "plan.toml", "--format", "json")

    assert second.encoded("rendered") == (world.TERMS, world.N_TERMS - world.TERMS)


def test_the_console_script_keeps_the_answer_and_the_progress_apart(world, tmp_path):
    words = [SCRIPT, "run", "plan.toml", "--format", "json", "--fail-on", "high"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=120)

    assert done.returncode == 1
    assert done.stdout.startswith("\nHarmful associations found")
    assert "encoded now" not in done.stdout
    assert "encoded now" in done.stderr
    assert "Traceback" not in done.stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout + done.stderr)


def test_html_and_pdf_are_written_into_the_folder_that_verifies(cli, world):
    end = cli("run", "plan.toml", "--format", "html,pdf")

    assert (end.folder / "report.html").read_bytes().startswith(b"<!doctype html>")
    assert (end.folder / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert cli("verify", end.folder).code == 0


@pytest.mark.parametrize("by_plan", [True, False])
def test_the_fast_mode_is_asked_for_in_the_plan_or_by_option(by_plan, cli, world, monkeypatch):
    asked, load = [], run_module.load_encoder

    def noting(*names, **options):
        asked.append(options["kernels"].fast)
        return load(*names, **options)

    monkeypatch.setattr(run_module, "load_encoder", noting)
    if by_plan:
        plan = Path("plan.toml")
        plan.write_text(plan.read_text().replace("[model]\n", '[model]\nmode = "fast"\n'))

    end = cli("run", "plan.toml", "--format", "json", *(() if by_plan else ("--fast",)))

    assert (end.code, asked) == (0, [True])
    assert "this one is exact" in end.err
