"""In which language an audit writes its reports: ``--language`` of run, score and demo."""

from pathlib import Path

import pytest

from audit.cli.options import order_of
from audit.cli.publish import write_reports
from audit.errors import PlanError
from audit.folder import RESULT, begin_folder, write_document
from audit.gate import GateOrder
from audit.results import read_result

SPECIMEN = Path(__file__).parents[1] / "specimens" / "result-1.0.json"


@pytest.mark.parametrize(
    "command", [("demo",), ("run", "--model", "embedded:demo"), ("score", "--scores", "s.csv")]
)
def test_an_unknown_language_is_refused_before_anything_is_measured(command, tmp_path, cli):
    end = cli(*command, "--language", "fr", "--out", tmp_path / "out")

    assert end.code == 2
    assert "one of en, zh-Hans; got 'fr'" in end.err
    assert not list(tmp_path.glob("out/*"))


def test_the_order_of_an_audit_knows_its_language(tmp_path):
    assert order_of(tmp_path, "html", GateOrder()).language == "en"
    assert order_of(tmp_path, "html", GateOrder(), language="zh-Hans").language == "zh-Hans"
    with pytest.raises(PlanError, match="language of a report must be one of"):
        order_of(tmp_path, "html", GateOrder(), language="zz")


def test_reports_that_people_read_bear_the_language_and_exports_do_not(tmp_path):
    folder = begin_folder(tmp_path, "audit")
    result = read_result(SPECIMEN)
    write_document(folder, result)
    write_reports(folder, result, {}, ("html", "sarif"), "zh-Hans")
    home = folder.path(RESULT).parent
    assert '<html lang="zh-Hans">' in (home / "report.zh-Hans.html").read_text(encoding="utf-8")
    assert (home / "report.sarif").exists()
    assert not (home / "report.html").exists()
    folder.abandon()
