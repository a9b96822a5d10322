"""CycloneDX 1.6 ML-BOM: the model with its card, and the data that the audit showed it."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from audit.results import (
    AuditResult,
    ConceptSetRecord,
    ContrastRecord,
    FindingRecord,
    StimuliRecord,
)
from reports.cases import waiver_of
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.sections.findings import arms_of, lead_contrast, worst_first
from reports.wording import arm_name, finding_sentence, grade_note, limits
from reports.written import derived_id, figure, json_bytes, sha256_of

MODEL = "model"
SPEC = "1.6"

NOT_PROVIDED = "NOT PROVIDED: a person has to decide; the audit does not."


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as a machine-learning bill of materials.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 JSON after CycloneDX 1.6. Numbers are strings there; an undefined one says why.

    References
    ----------
    Ecma International (2024), ECMA-424: CycloneDX bill of materials specification, 1st edition.
    """
    names = Names(inputs=result.inputs)
    data = [
        *(_concept_set(entry) for entry in result.inputs.concept_sets),
        *(_stimuli(entry) for entry in result.inputs.stimuli),
    ]
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{derived_id(result.digest, 'bill of materials')}",
        "version": 1,
        "metadata": _metadata(result),
        "components": [_model(result, names, [entry["bom-ref"] for entry in data]), *data],
    }
    return json_bytes(document)


def _metadata(result: AuditResult) -> dict[str, Any]:
    tool = {"type": "application", "name": result.tool.name, "version": result.tool.version}
    return {
        "timestamp": f"{result.run.finished.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "tools": {"components": [tool]},
        "properties": _properties(
            {
                "result digest": result.digest,
                "plan digest": result.plan.digest,
                "thresholds digest": result.plan.thresholds_digest,
                "verdict": result.verdict.verdict.value,
                "gate": "passed" if result.gate.passed else "failed",
            }
        ),
    }


def _properties(facts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"clip-audit:{name}", "value": value} for name, value in facts.items()]


def _hashes(digest: str) -> dict[str, Any]:
    content = sha256_of(digest)
    return {"hashes": [{"alg": "SHA-256", "content": content}]} if content else {}


def _model(result: AuditResult, names: Names, data: list[str]) -> dict[str, Any]:
    model = result.model
    known = {
        "kind": model.kind,
        "pretrained": model.pretrained,
        "activation": model.activation,
        "preprocessing": model.preprocessing,
        "parameters": str(model.n_parameters or ""),
    }
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": model.name,
        **_hashes(model.weights_digest),
        "modelCard": _card(result, names, data),
        "externalReferences": [
            {
                "type": "evidence",
                "url": "result.json",
                "comment": f"The whole audit; content digest {result.digest}.",
            }
        ],
        "properties": _properties({name: value for name, value in known.items() if value}),
    }


def _card(result: AuditResult, names: Names, data: list[str]) -> dict[str, Any]:
    architecture = result.model.architecture
    return {
        "modelParameters": {
            **({"modelArchitecture": architecture} if architecture else {}),
            "datasets": [{"ref": ref} for ref in data],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [_metric(contrast, result, names) for contrast in _told(result)]
        },
        "considerations": {
            "technicalLimitations": [
                *limits(result),
                *(
                    f"Not tested: {names.sentence(entry.what)} {names.sentence(entry.why)}"
                    for entry in result.not_tested
                ),
            ],
            "fairnessAssessments": [
                _assessment(finding, result, names) for finding in worst_first(result)
            ],
        },
        "properties": _properties(
            {
                "datasets": "What the audit showed the model; nothing is known of its training.",
                "verdict rule": names.sentence(result.verdict.rule),
                "gate rule": names.sentence(result.gate.rule),
            }
        ),
    }


def _told(result: AuditResult) -> list[ContrastRecord]:
    found = {(finding.identity, finding.harm) for finding in result.findings}
    return [c for c in result.contrasts if c.blocking or (c.identity, c.harm) in found]


def _metric(contrast: ContrastRecord, result: AuditResult, names: Names) -> dict[str, Any]:
    who, what = names.concept(contrast.identity), names.concept(contrast.harm)
    place = arm_name(contrast.arm, result.model.kind)
    return {
        "type": "association in control standard deviations (0 is neutral)",
        "value": figure(contrast.effect_sd),
        "slice": (
            f"{who} x {what}, {place} ({contrast.identity} x {contrast.harm}): "
            f"{contrast.verdict.value}"
        ),
        "confidenceInterval": {
            "lowerBound": figure(contrast.low_sd),
            "upperBound": figure(contrast.high_sd),
        },
    }


def _assessment(finding: FindingRecord, result: AuditResult, names: Names) -> dict[str, str]:
    lead = lead_contrast(arms_of(finding, result), finding)
    said = finding_sentence(finding, lead.effect_sd, names) if lead else ""
    waiver = waiver_of(finding, result)
    reason = names.hidden_within(f"{waiver.category}: {waiver.reason}") if waiver else ""
    return {
        "groupAtRisk": f"{names.concept(finding.identity)} ({names.family(finding.family)})",
        "benefits": NOT_PROVIDED,
        "harms": (
            f"{finding.id}, {finding.severity.name.lower()}, {grade_note(finding)}: "
            f"{names.concept(finding.harm)}. {said}"
        ).strip(),
        "mitigationStrategy": f"Accepted to {waiver.expires}. {reason}" if waiver else NOT_PROVIDED,
    }


def _concept_set(entry: ConceptSetRecord) -> dict[str, Any]:
    return {
        "type": "data",
        "bom-ref": f"concept-set:{entry.role}:{entry.id}",
        "name": entry.name or entry.id,
        "version": entry.version,
        **_hashes(entry.digest),
        "data": [{"type": "dataset", "name": f"{entry.role} concepts in {entry.language}"}],
        "properties": _properties(
            {"id": entry.id, "role": entry.role, "concepts": str(len(entry.concepts))}
        ),
    }


def _stimuli(entry: StimuliRecord) -> dict[str, Any]:
    return {
        "type": "data",
        "bom-ref": f"stimuli:{entry.modality}",
        "name": f"{entry.modality} stimuli",
        "description": entry.source,
        **_hashes(entry.digest),
        **({"licenses": [{"license": {"name": entry.licence}}]} if entry.licence else {}),
        "data": [{"type": "dataset", "name": f"{entry.modality} stimuli"}],
        "properties": _properties(
            {
                "stimuli": str(entry.n_stimuli),
                "clusters": str(entry.n_clusters),
                "unreadable": str(len(entry.unreadable)),
            }
        ),
    }
