"""Programs that other people wrote read the PDF as we mean it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit.results import write_result
from reports.view import build_view

PACKAGES = {"qpdf": "qpdf"}


@pytest.fixture
def read(pdf, tmp_path):
    """Return what runs a program over the stored result's pages and gives its output."""
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)

    def run(program, *options):
        if shutil.which(program) is None:
            package = PACKAGES.get(program, "poppler-utils")
            if os.environ.get("CI") == "true":
                pytest.fail(f"{program} must be there: apt-get install {package}")
            pytest.skip(f"{package} is not installed")
        filled = [str(path) if option is None else str(option) for option in options]
        return subprocess.run([program, *filled], check=True, capture_output=True, text=True).stdout

    return run


def test_qpdf_finds_no_fault_in_the_file(read):
    assert "No syntax or stream encoding errors found" in read("qpdf", "--check", None)


def test_every_font_is_embedded_trimmed_and_tells_its_text(read):
    rows = read("pdffonts", None).splitlines()[2:]

    assert rows
    for row in rows:
        embedded, trimmed, told = row.split()[-5:-2]
        assert (embedded, trimmed, told) == ("yes", "yes", "yes"), row


def test_attachments_come_out_as_they_went_in(read, stored, tables, tmp_path):
    read("pdfdetach", "-saveall", "-o", tmp_path, None)

    assert (tmp_path / "result.json").read_bytes() == write_result(stored)
    assert (tmp_path / "measurements.csv").read_bytes() == tables["measurements.csv"]


def test_pdfinfo_reads_title_tags_and_language_but_no_script(read):
    told = dict(re.findall(r"^([^:]+):\s+(.*)$", read("pdfinfo", None), re.MULTILINE))

    assert told["Tagged"] == "yes"
    assert told["JavaScript"] == "no"
    assert told["Encrypted"] == "no"
    assert told["Title"] == "Audit of a small picture model"


def test_the_first_page_stands_alone(read, stored):
    first = " ".join(read("pdftotext", "-l", "1", None, "-").split())
    worst = max(stored.findings, key=lambda finding: finding.severity)

    for said in (
        "23 November 2026",
        "RN-small",
        stored.digest[:23],
        "Gate failed",
        worst.id,
        worst.severity.name.capitalize(),
        "What was not tested",
        "What this does not say",
        "Next step",
        f"clip-audit explain {worst.id}",
    ):
        assert said in first, said


def test_text_comes_in_reading_order(read, stored):
    words = " ".join(read("pdftotext", None, "-").split())
    heads = [f"{part.number} {part.title}" for part in build_view(stored).contents.values()]
    places = [words.find(head) for head in heads]

    assert len(heads) > 15
    assert -1 not in places
    assert places == sorted(places)
    assert words.index("Next step") < words.index("Contents") < places[0]


def test_contents_and_running_heads_name_the_page_that_a_section_begins_on(read):
    pages = read("pdftotext", "-layout", None, "-").split("\f")
    contents = next(page for page in pages if re.search(r"^\s*Contents\s*$", page, re.MULTILINE))
    listed = re.findall(r"^\s*([A-Z][^.\n]*?)[ .]{6,}(\d+)\s*$", contents, re.MULTILINE)

    assert len(listed) > 15
    for title, number in listed:
        assert title.split(": ")[-1] in pages[int(number) - 1], title
    for number, page in enumerate(pages[:-1], start=1):
        assert f"Page {number} of {len(pages) - 1}" in page
    assert all("RN-small" in page and "23 November 2026" in page for page in pages[1:-1])
    assert all("sha256:" in page for page in pages[:-1])


AGAIN = """
import hashlib, sys
from pathlib import Path
import weasyprint.text.fonts, weasyprint.urls
sys.path[:0] = sys.argv[1:]
from audit.results import read_result
from mutations import SPECIMEN
from reports.as_pdf import _write, page_source
result = read_result(Path(sys.argv[1]) / "result-1.0.json")
pdf = _write(weasyprint, SPECIMEN, result, {"measurements.csv": b"a,b"})
print(hashlib.sha256(page_source(result).encode() + pdf).hexdigest())
"""


def test_other_processes_with_other_hash_seeds_write_the_same_source_and_bytes():
    here = Path(__file__).parent
    folders = [str(here.parent / "specimens"), str(here / "pdf_rules")]
    command = [sys.executable, "-c", AGAIN, *folders]
    runs = [
        subprocess.Popen(command, env={**os.environ, "PYTHONHASHSEED": s}, stdout=subprocess.PIPE)
        for s in ("1", "2")
    ]
    digests = [run.communicate(timeout=300)[0] for run in runs]

    assert all(run.returncode == 0 for run in runs)
    assert digests[0] == digests[1]
    assert len(digests[0].strip()) == 64
