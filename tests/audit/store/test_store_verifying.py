"""What was changed, deleted or put in after the fact is named; a lost index is made again."""

import shutil
from contextlib import closing

import pytest
from sqlalchemy import delete, select, update

from audit.conclude import trustworthy as concluded
from audit.errors import ResultError
from audit.folder import MANIFEST, RESULT, digest_of, manifest_bytes
from audit.results import read_result, write_result
from audit.store.adding import keep
from audit.store.contents import trustworthy
from audit.store.history import audits, effects, findings
from audit.store.index import create_store, open_store, reindex
from audit.store.place import connect, make_store
from audit.store.tables import AUDITS, CHAIN, CONTRASTS, FINDINGS
from audit.store.verifying import require_unchanged, verify_store


@pytest.fixture
def three(place, audit_of):
    """A store with three audits; the kept folders."""
    with open_store(place) as store:
        return [keep(audit_of(day=day), store).folder for day in range(3)]


def rows(place):
    with open_store(place) as store, store.database.read() as connection:
        return {
            table.name: sorted(map(str, connection.execute(select(table)).all()))
            for table in (AUDITS, FINDINGS, CONTRASTS, CHAIN)
        }


def forge(folder, name, content):
    """Change a file and write a manifest that agrees."""
    (folder / name).write_bytes(content)
    files = {p.name: digest_of(p.read_bytes()) for p in folder.iterdir() if p.name != MANIFEST}
    (folder / MANIFEST).write_bytes(manifest_bytes(files))


def test_a_store_that_was_let_alone_holds(place, three):
    verified = verify_store(place)

    assert (verified.problems, verified.notes) == ((), ())
    assert (verified.audits, verified.records) == (3, 4)
    assert verify_store(place, head=verified.head).holds


def test_a_file_that_was_changed_is_named(place, three):
    (three[1] / "report.html").write_bytes(b"nicer")
    (problem,) = verify_store(place).problems

    assert problem.startswith(f"{three[1].name} was damaged or changed.")
    assert "report.html was changed" in problem


def test_a_file_that_was_changed_with_its_manifest_is_named(place, three):
    forge(three[1], "report.html", b"nicer")
    (problem,) = verify_store(place).problems

    assert problem.startswith(f"{three[1].name} has other files than when it was added as record 2")


def test_a_gate_that_was_turned_with_its_manifest_is_named(place, three):
    result = read_result(three[2] / RESULT)
    gate = result.gate.model_copy(update={"passed": False})
    turned = result.model_copy(update={"gate": gate})
    assert turned.digest == result.digest
    forge(three[2], RESULT, write_result(turned))
    (problem,) = verify_store(place).problems

    assert problem.startswith(f"{three[2].name} holds another result")
    with open_store(place) as store:
        with pytest.raises(ResultError, match="holds another result"):
            require_unchanged(store, audits(store.database)[2].id)
        assert require_unchanged(store, audits(store.database)[1].id) == three[1]


def test_a_deleted_audit_is_a_gap_with_its_record(place, three):
    shutil.rmtree(three[0])
    (problem,) = verify_store(place).problems

    assert problem.startswith(f"{three[0].name} is missing: it was added as record 1")
    assert "no record says that it was removed" in problem


def test_an_audit_that_is_deleted_with_its_record_is_seen(place, three):
    shutil.rmtree(three[0])
    lines = (place / "chain.jsonl").read_text().splitlines(keepends=True)
    (place / "chain.jsonl").write_text("".join(lines[:1] + lines[2:]))
    problems = verify_store(place).problems

    assert any("Record 2 of the chain, at place 1, does not follow" in p for p in problems)


def test_a_chain_that_was_cut_at_its_end_is_seen_by_the_index(place, three):
    lines = (place / "chain.jsonl").read_text().splitlines(keepends=True)
    (place / "chain.jsonl").write_text("".join(lines[:-1]))

    (problem,) = verify_store(place).problems
    assert "only grows" in problem
    with pytest.raises(ResultError, match="writes the lost records back"):
        open_store(place)
    reindex(place)
    assert (place / "chain.jsonl").read_text() == "".join(lines)
    assert verify_store(place).holds


def test_a_store_that_was_cut_everywhere_is_seen_by_who_noted_its_head(place, three):
    head = verify_store(place).head
    lines = (place / "chain.jsonl").read_text().splitlines(keepends=True)
    (place / "chain.jsonl").write_text("".join(lines[:-1]))
    shutil.rmtree(three[2])
    with open_store_ignoring(place) as database, database.write() as connection:
        connection.execute(delete(CHAIN).where(CHAIN.c.n == 3))
        for table in (CONTRASTS, FINDINGS):
            connection.execute(delete(table))
        connection.execute(delete(AUDITS).where(AUDITS.c.position == 3))
    reindex(place)

    assert verify_store(place).holds
    (problem,) = verify_store(place, head=head).problems
    assert "rewritten or cut at its end" in problem


def open_store_ignoring(place):
    return closing(connect(place).database)


def test_a_missing_chain_is_told_and_comes_back_from_the_index(place, three):
    before = (place / "chain.jsonl").read_bytes()
    (place / "chain.jsonl").unlink()

    assert any("The chain is missing" in p for p in verify_store(place).problems)
    reindex(place)
    assert (place / "chain.jsonl").read_bytes() == before


def test_a_folder_that_somebody_put_in_is_named_and_can_be_added(place, three, audit_of):
    stray = shutil.copytree(audit_of(day=8), place / "audits" / "put in")
    (problem,) = verify_store(place).problems
    assert problem.startswith("put in lies in the store and no record says that it was added")

    with open_store(place) as store:
        kept = keep(stray, store)

    assert kept.folder == place / "audits" / "put-in"
    assert verify_store(place).holds


def test_rows_that_say_something_else_are_named(place, three):
    with open_store(place) as store, store.database.write() as connection:
        connection.execute(update(AUDITS).where(AUDITS.c.position == 2).values(passed=False))
    (problem,) = verify_store(place).problems

    assert problem.startswith(f"The index says something else of {three[1].name}")
    reindex(place)
    assert verify_store(place).holds


def test_a_lost_index_is_made_again_row_for_row(place, three):
    before = rows(place)
    with open_store_ignoring(place) as database, database.write() as connection:
        for table in (CONTRASTS, FINDINGS, AUDITS, CHAIN):
            connection.execute(delete(table))

    assert rows(place) == before, "opening alone catches up"
    assert reindex(place) == ()
    assert rows(place) == before


def test_an_index_without_its_file_is_made_again(tmp_path, audit_of):
    with create_store(tmp_path / "s") as store:
        keep(audit_of(), store)
    before = rows(tmp_path / "s")
    for path in (tmp_path / "s").glob("index.sqlite*"):
        path.unlink()

    assert rows(tmp_path / "s") == before


def test_an_audit_that_cannot_be_indexed_is_told_and_the_others_are(place, three):
    (three[1] / RESULT).unlink()
    shutil.rmtree(three[2])
    told = reindex(place)

    assert [sentence.split(" could")[0] for sentence in told] == [three[1].name, three[2].name]
    with open_store(place) as store:
        assert [a.folder for a in audits(store.database)] == [three[0].name]


def test_two_stores_do_not_share_an_index(place, three, tmp_path):
    other = tmp_path / "other"
    with open_store(place) as store:
        url = str(store.database.engine.url)
    if url.startswith("sqlite"):
        create_store(other).close()
        shutil.copy(other / "index.sqlite", place / "index.sqlite")
        for end in ("-wal", "-shm"):
            (place / f"index.sqlite{end}").unlink(missing_ok=True)
        with pytest.raises(ResultError, match="must be of one store"):
            open_store(place)
    else:
        make_store(other, url)
        with pytest.raises(ResultError, match=r"only grows|must be of one store"):
            open_store(other)


def test_a_chain_of_another_store_is_refused(place, three, tmp_path, audit_of):
    with create_store(tmp_path / "other") as other:
        keep(audit_of(day=9), other)
    shutil.copy(tmp_path / "other" / "chain.jsonl", place / "chain.jsonl")

    with pytest.raises(ResultError, match="must begin with its store"):
        open_store(place)
    with pytest.raises(ResultError, match="must begin with its store"):
        reindex(place)


def test_hostile_names_are_kept_in_every_database(place, audit_of):
    with open_store(place) as store:
        keep(audit_of(model="a\x00b\x1b[31m'; DROP TABLE audits; --", name="odd"), store)
        (row,) = audits(store.database)

    assert row.model == "a[U+0000]b\x1b[31m'; DROP TABLE audits; --"
    assert verify_store(place).holds


def test_what_is_trustworthy_here_is_what_is_concluded(small):
    failed = tuple(
        arm.model_copy(update={"calibration": arm.calibration.model_copy(update={"passed": False})})
        for arm in small.arms
    )
    for arms in (small.arms, failed):
        assert trustworthy(small.model_copy(update={"arms": arms})) == concluded(arms)
    assert not concluded(failed)


def test_terms_never_reach_the_index(place, three, small):
    terms = {t for s in small.inputs.concept_sets for c in s.concepts for t in c.terms}
    names = {c.name for s in small.inputs.concept_sets for c in s.concepts}
    with open_store(place) as store:
        told = str(findings(store.database, "toy")) + str(
            effects(store.database, "toy", small.contrasts[0].identity, small.contrasts[0].harm)
        )

    assert terms
    assert not [t for t in terms - names if f"'{t}'" in told]
