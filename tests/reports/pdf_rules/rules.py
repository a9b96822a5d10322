"""The machine-checkable rules that our PDF is held to, by name.

They restate clauses 5 and 7 of ISO 14289-1 (PDF/UA-1) and clauses 6.1 to 6.8 of ISO 19005-3
(PDF/A-3) as far as our pages can break them. They do not replace a validator or a reader.
"""

import io

import pikepdf
from file_rules import FILE_RULES
from opened_pdf import OpenedPdf
from page_rules import PAGE_RULES
from structure_rules import STRUCTURE_RULES

RULES = {**FILE_RULES, **STRUCTURE_RULES, **PAGE_RULES}


def breaches(content: bytes) -> dict[str, list[str]]:
    """Return each broken rule with the first places where it is broken."""
    opened = OpenedPdf(pikepdf.open(io.BytesIO(content)), content)
    found = {name: list(rule(opened))[:5] for name, rule in RULES.items()}
    return {name: places for name, places in found.items() if places}
