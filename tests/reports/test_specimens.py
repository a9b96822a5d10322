import json
from pathlib import Path

from audit.results import parse_result, read_result, write_result
from reports.formats import find_format


def test_the_stored_result_of_format_1_0_can_still_be_read(stored):
    assert stored.format_version == "1.0"
    assert len(stored.findings) == 4


def test_the_stored_result_of_format_1_1_can_still_be_read_and_told():
    past = read_result(Path(__file__).parents[1] / "specimens" / "result-1.1.json")

    assert past.format_version == "1.1"
    assert [record.causal for record in past.causal] == [True, True, True]
    assert past.unit_pages == ()
    assert past.findings[0].id.encode() in find_format("html").render(past)


def test_a_document_without_optional_fields_that_came_later_keeps_its_digest(stored):
    document = json.loads(write_result(stored))
    for probe in document["probes"]:
        if probe["reason"] == "":
            del probe["reason"]
    for finding in document["findings"]:
        if not finding["marks"]:
            del finding["marks"]
    without = parse_result(document, where="an older document")

    assert without == stored
    assert without.digest == stored.digest
