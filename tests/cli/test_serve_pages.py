"""What each page of the history says, and that nothing on it can be turned against a reader."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import html5lib
import pytest
from sqlalchemy import update

from audit.cli.serve_pages import answer
from audit.cli.serve_sources import Sources
from audit.store.history import audits
from audit.store.index import create_store, open_store
from audit.store.reading import read_store
from audit.store.retention import Policy, prune
from audit.store.tables import AUDITS

XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
SPECIMEN = Path(__file__).parents[1] / "specimens" / "specimen_history.py"


@pytest.fixture(scope="session")
def past():
    spec = importlib.util.spec_from_file_location("specimen_history", SPECIMEN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources_of(past, home, **more):
    return Sources(
        place=home / "audits-kept", clock=lambda: past.NOW, schedules=home / "schedules.toml",
        waivers=(home / "waivers.toml",), **more,
    )  # fmt: skip


def made(past, home, *, entries=None, words=""):
    place = home / "audits-kept"
    create_store(place).close()
    past.fill_store(place, home / "made", past=entries or past.PAST, words=words)
    past.write_waivers(home / "waivers.toml", words=words)
    past.write_schedules(home / "schedules.toml", place, words=words)
    return sources_of(past, home)


@pytest.fixture(scope="session")
def served(past, tmp_path_factory):
    """A store with a past; not to be changed."""
    return made(past, tmp_path_factory.mktemp("served"))


@pytest.fixture
def copied(past, served, tmp_path):
    """A copy of it, to be damaged."""
    shutil.copytree(served.place.parent, tmp_path / "home", symlinks=True)
    return sources_of(past, tmp_path / "home")


def tree(got):
    return html5lib.parse(got.content.decode())


def said(got):
    return words_of(tree(got).find(f".//{XHTML}body"))


def words_of(element):
    return " ".join(" ".join(element.itertext()).split())


def links(page):
    return {a.get("href") for a in page.iter(f"{XHTML}a") if a.get("href").startswith("/")}


def crawl(sources):
    """Every address that a reader can reach, with its answer."""
    found, todo = {}, ["/"]
    while todo:
        target = todo.pop()
        if target not in found:
            found[target] = answer(sources, target)
            if found[target].kind.startswith("text/html") and not found[target].is_file:
                todo += links(tree(found[target]))
    return found


@pytest.fixture(scope="session")
def reached(served):
    return crawl(served)


@pytest.fixture(scope="session")
def pages(reached):
    return {target: got for target, got in reached.items() if not got.is_file}


def kinds(targets):
    return {target.split("?")[0] for target in targets}


def model_at(past, plan="quarterly"):
    return f"/model?name={past.HARBOUR}&plan={plan}"


def fingerprint(past, finding):
    return next(f.fingerprint for f in past.stored().findings if f.id == finding)


def finding_at(past, finding, model=None):
    return f"/finding?model={model or past.HARBOUR}&id={quote(fingerprint(past, finding))}"


def folder_of(served, day, model):
    with read_store(served.place) as store:
        kept = audits(store.database, model=model)
    return next(a.folder for a in kept if f"{a.started:%Y-%m-%d}" == day)


# What can be reached


def test_every_link_leads_somewhere_and_every_kind_of_page_is_reached(reached):
    assert {target: got.status for target, got in reached.items() if got.status != 200} == {}
    assert kinds(reached) == {
        "/", "/audits", "/model", "/finding", "/audit", "/file", "/schedules", "/waivers",
    }  # fmt: skip


def test_every_page_parses_without_an_error_and_has_its_own_title(pages):
    titles = Counter()
    for target, got in pages.items():
        parser = html5lib.HTMLParser()
        page = parser.parse(got.content.decode())
        assert parser.errors == [], target
        titles[page.find(f".//{XHTML}title").text] += 1

    assert [title for title, amount in titles.items() if amount > 1] == []


def test_every_page_can_be_walked_by_somebody_who_cannot_see_it(pages):
    for target, got in pages.items():
        page = tree(got)
        tags = [e.tag.removeprefix(XHTML) for e in page.iter() if isinstance(e.tag, str)]
        assert page.get("lang") == "en"
        assert tags.count("h1") == tags.count("main") == tags.count("footer") == 1, target
        assert tags.count("script") == 0
        levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(after - before <= 1 for before, after in pairwise(levels)), target
        labels = [n.get("aria-label") for n in page.iter(f"{XHTML}nav")]
        assert len(labels) == len(set(labels))
        for table in page.iter(f"{XHTML}table"):
            assert table.find(f"{XHTML}caption") is not None
            assert all(th.get("scope") in {"col", "row"} for th in table.iter(f"{XHTML}th"))
        for image in page.iter(f"{SVG}svg"):
            assert (image.get("role"), image[0].tag, image[1].tag) == (
                "img", f"{SVG}title", f"{SVG}desc",
            )  # fmt: skip


def test_names_on_a_page_are_given_once_and_lead_to_what_exists(pages):
    for target, got in pages.items():
        page = tree(got)
        ids = [e.get("id") for e in page.iter() if e.get("id")]
        assert len(ids) == len(set(ids)), target
        named = {n for e in page.iter() for n in (e.get("aria-labelledby") or "").split()}
        named |= {e.get("for") for e in page.iter(f"{XHTML}label")}
        named |= {a.get("href")[1:] for a in page.iter(f"{XHTML}a") if a.get("href")[0] == "#"}
        assert named <= set(ids), target


def test_no_page_leads_elsewhere_or_loads_anything(pages):
    for got in pages.values():
        for element in tree(got).iter():
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                assert name not in {"src", "srcset", "data", "poster", "style"}
                if name in {"href", "action"}:
                    assert value.startswith(("/", "#")), value
                    assert not value.startswith("//"), value


@pytest.mark.parametrize("way", ["/", "/audits", "/schedules", "/waivers"])
def test_the_page_that_is_open_is_marked_among_the_ways(pages, way):
    marked = [e.get("href") for e in tree(pages[way]).iter() if e.get("aria-current")]

    assert marked == [way]


# What each page says


def rows_of(page, caption):
    for table in page.iter(f"{XHTML}table"):
        if caption in words_of(table.find(f"{XHTML}caption")):
            return [words_of(row) for row in table.find(f"{XHTML}tbody")]
    return []


def concerns_of(page):
    return [words_of(item) for item in page.find(f".//{XHTML}ol[@class='worst']")]


def test_the_overview_tells_the_worst_first(pages):
    found = concerns_of(tree(pages["/"]))

    starts = ["Not to be believed", "Gate failed", "Waiver expired", "Schedule overdue",
              "Run failed", "Waiver ends"]  # fmt: skip
    assert [line.startswith(start) for line, start in zip(found, starts, strict=True)] == [True] * 6
    assert "5 things ask for a person, and 1 more to look at" in said(pages["/"])


def test_the_overview_has_every_model_with_answer_gate_and_age(pages, past):
    rows = rows_of(tree(pages["/"]), "Models by their last audit")

    assert [row.split()[0] for row in rows] == [past.ORCHARD, past.HARBOUR, past.LANTERN]
    assert "Not to be believed" in rows[0]
    assert "No limit" in rows[0]
    assert "2026-07-13 7 days ago Found 1 critical Failed fail on high Overdue" in rows[1]
    assert "Not found Passed fail on high Fresh" in rows[2]


def test_the_overview_tells_what_happened_lately_with_what_changed(pages):
    rows = rows_of(tree(pages["/"]), "The latest first")

    assert rows[0].startswith("2026-07-15")
    assert "1 finding not seen any more." in rows[1]
    assert "Run failed Schedule harbour-monthly. The disk was full" in rows[2]
    assert any("New weights. Gate failed, before passed. 1 finding that" in row for row in rows)


def test_an_age_limit_counts_where_no_schedule_does(served):
    strict = replace(served, schedules=None, max_age=timedelta(days=6))
    rows = rows_of(tree(answer(strict, "/")), "Models by their last audit")

    assert ["Overdue" in row for row in rows] == [True, True, False]
    assert "Overdue" in concerns_of(tree(answer(strict, "/")))[3]


def test_a_model_tells_weights_trends_and_audits(pages, past):
    page = tree(pages[model_at(past)])

    assert len(rows_of(page, "5 audits")) == 5
    assert [("new weights" in row) for row in rows_of(page, "5 audits")] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert [row.split("BA")[0].strip() for row in rows_of(page, "Findings, those still open")] == [
        "Velari and Violent crime", "Smelters and Poverty and deprivation",
        "Talwe and Mild derision", "Kethi and Suspicion and custody",
    ]  # fmt: skip
    drawings = list(page.iter(f"{SVG}svg"))
    assert len(drawings) == 4
    dashes = [sum(p.get("stroke-dasharray") is not None for p in d.iter(f"{SVG}path"))
              for d in drawings]  # fmt: skip
    assert dashes == [1] * 4
    assert len(rows_of(page, "Velari and Violent crime, photos")) == 5


def test_a_life_tells_when_it_began_and_where_it_was_asked_and_not_seen(pages, past):
    rows = rows_of(tree(pages[finding_at(past, past.CRIME)]), "Every audit of")

    assert [("Asked and not seen" in row, "Seen Critical" in row) for row in rows] == [
        (False, True), (False, True), (False, True), (True, False), (True, False),
    ]  # fmt: skip
    words = said(pages[finding_at(past, past.CRIME)])
    assert "First seen on 2026-04-13 and in 3 of 3 audits that asked since." in words
    assert "Waivers 1 waiver: expired" in words


def test_a_life_that_ended_says_so_and_tells_its_waiver_of_the_day(pages, past):
    words = said(pages[finding_at(past, past.CUSTODY)])

    assert "Not seen any more" in words
    assert "Last seen on 2026-06-01; a later audit asked again." in words
    assert "waived on that day" in words
    assert "No waiver names this finding for this model." in words


def test_a_life_in_other_models_is_linked(pages, past):
    page = tree(pages[finding_at(past, "BA11d7aa")])

    assert finding_at(past, "BA11d7aa", past.LANTERN) in links(page)


def test_an_audit_tells_its_gate_findings_files_and_digests(pages, past, served):
    folder = folder_of(served, "2026-07-13", past.HARBOUR)
    words = said(pages[f"/audit?name={folder}"])

    assert "Found 1 critical" in words
    assert "fail-on Failed Findings of high severity or more: 1." in words
    assert words.count("As kept") == 4
    assert past.WEIGHTS["h2"] in words
    assert "Audit before it 2026-06-01" in words


def test_schedules_tell_last_next_and_why(pages):
    words = said(pages["/schedules"])

    assert "harbour-monthly 30 2 1 * * Europe/Berlin Overdue Failed" in words
    assert "3 of 3" in words
    assert "2026-08-01 02:30 CEST" in words
    assert "orchard-off every 30d Off Never off" in words


def test_waivers_stand_by_state_with_what_they_are_about(pages):
    words = said(pages["/waivers"])
    order = [words.index(f": {state} Finding") for state in
             ("expired", "ends soon", "not yet in force", "in force", "unused")]  # fmt: skip

    assert order == sorted(order)
    assert "approved by Bea Example" in words


def test_a_list_is_narrowed_down_and_says_where_nothing_is_left(served, past):
    narrowed = tree(answer(served, f"/audits?model={past.HARBOUR}&gate=failed"))
    nothing = said(answer(served, "/audits?model=nobody"))

    assert len(rows_of(narrowed, "3 audits")) == 3
    chosen = [o.text for o in narrowed.iter(f"{XHTML}option") if o.get("selected") is not None]
    assert chosen == [past.HARBOUR, "failed"]
    assert "No audit of this store is like that." in nothing


def test_an_empty_store_says_what_to_type(past, tmp_path):
    create_store(tmp_path / "kept").close()
    got = answer(Sources(place=tmp_path / "kept", clock=lambda: past.NOW), "/")

    assert got.status == 200
    assert "clip-audit store add AUDIT --store kept" in said(got)
    assert "Nothing here asks" not in said(got).split("no audits yet")[0]


def test_a_new_audit_is_there_at_the_next_look(past, tmp_path):
    sources = made(past, tmp_path, entries=past.PAST[:2])
    before = answer(sources, "/audits")
    past.fill_store(sources.place, tmp_path / "more", past=past.PAST[-1:])

    assert "2 audits, the one kept last first" in said(before)
    assert "3 audits, the one kept last first" in said(answer(sources, "/audits"))


def test_audits_that_were_let_go_are_told_with_the_reason(copied, past):
    with open_store(copied.place) as store:
        gone = prune(store, Policy(keep_last=1, keep_days=None), dry_run=False, now=past.NOW)

    assert any(decision.removed for decision in gone)
    assert "Let go" in said(answer(copied, "/"))
    assert answer(copied, "/audits").status == 200


# What somebody else wrote

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></svg></table><img src=x onerror=alert(1)>",
    "{{7*7}} {% raw %} {# x #}",
    "\u202egnp.exe\u2066",
    "BEL \x07 ESC \x1b[31m",
    '"><a href="javascript:alert(1)">x',
    "../../../etc/passwd?x=1&y=2#z",
    "long" * 1_000,
]


def shape(element):
    """The element tree without its words."""
    return (element.tag, tuple(sorted(element.attrib)), tuple(shape(child) for child in element))


def shapes(sources):
    """The trees of the pages that have names on them, found by following the first of each kind."""
    overview = answer(sources, "/")
    found = {"/": overview}
    found |= {way: answer(sources, way) for way in ("/audits", "/schedules", "/waivers")}
    first = {}
    for source in (overview, found["/audits"], found["/waivers"]):
        for link in [a.get("href") for a in tree(source).iter(f"{XHTML}a")]:
            first.setdefault(link.split("?")[0], link)
    for way in ("/model", "/audit", "/finding"):
        found[way] = answer(sources, first[way])
    assert {got.status for got in found.values()} == {200}
    return {way: shape(tree(got)) for way, got in found.items()}


def poisoned(past, home, words):
    return made(past, home, entries=past.PAST[2:4], words=words)


@pytest.fixture(scope="session")
def plain_shapes(past, tmp_path_factory):
    return shapes(poisoned(past, tmp_path_factory.mktemp("plain"), "a plain name of nobody"))


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_do_not_change_a_page(past, tmp_path, plain_shapes, words):
    assert shapes(poisoned(past, tmp_path, words)) == plain_shapes


def test_hostile_names_are_shown_as_they_are(past, tmp_path):
    page = answer(poisoned(past, tmp_path, "{{7*7}} a\u202eb"), "/").content.decode()

    assert "{{7*7}} a[U+202E]b" in page
    assert "\u202e" not in page


def test_terms_that_hurt_are_masked_in_what_somebody_wrote(past, copied):
    """Severe terms of the audits' own packs, wherever a page shows words of others."""
    harsh = next(
        term
        for pack in past.stored().inputs.concept_sets
        for concept in pack.concepts
        if concept.role == "harm" and (concept.severity or 0) >= 3
        for term in concept.terms
    )
    text = copied.waivers[0].read_text()
    copied.waivers[0].write_text(text.replace("these groups side", f"“{harsh}” side"))

    words = said(answer(copied, "/waivers"))
    assert harsh not in words
    assert f"{harsh[0]}*" in words


# What must not be handed out


def tampered(sources, past, name):
    folder = folder_of(sources, "2026-07-13", past.HARBOUR)
    return folder, sources.place / "audits" / folder / name


@pytest.mark.parametrize("name", ["report.html", "result.json", "measurements.csv"])
def test_a_file_that_was_changed_is_named_and_withheld(copied, past, name):
    folder, path = tampered(copied, past, name)
    path.write_bytes(path.read_bytes() + b" ")
    got = answer(copied, f"/file?audit={folder}&name={name}")

    assert (got.status, got.is_file) == (409, False)
    assert "was changed after it was kept" in said(got)
    page = said(answer(copied, f"/audit?name={folder}"))
    assert "Changed after it was kept. 1 of the files below is not as recorded." in page
    assert f"{name} " in page
    assert "Changed not handed out" in page


def test_a_file_that_is_gone_is_told(copied, past):
    folder, path = tampered(copied, past, "report.html")
    path.unlink()

    assert answer(copied, f"/file?audit={folder}&name=report.html").status == 409
    assert "Missing not handed out" in said(answer(copied, f"/audit?name={folder}"))


def test_a_manifest_that_was_changed_with_its_files_is_not_believed(copied, past):
    folder, path = tampered(copied, past, "report.html")
    path.write_bytes(b"<p>other</p>")
    manifest = path.with_name("manifest.json")
    listed = json.loads(manifest.read_text())
    listed["files"]["report.html"] = "sha256:" + hashlib.sha256(b"<p>other</p>").hexdigest()
    manifest.write_text(json.dumps(listed))

    assert answer(copied, f"/file?audit={folder}&name=report.html").status == 404
    assert answer(copied, f"/file?audit={folder}&name=manifest.json").status == 409
    assert answer(copied, f"/file?audit={folder}&name=result.json").status == 200


def test_a_link_out_of_the_store_is_not_followed(copied, past, tmp_path):
    folder, path = tampered(copied, past, "report.html")
    (tmp_path / "same").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "same")

    assert answer(copied, f"/file?audit={folder}&name=report.html").status == 409


@pytest.mark.parametrize(
    "name",
    ["../../store.json", "..%2f..%2fchain.jsonl", "%2e%2e/%2e%2e/index.sqlite", "/etc/passwd",
     "report.html/../../../store.json", "report.html%00.json", "", ".", "..", "unlisted.txt"],
)  # fmt: skip
def test_no_name_leads_out_of_an_audit(served, past, name):
    folder = folder_of(served, "2026-07-13", past.HARBOUR)
    for target in (f"/file?audit={folder}&name={name}", f"/file?audit={name}&name=report.html",
                   f"/file?audit=../audits/{folder}&name=report.html"):  # fmt: skip
        got = answer(served, target)
        assert (got.status, got.is_file) == (404, False)


def test_an_index_with_a_folder_elsewhere_leads_nowhere(copied, past):
    folder = folder_of(copied, "2026-07-13", past.HARBOUR)
    shutil.copytree(copied.place / "audits" / folder, copied.place.parent / "outside")
    with open_store(copied.place) as store, store.database.write() as connection:
        connection.execute(
            update(AUDITS).where(AUDITS.c.folder == folder).values(folder="../../outside")
        )

    got = answer(copied, "/file?audit=..%2F..%2Foutside&name=report.html")
    assert (got.status, got.is_file) == (404, False)


@pytest.mark.parametrize(
    "target",
    ["/nowhere", "/audits/", "//example.org/", "/model", "/model?name=nobody", "/finding?id=x",
     "/model?name=harbour-vit-b16&plan=none", "/audit?name=..", "/%2e%2e/", "/file", "/audit"],
)  # fmt: skip
def test_what_is_not_there_has_a_page_with_a_way_back(served, target):
    got = answer(served, target)

    assert got.status == 404
    assert "/" in links(tree(got))
    assert "Back to the overview" in said(got)


def test_a_query_without_end_is_refused(served):
    assert answer(served, "/audits?" + "&".join(f"a{n}=1" for n in range(50))).status == 400


# A store that is not as it should be


def test_a_damaged_index_says_how_it_is_made_again(copied):
    (copied.place / "index.sqlite").write_bytes(b"not a database" * 400)
    for way in ("/", "/audits", "/waivers"):
        got = answer(copied, way)
        assert got.status == 500
        assert "clip-audit store reindex" in said(got)


def test_a_store_that_was_taken_away_is_told(copied):
    shutil.rmtree(copied.place)

    assert answer(copied, "/").status == 500
    assert "There is no store at" in said(answer(copied, "/"))


def test_files_that_broke_since_the_start_are_told_and_the_rest_is_shown(copied):
    copied.schedules.write_text("[[schedule]]\ncorn = 1\n")
    copied.waivers[0].write_text("waiver = 3\n")
    got = answer(copied, "/")

    assert got.status == 200
    assert said(got).count("Could not be read.") == 2
    assert "unknown key schedule.1.corn" in said(got)
    assert len(rows_of(tree(got), "Models by their last audit")) == 3


def test_a_chain_that_does_not_hold_is_told_and_the_audits_are_shown(copied):
    chain = copied.place / "chain.jsonl"
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(b"".join(lines[:2]) + b"{}\n" + b"".join(lines[3:-1]))
    got = answer(copied, "/")

    assert got.status == 200
    assert "Index and chain of the store do not tell the same" in said(got)
    assert "What happened lately" not in said(got)


def test_looking_leaves_no_trace(copied):
    def trace():
        return {
            str(p.relative_to(copied.place)): (p.stat().st_mtime_ns, p.read_bytes())
            for p in sorted(copied.place.rglob("*"))
            if p.is_file()
        }

    before = trace()
    assert len(crawl(copied)) > 30
    assert trace() == before
    assert not [p for p in os.listdir(copied.place) if p.endswith(("-wal", "-shm"))]
