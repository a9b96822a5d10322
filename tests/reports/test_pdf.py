import io
import json
import shutil
import subprocess
import sys

import pikepdf
import pytest

from audit.results import parse_result
from reports import as_pdf
from reports.as_pdf import install_command, page_source, render
from reports.errors import ReportError


@pytest.fixture(scope="session")
def opened(pdf):
    return pikepdf.open(io.BytesIO(pdf))


def test_the_pages_are_archival_and_tagged(opened):
    with opened.open_metadata() as meta:
        assert meta["pdfaid:part"] == "3"
        assert meta["pdfaid:conformance"] == "A"
        assert meta["pdfuaid:part"] == "1"
        assert meta["dc:title"] == "Audit of a small picture model"
    assert opened.Root.MarkInfo.Marked
    assert str(opened.Root.Lang) == "en"
    assert "/StructTreeRoot" in opened.Root
    assert len(opened.pages) < 40


def test_the_result_is_attached_as_data_and_still_verifies(opened, stored):
    spec = opened.attachments["result.json"]
    document = json.loads(spec.get_file().read_bytes())

    assert list(opened.attachments) == ["measurements.csv", "result.json"]
    assert str(spec.obj["/AFRelationship"]) == "/Data"
    assert parse_result(document, where="attachment") == stored


def test_tables_are_attached_byte_for_byte_and_dated_by_the_audit(opened, stored, tables):
    spec = opened.attachments["measurements.csv"]
    file = spec.get_file()

    assert file.read_bytes() == tables["measurements.csv"]
    assert file.mime_type == "text/csv"
    assert file.mod_date == file.creation_date == stored.run.finished.replace(microsecond=0)
    assert "contrast" in spec.description


def test_bookmarks_lead_to_every_section(opened):
    with opened.open_outline() as outline:
        titles = [str(item.title) for item in outline.root]

        answer = outline.root[0]

    assert titles[:3] == ["The answer", "Contents", "1 Findings"]
    assert "Next step" in [str(item.title) for item in answer.children]
    assert titles[-1].endswith("Glossary")


def test_only_embedded_fonts_are_used(opened):
    fonts = {
        str(font["/BaseFont"])
        for page in opened.pages
        for font in page.Resources.get("/Font", {}).values()
    }

    assert fonts
    assert all("Audit-Serif" in name or "Audit-Sans" in name for name in fonts), fonts


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_every_finding_is_in_the_text_and_the_answer_on_page_one(pdf, stored, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    run = ["pdftotext", "-layout", str(path), "-"]
    text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    first = " ".join(text.split("\f")[0].split())

    for finding in stored.findings:
        assert finding.id in first
        assert finding.severity.name.capitalize() in first
    for words in (
        "23 November 2026",
        "RN-small",
        "Gate failed",
        "What was not tested",
        "Next step",
    ):
        assert words in first
    assert "Page 1 of" in first


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_measures_sensitivity_and_own_labels_are_in_the_pages(short, short_pdf, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(short_pdf)
    run = ["pdftotext", "-layout", str(path), "-"]
    text = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    words = " ".join(text.split())

    for measure in short.measures:
        assert measure.title in words
    for said in ("Definitions", "Does it hold with other wording?", "Fragile", "Holds"):
        assert said in words
    assert "Under the product’s own labels" in words


def test_rebuilding_from_the_same_result_gives_the_same_bytes(short, short_pdf, pictures, tables):
    assert render(short, pictures, tables=tables) == short_pdf


def test_pictures_are_embedded_as_archival_pages_allow_and_told_in_words(short_pdf):
    opened = pikepdf.open(io.BytesIO(short_pdf))
    images = [
        image
        for page in opened.pages
        for image in page.Resources.get("/XObject", {}).values()
        if image.get("/Subtype") == "/Image"
    ]
    figures = [
        str(element.Alt)
        for element in opened.objects
        if isinstance(element, pikepdf.Dictionary)
        and element.get("/S") == "/Figure"
        and "/Alt" in element
    ]

    assert len(images) > 10
    for image in images:
        assert image.Filter == "/DCTDecode"
        assert image.ColorSpace in ("/DeviceRGB", "/DeviceGray")
        assert not image.get("/Interpolate", False)
    assert any("Stimulus that shows “Velari”" in words for words in figures)


@pytest.mark.parametrize(
    "address",
    [
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:text/html,<p>",
        "data:image/png;base64,AAAA",
        "http://127.0.0.1:9/x.jpg",
        "file:///etc/hostname",
    ],
)
def test_pages_open_no_address_but_their_own_pictures_and_fonts(short, address):
    import weasyprint.text.fonts
    import weasyprint.urls

    page = f'<html><title>t</title><body><img src="{address}" alt="x">'

    with pytest.raises(ReportError, match="must not load anything"):
        as_pdf._write(weasyprint, page, short)


def test_nothing_outside_the_document_is_ever_opened(short, tmp_path):
    import weasyprint.text.fonts
    import weasyprint.urls

    secret = tmp_path / "secret.txt"
    secret.write_text("not for you")
    page = page_source(short).replace(
        "<main>",
        f'<main><link rel="attachment" href="{secret.as_uri()}"><img src="{secret.as_uri()}">',
    )

    with pytest.raises(ReportError, match="must not load anything"):
        as_pdf._write(weasyprint, page, short)


class NoPango:
    """Finder that behaves like a system without Pango."""

    def find_spec(self, name, path=None, target=None):
        if name == "weasyprint" or name.startswith("weasyprint."):
            raise OSError("cannot load library 'libpango-1.0-0'\nmore lines")
        return None


def test_without_pango_one_sentence_says_what_to_install_and_html_still_works(short, monkeypatch):
    from reports.as_html import render as render_html

    for name in [n for n in sys.modules if n == "weasyprint" or n.startswith("weasyprint.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])

    with pytest.raises(ReportError, match="Pango") as caught:
        render(short)
    assert "install" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert render_html(short).startswith(b"<!doctype html>")


@pytest.mark.parametrize("tool", ["apt-get", "dnf", "brew"])
def test_each_system_gets_its_own_command(tool, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name == tool else None)

    assert "pango" in install_command()
    assert tool.split("-")[0] in install_command()
