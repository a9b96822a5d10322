"""What the report says of units, words on pictures and a second model, and what it must not."""

import re

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.results import RegionIndexRecord, Undefined
from reports.as_html import render
from reports.care import masked
from reports.names import Names
from reports.panels import Spread, Steps, panel_chart, spread_chart
from reports.pictures import DAMAGED, MISSING, NO_ROOM, gallery, jpeg_size
from reports.quantities import SPACE
from reports.sections.typography import typography_view
from reports.sections.unit_examples import HARSH, edges_in_words, shot_rows, wanted_pictures
from reports.sections.unit_words import FULL_IN_PAGES
from reports.view import build_view
from reports.wording import NO_PEOPLE, PEOPLE, limits, people_in_pictures

XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def view(told, pictures):
    return build_view(told, pictures)


@pytest.fixture(scope="module")
def page(told, pictures):
    return html5lib.parse(render(told, pictures).decode())


def images(tree):
    return list(tree.iter(f"{XHTML}img"))


def words_of(tree):
    return " ".join("".join(tree.itertext()).split())


def test_a_unit_is_told_story_first_with_links_to_its_findings(view, told):
    unit = view.units.units[0]

    assert unit.title == "visual.layer4:1895"
    assert unit.story[0].startswith("It answers most to “Velari”")
    assert [link.anchor for link in unit.findings] == list(told.unit_pages[0].findings)
    assert "verified on these weights" in unit.name


def test_a_finding_links_to_the_units_that_carry_it_and_to_no_other(view, told):
    for finding in view.findings:
        carriers = [p.unit for p in told.unit_pages if finding.id in p.findings]
        assert [int(link.label.rpartition(":")[2]) for link in finding.unit_pages] == carriers


def test_pages_tell_a_stated_number_of_units_and_a_table_lists_all(view, told):
    assert len(view.units.units_in_pages) == FULL_IN_PAGES < len(told.unit_pages)
    assert f"first {FULL_IN_PAGES} of {len(told.unit_pages)}" in view.units.more_in_pages
    assert len(view.units.overview.rows) == len(told.unit_pages)
    linked = {link.anchor for f in view.findings for link in f.unit_pages if link.in_pages}
    assert linked <= {unit.anchor for unit in view.units.units_in_pages}


def test_every_number_of_a_curve_stands_in_the_table_beside_it(view, told):
    for unit, record in zip(view.units.units, told.unit_pages, strict=True):
        told_here = [" ".join(cell.text for cell in row) for row in unit.curves_table.rows]
        assert len(told_here) == len(record.curves[0].shares) + 1
        assert len(unit.curves.panels) == len(record.curves)
        assert "undefined" in told_here[-2]


def test_pages_draw_fewer_curves_and_say_what_the_single_page_has_beyond(view, told):
    unit = view.units.units[0]
    more = told.unit_pages[0].model_copy(update={"curves": told.unit_pages[0].curves * 2})
    longer = build_view(told.model_copy(update={"unit_pages": (more,)})).units.units[0]

    assert len(unit.curves_in_pages.panels) == len(unit.curves.panels) == 3
    assert unit.more_in_pages == "The HTML report has the histogram."
    assert (len(longer.curves_in_pages.panels), len(longer.curves.panels)) == (3, 6)
    assert "3 further curves" in longer.more_in_pages


def test_units_that_only_read_are_listed_first(told):
    rows = build_view(told).reading.confounds.rows

    assert [row[2].text for row in rows] == ["Read", "Seen and read"]


def test_an_undefined_band_leaves_a_gap_and_no_zero(view):
    last = view.units.units[0].curves.panels[0].bands[-1]

    assert (last.share, last.low, last.high) == (None, None, None)


def test_pictures_are_jpegs_with_words_for_those_who_do_not_see_them(page, told):
    shown = images(page)

    assert len(shown) > 40
    assert all(image.get("src").startswith("data:image/jpeg;base64,") for image in shown)
    assert all(len(image.get("alt")) > 10 for image in shown)
    assert any("Velari" in image.get("alt") and "6.2 SD" in image.get("alt") for image in shown)


def test_a_hidden_example_is_an_empty_place_with_its_reason(view):
    photos = view.units.units[1].examples[0]
    shots = [shot for group in photos.groups for shot in group.shots]

    assert all(shot.empty for shot in shots)
    assert photos.notes == ("Not shown: the plan keeps photos of people out of reports.",)


def test_a_word_that_text_masks_is_never_shown_as_a_picture(told, pictures):
    names = Names(inputs=told.inputs)
    for record in told.unit_pages:
        assert not [name for name in wanted_pictures(record, names) if name.startswith("harsh")]
        rows = shot_rows(record, names, gallery([], pictures))
        drawn = next(row for row in rows if "rendered" in row.arm)
        assert any(HARSH in note for note in drawn.notes)


def test_without_pictures_the_report_says_so_and_tells_the_rest(told):
    page = html5lib.parse(render(told).decode())
    said = words_of(page)

    assert images(page) == []
    assert "pictures.zip was not there" in said
    assert "It answers most to “Velari”" in said


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload=alert(1)>", b"GIF89a" + bytes(40), b"\xff\xd8\xff", b"%PDF-1.7"],
    ids=range(5),
)
def test_bytes_that_are_no_picture_are_told_as_damaged_and_not_embedded(told, pictures, content):
    name = told.unit_pages[0].examples[0].picture
    page = render(told, {**pictures, name: content}).decode()

    assert "the picture’s file is damaged" in page or "picture&#39;s file is damaged" in page
    assert content == b"" or content.decode("latin-1") not in page


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading_of_a_size(content):
    size = jpeg_size(b"\xff\xd8\xff" + content)

    assert size is None or (0 < size.width <= 1_024 and 0 < size.height <= 1_024)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_size_of_a_picture_is_read_as_pillow_reads_it(unit_specimens, mode):
    size = jpeg_size(unit_specimens.jpeg(4, side=57, mode=mode))

    assert (size.width, size.height) == (57, 57)


def test_pictures_in_four_colours_or_far_too_large_are_not_embedded(unit_specimens):
    assert jpeg_size(unit_specimens.jpeg(4, mode="CMYK")) is None
    assert jpeg_size(unit_specimens.jpeg(4, side=1_100)) is None


def test_pictures_beyond_the_budget_are_left_out_in_order():
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    one = stream.getvalue()
    shown = gallery(["a", "b", "a", "c", "x"], dict.fromkeys("abc", one), 3 * len(one))

    assert shown.reasons == {"c": NO_ROOM, "x": MISSING}
    assert shown.picture("b", "words").content == one
    assert gallery(["a"], {"a": b"no"}).picture("a", "words").why == DAMAGED


def test_a_report_with_very_many_pictures_stays_below_five_megabytes(told, pictures):
    large = dict.fromkeys(pictures, next(iter(pictures.values())) + bytes(150_000))
    page = render(told, large)

    assert len(page) < 5_000_000
    assert page.count(b"data:image/jpeg") == 2_400_000 // len(next(iter(large.values())))
    assert b"left out to keep this report small" in page


def test_equal_results_and_pictures_give_equal_bytes(told, pictures):
    again = dict(reversed(pictures.items()))

    assert render(told, pictures) == render(told, again)


def test_the_content_note_says_what_pictures_a_reader_meets(stored, told):
    assert people_in_pictures(stored) == NO_PEOPLE
    for people, said in PEOPLE.items():
        plan = told.plan.model_copy(update={"resolved": {"units": {"people": people}}})
        assert people_in_pictures(told.model_copy(update={"plan": plan})) == said


def test_attacks_come_most_successful_first_and_their_words_are_masked(view, told):
    rows = view.typography.attacks.rows

    assert rows[0][0].text == f"“{masked('grushker')}”"
    assert [row[1].text[:4] for row in rows] == ["62.0", "55.0", "41.0", "12.0"]
    assert len(rows) == len(told.typography.attacks)


def test_the_group_that_a_word_flips_more_than_others_is_told_with_its_gap(view):
    said = view.typography.groups_told

    assert "1 flips the group more" in said
    assert "“Velari”" in said
    assert "+29.0 points beyond its controls (+20.0 to +38.0)" in said
    assert "grushker" not in said


def test_groups_that_no_word_flips_more_are_told_as_such(told):
    attacks = tuple(a for a in told.typography.attacks if a.word != "grushker")
    calm = told.typography.model_copy(update={"attacks": attacks})
    view = typography_view(told.model_copy(update={"typography": calm}), Names(inputs=told.inputs))

    assert "none flips the group more" in view.groups_told


def test_stroop_says_whether_ink_or_word_is_named(view):
    assert view.reading.stroop_told.startswith("Where both differ, the model names the word: ")


def test_stroop_cards_that_mostly_get_neither_answer_tell_of_neither(told):
    def turned(row):
        rate = row.rate.model_copy(update={"value": {"neither": 0.8}.get(row.by, 0.1)})
        return row.model_copy(update={"rate": rate})

    rows = tuple(turned(row) for row in told.stroop.rows)
    calm = told.model_copy(update={"stroop": told.stroop.model_copy(update={"rows": rows})})

    assert "it mostly names neither" in build_view(calm).reading.stroop_told


def test_stroop_with_overlapping_intervals_names_no_side(told):
    def near(row):
        rate = row.rate.model_copy(
            update={"value": {"ink": 0.4, "word": 0.5}.get(row.by, 0.1), "low": 0.3, "high": 0.6}
        )
        return row.model_copy(update={"rate": rate})

    rows = tuple(near(row) for row in told.stroop.rows)
    open_ = told.model_copy(update={"stroop": told.stroop.model_copy(update={"rows": rows})})

    assert "neither of the two surely more often" in build_view(open_).reading.stroop_told


def test_a_label_that_is_a_pack_goes_by_its_name(told):
    names = Names(inputs=told.inputs)
    pack = told.typography.attacks[0].model_copy(update={"target": "violent_crime"})
    record = told.typography.model_copy(update={"attacks": (pack,)})
    view = typography_view(told.model_copy(update={"typography": record}), names)

    assert view.attacks.rows[0][0].note == "“Violent crime”"


def test_a_unit_that_only_reads_comes_with_a_warning(view):
    assert "1 answers to written words only" in view.reading.confounds_told
    assert "about the written name and not the people" in view.reading.confounds_told


def test_the_fidelity_of_the_linear_reading_is_told_before_any_weight(view):
    assert "median correlation of 0.83" in view.text_units.told[0]
    assert "about 69" in view.text_units.told[0]
    assert "useful" in view.text_units.told[0]
    assert len(view.text_units.asked.rows) == 7
    assert "5 further concepts" in view.text_units.more


def test_the_region_index_is_told_with_its_interval_beside_blind_draws(told):
    about = {"layer": "deep", "concepts": 60, "places": 20, "units": 200}
    ends = {"counts": (150, 20, 10, 10, 5, 5), "share": 0.025, "low": 0.011, "high": 0.057}
    index = {
        arm: RegionIndexRecord(arm=arm, pooling=pooling, by_chance=0.003, **about, **ends)
        for arm, pooling in (("text", ""), ("rendered", "cls"))
    }
    with_it = told.text_units.model_copy(update={"regions": tuple(index.values())})
    result = told.model_copy(update={"text_units": with_it})

    text, words = (s.replace(SPACE, " ") for s in build_view(result).text_units.regions)

    assert text == (
        "Region index of deep: 2.5 % of 200 units (1.1 to 5.7 %) have places alone among the five "
        "concepts whose prompts ask for them most, of 60 with 20 places; blind draws would give "
        "0.3 %."
    )
    assert words.startswith("Region index of deep (cls): ")
    assert "whose drawn words drive them most" in words
    assert "Region index of deep:" in words_of(html5lib.parse(render(result).decode()))
    assert build_view(told).text_units.regions == ()


def test_scores_with_units_do_not_claim_that_there_are_none(outcomes):
    scores, found = outcomes["scores"], outcomes["found"]
    layers = scores.model.model_copy(update={"layers": found.model.layers})
    given = scores.model_copy(update={"model": layers})
    carried = given.model_copy(update={"findings": found.findings})

    def told(result):
        return build_view(result).units.none, " ".join(limits(result))

    assert found.findings[0].units
    assert "so there are none" in told(scores)[0]
    assert "nor trace a finding to its units" in told(scores)[1]
    assert "what the units given answer to is in measurements.parquet" in told(given)[0]
    assert "those that carry a finding, from the responses given" in told(carried)[0]
    assert "units of findings are those whose responses were given" in told(carried)[1]
    assert "nor trace" not in told(carried)[1]


def test_a_second_model_tells_what_came_back_and_what_could_not(view):
    rows = view.second_model.findings.rows

    assert "1895 with 4" in rows[0][5].text
    assert "2 units without" in rows[0][5].text
    assert rows[0][1].text.startswith("Photos: there, 5.2 (2.9 to 7.4); here 9.3; text prompts: ")
    assert rows[1][5].text == "no unit has a partner"
    assert rows[1][2].text == "undefined"


def test_transfers_stand_with_their_finding(view):
    table = view.findings[0].transfers

    assert [row[0].text for row in table.rows] == ["Harm to group", "Group to harm"]
    assert [row[3].strong for row in table.rows] == [True, False]
    assert table.rows[0][1].text == "Photos of groups, rendered words of harms"
    assert view.findings[1].transfers is None


@pytest.mark.parametrize("outcome", ["found", "nothing", "insufficient", "scores"])
def test_every_section_without_evidence_says_why_in_a_sentence(outcomes, outcome):
    view = build_view(outcomes[outcome])
    said = [
        view.units.none,
        view.text_units.none,
        view.typography.none,
        view.reading.stroop_told,
        view.reading.confounds_told,
        view.second_model.none,
    ]

    assert all(re.fullmatch(r"[A-Z].{15,}\.", words) for words in said), said


@pytest.mark.parametrize(
    ("section", "values", "part"),
    [
        ("units", {"pages": 0}, "units"),
        ("typography", {"check": False}, "typography"),
    ],
)
def test_what_the_plan_leaves_out_is_told_as_the_plans_choice(stored, section, values, part):
    plan = stored.plan.model_copy(update={"resolved": {section: values}})
    view = build_view(stored.model_copy(update={"plan": plan}))

    assert getattr(view, part).none.startswith("The plan ")


numbers = st.one_of(st.floats(0, 1), st.just(Undefined(undefined="too few")))


@given(st.lists(st.lists(numbers, min_size=1, max_size=12), min_size=1, max_size=7))
def test_every_band_lies_within_its_panel_in_order(shares):
    drawn = [
        Steps(title="x", edges=tuple(map(float, range(len(s) - 1))), shares=tuple(s))
        for s in shares
    ]
    chart = panel_chart("c", "steps", "t", "d", "a", drawn)

    assert len(chart.panels) == len(drawn)
    for panel, values in zip(chart.panels, shares, strict=True):
        assert panel.bands[0].start == panel.left
        assert panel.bands[-1].end == panel.right
        for band, value in zip(panel.bands, values, strict=True):
            assert (band.share is None) == isinstance(value, Undefined)
            assert band.share is None or panel.top <= band.share <= panel.bottom <= chart.height
            assert band.start < band.end


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 20)), min_size=1, max_size=9))
def test_every_distribution_keeps_its_order_within_the_axis(values):
    spreads = [
        Spread(
            label="x",
            outer=(v - 2 * w, v + 2 * w),
            inner=(v - w, v + w),
            median=v,
            shown="",
            marked=False,
        )
        for v, w in values
    ]
    chart = spread_chart("c", "t", "d", "a", spreads)

    for row in chart.rows:
        (first, last), (low, high) = row.outer, row.inner
        assert chart.left <= first <= low <= row.median <= high <= last <= chart.right
        assert row.y < chart.bottom


def test_bands_are_named_by_their_edges_and_the_outer_ones_are_open():
    assert edges_in_words((-1.0, 0.5, 2.0)) == ("up to −1", "−1 to 0.5", "0.5 to 2", "above 2")
    assert edges_in_words(()) == ("all",)
