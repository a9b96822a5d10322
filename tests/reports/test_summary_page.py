import re

import pytest

from reports.as_markdown import CUT, LINES, LONGEST, ROWS, render, shortened


def page(result):
    return render(result).decode()


def test_the_first_line_is_the_verdict_and_model_date_gate_and_digest_follow(gated):
    text = page(gated)

    assert text.startswith("## Two harmful associations were found: one critical and one high\n")
    for said in ("RN-small", "23 November 2026", "Gate failed", "Exit code 1", gated.digest):
        assert said in text


def test_findings_are_listed_worst_first_with_limits(gated):
    rows = re.findall(r"^\| (BA\w+) \| (\w+) \|.* (\S+) \((\S+) to (\S+)\) \|", page(gated), re.M)

    assert [row[0] for row in rows] == ["BA4f21c0", "BA90be13", "BA11d7aa", "BA7705ce"]
    assert [row[1] for row in rows][:2] == ["critical", "high"]


def test_a_waived_finding_stays_in_the_table_and_says_so(gated):
    row = next(line for line in page(gated).splitlines() if line.startswith("| BA90be13"))

    assert row.endswith("waived |")
    assert "### Waived" in page(gated)


def test_open_contrasts_are_listed_and_not_called_clean(exported):
    text = page(exported["insufficient"])

    assert "### Neither found nor excluded" in text
    assert "This is not a clean result." in text


@pytest.mark.parametrize("many", [ROWS, ROWS + 1, 900])
def test_it_stays_short_whatever_was_found(stored, many):
    names = "x" * 3000
    findings = tuple(
        stored.findings[0].model_copy(
            update={"id": f"BA{k:08x}", "identity": f"{names}/{names}{k}"}
        )
        for k in range(many)
    )
    notes = stored.not_tested * 60
    text = page(stored.model_copy(update={"findings": findings, "not_tested": notes}))

    assert len(text) <= LONGEST
    assert len(re.findall(r"^\| BA", text, re.M)) == ROWS
    assert (f"{many - ROWS:,} further finding" in text) == (many > ROWS)
    assert f"{len(notes) - LINES} more: see the report" in text


def test_a_page_that_outgrows_its_room_is_cut_at_a_line_and_says_so():
    long = "a line of text\n" * LONGEST

    cut = shortened(long)
    assert len(cut) <= LONGEST
    assert cut.endswith(f"a line of text{CUT}")
    assert len(shortened("\\" * 2 * LONGEST)) <= LONGEST
    assert shortened("short") == "short"
