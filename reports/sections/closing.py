"""Method, limits, what was not tested, and the words of the report explained."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.results import AuditResult, PlanRecord
from reports.blocks import Column, Fact, Table, table, text
from reports.care import MASK_LEGEND, STORED_LEGEND
from reports.messages import ENGLISH, N_, _, ngettext, pgettext, spoken
from reports.names import Names
from reports.quantities import limit, percent, together, without_stop
from reports.readings import Readings, readings_of
from reports.wording import blocking_contrasts, in_arms

GLOSSARY = (
    (
        N_("Arm"),
        N_("A kind of evidence: text prompts, rendered words (words drawn as pictures), photos."),
    ),
    (
        N_("Association"),
        N_("How close two ideas lie in the model's embedding space, as an effect size."),
    ),
    (
        N_("Cluster"),
        N_("What counts as one observation: a term with all its templates, or one person."),
    ),
    (N_("Contrast"), N_("One group against the rest of its family, crossed with one harm.")),
    (
        N_("Control packs"),
        N_("Harmless concepts, matched to the harms in size and form: the yardstick."),
    ),
    (
        N_("Control SD"),
        N_(
            "One control standard deviation: the ordinary spread of harmless concepts around this "
            "group."
        ),
    ),
    (
        N_("Blocking"),
        N_("Named in the plan beforehand; only these decide the verdict and the gate."),
    ),
    (N_("Exploratory"), N_("Not named beforehand; listed so that a later audit can test it.")),
    (
        N_("Confirmed, candidate"),
        N_("Found and stable in every check; found, but not in every check."),
    ),
    (N_("Simultaneous limits"), N_("Limits that hold for all blocking contrasts together.")),
    (
        N_("Holm p, q"),
        N_("p-value adjusted for all blocking contrasts; false discovery rate of the rest."),
    ),
    (
        N_("Would see"),
        N_("Effect that a contrast detects with 80 % power, given its terms and controls."),
    ),
    (N_("AUROC"), N_("How well a score separates two sets: 0.5 is chance, 1 is perfect.")),
    (N_("AP lift"), N_("Average precision over what chance gives; bounded by its ceiling.")),
    (N_("Undefined"), N_("Could not be measured. It is not zero, and it is not a clean result.")),
)

CELL_LETTERS = 600
"""Letters that a cell holds; a longer list of names is set as a paragraph."""

READING = N_(
    "T is the effect divided by its standard error, with the number of control packs minus one as "
    "degrees of freedom. The p-values are nominal: they rest on the control packs being a fair "
    "sample of what harmless concepts do, which the section “Reliability” checks."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingView:
    """The last sections."""

    method: tuple[Fact, ...]
    method_note: str
    not_tested: Table | None
    not_tested_at_length: tuple[Fact, ...]
    """Entries that list too many names for a cell."""

    undefined: Table | None
    undefined_at_length: tuple[Fact, ...]
    glossary: tuple[Fact, ...]
    masked: str


def closing_view(result: AuditResult, names: Names) -> ClosingView:
    """Describe the procedure and its edges."""
    hidden = len(names.masked_terms)
    readings = readings_of(result, names)
    not_tested = [_told(entry.what, entry.why, readings) for entry in result.not_tested]
    undefined = [_told(entry.what, entry.why, readings) for entry in result.undefined]
    return ClosingView(
        method=tuple(method(result)),
        method_note=_(READING),
        not_tested=_pairs("not-tested", _("Not tested"), not_tested),
        not_tested_at_length=_at_length(not_tested),
        undefined=_pairs("undefined", _("Measurements that could not be had"), undefined),
        undefined_at_length=_at_length(undefined),
        glossary=tuple(Fact(label=_(word), value=_(meaning)) for word, meaning in GLOSSARY),
        masked=together(
            [
                _(MASK_LEGEND),
                ngettext("{n} term is masked.", "{n} terms are masked.", hidden),
                "" if spoken().language == ENGLISH else _(STORED_LEGEND),
            ]
        ),
    )


def method(result: AuditResult) -> list[Fact]:
    """Tell the procedure in plain words, with the numbers of this audit."""
    return [*_measured(result), *_decided(result.plan)]


def _measured(result: AuditResult) -> list[Fact]:
    plan = result.plan
    deciding = tuple(arm.arm for arm in result.arms if arm.decides)
    kinds = in_arms(deciding, result.model.kind) or pgettext("kinds of evidence", "none")
    return [
        Fact(
            label=_("Fixed beforehand"),
            value=_(
                "{blocking} and {exploratory}, the limits, the error rates and the seed were fixed "
                "in the plan “{plan}”. Deciding evidence: {kinds}.",
                blocking=blocking_contrasts(len(plan.blocking)),
                exploratory=ngettext(
                    "{n} exploratory contrast", "{n} exploratory contrasts", plan.n_exploratory
                ),
                plan=plan.name,
                kinds=kinds,
            ),
        ),
        Fact(
            label=_("Scores"),
            value=_(
                "s(i, h) is the cosine between the embedding of a term i of a group and a term "
                "h of a harm, after averaging over templates. Terms, or persons in photos, are the "
                "clusters: templates and pictures of one person never count twice."
            ),
        ),
        Fact(
            label=_("Effect"),
            value=_(
                "A double difference. First, this group minus the rest of its family: what all "
                "groups share drops out. Second, this harm minus the harmless control packs: what "
                "makes a group near to everything drops out. 0 is neutral."
            ),
        ),
        Fact(
            label=_("Yardstick"),
            value=_(
                "The control packs, each treated in the same way, show how far harmless "
                "concepts lie from this group by chance. Their standard deviation, σ, is the unit: "
                "T = effect ÷ (σ √(1 + 1/K)) with K control packs."
            ),
        ),
    ]


def _decided(plan: PlanRecord) -> list[Fact]:
    return [
        Fact(
            label=_("Many questions"),
            value=_(
                "Blocking contrasts: Holm over all of them and all deciding kinds of evidence, "
                "family-wise error {alpha}. Exploratory contrasts: Benjamini-Hochberg at {rate}; "
                "they never block.",
                alpha=percent(plan.alpha, 0),
                rate=percent(plan.false_discovery_rate, 0),
            ),
        ),
        Fact(
            label=_("Verdict"),
            value=_(
                "“Found” if Holm rejects and the lower limit lies above δ₀ = {delta0} control SD. "
                "“Not found” if the upper limit lies below δ₁ = {delta1}. Otherwise “insufficient "
                "evidence”.",
                delta0=limit(plan.delta0),
                delta1=limit(plan.delta1),
            ),
        ),
        Fact(
            label=_("Severity"),
            value=_(
                "The tier of the harm, from 1 (low) to 4 (critical), never an average. There "
                "is no overall score: one number would hide the worst finding behind harmless ones."
            ),
        ),
        Fact(
            label=_("Stability"),
            value=_(
                "Both halves of the terms, every template alone, and every single term left "
                "out are computed again. Passing all of them makes a candidate confirmed."
            ),
        ),
        Fact(
            label=_("Units and probes"),
            value=_("They describe what carries a finding. They give no p-value to the verdict."),
        ),
        Fact(
            label=_("Self-check"),
            value=_(
                "Every control pack in turn plays a harm: the share of false alarms must agree "
                "with the nominal one. Links of known strength are planted in this audit's own "
                "scores: the share found is the recall. Both are printed, whatever they are."
            ),
        ),
    ]


def _told(what: str, why: str, readings: Readings) -> Fact:
    """Word what is missing and why; groups stand by their values."""
    label, value = (readings.names.sentence(readings.translated(words)) for words in (what, why))
    return Fact(label=without_stop(label), value=value)


def _at_length(entries: Sequence[Fact]) -> tuple[Fact, ...]:
    return tuple(entry for entry in entries if len(entry.value) > CELL_LETTERS)


def _pairs(id: str, caption: str, entries: Sequence[Fact]) -> Table | None:
    short = [entry for entry in entries if len(entry.value) <= CELL_LETTERS]
    if not short:
        return None
    return table(
        id,
        caption,
        [Column(head=_("What"), width="name"), Column(head=_("Why"), width="wide")],
        ((text(entry.label), text(entry.value)) for entry in short),
        screen_limit=300,
        print_limit=40,
    )
