"""``clip-audit report``: editions, languages, statements of people and earlier audits."""

import shutil

from audit.verify import verify_folder
from reports.governance import FIELDS, FILE, blank


def filled() -> str:
    lines = []
    for line in blank().splitlines():
        key = line.partition(" = ")[0]
        line = f'{key} = "stated"' if line.endswith(' = ""') and not line.startswith("#") else line
        lines.append(line)
    return "\n".join(lines) + '\n[[signature]]\nname = "A"\nrole = "B"\ndate = 2026-11-23\n'


def test_a_final_report_needs_statements_and_leaves_the_audit_alone(cli, finished):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}

    end = cli("report", finished, "--format", "html", "--final")

    assert end.code == 4
    assert "--governance-template" in end.err
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before


def test_the_template_is_printed_filled_in_and_kept_beside_the_result(cli, finished, tmp_path):
    printed = cli("report", "--governance-template")
    assert printed.code == 0
    assert all(field.asks in printed.out for field in FIELDS)
    file = tmp_path / "said.toml"
    file.write_text(filled(), encoding="utf-8")

    end = cli("report", finished, "--format", "html", "--final", "--governance", file)

    assert end.code == 0, end.err
    assert (finished / FILE).read_text(encoding="utf-8") == filled()
    assert "Draft" not in (finished / "report.html").read_text(encoding="utf-8")
    verify_folder(finished)
    again = (finished / "report.html").read_bytes()
    assert cli("report", finished, "--format", "html", "--final").code == 0
    assert (finished / "report.html").read_bytes() == again


def test_a_wrong_or_missing_governance_file_ends_with_2(cli, finished, tmp_path):
    wrong = tmp_path / "said.toml"
    wrong.write_text("[system]\nprovidr = 'x'\n", encoding="utf-8")

    for path, said in ((wrong, "Did you mean 'system.provider'?"), (tmp_path / "no", "readable")):
        end = cli("report", finished, "--format", "html", "--governance", path)
        assert end.code == 2
        assert said in end.err


def test_every_edition_has_a_file_of_its_own_in_a_folder_that_verifies(cli, finished):
    for edition in ("shareable", "public"):
        assert cli("report", finished, "--format", "html", "--edition", edition).code == 0
        assert (finished / f"report.{edition}.html").is_file()
    verify_folder(finished)


def test_an_unknown_language_ends_with_2_and_lists_what_there_is(cli, finished):
    end = cli("report", finished, "--format", "html", "--language", "zh-hans")

    assert end.code == 2
    assert "zh-Hans" in end.err


def test_the_same_audit_twice_is_told_as_unchanged(cli, finished, tmp_path):
    earlier = shutil.copytree(finished, tmp_path / "earlier")

    end = cli("report", finished, "--format", "html", "--since", earlier)

    assert end.code == 0, end.err
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "The weights are those of the earlier audit" in page
    assert "0 contrasts are new, fixed, worse, better or not comparable" in page


def test_an_earlier_audit_that_is_no_folder_ends_with_3(cli, finished, tmp_path):
    end = cli("report", finished, "--format", "html", "--since", tmp_path / "nothing")

    assert end.code == 3
    assert "audit folders" in end.err
