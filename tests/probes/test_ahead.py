"""What is done ahead comes in order, fails in its place, and never runs far ahead."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.ahead import ahead


@given(
    items=st.lists(st.integers(), max_size=12),
    workers=st.integers(1, 4),
    distance=st.integers(0, 5),
)
def test_results_come_in_the_order_of_the_items(items, workers, distance):
    found = list(ahead(items, lambda n: -n, workers=workers, distance=distance))

    assert found == [-n for n in items]


def test_an_error_comes_where_its_item_would_have_come():
    def work(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n

    made = ahead(range(5), work, workers=2, distance=3)

    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(made)


def test_no_more_items_are_taken_than_may_wait():
    taken: list[int] = []

    def items():
        for n in range(20):
            taken.append(n)
            yield n

    made = ahead(items(), lambda n: n, workers=2, distance=4)
    next(made)

    assert len(taken) == 5
    made.close()


def test_work_runs_while_nobody_asks():
    done = threading.Event()
    made = ahead([1, 2], lambda n: done.set() if n == 2 else None, workers=1, distance=2)
    next(made)

    assert done.wait(timeout=10)
    made.close()


def test_closing_early_leaves_no_thread_behind():
    made = ahead(range(100), lambda n: time.sleep(0.001), workers=2, distance=8)
    next(made)
    made.close()

    assert not [t for t in threading.enumerate() if t.name.startswith("ahead")]
