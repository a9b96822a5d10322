"""What the script adds: sorting, searching, choosing, opening, copying; never losing a row."""

import pytest

PAGE_NUMBERS = ["−0.5", "2.0", "undefined", "1,200.5", "< 0.001", "·", "10.0", "−3.0"]
KINDS = ["found", "not found", "not found", "insufficient", "not found"]


@pytest.fixture(scope="module")
def table_page(tmp_path_factory):
    """A page with one table of 20 rows, made by the report's own templates."""
    from reports.blocks import Cell, Column, table
    from reports.messages import speaking
    from reports.templates import environment, own_script, script_source

    numbers = (PAGE_NUMBERS * 3)[:20]
    rows = [
        (
            Cell(text=f"Group {n}"),
            Cell(text="Terror" if n % 2 else "Fraud", severity=4 if n % 2 else 3),
            Cell(text=number, note="−9 to 9"),
            Cell(text=KINDS[n % 5], note=f"Note {n}."),
        )
        for n, number in enumerate(numbers)
    ]
    columns = [
        Column(head="Group"),
        Column(head="Harm"),
        Column(head="Effect", align="number"),
        Column(head="Verdict"),
    ]
    script = own_script("screen.js")
    source = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Page</title>"
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " script-src {{ allowed }}; style-src 'unsafe-inline'\">"
        "<style>{% include 'tones.css' %}{% include 'screen.css' %}</style></head><body>"
        "{% import 'blocks.html.j2' as block with context %}<nav aria-label='Contents'>"
        "<a href='#main'>Page</a></nav><main id='main'><h1>Page</h1>{{ block.table(rows) }}"
        "<p><code class='command'>clip-audit demo</code></p>"
        "{% call block.fold('More') %}<p>Folded.</p>{% endcall %}</main>"
        "{% include 'for_scripts.html.j2' %}<script>{{ script }}</script></body></html>"
    )
    with speaking("en"):
        html = (
            environment()
            .from_string(source)
            .render(
                rows=table("t", "Rows of a test", columns, rows),
                paged=False,
                script=script,
                allowed=script_source(script),
            )
        )
    path = tmp_path_factory.mktemp("script") / "page.html"
    path.write_text(html, encoding="utf-8")
    return path


NAMES = "[...document.querySelectorAll('#t tbody tr')].map((r) => r.cells[0].innerText)"
EFFECTS = (
    "[...document.querySelectorAll('#t tbody tr')].map((r) => r.cells[2].firstChild.data.trim())"
)
SHOWN = "[...document.querySelectorAll('#t tbody tr')].filter((r) => r.checkVisibility()).length"
STATUS = "document.querySelector('.tools [role=status]').textContent"
SORTED = "[...document.querySelectorAll('#t th[aria-sort]')].map((h) => h.ariaSort + h.innerText)"
EFFECT = "#t thead th:nth-child(3) button"


@pytest.fixture
def ask(browser, table_page):
    """Do some steps on the page; nothing may go wrong behind the scenes."""

    def run(*steps, **job):
        told = browser.look(table_page, steps=[list(step) for step in steps], **job)
        assert told["console"] == told["policy"] == told["requests"] == told["dialogs"] == []
        return told["answers"]

    return run


def test_numbers_are_sorted_as_numbers_with_what_is_undefined_last(ask):
    (effects,) = ask(("click", EFFECT), ("ask", EFFECTS))

    order = ["−3.0", "−0.5", "< 0.001", "2.0", "10.0", "1,200.5"]
    assert list(dict.fromkeys(effects))[:6] == order
    assert set(effects[-5:]) == {"undefined", "·"}


def test_a_second_press_turns_the_order_round_and_a_third_restores_it(ask):
    before, _, down, state, after, gone = ask(
        ("ask", NAMES),
        ("click", EFFECT),
        ("ask", SORTED),
        ("click", EFFECT),
        ("ask", EFFECTS),
        ("ask", SORTED),
        ("click", EFFECT),
        ("ask", NAMES),
        ("ask", SORTED),
    )

    assert down[0] == "1,200.5"
    assert set(down[-5:]) == {"undefined", "·"}
    assert state == ["descendingEffect"]
    assert (after, gone) == (before, [])


def test_columns_are_sorted_by_keyboard_and_say_so(ask):
    names, state = ask(
        ("focus", "#t thead th:first-child button"),
        ("press", "Enter"),
        ("ask", NAMES),
        ("ask", SORTED),
    )

    assert names[:3] == ["Group 0", "Group 1", "Group 2"]
    assert names[-1] == "Group 19"
    assert state == ["ascendingGroup"]


def test_a_search_shows_the_rows_that_say_it_and_counts_them(ask):
    assert ask(
        ("type", ".tools input", "insufficient"), ("ask", SHOWN), ("ask", STATUS)
    ) == [4, "4 of 20 rows"]  # fmt: skip


def test_a_search_that_nothing_answers_says_so(ask):
    assert ask(("type", ".tools input", "zzz"), ("ask", SHOWN), ("ask", STATUS)) == [
        0,
        "No row of 20 matches.",
    ]


CHOOSE = """(() => {{ const select = document.querySelectorAll('.tools select')[{}];
    select.value = '{}'; select.dispatchEvent(new Event('change')); }})()"""


def test_severity_and_verdict_are_chosen_together(ask):
    options = (
        "[...document.querySelectorAll('.tools select')]"
        ".map((select) => [...select.options].map((option) => option.text))"
    )
    told, *_, shown, status = ask(
        ("ask", options),
        ("ask", CHOOSE.format(0, "Critical")),
        ("ask", CHOOSE.format(2, "not found")),
        ("ask", SHOWN),
        ("ask", STATUS),
    )

    assert told[0] == ["all", "Critical", "High"]
    assert told[2] == ["all", "found", "insufficient", "not found"]
    assert (shown, status) == (6, "6 of 20 rows")


def test_everything_the_script_adds_has_a_name_and_passes_the_checkers(browser, table_page):
    for scheme in ("light", "dark"):
        told = browser.look(
            table_page, scheme=scheme, width=320, checks=["axe", "htmlcs", "overflow"]
        )

        assert told["axe"]["violations"] == told["htmlcs"] == []
        assert told["overflow"]["excess"] == 0


def test_paper_shows_every_row_in_the_report_s_own_order(ask):
    before, during, shown, after = ask(
        ("ask", NAMES),
        ("click", "#t thead th:nth-child(4) button"),
        ("type", ".tools input", "insufficient"),
        ("media", "print"),
        ("ask", "dispatchEvent(new Event('beforeprint')) && " + NAMES),
        ("ask", SHOWN),
        ("media", "screen"),
        ("ask", "dispatchEvent(new Event('afterprint')) && " + SHOWN),
    )

    assert during == before
    assert (shown, after) == (20, 4)


def test_one_button_opens_all_folded_parts_and_one_closes_them(ask):
    opened = "document.querySelectorAll('details[open]').length"
    before, between, after = ask(
        ("ask", opened),
        ("click", ".folding button[value=open]"),
        ("ask", opened),
        ("click", ".folding button[value=close]"),
        ("ask", opened),
    )

    assert (before, between, after) == (0, 1, 0)


def test_a_command_is_selected_and_the_reader_told_where_copying_is_not_allowed(ask):
    said = "document.querySelector('.copy [role=status]').textContent"
    selected, told = ask(
        ("click", ".copy button"),
        ("ask", "new Promise((done) => setTimeout(() => done(String(getSelection())), 200))"),
        ("ask", said),
    )

    assert selected == "clip-audit demo"
    assert told in {"Copied.", "Selected; copy it with the keyboard."}


def test_the_section_that_is_read_is_marked_in_the_contents(ask):
    (current,) = ask(("ask", "document.querySelector('nav a').getAttribute('aria-current')"))

    assert current == "location"
