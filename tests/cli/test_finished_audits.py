"""A finished audit is verified, told again and explained, years later and by anybody."""

import json
import re
import shutil

import pytest

from audit.folder import MANIFEST, RESULT, file_digest
from audit.results import read_result

FILES = (
    "clusters.parquet",
    "manifest.json",
    "measurements.csv",
    "measurements.parquet",
    "pictures.zip",
    "report.html",
    "result.json",
)


def test_an_untouched_audit_verifies_and_prints_its_digests(cli, finished):
    end = cli("verify", finished)

    assert end.code == 0
    assert f"Result {read_result(finished / RESULT).digest}" in end.out
    assert end.err == ""


def test_the_folder_holds_what_this_file_checks(finished):
    assert tuple(sorted(path.name for path in finished.iterdir())) == FILES


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("name", FILES)
def test_any_changed_byte_is_found(name, place, cli, finished):
    content = bytearray((finished / name).read_bytes())
    content[int(place * len(content))] ^= 1
    (finished / name).write_bytes(content)

    end = cli("verify", finished)

    assert end.code == 3
    assert name in end.err or name == MANIFEST
    assert end.out == ""
    assert len(end.err.splitlines()) == 1


@pytest.mark.parametrize("name", FILES)
def test_an_added_byte_is_found(name, cli, finished):
    with (finished / name).open("ab") as stream:
        stream.write(b"\n")

    assert cli("verify", finished).code == 3


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(name, cli, finished):
    (finished / name).unlink()

    end = cli("verify", finished)

    assert end.code == 3
    assert name in end.err


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "report.pdf"])
def test_an_extra_file_is_found(name, cli, finished):
    (finished / name).write_text("x")

    end = cli("verify", finished)

    assert end.code == 3
    assert name in end.err


def test_an_extra_folder_is_found(cli, finished):
    (finished / "more").mkdir()

    assert cli("verify", finished).code == 3


def rewrite_manifest(folder, **digests: str) -> None:
    """What somebody does who wants to hide a change."""
    document = json.loads((folder / MANIFEST).read_text())
    document["files"].update(digests)
    (folder / MANIFEST).write_text(json.dumps(document, indent=1) + "\n")


def test_a_changed_result_is_found_even_where_the_manifest_was_changed_too(cli, finished):
    path = finished / RESULT
    path.write_text(path.read_text().replace('"severity": 4', '"severity": 1', 1))
    rewrite_manifest(finished, **{RESULT: file_digest(path)})

    end = cli("verify", finished)

    assert end.code == 3
    assert "must match its digest" in end.err


def test_a_changed_table_is_found_even_where_the_manifest_was_changed_too(cli, finished):
    path = finished / "measurements.csv"
    path.write_text(path.read_text().replace("text", "test", 1))
    rewrite_manifest(finished, **{"measurements.csv": file_digest(path)})

    end = cli("verify", finished)

    assert end.code == 3
    assert "measurements.csv" in end.err


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"files": []}', '{"files": {"../x": "y"}, "format": "clip-audit folder 1"}'],
)
def test_a_manifest_that_is_none_is_refused(text, cli, finished):
    (finished / MANIFEST).write_text(text)

    end = cli("verify", finished)

    assert end.code == 3
    assert "must have its manifest.json unchanged" in end.err


def test_a_result_alone_verifies_by_its_own_digest(cli, finished):
    assert cli("verify", finished / RESULT).code == 0


def test_a_copy_elsewhere_verifies(cli, finished, tmp_path):
    shutil.move(finished, tmp_path / "archive")

    assert cli("verify", tmp_path / "archive").code == 0


def test_a_report_is_told_again_and_the_folder_still_verifies(cli, finished):
    before = (finished / "report.html").read_bytes()
    (finished / "report.html").write_bytes(b"spoilt")

    end = cli("report", finished, "--format", "html,json")

    assert end.code == 0
    assert end.out == f"{finished / 'report.html'}\n{finished / RESULT}\n"
    assert (finished / "report.html").read_bytes() == before
    assert cli("verify", finished).code == 0


def test_a_format_that_was_not_there_is_added_to_the_manifest(cli, finished):
    assert cli("report", finished, "--format", "pdf").code == 0
    assert (finished / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert cli("verify", finished).code == 0


def test_exports_join_the_folder_and_it_still_verifies(cli, finished):
    names = "sarif,junit,cyclonedx,intoto,modelcard,markdown"
    files = (
        "report.sarif",
        "report.junit.xml",
        "report.cdx.json",
        "report.intoto.json",
        "model-card.md",
        "summary.md",
    )

    end = cli("report", finished, "--format", names)

    assert end.code == 0
    assert end.out.splitlines() == [str(finished / name) for name in files]
    assert cli("verify", finished).code == 0


def test_waived_findings_are_asked_for_in_sarif_by_word(cli, finished):
    words = ["report", finished, "--format", "sarif", "--sarif-suppressed"]

    assert cli(*words, "include").code == 0
    assert cli(*words, "hide").code == 2


def test_a_report_goes_to_the_file_asked_for_and_the_folder_stays(cli, finished, tmp_path):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}

    end = cli("report", finished, "--format", "json", "--output", tmp_path / "told.json")

    assert end.code == 0
    assert end.out == f"{tmp_path / 'told.json'}\n"
    assert (tmp_path / "told.json").read_bytes() == before[RESULT]
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


def test_one_output_takes_one_format(cli, finished, tmp_path):
    end = cli("report", finished, "--output", tmp_path / "x")

    assert end.code == 2
    assert "--output takes one format; got html, pdf" in end.err


@pytest.mark.parametrize("output", [".", "nowhere/x.html"])
def test_an_output_that_cannot_be_written_is_one_sentence(output, cli, finished):
    end = cli("report", finished, "--format", "json", "--output", output)

    assert end.code in {2, 3}
    assert end.out == ""
    assert len(end.err.splitlines()) == 1


def test_reports_do_not_launder_a_changed_gate(cli, finished):
    path = finished / RESULT
    path.write_text(path.read_text().replace('"fail_on": "none"', '"fail_on": "high"', 1))
    assert read_result(path).gate.fail_on == "high"

    end = cli("report", finished, "--format", "json")

    assert end.code == 3
    assert "The result must match the manifest" in end.err
    assert cli("verify", finished).code == 3


@pytest.fixture
def finding(finished):
    return next(f for f in read_result(finished / RESULT).findings if f.blocking)


def test_a_finding_is_explained_with_evidence_and_units(cli, finished, finding):
    end = cli("explain", finding.id, finished)

    assert end.code == 0
    first, second, *rest = end.out.splitlines()
    assert first == f"{finding.id}  Ones and Menace"
    assert second.startswith("Severity critical, ")
    assert "Evidence:" in rest
    assert "Units that carry it most:" in rest
    assert any(re.match(r"  - toy\.colours:\d+ \(preact-mean\) contribution ", line)
               for line in rest)  # fmt: skip
    assert "It says nothing of any one person or picture." in end.out


def test_terms_of_severe_harms_are_masked_in_an_explanation(cli, finished, finding):
    result = read_result(finished / RESULT)
    severe = [
        term
        for item in result.inputs.concept_sets
        for concept in item.concepts
        if concept.ref == finding.harm
        for term in concept.terms
    ]

    out = cli("explain", finding.id, finished).out

    assert severe
    assert not [term for term in severe if term in out]


def test_an_unknown_finding_is_answered_with_the_nearest(cli, finished, finding):
    wrong = finding.id[:-1] + ("0" if finding.id[-1] != "0" else "1")

    end = cli("explain", wrong, finished)

    assert end.code == 3
    assert f"Did you mean {finding.id!r}?" in end.err
    assert end.out == ""
