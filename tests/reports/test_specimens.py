import json

from audit.results import parse_result, write_result


def test_the_stored_result_of_format_1_0_can_still_be_read(stored):
    assert stored.format_version == "1.0"
    assert len(stored.findings) == 4


def test_a_document_without_fields_that_came_later_keeps_its_digest(stored):
    document = json.loads(write_result(stored))
    for finding in document["findings"]:
        for unit in finding["units"]:
            del unit["ap_chance"]
    del document["notes"], document["run"]["reused"]
    kept = stored.model_copy(update={"notes": ()})
    document["digest"] = kept.digest

    assert parse_result(document, where="an older document").digest == kept.digest
