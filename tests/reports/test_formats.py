import json
from importlib import import_module

import pytest

from audit.results import parse_result, write_result
from reports.errors import ReportError
from reports.formats import FORMATS, find_format


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_renderer_an_extension_and_a_media_type(name):
    row = find_format(name)

    assert callable(import_module(row.module).render)
    assert row.extension
    assert "/" in row.media_type
    assert row.file_name.endswith(row.extension)


def test_json_is_the_document_itself(stored):
    content = find_format("json").render(stored)

    assert content == write_result(stored)
    assert parse_result(json.loads(content), where="test") == stored


def test_an_unknown_format_names_the_known_ones_and_the_nearest():
    with pytest.raises(
        ReportError, match=r"one of html, pdf, json, .*; got 'htm'. Did you mean 'html'"
    ):
        find_format("htm")
