"""Which errors may pass by themselves, and how long to wait for it."""

import errno
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from audit.schedule.decision import LONGEST_WAIT

PASSING = frozenset(
    {
        errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET,
        errno.EDQUOT, errno.EHOSTUNREACH, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENETDOWN,
        errno.ENETUNREACH, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EPIPE, errno.ESTALE,
        errno.ETIMEDOUT,
    }
)  # fmt: skip
"""System errors that may be gone in an hour: a full disk, a network that is away, no memory."""

PASSING_KINDS = (ConnectionError, TimeoutError, MemoryError)
LOCKED = ("database is locked", "database is busy", "database or disk is full")


def is_transient(error: BaseException) -> bool:
    """Tell whether trying again may help.

    The sentence of an error of ours says what to do and not why, so that the errors that led to it
    are looked at: a cache that could not be written for lack of room may pass, NaN in the responses
    or damaged weights will not.

    Examples
    --------
    >>> is_transient(OSError(errno.ENOSPC, "No space left on device"))
    True
    >>> is_transient(OSError(errno.EACCES, "Permission denied"))
    False
    """
    return any(_passes(one) for one in _behind(error))


def _passes(error: BaseException) -> bool:
    if isinstance(error, PASSING_KINDS):
        return True
    if isinstance(error, OSError) and error.errno in PASSING:
        return True
    # Names that cannot be looked up, in the network's own count of errors.
    if type(error).__name__ == "gaierror":
        return True
    return any(sign in str(error) for sign in LOCKED)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that led to it, even where ``from None`` hides it."""
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        one = found.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        found += [one.__cause__, one.__context__, getattr(one, "orig", None)]


def wait_before(attempt: int, first: timedelta, rng: np.random.Generator) -> timedelta:
    """Return how long to wait after a failed try.

    Parameters
    ----------
    attempt : int
        Which try failed, from 1.
    first : timedelta
        About how long to wait after the first.
    rng : numpy.random.Generator

    Returns
    -------
    timedelta
        Twice as long for every try, times 0.5 to 1.5 so that many do not come back at once; never
        longer than six hours.
    """
    longest = LONGEST_WAIT / 1.5
    doubled: timedelta = min(first * (2 ** min(attempt - 1, 30)), longest)
    return doubled * float(rng.uniform(0.5, 1.5))
