"""Work done in threads a little ahead of whoever asks for it."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(
    items: Iterable[Given], work: Callable[[Given], Made], *, workers: int, distance: int
) -> Generator[Made, None, None]:
    """Yield ``work(item)`` in the order of the items, begun before it is asked for.

    Parameters
    ----------
    items : iterable
    work : callable
        Safe to call from several threads at once where there are several workers.
    workers : int
        Threads.
    distance : int
        Items that may be under way or waiting: what is held in memory.

    Raises
    ------
    Exception
        What ``work`` raised, where its item would have come.

    Examples
    --------
    >>> list(ahead([3, 1, 2], lambda n: n * n, workers=2, distance=2))
    [9, 1, 4]
    """
    waiting: deque[Future[Made]] = deque()
    source = iter(items)
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ahead")
    try:
        waiting.extend(pool.submit(work, item) for item in islice(source, max(1, distance)))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(source, 1))
            yield made
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
