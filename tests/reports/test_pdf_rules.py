"""The PDF is held to written rules, and every rule notices when it is broken."""

import importlib
import io
import sys
from pathlib import Path

import pikepdf
import pytest

from reports import as_pdf

FOLDER = Path(__file__).parent / "pdf_rules"


def load(name):
    """Return a module of the folder of rules; tests form no package."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


rules = load("rules")
mutations = load("mutations")


@pytest.fixture(scope="session")
def specimen(stored, tables):
    """Return a small file with everything that a rule is about."""
    import weasyprint.text.fonts
    import weasyprint.urls

    return as_pdf._write(weasyprint, mutations.SPECIMEN, stored, tables)


def test_every_rule_has_a_way_of_being_broken():
    assert set(mutations.MUTATIONS) == set(rules.RULES)
    assert len(rules.RULES) > 60


def test_the_specimen_keeps_every_rule(specimen):
    assert rules.breaches(specimen) == {}


@pytest.mark.parametrize("name", rules.RULES)
def test_a_broken_file_is_caught(name, specimen):
    pdf = pikepdf.open(io.BytesIO(specimen))
    raw = specimen.replace(b"%PDF-1.7", b"%PDF-2.0") if name == "header is of PDF 1" else specimen

    mutations.MUTATIONS[name](pdf)

    assert list(rules.RULES[name](rules.OpenedPdf(pdf, raw)))


@pytest.mark.parametrize("name", ["pdf", "short_pdf"])
def test_reports_keep_every_rule(name, request):
    assert rules.breaches(request.getfixturevalue(name)) == {}
