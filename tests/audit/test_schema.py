import json
from pathlib import Path

from audit.results import result_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "result-1.0.json"


def test_the_published_schema_is_the_one_that_results_follow():
    """Changing the document is a versioned decision: write the schema anew and say so."""
    assert json.loads(PUBLISHED.read_text()) == result_schema()
