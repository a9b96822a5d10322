"""Addresses of the pages: names go into the query, so that none can be taken for a path."""

from urllib.parse import quote, urlencode

OVERVIEW, AUDITS, SCHEDULES, WAIVERS = "/", "/audits", "/schedules", "/waivers"
MODEL, FINDING, AUDIT, FILE = "/model", "/finding", "/audit", "/file"


def _asking(path: str, **names: str) -> str:
    told = {key: value for key, value in names.items() if value}
    return f"{path}?{urlencode(told, quote_via=quote)}" if told else path


def to_model(model: str, plan: str = "") -> str:
    """Return the address of a model, of one plan or of all.

    Examples
    --------
    >>> to_model("RN50/openai", "quarterly")
    '/model?name=RN50%2Fopenai&plan=quarterly'
    """
    return _asking(MODEL, name=model, plan=plan)


def to_finding(model: str, fingerprint: str, plan: str = "") -> str:
    """Return the address of a finding's life in the audits of one model."""
    return _asking(FINDING, model=model, id=fingerprint, plan=plan)


def to_audit(folder: str) -> str:
    """Return the address of an audit."""
    return _asking(AUDIT, name=folder)


def to_file(folder: str, name: str) -> str:
    """Return the address of a file of an audit."""
    return _asking(FILE, audit=folder, name=name)


def to_audits(model: str = "", plan: str = "", gate: str = "") -> str:
    """Return the address of the list of audits, narrowed down."""
    return _asking(AUDITS, model=model, plan=plan, gate=gate)
