import json

from audit.results import parse_result, write_result


def test_the_stored_result_of_format_1_0_can_still_be_read(stored):
    assert stored.format_version == "1.0"
    assert len(stored.findings) == 4


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
