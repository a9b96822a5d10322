"""The page of treatments and every edition of the report, as readers meet them."""

from pathlib import Path

import pytest

from audit.mitigation_file import read_mitigation
from reports.as_html import render
from reports.as_mitigation import render_mitigation
from reports.editions import Edition
from reports.governance import blank, read_governance

SPECIMENS = Path(__file__).parents[1] / "specimens"
LOOKS = [("light", 1280), ("dark", 320)]
CHECKS = ["axe", "htmlcs", "overflow"]
OPENED = ["ask", "document.querySelectorAll('details').forEach((d) => { d.open = true })"]


@pytest.fixture(scope="session")
def side_pages(demo_result, tmp_path_factory) -> dict[str, Path]:
    """Return the page of treatments, and the editions of the demo's report that are short."""
    home = tmp_path_factory.mktemp("pages")
    said = read_governance(blank().replace('= ""', '= "Stated for the test."', 1).encode())
    contents = {
        "treatments": render_mitigation(
            read_mitigation(SPECIMENS / "mitigation-1.0.json"), "sha256:" + "0" * 64
        ),
        "public": render(demo_result, edition=Edition(audience="public", governance=said)),
        "public-zh": render(demo_result, edition=Edition(audience="public", language="zh-Hans")),
    }
    for name, content in contents.items():
        (home / f"{name}.html").write_bytes(content)
    return {name: home / f"{name}.html" for name in contents}


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("name", ["treatments", "public", "public-zh"])
def test_checkers_find_nothing(browser, side_pages, name, scheme, width):
    told = browser.look(side_pages[name], scheme=scheme, width=width, steps=[OPENED], checks=CHECKS)

    assert told["axe"]["violations"] == []
    assert told["htmlcs"] == []
    assert told["overflow"] == {"excess": 0, "wide": []}
    assert told["requests"] == []
    assert told["console"] == []
