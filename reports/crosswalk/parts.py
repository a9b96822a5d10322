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
