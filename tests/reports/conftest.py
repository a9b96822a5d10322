"""Stored and built results for the tests of this room."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from audit.results import AuditResult, read_result

SPECIMENS = Path(__file__).parents[1] / "specimens"


@pytest.fixture(scope="session")
def specimens() -> ModuleType:
    """Return the module that builds results; tests form no package, so its folder is named."""
    sys.path.insert(0, str(SPECIMENS))
    try:
        return importlib.import_module("specimen_build")
    finally:
        sys.path.remove(str(SPECIMENS))


@pytest.fixture(scope="session")
def stored() -> AuditResult:
    """Return the stored result of format 1.0, as a reader years from now will find it."""
    return read_result(SPECIMENS / "result-1.0.json")


@pytest.fixture(scope="session")
def short(stored: AuditResult) -> AuditResult:
    """Return the stored result with one finding and little else: quick to set in pages."""
    return stored.model_copy(
        update={
            "findings": stored.findings[:1],
            "contrasts": tuple(c for c in stored.contrasts if c.blocking)[:4],
            "rates": stored.rates[:12],
            "probes": (),
            "arms": stored.arms[:1],
        }
    )


@pytest.fixture(scope="session")
def outcomes(specimens: ModuleType, stored: AuditResult) -> dict[str, AuditResult]:
    """Return one result for each way in which an audit can end."""
    return {
        "found": stored,
        "nothing": specimens.nothing_found(),
        "insufficient": specimens.insufficient(),
        "scores": specimens.scores_only(),
    }
