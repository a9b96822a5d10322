"""The PDF of a whole demo audit, in every language, keeps the rules that PDFs are held to."""

import importlib
import sys
from pathlib import Path

import pytest

from audit.people_tables import read_people_tables
from audit.pictures_file import read_pictures
from audit.results import read_result
from reports.as_pdf import render
from reports.editions import Edition
from reports.messages import languages

FOLDER = Path(__file__).parent / "pdf_rules"


@pytest.fixture(scope="session")
def breaches():
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("rules").breaches
    finally:
        sys.path.remove(str(FOLDER))


@pytest.mark.parametrize("language", languages())
def test_the_demo_keeps_every_rule(language, demo_once, breaches):
    (document,) = demo_once.glob("*/result.json")
    result = read_result(document)
    tables = read_people_tables(document.parent, result)

    pages = render(
        result, read_pictures(document.parent), Edition(language=language), tables=tables
    )

    assert list(tables) == ["measurements.csv"]
    assert breaches(pages) == {}
