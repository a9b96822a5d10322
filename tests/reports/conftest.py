"""Stored and built results for the tests of this room."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from audit.results import AuditResult, read_result
from reports.as_pdf import render

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
def unit_specimens() -> ModuleType:
    """Return the module that builds what is told of units, with its pictures."""
    sys.path.insert(0, str(SPECIMENS))
    try:
        return importlib.import_module("specimen_units")
    finally:
        sys.path.remove(str(SPECIMENS))


@pytest.fixture(scope="session")
def told(unit_specimens: ModuleType) -> AuditResult:
    """Return a result of format 1.2 with unit pages, words on pictures and a second model."""
    return unit_specimens.told_of_units()


@pytest.fixture(scope="session")
def pictures(unit_specimens: ModuleType, told: AuditResult) -> dict[str, bytes]:
    """Return every picture that it names."""
    return unit_specimens.pictures_of(told)


@pytest.fixture(scope="session")
def stored() -> AuditResult:
    """Return the stored result of format 1.0, as a reader years from now will find it."""
    return read_result(SPECIMENS / "result-1.0.json")


@pytest.fixture(scope="session")
def measured(specimens: ModuleType) -> AuditResult:
    """Return a result with measures, sensitivity and the product's own labels."""
    return specimens.measured()


@pytest.fixture(scope="session")
def short(stored: AuditResult, measured: AuditResult, told: AuditResult) -> AuditResult:
    """Return a result with a little of everything: quick to set in pages."""
    examined = tuple(rate for rate in measured.rates if rate.sensitivity)
    return measured.model_copy(
        update={
            "findings": stored.findings[:1],
            "contrasts": tuple(c for c in stored.contrasts if c.blocking)[:4],
            "rates": (*measured.rates[:12], *examined),
            "catalogue": measured.catalogue[::18],
            "probes": (),
            "arms": stored.arms[:1],
            "unit_pages": told.unit_pages[:1],
            "typography": told.typography.model_copy(
                update={"attacks": told.typography.attacks[:1]}
            ),
            "confounds": told.confounds,
            "text_units": told.text_units,
        }
    )


@pytest.fixture(scope="session")
def outcomes(
    specimens: ModuleType, stored: AuditResult, measured: AuditResult, told: AuditResult
) -> dict[str, AuditResult]:
    """Return one result for each way in which an audit can end."""
    return {
        "found": stored,
        "nothing": specimens.nothing_found(),
        "insufficient": specimens.insufficient(),
        "scores": specimens.scores_only(),
        "measured": measured,
        "units": told,
    }


@pytest.fixture(scope="session")
def gate_specimens(specimens: ModuleType) -> ModuleType:
    """Return the module that puts gates, and hostile words, on results."""
    sys.path.insert(0, str(SPECIMENS))
    try:
        return importlib.import_module("specimen_gate")
    finally:
        sys.path.remove(str(SPECIMENS))


@pytest.fixture(scope="session")
def gated(gate_specimens: ModuleType, stored: AuditResult) -> AuditResult:
    """Return a result whose gate failed on one finding, with another one waived."""
    return gate_specimens.gated(stored)


@pytest.fixture(scope="session")
def exported(outcomes: dict[str, AuditResult], gated: AuditResult) -> dict[str, AuditResult]:
    """Return every kind of result that exports have to tell."""
    return {**outcomes, "gated": gated}


CSV = b"kind,effect\ncontrast,0.5\n"


@pytest.fixture(scope="session")
def tables() -> dict[str, bytes]:
    """Return a table for people, as an audit folder has it beside the result."""
    return {"measurements.csv": CSV}


@pytest.fixture(scope="session")
def pdf(stored: AuditResult, tables: dict[str, bytes]) -> bytes:
    """Return the pages of the stored result."""
    return render(stored, tables=tables)


@pytest.fixture(scope="session")
def short_pdf(short: AuditResult, pictures: dict[str, bytes], tables: dict[str, bytes]) -> bytes:
    """Return the pages of the result with a little of everything."""
    return render(short, pictures, tables=tables)
