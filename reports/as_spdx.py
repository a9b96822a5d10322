"""SPDX 3.0.1, AI profile: the model with its measures and limits, and what the audit showed it."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from audit.results import AuditResult, ConceptSetRecord, ContrastRecord, StimuliRecord
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.wording import arm_name, limits
from reports.written import derived_id, figure, json_bytes, sha256_of

SPEC = "3.0.1"
CONTEXT = f"https://spdx.org/rdf/{SPEC}/spdx-context.jsonld"
CREATION = "_:creation"

NOT_PROVIDED = "NOT PROVIDED: a person has to say it; the audit does not."

DATASETS = {"text": "text", "rendered": "image", "photo": "image"}
"""Modality to the profile's word for it."""

Element = dict[str, Any]


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as an SPDX document in JSON-LD.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 JSON. It states conformance to the core profile alone: the AI profile asks for a
        supplier, a download location and a date of release, which no audit knows.

    References
    ----------
    System Package Data Exchange (SPDX) 3.0.1, profiles Core, Software, AI and Dataset.
    """
    names, digest = Names(inputs=result.inputs), result.digest
    model = _model(result, names, digest)
    data = [
        *(_concept_set(entry, digest) for entry in result.inputs.concept_sets),
        *(_stimuli(entry, digest) for entry in result.inputs.stimuli),
    ]
    tested = _tested_on(model, data, digest) if data else []
    agent, tool = _agent(result, digest), _tool(result, digest)
    elements = [agent, tool, model, *data, *tested]
    graph = [_creation(result, agent, tool), _document(result, digest, elements, model), *elements]
    return json_bytes({"@context": CONTEXT, "@graph": graph})


def _element(kind: str, what: str, digest: str, **facts: Any) -> Element:
    """Return an element with its id, derived from the result's; empty facts are left out."""
    return {
        "type": kind,
        "spdxId": f"urn:uuid:{derived_id(digest, f'spdx {what}')}",
        "creationInfo": CREATION,
        **{key: value for key, value in facts.items() if value not in ("", [], None)},
    }


def _creation(result: AuditResult, agent: Element, tool: Element) -> Element:
    return {
        "type": "CreationInfo",
        "@id": CREATION,
        "specVersion": SPEC,
        "created": f"{result.run.finished.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "createdBy": [agent["spdxId"]],
        "createdUsing": [tool["spdxId"]],
    }


def _agent(result: AuditResult, digest: str) -> Element:
    return _element("SoftwareAgent", "agent", digest, name=result.tool.name)


def _tool(result: AuditResult, digest: str) -> Element:
    return _element("Tool", "tool", digest, name=f"{result.tool.name} {result.tool.version}")


def _document(
    result: AuditResult, digest: str, elements: Sequence[Element], model: Element
) -> Element:
    return _element(
        "SpdxDocument",
        "document",
        digest,
        name=result.title,
        comment=f"The whole audit is result.json; content digest {digest}.",
        profileConformance=["core"],
        rootElement=[model["spdxId"]],
        element=[element["spdxId"] for element in elements],
    )


def _hash(digest: str) -> list[Element]:
    content = sha256_of(digest)
    return [{"type": "Hash", "algorithm": "sha256", "hashValue": content}] if content else []


def _entry(key: str, value: str) -> Element:
    return {"type": "DictionaryEntry", "key": key, "value": value}


def _model(result: AuditResult, names: Names, digest: str) -> Element:
    model = result.model
    return _element(
        "ai_AIPackage",
        "model",
        digest,
        name=model.name,
        verifiedUsing=_hash(model.weights_digest),
        software_primaryPurpose="model",
        software_sourceInfo=f"pretrained: {model.pretrained}" if model.pretrained else "",
        ai_typeOfModel=[model.architecture] if model.architecture else [],
        ai_modelDataPreprocessing=[model.preprocessing] if model.preprocessing else [],
        ai_informationAboutApplication=NOT_PROVIDED,
        ai_informationAboutTraining="Nothing is known to the audit of how the model was trained.",
        ai_limitation=" ".join(_limits(result, names)),
        ai_metric=[_metric(contrast, result, names) for contrast in _told(result)],
        ai_metricDecisionThreshold=_thresholds(result),
        ai_modelExplainability=_explained(result, names),
        ai_useSensitivePersonalInformation="noAssertion",
        comment=f"{names.sentence(result.verdict.rule)} {names.sentence(result.gate.rule)}".strip(),
    )


def _limits(result: AuditResult, names: Names) -> list[str]:
    untested = (
        f"Not tested: {names.sentence(entry.what)}: {names.sentence(entry.why)}."
        for entry in result.not_tested
    )
    return [*limits(result), *untested]


def _told(result: AuditResult) -> list[ContrastRecord]:
    found = {(finding.identity, finding.harm) for finding in result.findings}
    return [c for c in result.contrasts if c.blocking or (c.identity, c.harm) in found]


def _metric(contrast: ContrastRecord, result: AuditResult, names: Names) -> Element:
    pair = (contrast.identity, contrast.harm)
    ids = [f.id for f in result.findings if (f.identity, f.harm) == pair]
    who, what = names.concept(contrast.identity), names.concept(contrast.harm)
    place = arm_name(contrast.arm, result.model.kind)
    known = f"{', '.join(ids)}: " if ids else ""
    return _entry(
        f"{known}association in control standard deviations (0 is neutral), {who} x {what}, "
        f"{place} ({contrast.identity} x {contrast.harm})",
        f"{figure(contrast.effect_sd)} ({figure(contrast.low_sd)} to {figure(contrast.high_sd)}): "
        f"{contrast.verdict.value}",
    )


def _thresholds(result: AuditResult) -> list[Element]:
    plan = result.plan
    return [
        _entry("found above, lower limit in control standard deviations", f"{plan.delta0:g}"),
        _entry("not found below, upper limit in control standard deviations", f"{plan.delta1:g}"),
        _entry("family-wise error rate of blocking contrasts", f"{plan.alpha:g}"),
        _entry("false discovery rate of the rest", f"{plan.false_discovery_rate:g}"),
        _entry("digest of the thresholds, fixed before results", plan.thresholds_digest),
        _entry("gate, fail on", result.gate.fail_on),
    ]


def _explained(result: AuditResult, names: Names) -> list[str]:
    """Name the units that carry each finding, at most five."""
    return [
        f"{finding.id}, {names.concept(finding.identity)} and {names.concept(finding.harm)}: units "
        + ", ".join(f"{unit.layer}:{unit.unit}" for unit in finding.units[:5])
        for finding in result.findings
        if finding.units
    ]


def _concept_set(entry: ConceptSetRecord, digest: str) -> Element:
    return _element(
        "dataset_DatasetPackage",
        f"concept set {entry.role} {entry.id}",
        digest,
        name=entry.name or entry.id,
        software_packageVersion=entry.version,
        software_primaryPurpose="data",
        verifiedUsing=_hash(entry.digest),
        dataset_datasetType=["text"],
        dataset_datasetSize=len(entry.concepts),
        dataset_intendedUse="To ask the model in an audit; it did not train the model.",
        comment=f"{entry.role} concepts in {entry.language}",
    )


def _stimuli(entry: StimuliRecord, digest: str) -> Element:
    return _element(
        "dataset_DatasetPackage",
        f"stimuli {entry.modality}",
        digest,
        name=f"{entry.modality} stimuli",
        software_primaryPurpose="data",
        software_sourceInfo=entry.source,
        verifiedUsing=_hash(entry.digest),
        dataset_datasetType=[DATASETS[entry.modality]],
        dataset_datasetSize=entry.n_stimuli,
        dataset_intendedUse="To show to the model in an audit; it did not train the model.",
        dataset_hasSensitivePersonalInformation="noAssertion",
        comment=f"Licence as given: {entry.licence}" if entry.licence else "",
    )


def _tested_on(model: Element, data: Sequence[Element], digest: str) -> list[Element]:
    return [
        _element(
            "Relationship",
            "tested on",
            digest,
            relationshipType="testedOn",
            to=[element["spdxId"] for element in data],
        )
        | {"from": model["spdxId"]}
    ]
