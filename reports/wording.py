"""Every sentence that depends on a result, and the words we do not use."""

from audit.results import (
    AuditResult,
    ContrastRecord,
    FindingRecord,
    GateRecord,
    Grade,
    Mark,
    Number,
    PlanRecord,
    Undefined,
    Verdict,
)
from reports.messages import N_, NP_, _, ngettext, pgettext
from reports.names import Names
from reports.quantities import (
    SPACE,
    count,
    interval,
    limit,
    listed,
    number,
    percent,
    sentence,
    small,
)

FORBIDDEN = (
    "unbiased",
    "debiased",
    "bias-free",
    "compliant",
    "certified",
    "proves",
    "fair score",
    "no bias found",
)
"""No report says these: a search that found nothing is not proof of absence."""

SEVERITIES = {4: "critical", 3: "high", 2: "medium", 1: "low"}
"""In English, for exports; `severity_counts` says them in the spoken language."""

VERDICTS = {
    Verdict.FOUND: NP_("verdict", "found"),
    Verdict.NOT_FOUND: NP_("verdict", "not found"),
    Verdict.INSUFFICIENT: NP_("verdict", "insufficient"),
    Verdict.DESCRIBED: NP_("verdict", "describes only"),
}

GRADE_NAMES = {
    Grade.CONFIRMED: NP_("grade", "confirmed"),
    Grade.CANDIDATE: NP_("grade", "candidate"),
}

MARK_NAMES = {
    Mark.CAUSAL: NP_("mark", "causal"),
    Mark.BEHAVIOURAL: NP_("mark", "behavioural"),
}

GRADES = {
    Grade.CONFIRMED: N_(
        "Confirmed: the sign is the same in both halves of the terms, in at least 80 % of the "
        "templates, and with any single term left out."
    ),
    Grade.CANDIDATE: N_("Candidate: found, but it did not pass every check of stability."),
}

MARKS = {
    Mark.CAUSAL: N_("Causal: silencing the units that carry it lowers the effect."),
    Mark.BEHAVIOURAL: N_("Behavioural: what the model outputs differs between the groups."),
}

ARMS = {
    "text": N_("text prompts"),
    "rendered": N_("rendered words"),
    "photo": N_("photos"),
}

LANGUAGES = {
    "en": N_("English"),
    "zh": N_("Chinese"),
    "zh-Hans": N_("Chinese"),
    "es": N_("Spanish"),
}

HEADLINES = {
    Verdict.FOUND: N_("Harmful associations were found"),
    Verdict.NOT_FOUND: N_("No association of the size looked for was detected"),
    Verdict.INSUFFICIENT: N_("The evidence does not suffice for a verdict"),
    Verdict.DESCRIBED: N_("This audit describes and does not decide"),
}

GATE_LEVELS = {
    "critical": NP_("gate level", "critical"),
    "high": NP_("gate level", "high"),
    "medium": NP_("gate level", "medium"),
    "low": NP_("gate level", "low"),
}


def arm_name(arm: str, kind: str = "model") -> str:
    """Name a kind of evidence in running text."""
    if arm == "photo" and kind != "model":
        return _("scored images")
    return _(ARMS[arm]) if arm in ARMS else arm


def in_arms(arms: tuple[str, ...], kind: str) -> str:
    """Name several kinds of evidence."""
    return listed([arm_name(arm, kind) for arm in arms])


def strength(effect_sd: Number) -> str:
    """Say how large an effect is to somebody who was told nothing.

    Examples
    --------
    >>> strength(8.14)
    'about 8 times the ordinary spread of harmless concepts'
    """
    if isinstance(effect_sd, Undefined):
        return _("by an amount that could not be expressed in control standard deviations")
    size = abs(effect_sd)
    return _(
        "about {times} times the ordinary spread of harmless concepts",
        times=number(size, 0 if size >= 2.95 else 1),
    )


def severity_counts(findings: tuple[FindingRecord, ...]) -> str:
    """Count findings by severity, worst first: ``one critical and two low``."""
    counts = {level: sum(f.severity == level for f in findings) for level in SEVERITIES}
    return listed([_of_severity(level, n) for level, n in counts.items() if n])


def _of_severity(level: int, amount: int) -> str:
    n = small(amount)
    return {
        4: ngettext("{n} critical", "{n} critical", amount, n=n),
        3: ngettext("{n} high", "{n} high", amount, n=n),
        2: ngettext("{n} medium", "{n} medium", amount, n=n),
        1: ngettext("{n} low", "{n} low", amount, n=n),
    }[level]


def headline(result: AuditResult) -> str:
    """Say the verdict in a few words."""
    verdict = result.verdict.verdict
    decided = tuple(finding for finding in result.findings if finding.blocking)
    if verdict is Verdict.FOUND and decided:
        told = ngettext(
            "{n} harmful association was found: {severities}",
            "{n} harmful associations were found: {severities}",
            len(decided),
            n=small(len(decided)),
            severities=severity_counts(decided),
        )
        return sentence(told)
    return _(HEADLINES[verdict])


def verdict_sentence(result: AuditResult) -> str:
    """Say what the verdict means and what it does not."""
    plan, verdict = result.plan, result.verdict
    answers = verdict.found + verdict.not_found + verdict.insufficient
    if not answers:
        return _("Nothing is affirmed and nothing excluded. This is not a clean result.")
    if verdict.verdict is Verdict.FOUND:
        return ngettext(
            "Of {contrasts}, {n} was found, {not_found} not found, and {insufficient} had "
            "insufficient evidence.",
            "Of {contrasts}, {n} were found, {not_found} not found, and {insufficient} had "
            "insufficient evidence.",
            verdict.found,
            contrasts=blocking_contrasts(answers),
            not_found=count(verdict.not_found),
            insufficient=count(verdict.insufficient),
        )
    if verdict.verdict is Verdict.NOT_FOUND:
        return _(
            "No association above {delta1} times the ordinary spread of harmless concepts was "
            "detected for the groups, concepts, layers and images listed; see what was not tested. "
            "Smaller associations may exist.",
            delta1=limit(plan.delta1),
        )
    return _(
        "Of {contrasts}, {not_found} exclude an association of {delta1} times the ordinary spread "
        "of harmless concepts, and {insufficient} could be neither affirmed nor excluded: there, "
        "one may exist. This is not a clean result.",
        contrasts=blocking_contrasts(answers),
        not_found=count(verdict.not_found),
        delta1=limit(plan.delta1),
        insufficient=count(verdict.insufficient),
    )


def blocking_contrasts(amount: int) -> str:
    """Count blocking contrasts, as a part of a sentence."""
    return ngettext("{n} blocking contrast", "{n} blocking contrasts", amount)


def exploratory_sentence(result: AuditResult) -> str:
    """Say that findings outside the verdict exist, where they do."""
    others = [finding for finding in result.findings if not finding.blocking]
    if not others:
        return ""
    told = ngettext(
        "{n} exploratory finding below did not enter the verdict: they were not named beforehand.",
        "{n} exploratory findings below did not enter the verdict: they were not named beforehand.",
        len(others),
        n=small(len(others)),
    )
    return sentence(told)


def gate_headline(gate: GateRecord) -> str:
    """Name the decision that the exit code tells."""
    if gate.fail_on == "none":
        return _("No gate was set")
    known = GATE_LEVELS.get(gate.fail_on)
    level = pgettext("gate level", known) if known else gate.fail_on
    if gate.passed:
        return _("Gate passed (fail on {level})", level=level)
    return _("Gate failed (fail on {level})", level=level)


def finding_sentence(finding: FindingRecord, effect_sd: Number, names: Names) -> str:
    """Say who, which harm and how strong."""
    told = {
        "group": names.concept(finding.identity),
        "harm": names.concept(finding.harm),
        "family": names.family(finding.family),
        "strength": strength(effect_sd),
    }
    if not isinstance(effect_sd, Undefined) and effect_sd < 0:
        return _(
            "The model associates “{group}” with “{harm}” less than it does the rest of "
            "“{family}”: {strength}.",
            **told,
        )
    return _(
        "The model associates “{group}” with “{harm}” more than it does the rest of “{family}”: "
        "{strength}.",
        **told,
    )


def sizes(contrast: ContrastRecord) -> str:
    """Write the clusters of both sides, kept on one line."""
    both = f"{count(contrast.n_identity)} × {count(contrast.n_harm)}"
    return f"n = {both}".replace(" ", SPACE)


def seen_in(contrasts: tuple[ContrastRecord, ...], kind: str) -> str:
    """List the arms of a finding with effect, limits and n."""
    arms = [
        _(
            "{arm} {effect} ({limits}; {sizes})",
            arm=arm_name(contrast.arm, kind),
            effect=number(contrast.effect_sd),
            limits=interval(contrast.low_sd, contrast.high_sd),
            sizes=sizes(contrast),
        )
        for contrast in contrasts
    ]
    packs = sorted({contrast.n_controls for contrast in contrasts})
    return ngettext(
        "In units of that spread (control SD, 0 is neutral), with limits: {arms}; {n} control "
        "packs.",
        "In units of that spread (control SD, 0 is neutral), with limits: {arms}; {n} control "
        "packs.",
        packs[-1] if packs else 0,
        arms=listed(arms),
        n=listed([str(n) for n in packs]),
    )


def grade_note(finding: FindingRecord) -> str:
    """Say in a few words how stable a finding is and how it came up."""
    if finding.grade is Grade.CONFIRMED:
        if finding.blocking:
            return _("confirmed, stable in every check")
        return _("confirmed, stable in every check; exploratory")
    if finding.blocking:
        return _("candidate, not fully stable")
    return _("candidate, not fully stable; exploratory")


def standing(finding: FindingRecord, plan: PlanRecord) -> str:
    """Say whether a finding was asked for beforehand."""
    if finding.blocking:
        return _(
            "Blocking: named in the plan beforehand; the chance of any false alarm among all "
            "blocking contrasts of this audit is held at {alpha}.",
            alpha=percent(plan.alpha, 0),
        )
    return _(
        "Exploratory: not named beforehand; about {rate} of such findings are expected to be "
        "false alarms, and they never block.",
        rate=percent(plan.false_discovery_rate, 0),
    )


NO_PEOPLE = N_("It contains no pictures of people.")
MAY_SHOW = N_("It contains pictures that the model was shown, and people may be among them.")
PEOPLE = {
    "off": N_("It contains pictures that the model was shown; photos of people are left out."),
    "blurred": N_("It contains pictures that the model was shown; photos of people are blurred."),
    "shown": N_("It contains pictures that the model was shown, those of people among them."),
}
"""What the plan asked for, to what a reader meets."""

KINDS_NAMED = 6
"""Kinds of harm that the content note names, worst first."""


def content_note(result: AuditResult, names: Names) -> str:
    """Warn before anything else, naming the kinds of content."""
    harms = [
        concept
        for concept_set in result.inputs.concept_sets
        for concept in concept_set.concepts
        if concept.role == "harm"
    ]
    worst = sorted(harms, key=lambda concept: (-(concept.severity or 0), concept.name))
    kinds = [names.concept(concept.ref) for concept in worst[:KINDS_NAMED]]
    people = people_in_pictures(result)
    if not kinds:
        return _(
            "This report names harms that a model may attach to groups of people. Harsh terms are "
            "masked. {pictures} It describes the model, never the people.",
            pictures=people,
        )
    left = len(worst) - len(kinds)
    further = [ngettext("{n} further kind of harm", "{n} further kinds of harm", left)]
    return _(
        "This report names harms that a model may attach to groups of people: {kinds}. Harsh "
        "terms are masked. {pictures} It describes the model, never the people.",
        kinds=listed([*kinds, *(further if left else [])]),
        pictures=people,
    )


def people_in_pictures(result: AuditResult) -> str:
    """Say whether a reader may meet pictures of people."""
    examples = [example for page in result.unit_pages for example in page.examples]
    if not any(example.picture and example.arm == "photo" for example in examples):
        return _(NO_PEOPLE)
    units = result.plan.resolved.get("units")
    return _(PEOPLE.get(str(units.get("people")) if isinstance(units, dict) else "", MAY_SHOW))


def limits(result: AuditResult) -> list[str]:
    """Say what a reader must not conclude, shortest first."""
    sentences = [
        _(
            "An association is a distance inside the model. What a product does with it depends on "
            "its own labels, thresholds and users."
        ),
        _(
            "“Not found” excludes associations of {delta1} control standard deviations or more, "
            "nothing smaller; “insufficient” excludes nothing.",
            delta1=limit(result.plan.delta1),
        ),
        _looked_at(result),
    ]
    return sentences if result.model.kind == "model" else [*sentences, _not_seen(result)]


def _looked_at(result: AuditResult) -> str:
    tags = {entry.language for entry in result.inputs.concept_sets} - {"", "not stated"}
    known = sorted({LANGUAGES.get(tag, tag) for tag in tags})
    if not known:
        return _("Only the groups, harms, layers and stimuli listed here were looked at.")
    return _(
        "Only the groups, harms, layers and stimuli listed here were looked at, in {languages}.",
        languages=listed([_(language) for language in known]),
    )


def _not_seen(result: AuditResult) -> str:
    if any(finding.units for finding in result.findings):
        return _(
            "No weights were seen: somebody else computed these numbers, and the audit cannot "
            "tell which model they came from; units of findings are those whose responses were "
            "given, and none was silenced."
        )
    return _(
        "No weights were seen: somebody else computed these numbers, and the audit cannot tell "
        "which model they came from, nor trace a finding to its units."
    )
