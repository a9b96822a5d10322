"""How far a long step is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from tqdm import tqdm


class Progress(Protocol):
    """Told how far a step is; one at a time."""

    def start(self, total: int, label: str) -> None:
        """Begin a step of ``total`` items."""
        ...

    def advance(self, n: int) -> None:
        """Say that ``n`` more items are done."""
        ...

    def finish(self) -> None:
        """End the step, finished or not."""
        ...


class SilentProgress:
    """Says nothing."""

    def start(self, total: int, label: str) -> None:
        """Do nothing."""

    def advance(self, n: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


class TerminalProgress:
    """A bar with rate and time left on a terminal; elsewhere one plain line every few seconds.

    Parameters
    ----------
    stream : TextIO
        Where to write; standard error unless told.
    every : float
        Seconds between plain lines.
    clock : callable
        Seconds from any start, never going back.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write to ``stream``."""
        self._stream = sys.stderr if stream is None else stream
        self._every = every
        self._clock = clock
        self._bar: tqdm[Any] | None = None
        self._label = ""
        self._total = self._done = 0
        self._began = self._spoke = 0.0

    def start(self, total: int, label: str) -> None:
        """Begin a step of ``total`` items."""
        self.finish()
        self._label, self._total, self._done = label, total, 0
        self._began = self._spoke = self._clock()
        if total and self._stream.isatty():
            self._bar = tqdm(total=total, desc=label, file=self._stream, leave=False)

    def advance(self, n: int) -> None:
        """Say that ``n`` more items are done."""
        self._done += n
        if self._bar is not None:
            self._bar.update(n)
        elif self._done >= self._total or self._clock() - self._spoke >= self._every:
            self._spoke = self._clock()
            self._stream.write(self._line() + "\n")
            self._stream.flush()

    def finish(self) -> None:
        """End the step, finished or not."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self) -> str:
        seconds = max(self._clock() - self._began, 1e-9)
        rate = self._done / seconds
        line = f"{self._label}: {self._done} of {self._total}, {rate:.1f}/s"
        if self._done < self._total:
            line += f", about {(self._total - self._done) / max(rate, 1e-9):.0f} s left"
        return line
