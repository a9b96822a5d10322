"""What went in, and the system that it went into."""

from dataclasses import dataclass

from audit.results import AuditResult, ConceptSetRecord, InputsRecord
from reports.blocks import NOTHING, Column, Fact, Table, table, text
from reports.names import Names
from reports.quantities import count, moment_in_words, number, plural
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


def inputs_view(result: AuditResult, names: Names) -> InputsView:
    """Describe concept sets, templates, stimuli, groups and what was left out."""
    inputs = result.inputs
    return InputsView(
        concept_sets=_concept_sets(inputs),
        terms=tuple(_term_list(entry, names) for entry in inputs.concept_sets),
        prompts=_prompts(inputs),
        prompts_note=(
            f"Templates {inputs.templates_version}, {short_digest(inputs.templates_digest)}. Every "
            "prompt is a term in one of these; {t} stands for the term, {a} for its article."
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
    order = {"identity": 0, "harm": 1, "control": 2}
    entries = sorted(inputs.concept_sets, key=lambda entry: (order[entry.role], entry.name))
    return table(
        "concept-sets",
        "Concept sets",
        [
            Column(head="Name", width="name"),
            Column(head="Role"),
            Column(head="Version"),
            Column(head="Language"),
            Column(head="Concepts", align="number"),
            Column(head="Terms", align="number"),
            Column(head="Digest"),
        ],
        (
            (
                text(entry.name),
                text(entry.role),
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
        note="Digests are shortened here; result.json has them in full.",
        compact=True,
    )


def _term_list(entry: ConceptSetRecord, names: Names) -> TermList:
    return TermList(
        name=entry.name,
        concepts=tuple(
            Fact(
                label=concept.name,
                value=", ".join(
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
        "Templates",
        [Column(head="Slot"), *(Column(head=part) for part in inputs.prompts)],
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
        "Stimuli",
        [
            Column(head="Kind"),
            Column(head="Stimuli", align="number"),
            Column(head="Distinct", align="number"),
            Column(head="Clusters", align="number"),
            Column(head="Unreadable", align="number"),
            Column(head="Source", width="wide"),
            Column(head="Licence"),
            Column(head="Digest"),
        ],
        (
            (
                text(arm_name(entry.modality, kind)),
                text(count(entry.n_stimuli)),
                text(count(entry.n_distinct)),
                text(count(entry.n_clusters)),
                text(count(len(entry.unreadable))),
                text(entry.source),
                text(entry.licence or "not stated"),
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
        "Groups and their size",
        [
            Column(head="Column"),
            Column(head="Group", width="name"),
            Column(head="n", align="number"),
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
        "Left out",
        [
            Column(head="What", width="name"),
            Column(head="How many", align="number"),
            Column(head="Why", width="wide"),
        ],
        (
            (text(names.sentence(what).rstrip(".")), text(count(n)), text(names.sentence(why)))
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
        "Pictures that could not be read",
        [Column(head="Name", width="name"), Column(head="Reason", width="wide")],
        ((text(name), text(why)) for name, why in rows),
        screen_limit=100,
        print_limit=20,
        compact=True,
    )


def _files(inputs: InputsRecord) -> Table | None:
    if not inputs.files:
        return None
    return table(
        "files",
        "Input files",
        [Column(head="File", width="name"), Column(head="Digest", width="wide")],
        ((text(name), text(digest)) for name, digest in inputs.files.items()),
        compact=True,
    )


def system_facts(result: AuditResult) -> tuple[Fact, ...]:
    """Describe the system under audit; what is not known is left to the reader to see."""
    model = result.model
    layers = "; ".join(
        f"{layer.name} ({layer.pooling}, {plural(layer.n_units, 'unit')})" for layer in model.layers
    )
    facts = [
        Fact(label="Name", value=model_name(model)),
        Fact(label="What was seen", value=KINDS[model.kind]),
        Fact(label="Architecture", value=model.architecture),
        Fact(label="Weights", value=model.weights_digest, code=True),
        Fact(label="Activation function", value=model.activation),
        Fact(label="Preprocessing", value=model.preprocessing),
        Fact(label="Parameters", value=_or_empty(model.n_parameters)),
        Fact(label="Embedding size", value=_or_empty(model.embedding_size)),
        Fact(label="Image size, pixels", value=_or_empty(model.image_size)),
        Fact(
            label="Logit scale",
            value="" if model.logit_scale is None else number(model.logit_scale, 2),
        ),
        Fact(label="Layers read", value=layers),
    ]
    return tuple(
        Fact(label=fact.label, value=fact.value or "not known", code=fact.code and bool(fact.value))
        for fact in facts
    )


def _or_empty(value: int | None) -> str:
    return "" if value is None else count(value)


def reproducibility_facts(result: AuditResult) -> tuple[Fact, ...]:
    """Say what one needs to get the same numbers again."""
    run, plan = result.run, result.plan
    counted = {"sent through the model": run.encoded, "taken from the cache": run.reused}
    stimuli = "; ".join(
        f"{count(n)} {modality} {what}"
        for what, by in counted.items()
        for modality, n in by.items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in result.tool.libraries.items())
    return (
        Fact(label="Digest of the result", value=result.digest, code=True),
        Fact(label="Format version", value=result.format_version),
        Fact(label="Plan", value=plan.name),
        Fact(label="Digest of the plan", value=plan.digest, code=True),
        Fact(label="Digest of the limits", value=plan.thresholds_digest, code=True),
        Fact(label="Seed", value=str(plan.seed)),
        Fact(label="Tool", value=f"{result.tool.name} {result.tool.version}"),
        Fact(label="Libraries", value=versions or "not recorded"),
        Fact(label="Started", value=moment_in_words(run.started)),
        Fact(label="Finished", value=moment_in_words(run.finished)),
        Fact(label="Computed on", value=f"{run.device}, {plural(run.threads, 'thread')}"),
        Fact(label="Stimuli", value=stimuli or "none were encoded"),
        Fact(label="Command", value=run.command or "not recorded", code=True),
    )


def measurement_files(result: AuditResult) -> Table | None:
    """List the tables that lie beside the result."""
    if not result.measurements:
        return None
    return table(
        "measurements",
        "Tables beside the result",
        [
            Column(head="File", width="name"),
            Column(head="Rows", align="number"),
            Column(head="Digest", width="wide"),
        ],
        ((text(f.name), text(count(f.rows)), text(f.digest)) for f in result.measurements),
        compact=True,
    )
