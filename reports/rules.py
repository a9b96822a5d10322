"""What an export can say and why: one table, read by SARIF and by ``clip-audit explain``."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from reports.errors import ReportError

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of statement that an export makes."""

    id: str
    """``BA`` and four digits: 1 findings, 2 evidence, 3 gate and waivers."""

    name: str
    """The same in one word, for tools that show no sentence."""

    title: str
    meaning: str
    misleads: tuple[str, ...]
    """What a reader must not conclude."""

    steps: tuple[str, ...]
    """What to do."""

    level: Level
    """Level where nothing more is known; a finding's severity decides its own."""


RULES = {
    rule.id: rule
    for rule in (
        Rule(
            id="BA1001",
            name="BlockingAssociation",
            title="A contrast that the plan named beforehand was found.",
            meaning=(
                "The model ties this group to this harm more than it ties the rest of the group's "
                "family to it, beyond how close it lies to harmless control packs. The "
                "simultaneous lower limit clears the smallest effect that matters, in at least one "
                "kind of evidence that the plan lets decide."
            ),
            misleads=(
                "It describes the model, never the people of the group, and no single picture.",
                "Severity is that of the harm; how strong the link is stands beside it in control "
                "standard deviations. The two are never joined into one score.",
                "What a product does with the association depends on its labels and thresholds.",
            ),
            steps=(
                "Read what speaks against it: clip-audit explain FINDING AUDIT.",
                "Look at the units that carry it, and at what silencing them did.",
                "Change the model or its use and audit again, or accept it for a time with a "
                "waiver, which needs a reason, an owner and an end (docs/gate.md).",
            ),
            level="error",
        ),
        Rule(
            id="BA1002",
            name="ExploratoryAssociation",
            title="An association that was not named beforehand was found.",
            meaning=(
                "The contrast was one of many that the audit looked at without having named it. "
                "The share of false alarms among such findings is held, not the chance of any."
            ),
            misleads=(
                "Some of these are expected to be false alarms; the plan says what share.",
                "It never fails a gate, whatever its severity.",
            ),
            steps=(
                "Name it as blocking in the next plan and test it on new terms.",
                "Do not leave it out of the file because it does not block.",
            ),
            level="note",
        ),
        Rule(
            id="BA2001",
            name="EvidenceNotTrustworthy",
            title="A kind of evidence that should decide failed its own calibration.",
            meaning=(
                "Harmless control packs were put in the place of harms, and too many of them were "
                "found. Until that is understood, the audit ends with exit code 3 and is no pass."
            ),
            misleads=(
                "Findings beside it may be real and may be false alarms: nobody can tell.",
                "A passed gate means nothing here.",
            ),
            steps=(
                "Read the reliability section of the report and the QQ plot.",
                "Let that kind of evidence describe instead of decide, or add control packs.",
            ),
            level="error",
        ),
        Rule(
            id="BA2002",
            name="InsufficientEvidence",
            title="A contrast that the plan named beforehand could not be answered.",
            meaning=(
                "Its limits neither clear the smallest effect that matters nor stay below the "
                "effect that must be seen, or the stimuli for it are too few."
            ),
            misleads=("It is not a pass: an association may exist and have been missed.",),
            steps=(
                "Add terms, persons or control packs.",
                "Make open contrasts fail: --on-inconclusive fail, or --min-coverage.",
            ),
            level="warning",
        ),
        Rule(
            id="BA2003",
            name="NotTested",
            title="Something that a reader might expect was not looked at.",
            meaning="The plan left it out, or the data could not answer it; the reason is given.",
            misleads=("Silence about a group or a harm is not an answer about it.",),
            steps=("Widen the plan, or say in the file why it does not matter for this use.",),
            level="note",
        ),
        Rule(
            id="BA2004",
            name="UnreadablePictures",
            title="Pictures could not be read and were left out.",
            meaning="The groups that they belong to rest on fewer persons than the data promised.",
            misleads=("Missing pictures need not be missing at random.",),
            steps=("Restore the files that the report lists and audit again.",),
            level="warning",
        ),
        Rule(
            id="BA3001",
            name="GateSeverity",
            title="The gate asks for no blocking finding of a severity (--fail-on).",
            meaning="It fails on findings of this severity or a worse one that no waiver covers.",
            misleads=("A passed gate says what was found and not failed on: nothing more.",),
            steps=("Read the findings that it names.",),
            level="error",
        ),
        Rule(
            id="BA3002",
            name="GateNew",
            title="The gate asks for no blocking finding that is new (--fail-on-new).",
            meaning="It fails on findings that the baseline lacks; known ones stay in the report.",
            misleads=("Known findings are as harmful as they were when the baseline was made.",),
            steps=("Compare the two audits: clip-audit compare BEFORE AFTER.",),
            level="error",
        ),
        Rule(
            id="BA3003",
            name="GateWorse",
            title="The gate asks that no blocking contrast has risen (--fail-on-worse).",
            meaning="The lower bound of the change decides, not its estimate.",
            misleads=("Small rises are missed more often than false ones are told.",),
            steps=("Compare the two audits: clip-audit compare BEFORE AFTER.",),
            level="error",
        ),
        Rule(
            id="BA3004",
            name="GateCoverage",
            title="The gate asks that enough blocking contrasts were answered (--min-coverage).",
            meaning="Found and not found are answers; insufficient evidence is none.",
            misleads=("Coverage counts contrasts of this plan, not what a product needs asked.",),
            steps=("Add evidence for the contrasts that are open.",),
            level="error",
        ),
        Rule(
            id="BA3005",
            name="GateOpen",
            title="The gate asks what open contrasts do to it (--on-inconclusive).",
            meaning="With fail or error, a contrast that could not be answered is no pass.",
            misleads=("With pass, which is the default, open contrasts do not show in the code.",),
            steps=("Add evidence for the contrasts that are open.",),
            level="error",
        ),
        Rule(
            id="BA3006",
            name="GateStrict",
            title="The gate asks for no warning (--strict).",
            meaning="Waivers that ended or met nothing, and a baseline of another plan, fail.",
            misleads=("Warnings are about the files of the gate, not about the model.",),
            steps=("Correct the waivers, or write the baseline again under this plan.",),
            level="error",
        ),
        Rule(
            id="BA3101",
            name="WaivedFinding",
            title="A finding is accepted for a time, with a reason and two names.",
            meaning="It does not fail the gate until the waiver ends, and stays in every report.",
            misleads=("The association is as strong as without the waiver.",),
            steps=("Review the reason before it ends.",),
            level="note",
        ),
        Rule(
            id="BA3102",
            name="IdleWaiver",
            title="A waiver ended, is not valid yet, is for another model, or meets no finding.",
            meaning="It has no effect on the gate.",
            misleads=("A finding that went away may come back under another waiver's cover.",),
            steps=("Renew the waiver with a new reason, or take it out of the file.",),
            level="warning",
        ),
    )
}
"""Rules by id; ids never change their meaning."""

GATE_RULES = {
    "fail-on": "BA3001",
    "fail-on-new": "BA3002",
    "fail-on-worse": "BA3003",
    "min-coverage": "BA3004",
    "on-inconclusive": "BA3005",
    "strict": "BA3006",
}
"""Name of a gate rule in the document to the rule that explains it."""


def find_rule(id: str) -> Rule:
    """Return the rule of this id.

    Raises
    ------
    ReportError
        If no rule has this id.

    Examples
    --------
    >>> find_rule("BA1001").name
    'BlockingAssociation'
    """
    if id not in RULES:
        near = get_close_matches(id, RULES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ReportError(f"A rule must be one of {', '.join(RULES)}; got {id!r}.{hint}")
    return RULES[id]


def paragraphs(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return head and lines of what is told of a rule besides its title."""
    return (
        ("What it means", (rule.meaning,)),
        ("What it does not say", rule.misleads),
        ("What to do", rule.steps),
    )


def help_text(rule: Rule) -> str:
    """Write the explanation as plain text."""
    blocks = [rule.title]
    blocks += [f"{head}: {' '.join(lines)}" for head, lines in paragraphs(rule)]
    return "\n\n".join(blocks)


def help_markdown(rule: Rule) -> str:
    """Write the explanation as Markdown."""
    blocks = [f"**{rule.id}** {rule.title}"]
    for head, lines in paragraphs(rule):
        said = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
        blocks.append(f"**{head}**\n\n{said}")
    return "\n\n".join(blocks)
