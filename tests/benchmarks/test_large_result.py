"""However large an audit is, its pages stay a report: every table, chart and block is capped."""

import re
import sys
from pathlib import Path

import pytest

from audit.results import read_result
from reports.as_pdf import page_source

ROOT = Path(__file__).parents[2]
MOST_ROWS = 100


@pytest.fixture(scope="module")
def sources():
    """Return the source of the pages of a large audit and of one with twice its concepts."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.reports.large_result import grow
    finally:
        sys.path.remove(str(ROOT))
    stored = read_result(ROOT / "tests/specimens/result-1.0.json")
    named = sum(len(entry.concepts) for entry in stored.inputs.concept_sets)
    grown = [grow(stored, concepts=times * named) for times in (3, 6)]
    assert len(grown[1].contrasts) == 36 * len(stored.contrasts)
    return [page_source(result) for result in grown]


def test_no_table_in_pages_has_more_rows_than_its_cap(sources):
    for table in re.findall(r"<table.*?</table>", sources[1], re.DOTALL):
        assert table.count("<tr>") <= MOST_ROWS + 1


@pytest.mark.parametrize("part", ["<article", "<svg", "<h3", "<table", "<h2"])
def test_twice_the_concepts_make_no_more_blocks(sources, part):
    large, larger = (source.count(part) for source in sources)

    assert large > 0
    assert larger <= large


def test_pages_grow_far_less_than_the_audit(sources):
    large, larger = (len(source) for source in sources)

    assert larger < 1.15 * large


def test_capped_tables_say_where_all_rows_are(sources):
    assert "rows; all of them are in measurements.csv" in sources[1]
