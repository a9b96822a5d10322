"""A try is a process of its own: heard of, stopped in time, and read for why it ended."""

import errno
import json
import os
import time
from datetime import timedelta

import numpy as np
import pytest

from audit.errors import OutputError
from audit.schedule import child as module
from audit.schedule.child import Order, run_child
from audit.schedule.decision import LONGEST_WAIT
from audit.schedule.errors import LostLeaseError
from audit.schedule.lease import Lease, birth_of, is_dead, lives, stop_orphan, this_process
from audit.schedule.transient import is_transient, wait_before
from audit.store import database
from probes.errors import ExtractionError


@pytest.fixture
def order(tmp_path):
    return Order(arguments=(), home=tmp_path, out=tmp_path / "out" / "slot", attempt=1,
                 timeout=timedelta(seconds=30))  # fmt: skip


@pytest.fixture
def runs(monkeypatch):
    """Put a program in the place of clip-audit."""
    return lambda code: monkeypatch.setattr(module, "COMMAND", f"import os, sys, time; {code}")


def short(order, seconds):
    return Order(arguments=(), home=order.home, out=order.out, attempt=1,
                 timeout=timedelta(seconds=seconds))  # fmt: skip


def test_what_it_prints_lies_beside_the_audit_and_it_starts_where_the_file_is(order, runs):
    runs("print(os.getcwd(), sys.argv[1:3])")
    pids = []
    ended = run_child(order, pids.append)

    assert (ended.code, ended.error, ended.transient) == (0, "", False)
    assert str(order.home) in order.log.read_text()
    assert "schedule" in order.log.read_text()
    assert len(pids) == 1


def test_it_is_told_why_it_ended(order, runs):
    told = json.dumps({"error": "OutputError", "why": "The disk is full.", "transient": True})
    runs(f"open(sys.argv[4], 'w').write({told!r}); sys.exit(3)")
    ended = run_child(order, lambda pid: None)

    assert (ended.code, ended.error, ended.why, ended.transient) == (
        3, "OutputError", "The disk is full.", True,
    )  # fmt: skip


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_report_that_is_none_says_nothing(order, runs, content):
    runs(f"open(sys.argv[4], 'w').write({content!r}); sys.exit(3)")
    ended = run_child(order, lambda pid: None)

    assert (ended.code, ended.error, ended.transient) == (3, "", False)


def test_one_that_takes_too_long_is_stopped_with_its_children(order, runs):
    runs("import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); "
         "time.sleep(60)")  # fmt: skip
    ended = run_child(short(order, 1.5), lambda pid: None)

    assert (ended.error, ended.transient) == ("timeout", True)
    grandchild = int(order.log.read_text().split()[0])
    until = time.monotonic() + 5
    while birth_of(grandchild) and time.monotonic() < until:
        time.sleep(0.02)
    assert not birth_of(grandchild)


def test_one_that_ignores_the_first_word_is_killed(order, runs, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    runs("import signal; signal.signal(15, signal.SIG_IGN); time.sleep(60)")
    ended = run_child(short(order, 1.0), lambda pid: None)

    assert ended.code == -9


def test_one_that_somebody_kills_is_interrupted(order, runs):
    runs("os.kill(os.getpid(), 9)")
    ended = run_child(order, lambda pid: None)

    assert (ended.code, ended.transient, ended.interrupted) == (-9, True, True)


@pytest.mark.parametrize("error", [LostLeaseError("gone"), KeyboardInterrupt()])
def test_a_child_never_outlives_the_one_that_waits_for_it(order, runs, error):
    runs("time.sleep(60)")
    pids = []

    def beat(pid):
        pids.append(pid)
        raise error

    with pytest.raises(type(error)):
        run_child(order, beat)
    assert not birth_of(pids[0])


def test_it_beats_while_it_waits(order, runs, monkeypatch):
    monkeypatch.setattr(module, "BEAT", timedelta(seconds=0.05))
    runs("time.sleep(0.5)")
    pids = []
    run_child(order, pids.append)

    assert len(pids) >= 3


def test_a_log_that_cannot_be_written_is_a_sentence(order, runs):
    order.out.parent.mkdir(parents=True)
    order.out.write_text("no folder")
    with pytest.raises(OutputError, match="must be writable"):
        run_child(order, lambda pid: None)


def test_an_orphan_is_stopped_before_its_run_goes_on(order, runs):
    """What a killed tick left running would audit beside the next one."""
    runs("time.sleep(60)")

    def last_words(pid):
        (order.home / "pid").write_text(str(pid))
        os._exit(9)

    beginning = os.fork()
    if not beginning:
        try:
            run_child(order, last_words)
        finally:
            os._exit(9)
    os.waitpid(beginning, 0)
    pids = [int((order.home / "pid").read_text())]
    me = this_process()
    lease = Lease(owner=me, expires=None, child=pids[0], child_birth=birth_of(pids[0]))
    assert lives(pids[0], lease.child_birth)
    stop_orphan(lease, me.place)

    assert not birth_of(pids[0])


def test_a_process_id_that_came_back_is_another_process():
    me = this_process()
    lease = Lease(owner=me, expires=None)
    other = Lease(owner=type(me)(name="x", place=me.place, pid=me.pid, birth="1"), expires=None)

    assert not is_dead(lease, None, me.place)
    assert is_dead(other, None, me.place)
    stop_orphan(Lease(owner=me, expires=None, child=os.getpid(), child_birth="1"), me.place)


def caused(cause):
    try:
        try:
            raise cause
        except Exception:
            raise ExtractionError("The cache must be writable.") from None
    except ExtractionError as error:
        return error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENETUNREACH, errno.EIO, errno.ENOMEM])
def test_what_led_to_an_error_decides_even_where_it_is_hidden(number):
    assert is_transient(caused(OSError(number, "x")))


@pytest.mark.parametrize(
    "error",
    [
        ExtractionError("Responses must be finite numbers."),
        caused(PermissionError(errno.EACCES, "x")),
        caused(FileNotFoundError(errno.ENOENT, "x")),
        caused(ValueError("x")),
        OutputError("The output folder must be writable."),
    ],
)
def test_what_will_be_the_same_tomorrow_is_not_tried_again(error):
    assert not is_transient(error)


@pytest.mark.parametrize(
    "error", [caused(TimeoutError()), caused(ConnectionResetError()), caused(MemoryError())]
)
def test_a_network_that_is_away_may_come_back(error):
    assert is_transient(error)


def test_a_store_that_is_locked_may_be_free_later(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    one, other = (database.open_database(tmp_path / "a.sqlite") for _ in range(2))
    with one.write(), pytest.raises(OutputError) as refused, other.write():
        pass
    assert is_transient(refused.value)


def test_waits_double_and_differ_and_end():
    waits = [
        [wait_before(n, timedelta(minutes=5), np.random.default_rng(seed)) for n in range(1, 12)]
        for seed in range(20)
    ]

    assert len({w[0] for w in waits}) == 20
    for n in range(5):
        middle = timedelta(minutes=5 * 2**n)
        assert all(middle / 2 <= w[n] <= middle * 1.5 for w in waits)
    assert max(max(w) for w in waits) <= LONGEST_WAIT
