"""The instrument itself: what a page does wrong is seen, and a faultless page passes."""

import pytest

FAULTLESS = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Title</title>
<meta name="viewport" content="width=device-width">
<style>body {{ background: #fff }}</style></head>
<body><main><h1>Head</h1><p id="p">Words.</p></main>{}</body></html>"""
POLICY = (
    '<meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; script-src 'unsafe-inline'\">"
)
EVERYTHING = ["axe", "htmlcs", "overflow", "tree", "contrast"]


@pytest.fixture
def page(tmp_path):
    def write(more: str = "", head: str = ""):
        path = tmp_path / "page.html"
        path.write_text(FAULTLESS.format(more).replace("</head>", f"{head}</head>"), "utf-8")
        return path

    return write


def test_a_faultless_page_is_told_nothing(browser, page):
    told = browser.look(page(), checks=EVERYTHING)

    assert told["axe"]["violations"] == told["htmlcs"] == []
    assert told["overflow"]["excess"] == 0
    assert told["contrast"] == []
    assert told["dialogs"] == told["console"] == told["policy"] == told["requests"] == []


def test_both_checkers_see_faint_words(browser, page):
    told = browser.look(page('<p style="color:#bbb">Faint.</p>'), checks=["axe", "htmlcs"])

    assert "color-contrast" in {rule["id"] for rule in told["axe"]["violations"]}
    assert any("1_4_3" in fault["code"] for fault in told["htmlcs"])


def test_faint_words_of_one_colour_scheme_are_seen_in_that_one(browser, page):
    style = "<style>@media (prefers-color-scheme: dark) { p { color: #eee } }</style>"

    light, dark = (
        browser.look(page(head=style), scheme=scheme, checks=["axe"])["axe"]["violations"]
        for scheme in ("light", "dark")
    )

    assert light == []
    assert [rule["id"] for rule in dark] == ["color-contrast"]


def test_medium_colour_scheme_and_motion_are_emulated_together(browser, page):
    ask = "['print', '(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']"
    ask = ["ask", f"{ask}.map((query) => matchMedia(query).matches)"]

    told = browser.look(page(), scheme="dark", media="print",
                        steps=[ask, ["media", "screen"], ask])  # fmt: skip

    assert told["answers"] == [[True, True, True], [False, True, True]]


def test_the_contrast_of_words_in_a_chart_is_taken_over_what_lies_below_them(browser, page):
    chart = """<svg role="img" aria-label="chart" width="200" height="40">
        <rect width="200" height="40" fill="#000"/><text x="5" y="20" fill="#fff">a</text>
        <rect width="100" height="40" x="100" fill="#fff" fill-opacity="0.5"/>
        <text x="120" y="20" fill="#808080">b</text></svg>"""

    told = browser.look(page(chart), checks=["contrast"])["contrast"]

    assert [round(entry["ratio"], 1) for entry in told] == [21.0, 1.0]


def test_a_page_wider_than_the_window_is_seen_with_what_makes_it_so(browser, page):
    told = browser.look(page('<p id="long" style="width:50rem">Words.</p>'), width=320,
                        checks=["overflow"])  # fmt: skip

    assert told["overflow"]["excess"] > 0
    assert told["overflow"]["wide"] == ["p#long."]


def test_requests_dialogs_errors_and_what_the_policy_stopped_are_seen(browser, page):
    script = "<script>alert('hello'); console.error('wrong'); undefined_thing()</script>"
    picture = '<img alt="" src="http://192.0.2.1/x.png">'

    stopped = browser.look(page(script + picture, POLICY))
    free = browser.look(page(picture))

    assert stopped["dialogs"] == ["hello"]
    assert any("wrong" in words for words in stopped["console"])
    assert any("undefined_thing" in words for words in stopped["console"])
    assert stopped["policy"]
    assert "http://192.0.2.1/x.png" in free["requests"]


def test_scripts_off_means_that_the_page_runs_none(browser, page):
    script = "<script>document.getElementById('p').textContent = 'Changed.'</script>"
    ask = [["ask", "document.getElementById('p').textContent"]]

    on, off = (browser.look(page(script), scripts=on, steps=ask) for on in (True, False))

    assert (on["answers"], off["answers"]) == (["Changed."], ["Words."])


def test_the_element_tree_knows_tags_and_attributes_and_no_words(browser, page):
    plain, other, more = (
        browser.look(page(words), checks=["tree"])["tree"]
        for words in ("<p>a</p>", "<p>b</p>", "<p title='c'>a</p>")
    )

    assert plain == other
    assert set(more) - set(plain) == {"2 p title"}


def test_only_files_and_this_machine_are_opened(browser):
    with pytest.raises(RuntimeError, match="loopback"):
        browser.look("http://192.0.2.1/")
