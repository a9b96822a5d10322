"""Pages look as they did when a person last looked at them.

Stored pictures are small, grey and coarse; a page may differ from its picture by what another
version of a text library does. ``make golden`` stores the pages as they are now.
"""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

GOLDEN = Path(__file__).parent / "golden"
DPI = 60
SHADES = 16
BLOCK = 4
"""Pixels that are averaged before they are compared: edges of letters may fall elsewhere."""

MEAN = 2.5
"""Largest mean difference of two pages, of 255 shades."""

MARKED, SHARE = 24, 0.015
"""A block differs from this many shades on; so many of them may."""

PAGES = {"first": ("pdf", None), "finding": ("pdf", "Velari"), "unit": ("short_pdf", "visual.")}
"""Name of a picture to the fixture that has its page, and how the page's heading begins."""


def page_of(path, heading):
    """Return the number of the page on which a heading of the outline stands."""
    with pikepdf.open(path) as pdf, pdf.open_outline() as outline:
        numbers = {page.objgen: number for number, page in enumerate(pdf.pages, start=1)}
        entries = [item for part in outline.root for item in part.children]
        found = next(item for item in entries if str(item.title).startswith(heading))
        return numbers[found.destination[0].objgen]


def drawn(content, heading, folder):
    """Draw a page in grey."""
    if shutil.which("pdftoppm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pdftoppm must be there: apt-get install poppler-utils")
        pytest.skip("poppler-utils is not installed")
    path = folder / "report.pdf"
    path.write_bytes(content)
    number = str(page_of(path, heading) if heading else 1)
    command = ["pdftoppm", "-r", str(DPI), "-gray", "-png", "-singlefile"]
    subprocess.run([*command, "-f", number, "-l", number, path, folder / "page"], check=True)
    return np.asarray(Image.open(folder / "page.png").convert("L"))


def coarse(page):
    height, width = (side - side % BLOCK for side in page.shape)
    blocks = page[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return blocks.mean(axis=(1, 3))


def differences(page, stored):
    """Return the mean difference and the share of blocks that differ."""
    if page.shape != stored.shape:
        return 255.0, 1.0
    apart = np.abs(coarse(page) - coarse(stored))
    return float(apart.mean()), float((apart >= MARKED).mean())


def same(page, stored):
    mean, share = differences(page, stored)
    return mean <= MEAN and share <= SHARE


def stored(name):
    return np.asarray(Image.open(GOLDEN / f"{name}.png").convert("L"))


def store(page, name):
    GOLDEN.mkdir(exist_ok=True)
    image = Image.fromarray(page).quantize(SHADES)
    image.save(GOLDEN / f"{name}.png", optimize=True)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_stored(name, request, tmp_path):
    fixture, heading = PAGES[name]
    page = drawn(request.getfixturevalue(fixture), heading, tmp_path)
    if os.environ.get("CLIP_AUDIT_GOLDEN") == "write":
        store(page, name)
    mean, share = differences(page, stored(name))

    assert same(page, stored(name)), (
        f"The page differs from golden/{name}.png by {mean:.1f} shades, {share:.1%} of its blocks. "
        "Look at it, and if it is as it should be, run: make golden"
    )


def bands(page):
    """Return the two stretches of a page, of this many rows, with most print on them."""
    rows = 60
    starts = range(0, page.shape[0] - rows, rows // 2)
    by_print = sorted(starts, key=lambda start: int(page[start : start + rows].sum()))
    one = by_print[0]
    other = next(start for start in by_print if abs(start - one) >= rows)
    return tuple(slice(start, start + rows) for start in sorted((one, other)))


def swapped(page):
    changed, (one, other) = page.copy(), bands(page)
    changed[one], changed[other] = page[other], page[one]
    return changed


def dropped(page):
    """Take a stretch out; what is below moves up."""
    one, _ = bands(page)
    gap = one.stop - one.start
    return np.vstack(
        [page[: one.start], page[one.stop :], np.full((gap, page.shape[1]), 255, "u1")]
    )


def emptied(page):
    changed = page.copy()
    changed[bands(page)[1]] = 255
    return changed


@pytest.mark.parametrize("change", [swapped, dropped, emptied])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_parts_swapped_dropped_or_missing_is_noticed(name, change):
    assert not same(change(stored(name)), stored(name))


@pytest.mark.parametrize("name", PAGES)
def test_other_edges_of_letters_are_not_noticed(name):
    page = stored(name).astype(float)
    softer = (page + np.roll(page, 1, axis=1)) / 2 + np.random.default_rng(1).normal(
        0, 4, page.shape
    )

    assert same(softer.clip(0, 255), stored(name))


def test_pictures_are_small():
    assert sum(path.stat().st_size for path in GOLDEN.glob("*.png")) < 300_000
