"""One real browser for many tests: a page goes in, what a reader meets there comes out."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOM = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")


def lacking() -> str:
    """Say what is missing before pages can be opened; empty where nothing is."""
    missing = [
        what
        for what, there in (
            ("Chromium", browser_path()),
            ("node", shutil.which("node")),
            ("tests/browser/node_modules", (ROOM / "node_modules" / ".set-up").exists()),
        )
        if not there
    ]
    if not missing:
        return ""
    return f"Browser tests need {', '.join(missing)}; install by: bash .ci/browser.sh"


def browser_path() -> str | None:
    """Return the browser to start: the one that CHROMIUM names, else the first installed."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A running Chromium; `look` opens one page in a fresh profile and tells what was seen."""

    def __init__(self) -> None:
        # Chromium keeps its profile and its sockets in the home folder, which may be read-only.
        self._home = tempfile.TemporaryDirectory(prefix="browser-")
        self._errors = (Path(self._home.name) / "stderr").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            ["node", str(ROOM / "check.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env={
                "PATH": os.environ["PATH"],
                "HOME": self._home.name,
                "CHROMIUM": str(browser_path()),
            },
        )

    def look(self, page: Path | str, **job: Any) -> dict[str, Any]:
        """Open a file or loopback address; the keywords are those of ``check.mjs``."""
        self._process.stdin.write(json.dumps({"page": str(page), **job}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The browser must answer; it ended with: {self._told()}")
        told = json.loads(line)
        if "failed" in told:
            raise RuntimeError(f"The page must open and be checked; {page}: {told['failed']}")
        return told

    def close(self) -> None:
        """End the browser; a second call does nothing."""
        if self._errors.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _told(self) -> str:
        self._process.wait(timeout=20)
        self._errors.seek(0)
        return self._errors.read()[-2_000:]
