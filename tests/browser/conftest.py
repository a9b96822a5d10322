"""The demo audit as a page that a browser opens."""

import os
from pathlib import Path

import pytest

from audit.results import AuditResult, read_result


@pytest.fixture(scope="session")
def demo_folder(request: pytest.FixtureRequest) -> Path:
    """Return a finished demo audit: the one that CLIP_AUDIT_DEMO names, else a new one."""
    if named := os.environ.get("CLIP_AUDIT_DEMO"):
        return Path(named)
    (result,) = request.getfixturevalue("demo_once").glob("*/result.json")
    return result.parent


@pytest.fixture(scope="session")
def demo_result(demo_folder: Path) -> AuditResult:
    """Return the whole document of the demo audit."""
    return read_result(demo_folder / "result.json")
