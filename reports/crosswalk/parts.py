"""The parts of a report that clauses point to; their order is that of the report."""

from reports.messages import N_

PARTS = {
    "R0": N_("cover and verdict"),
    "R1": N_("one-page summary"),
    "R2": N_("scope, intended purpose and limits of use"),
    "R3": N_("system under audit"),
    "R4": N_("data"),
    "R5": N_("groups, hazards and scenarios"),
    "R6": N_("method, measures and thresholds"),
    "R7": N_("findings"),
    "R8": N_("evidence for each finding"),
    "R9": N_("outcome rates and impact ratios"),
    "R10": N_("reliability of the measurement"),
    "R11": N_("change since earlier audits"),
    "R12": N_("accepted findings"),
    "R13": N_("limits and what was not tested"),
    "R14": N_("human decisions and signatures"),
    "R15": N_("reproducibility and integrity"),
    "R16": N_("crosswalk"),
    "R17": N_("glossary and content note"),
    "A": N_("files for machines"),
}
"""Key to what stands there."""

SECTIONS = {
    **{"R2": "scope", "R3": "system", "R4": "inputs", "R5": "contrasts", "R6": "method"},
    **{"R7": "findings", "R8": "units", "R10": "reliability", "R11": "change", "R12": "gate"},
    **{"R13": "limits", "R14": "decisions", "R15": "reproducibility", "R16": "crosswalk"},
    "R17": "glossary",
}
"""Key to the section of a report (`reports.view.TITLES`) where it stands; the rest is on page one,
or beside the report."""
