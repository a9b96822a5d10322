"""What went in, and the system that it went into."""

from dataclasses import dataclass

from audit.results import AuditResult, ConceptSetRecord, InputsRecord, RunRecord
from reports.blocks import NOTHING, Column, Fact, Table, table, text
from reports.care import as_spoken
from reports.messages import NP_, _, ngettext, pgettext
from reports.names import Names
from reports.quantities import count, listed_plainly, moment_in_words, number, without_stop
from reports.sections.summary import KINDS, model_name
from reports.wording import arm_name

DIGEST_LETTERS = 16
"""Letters of a digest that a table shows; the result document has all 64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermList:
    """The terms of one concept set, masked."""

    name: str
    concepts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsView:
    """Everything that went in."""

    concept_sets: Table | None
    terms: tuple[TermList, ...]
    prompts: Table | None
    prompts_note: str
    stimuli: Table | None
    groups: Table | None
    excluded: Table | None
    unreadable: Table | None
    files: Table | None


ROLES = {
    "identity": NP_("role of a concept set", "identity"),
    "harm": NP_("role of a concept set", "harm"),
    "control": NP_("role of a concept set", "control"),
}
"""In the order of the table."""


def inputs_view(result: AuditResult, names: Names) -> InputsView:
    """Describe concept sets, templates, stimuli, groups and what was left out."""
    inputs = result.inputs
    return InputsView(
        concept_sets=_concept_sets(inputs),
        terms=tuple(_term_list(entry, names) for entry in inputs.concept_sets),
        prompts=_prompts(inputs),
        prompts_note=_(
            "Templates {version}, {digest}. Every prompt is a term in one of these; {term} stands "
            "for the term, {article} for its article.",
            version=inputs.templates_version,
            digest=short_digest(inputs.templates_digest),
            term="{t}",
            article="{a}",
        ),
        stimuli=_stimuli(inputs, result.model.kind),
        groups=_groups(inputs),
        excluded=_excluded(inputs, names),
        unreadable=_unreadable(inputs),
        files=_files(inputs),
    )


def short_digest(digest: str) -> str:
    """Shorten a digest for a table.

    Examples
    --------
    >>> short_digest("sha256:" + "ab" * 32)
    'sha256:abababababababab…'
    """
    method, colon, letters = digest.partition(":")
    cut = letters[:DIGEST_LETTERS] + ("…" if len(letters) > DIGEST_LETTERS else "")
    return f"{method}{colon}{cut}"


def _concept_sets(inputs: InputsRecord) -> Table | None:
    if not inputs.concept_sets:
        return None
    order = list(ROLES)
    entries = sorted(inputs.concept_sets, key=lambda entry: (order.index(entry.role), entry.name))
    return table(
        "concept-sets",
        _("Concept sets"),
        [
            Column(head=_("Name"), width="name"),
            Column(head=_("Role")),
            Column(head=_("Version")),
            Column(head=_("Language")),
            Column(head=_("Concepts"), align="number"),
            Column(head=_("Terms"), align="number"),
            Column(head=_("Digest")),
        ],
        (
            (
                text(entry.name),
                text(pgettext("role of a concept set", ROLES[entry.role])),
                text(entry.version),
                text(entry.language),
                text(count(len(entry.concepts))),
                text(count(sum(len(concept.terms) for concept in entry.concepts))),
                text(short_digest(entry.digest)),
            )
            for entry in entries
        ),
        screen_limit=300,
        print_limit=100,
        note=_("Digests are shortened here; result.json has them in full."),
        compact=True,
    )


def _term_list(entry: ConceptSetRecord, names: Names) -> TermList:
    return TermList(
        name=entry.name,
        concepts=tuple(
            Fact(
                label=concept.name,
                value=listed_plainly(
                    names.term(term, concept.severity if concept.role == "harm" else None)
                    for term in concept.terms
                ),
            )
            for concept in entry.concepts
        ),
    )


def _prompts(inputs: InputsRecord) -> Table | None:
    if not inputs.prompts:
        return None
    slots = list(dict.fromkeys(slot for by_slot in inputs.prompts.values() for slot in by_slot))
    return table(
        "prompts",
        _("Templates"),
        [Column(head=_("Slot")), *(Column(head=part) for part in inputs.prompts)],
        (
            (text(slot), *(text(by_slot.get(slot, NOTHING)) for by_slot in inputs.prompts.values()))
            for slot in slots
        ),
        compact=True,
    )


def _stimuli(inputs: InputsRecord, kind: str) -> Table | None:
    if not inputs.stimuli:
        return None
    return table(
        "stimuli",
        _("Stimuli"),
        [
            Column(head=_("Kind")),
            Column(head=_("Stimuli"), align="number"),
            Column(head=_("Distinct"), align="number"),
            Column(head=_("Clusters"), align="number"),
            Column(head=_("Unreadable"), align="number"),
            Column(head=_("Source"), width="wide"),
            Column(head=_("Licence")),
            Column(head=_("Digest")),
        ],
        (
            (
                text(arm_name(entry.modality, kind)),
                text(count(entry.n_stimuli)),
                text(count(entry.n_distinct)),
                text(count(entry.n_clusters)),
                text(count(len(entry.unreadable))),
                text(as_spoken(entry.source)),
                text(as_spoken(entry.licence) or _("not stated")),
                text(short_digest(entry.digest)),
            )
            for entry in inputs.stimuli
        ),
        compact=True,
    )


def _groups(inputs: InputsRecord) -> Table | None:
    if not inputs.groups:
        return None
    return table(
        "groups",
        _("Groups and their size"),
        [
            Column(head=_("Column")),
            Column(head=_("Group"), width="name"),
            Column(head=_("n"), align="number"),
        ],
        ((text(column), text(value), text(count(n))) for column, value, n in inputs.groups),
        screen_limit=300,
        print_limit=60,
        compact=True,
    )


def _excluded(inputs: InputsRecord, names: Names) -> Table | None:
    if not inputs.excluded:
        return None
    return table(
        "excluded",
        _("Left out"),
        [
            Column(head=_("What"), width="name"),
            Column(head=_("How many"), align="number"),
            Column(head=_("Why"), width="wide"),
        ],
        (
            (text(without_stop(names.sentence(what))), text(count(n)), text(names.sentence(why)))
            for what, n, why in inputs.excluded
        ),
        compact=True,
    )


def _unreadable(inputs: InputsRecord) -> Table | None:
    rows = [(name, why) for entry in inputs.stimuli for name, why in entry.unreadable]
    if not rows:
        return None
    return table(
        "unreadable",
        _("Pictures that could not be read"),
        [Column(head=_("Name"), width="name"), Column(head=_("Reason"), width="wide")],
        ((text(name), text(as_spoken(why))) for name, why in rows),
        screen_limit=100,
        print_limit=20,
        compact=True,
    )


def _files(inputs: InputsRecord) -> Table | None:
    if not inputs.files:
        return None
    return table(
        "files",
        _("Input files"),
        [Column(head=_("File"), width="name"), Column(head=_("Digest"), width="wide")],
        ((text(name), text(digest)) for name, digest in inputs.files.items()),
        compact=True,
    )


def system_facts(result: AuditResult) -> tuple[Fact, ...]:
    """Describe the system under audit; what is not known is left to the reader to see."""
    model = result.model
    layers = _("; ").join(
        _(
            "{layer} ({pooling}, {units})",
            layer=layer.name,
            pooling=layer.pooling,
            units=ngettext("{n} unit", "{n} units", layer.n_units),
        )
        for layer in model.layers
    )
    facts = [
        Fact(label=_("Name"), value=model_name(model)),
        Fact(label=_("What was seen"), value=_(KINDS[model.kind])),
        Fact(label=_("Architecture"), value=as_spoken(model.architecture)),
        Fact(label=_("Weights"), value=model.weights_digest, code=True),
        Fact(label=_("Activation function"), value=as_spoken(model.activation)),
        Fact(label=_("Preprocessing"), value=as_spoken(model.preprocessing)),
        Fact(label=_("Parameters"), value=_or_empty(model.n_parameters)),
        Fact(label=_("Embedding size"), value=_or_empty(model.embedding_size)),
        Fact(label=_("Image size, pixels"), value=_or_empty(model.image_size)),
        Fact(
            label=_("Logit scale"),
            value="" if model.logit_scale is None else number(model.logit_scale, 2),
        ),
        Fact(label=_("Layers read"), value=layers),
    ]
    return tuple(
        Fact(
            label=fact.label,
            value=fact.value or _("not known"),
            code=fact.code and bool(fact.value),
        )
        for fact in facts
    )


def _or_empty(value: int | None) -> str:
    return "" if value is None else count(value)


def reproducibility_facts(result: AuditResult) -> tuple[Fact, ...]:
    """Say what one needs to get the same numbers again."""
    run, plan = result.run, result.plan
    versions = [f"{name} {version}" for name, version in result.tool.libraries.items()]
    return (
        Fact(label=_("Digest of the result"), value=result.digest, code=True),
        Fact(label=_("Format version"), value=result.format_version),
        Fact(label=_("Plan"), value=plan.name),
        Fact(label=_("Digest of the plan"), value=plan.digest, code=True),
        Fact(label=_("Digest of the limits"), value=plan.thresholds_digest, code=True),
        Fact(label=_("Seed"), value=str(plan.seed)),
        Fact(label=_("Tool"), value=f"{result.tool.name} {result.tool.version}"),
        Fact(label=_("Libraries"), value=listed_plainly(versions) or _("not recorded")),
        Fact(label=_("Started"), value=moment_in_words(run.started)),
        Fact(label=_("Finished"), value=moment_in_words(run.finished)),
        Fact(label=_("Computed on"), value=_computed_on(run)),
        Fact(label=_("Stimuli"), value=_encoded(run) or _("none were encoded")),
        Fact(label=_("Command"), value=run.command or _("not recorded"), code=True),
    )


def _computed_on(run: RunRecord) -> str:
    return ngettext("{device}, {n} thread", "{device}, {n} threads", run.threads, device=run.device)


def _encoded(run: RunRecord) -> str:
    """Say how many stimuli of each kind were computed now, and how many were known already."""
    sent = [
        _("{count} {kind} sent through the model", count=count(n), kind=_modality(kind))
        for kind, n in run.encoded.items()
    ]
    taken = [
        _("{count} {kind} taken from the cache", count=count(n), kind=_modality(kind))
        for kind, n in run.reused.items()
    ]
    return _("; ").join([*sent, *taken])


MODALITIES = {
    "text": NP_("modality", "text"),
    "rendered": NP_("modality", "rendered"),
    "photo": NP_("modality", "photo"),
    "image": NP_("modality", "image"),
}


def _modality(kind: str) -> str:
    return pgettext("modality", MODALITIES[kind]) if kind in MODALITIES else kind


def measurement_files(result: AuditResult) -> Table | None:
    """List the tables that lie beside the result."""
    if not result.measurements:
        return None
    return table(
        "measurements",
        _("Tables beside the result"),
        [
            Column(head=_("File"), width="name"),
            Column(head=_("Rows"), align="number"),
            Column(head=_("Digest"), width="wide"),
        ],
        ((text(f.name), text(count(f.rows)), text(f.digest)) for f in result.measurements),
        compact=True,
    )
