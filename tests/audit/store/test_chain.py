"""The chain shows every change, removal and reordering, and survives a torn last line."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import OutputError, ResultError
from audit.store import chain as module
from audit.store.chain import (
    Event,
    append_line,
    chain_faults,
    clock_went_back,
    following,
    parse_line,
    present,
    read_chain,
    records_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def chain_of(*events, moments=None):
    records = []
    for number, (what, subject) in enumerate([("began", "store"), *events]):
        event = Event(what=what, subject=subject, folder=subject, manifest="m")
        moment = moments[number] if moments else NOW + timedelta(days=number)
        records.append(following(records[-1] if records else None, event, moment))
    return records


LINES = [r.line for r in chain_of(*(("added", f"audit-{i}") for i in range(6)))]


def test_a_chain_that_was_let_alone_holds():
    assert chain_faults(LINES) == ()
    assert [parse_line(line).line for line in LINES] == LINES


@given(place=st.integers(0, len(LINES) - 2))
def test_a_removed_record_is_seen_where_it_was(place):
    cut = LINES[:place] + LINES[place + 1 :]

    assert f"at place {place}, does not follow" in chain_faults(cut)[0]


@given(st.permutations(range(len(LINES))))
def test_every_other_order_is_seen(order):
    faults = chain_faults([LINES[i] for i in order])

    assert bool(faults) == (list(order) != sorted(order))


@given(place=st.integers(0, len(LINES) - 1), data=st.data())
def test_every_changed_byte_is_seen(place, data):
    line = LINES[place]
    at = data.draw(st.integers(0, len(line) - 1))
    letter = data.draw(st.characters(codec="ascii", exclude_characters="\n" + line[at]))
    changed = [*LINES]
    changed[place] = line[:at] + letter + line[at + 1 :]

    assert f"Record {place} of the chain was changed" in chain_faults(changed)[0]


def test_one_changed_record_is_one_fault():
    changed = [*LINES]
    changed[2] = changed[2].replace("audit-1", "audit-9")

    assert len(chain_faults(changed)) == 1


def test_a_record_that_was_changed_with_its_digest_breaks_the_next():
    forged = parse_line(LINES[2]).model_copy(update={"manifest": "other"})
    (fault,) = chain_faults([*LINES[:2], forged.line, *LINES[3:]])

    assert fault.startswith("Record 3 of the chain, at place 3, does not follow")


@pytest.mark.parametrize("folder", ["../away", "/etc", "a/b", ".hidden", "a\nb"])
def test_a_record_never_leads_out_of_the_store(folder):
    forged = parse_line(LINES[1]).model_copy(update={"folder": folder})

    assert parse_line(forged.line) is None


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "null", '"a"', "[" * 5000, "\\xff", LINES[0] + " "]
)
def test_what_is_no_record_is_none(line):
    assert parse_line(line) is None


def test_a_removed_audit_is_not_present_until_it_is_added_again():
    events = [("added", "a"), ("added", "b"), ("removed", "a")]
    gone, back = chain_of(*events), chain_of(*events, ("added", "a"))

    assert list(present(gone)) == ["b"]
    assert [r.n for r in present(back).values()] == [2, 4]


def test_a_clock_that_goes_back_is_told_and_changes_no_order():
    moments = [NOW, NOW + timedelta(days=9), NOW + timedelta(days=2)]
    records = chain_of(("added", "a"), ("added", "b"), moments=moments)

    assert chain_faults([r.line for r in records]) == ()
    assert [r.subject for r in present(records).values()] == ["a", "b"]
    (told,) = clock_went_back(records)
    assert told.startswith("The clock went back between record 1")


@pytest.mark.parametrize("torn", [1, 2, 50, len(LINES[3]) - 1, len(LINES[3])])
def test_a_line_that_was_never_finished_does_not_count_and_is_overwritten(tmp_path, torn):
    path = tmp_path / "chain.jsonl"
    whole = "".join(f"{line}\n" for line in LINES[:3]).encode()
    path.write_bytes(whole + LINES[3].encode()[:torn])

    chain = read_chain(path)
    assert (chain.size, len(chain.lines)) == (len(whole), 3)
    append_line(path, LINES[3], chain.size)
    assert path.read_text().splitlines() == LINES[:4]


def test_what_is_not_text_is_a_fault_and_no_crash(tmp_path):
    path = tmp_path / "chain.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n" + LINES[1].encode() + b"\n")

    assert chain_faults(read_chain(path).lines)[0] == (
        "Record 0 of the chain was changed after it was written."
    )
    with pytest.raises(ResultError, match="The chain of a store must hold"):
        records_of(read_chain(path).lines, path)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "chain.jsonl"
    size = append_line(path, LINES[0], 0)

    def write_half(handle, content):
        if len(content) < 100:
            raise OSError(28, "No space left on device")
        return real(handle, content[:90])

    real = module.os.write
    monkeypatch.setattr(module.os, "write", write_half)
    with pytest.raises(OutputError, match="is full"):
        append_line(path, LINES[1], size)

    assert path.read_text() == f"{LINES[0]}\n"
