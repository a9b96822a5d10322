"""Pages of a store come out alike, whichever database its index is."""

import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.cli.serve_pages import answer
from audit.cli.serve_sources import Sources
from audit.store.adding import keep
from audit.store.index import open_store

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SPECIMEN = Path(__file__).parents[2] / "specimens" / "specimen_history.py"


@pytest.fixture
def sources(place, audit_of, tmp_path):
    spec = importlib.util.spec_from_file_location("specimen_history", SPECIMEN)
    past = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(past)
    with open_store(place) as opened:
        keep(audit_of(day=0), opened)
        keep(audit_of(day=1, shift=1.5, passed=False, weights="sha256:bb"), opened)
        keep(audit_of(day=2, findings=False), opened)
        keep(audit_of(day=3, model="other", plan="monthly", passed=False), opened)
    past.write_waivers(tmp_path / "waivers.toml")
    past.write_schedules(tmp_path / "schedules.toml", place)
    return Sources(place=place, clock=lambda: NOW, schedules=tmp_path / "schedules.toml",
                   waivers=(tmp_path / "waivers.toml",))  # fmt: skip


def test_every_page_of_a_store_can_be_reached(sources):
    found, todo = {}, ["/"]
    while todo:
        target = todo.pop()
        if target in found:
            continue
        got = answer(sources, target)
        found[target] = got.status
        if not got.is_file:
            todo += [a.replace("&amp;", "&") for a in re.findall(r'href="(/[^"]*)"',
                                                                 got.content.decode())]  # fmt: skip
    assert set(found.values()) == {200}
    assert {target.split("?")[0] for target in found} == {
        "/", "/audits", "/model", "/finding", "/audit", "/file", "/schedules", "/waivers",
    }  # fmt: skip
