"""Model card: sections in the headings of the Hugging Face template, and a model index."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from audit.results import AuditResult, ContrastRecord, Undefined, Verdict
from reports.controls import control_sentences
from reports.formats import NO_PICTURES
from reports.names import Names
from reports.quantities import day, interval, limit, listed, number
from reports.sections.findings import arms_of, lead_contrast, worst_first
from reports.wording import (
    SEVERITIES,
    arm_name,
    finding_sentence,
    grade_note,
    headline,
    in_arms,
    limits,
    verdict_sentence,
)
from reports.written import bullets, figure, grid, plain, shown_within

TASK = "zero-shot-image-classification"

ROWS = 40
"""Contrasts in the table; result.json has all."""

INDEXED = 100
"""Contrasts of one kind of evidence in the model index: found ones first, then the strongest."""

METRIC = "association_in_control_sd"


def render(result: AuditResult, _pictures: Mapping[str, bytes] = NO_PICTURES) -> bytes:
    """Render a result as parts of a model card, to be pasted into one.

    Parameters
    ----------
    result : AuditResult
        The document; equal documents give equal bytes.

    Returns
    -------
    bytes
        UTF-8 Markdown. The block of YAML on top holds a ``model-index`` with the defined effects
        of blocking contrasts; what people have to write is marked as not provided.

    References
    ----------
    Mitchell et al. (2019), Model Cards for Model Reporting, FAT* 2019.
    """
    names = Names(inputs=result.inputs)
    index = yaml.safe_dump(
        shown_within(_index(result, names), lines=False),
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )
    blocks = [*_risks(result, names), *_evaluation(result, names), *_examination(result, names)]
    body = "\n\n".join(blocks)
    return f"---\n{index}---\n\n{body}\n".encode()


def _index(result: AuditResult, names: Names) -> dict[str, Any]:
    results = [
        {
            "task": {"type": TASK, "name": f"Association of groups and harms in {place}"},
            "dataset": {
                "type": f"clip-audit/{arm}",
                "name": f"{result.plan.name}, {place}",
                "revision": result.plan.digest,
            },
            "metrics": metrics,
        }
        for arm, place in _places(result)
        if (metrics := [_metric(c, names) for c in _strongest(result, arm)[:INDEXED]])
    ]
    return {"model-index": [{"name": result.model.name, "results": results}]}


def _places(result: AuditResult) -> list[tuple[str, str]]:
    return [(arm.arm, arm_name(arm.arm, result.model.kind)) for arm in result.arms if arm.decides]


def _blocking(result: AuditResult, arm: str) -> list[ContrastRecord]:
    return [c for c in result.contrasts if c.blocking and c.arm == arm]


def _strongest(result: AuditResult, arm: str) -> list[ContrastRecord]:
    known = [
        (contrast.verdict is not Verdict.FOUND, -abs(contrast.effect_sd), place, contrast)
        for place, contrast in enumerate(_blocking(result, arm))
        if not isinstance(contrast.effect_sd, Undefined)
    ]
    return [contrast for *_, contrast in sorted(known, key=lambda row: row[:3])]


def _metric(contrast: ContrastRecord, names: Names) -> dict[str, Any]:
    who, what = names.concept(contrast.identity), names.concept(contrast.harm)
    return {
        "type": METRIC,
        "name": f"{who} x {what}: {contrast.verdict.value.replace('_', ' ')}",
        "value": contrast.effect_sd,
        "args": {
            "identity": contrast.identity,
            "harm": contrast.harm,
            "low": figure(contrast.low_sd),
            "high": figure(contrast.high_sd),
            "neutral": "0",
        },
    }


def _risks(result: AuditResult, names: Names) -> Iterator[str]:
    yield "## Bias, Risks, and Limitations"
    yield plain(f"{headline(result)}. {verdict_sentence(result)}")
    yield plain(control_sentences(result, names))
    told = [
        f"**{plain(finding.id)}**, {SEVERITIES[finding.severity]}, {plain(grade_note(finding))}: "
        f"{plain(finding_sentence(finding, lead.effect_sd, names))}"
        for finding in worst_first(result)
        if (lead := lead_contrast(arms_of(finding, result), finding)) is not None
    ]
    if told:
        yield "\n".join(bullets(told))
    yield "\n".join(bullets(plain(line) for line in limits(result)))
    if result.not_tested:
        yield "Not tested:"
        yield "\n".join(
            bullets(
                plain(f"{names.sentence(entry.what)} {names.sentence(entry.why)}")
                for entry in result.not_tested
            )
        )
    yield "### Recommendations"
    yield "NOT PROVIDED: which harms matter in the model’s use is for people to say."


def _evaluation(result: AuditResult, names: Names) -> Iterator[str]:
    yield "## Evaluation"
    yield "### Testing Data, Factors & Metrics"
    yield "#### Testing Data"
    rows = [
        (s.modality, f"{s.n_stimuli:,}", f"{s.n_clusters:,}", s.source, s.licence)
        for s in result.inputs.stimuli
    ]
    heads = ("Stimuli", "Number", "Clusters", "Source", "Licence")
    yield "\n".join(grid(heads, rows)) if rows else "Scores that somebody else computed."
    yield "#### Factors"
    yield "\n".join(bullets(_factors(result, names))) or "None."
    yield "#### Metrics"
    yield plain(
        "Association: how much closer the group lies to the harm than the rest of its family does, "
        "beyond harmless control packs, in standard deviations of these packs. 0 is neutral. "
        f"Found: the lower limit clears {limit(result.plan.delta0)}. Not found: the upper limit "
        f"stays below {limit(result.plan.delta1)}. Limits hold for all blocking contrasts "
        "together. There is no overall score."
    )
    yield "### Results"
    yield from _results(result, names)
    yield "#### Summary"
    yield plain(
        f"{names.sentence(result.verdict.rule)} Audited on {day(result.run.finished)} with "
        f"{result.tool.name} {result.tool.version}; result {result.digest}, weights "
        f"{result.model.weights_digest or 'not seen'}."
    )


def _factors(result: AuditResult, names: Names) -> Iterator[str]:
    for entry in result.inputs.concept_sets:
        if entry.role == "identity":
            members = listed([names.concept(concept.ref) for concept in entry.concepts])
            yield f"{plain(entry.name or entry.id)}: {plain(members)}"


def _results(result: AuditResult, names: Names) -> Iterator[str]:
    rows = [
        (
            names.concept(contrast.identity),
            names.concept(contrast.harm),
            place,
            number(contrast.effect_sd),
            interval(contrast.low_sd, contrast.high_sd),
            contrast.verdict.value.replace("_", " "),
        )
        for arm, place in _places(result)
        for contrast in _blocking(result, arm)
    ]
    if not rows:
        yield "No contrast that was named beforehand could be tested."
        return
    heads = ("Group", "Harm", "Evidence", "Effect, control SD", "Limits", "Answer")
    yield "\n".join(grid(heads, rows[:ROWS]))
    if len(rows) > ROWS:
        yield f"{len(rows) - ROWS:,} further rows are in result.json."
    if any(len(_strongest(result, arm)) > INDEXED for arm, _ in _places(result)):
        yield f"The model index has the {INDEXED} strongest of each kind of evidence."


def _examination(result: AuditResult, names: Names) -> Iterator[str]:
    yield "## Model Examination"
    carried = [
        plain(
            f"{finding.id} ({names.concept(finding.identity)}, {names.concept(finding.harm)}; "
            f"{in_arms(finding.arms, result.model.kind)}): "
            f"{listed([f'{u.layer}:{u.unit}' for u in finding.units[:5]])}"
        )
        for finding in worst_first(result)
        if finding.units
    ]
    if not carried:
        yield "No unit was read, or no finding has units."
        return
    yield "Units that carry the findings most; they describe a finding and do not decide it:"
    yield "\n".join(bullets(carried))
