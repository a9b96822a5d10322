"""``unit``: what one unit answers to, and which units answer to a concept."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from audit.atlas import (
    AtlasRow,
    arms_agree,
    concepts_of,
    family_of,
    find_concept,
    units_for,
)
from audit.atlas_table import require_unchanged
from audit.atlas_uses import findings_of, likeness_of, probes_of
from audit.cli.printing import say
from audit.errors import PlanError, ResultError
from audit.folder import result_path
from audit.results import AuditResult, read_result
from audit.text_units import fidelity_lines
from probes.measurement import Estimate
from reports.names import Names

TEXT_SHOWN = {"text_weight": "weight"}
PICTURES_SHOWN = {
    "correlation": "correlation",
    "ap_lift": "AP lift",
    "glass_delta": "Glass's delta",
    "auroc": "AUROC",
}
"""Measures in the order of the columns; the first two rank."""

SHOWN = {**TEXT_SHOWN, **PICTURES_SHOWN}

ARMS = {"text": "text weights", "rendered": "rendered words", "photo": "photos"}
FORMAT = "clip-audit unit 1"
MEANING = (
    "Correlation and AP lift rank, AUROC is shown: it cannot tell a unit for a concept from one "
    "for ten times as much. Text weights are of the wording of prompts alone, in standard "
    "deviations over all concepts. Intervals are 95 %, each on its own: the first of many units or "
    "concepts look stronger than they are. A unit describes a finding; it does not decide it."
)


@click.command()
@click.argument("audit", type=click.Path(path_type=Path, exists=False))
@click.argument("unit", metavar="[LAYER:INDEX]", required=False)
@click.option("--concept", help="Show the units for this concept instead, by reference or name.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True,
              help="Concepts or units shown of each kind of evidence.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--reveal", is_flag=True, help="Show harmful terms in full.")
def unit(
    audit: Path, unit: str | None, concept: str | None, top: int, form: str, reveal: bool
) -> None:
    """Show what a unit answers to, or which units answer to a concept.

    clip-audit unit AUDIT visual.layer4.2:1895 tells what the unit answers to in each modality,
    the findings that it carries and the probes that use it. clip-audit unit AUDIT --concept
    middle_east lists the units for a concept.
    """
    if (unit is None) == (concept is None):
        raise PlanError(
            "Either a unit or --concept must be given; got "
            f"{'neither' if unit is None else 'both'}. For example: "
            "clip-audit unit AUDIT visual.layer4.2:1895"
        )
    result = _result(audit)
    names = Names(inputs=result.inputs)
    if unit is not None:
        page = _unit_page(audit, result, names, *_address(unit), top)
    else:
        page = _concept_page(audit, result, names, str(concept), top, reveal)
    if form == "json":
        click.echo(json.dumps(page, indent=2, allow_nan=False))
        return
    (_say_unit if unit is not None else _say_concept)(page)


def _result(audit: Path) -> AuditResult:
    result = read_result(result_path(audit))
    if not audit.is_dir():
        raise ResultError(f"Units need the audit folder, with its tables; got the file {audit}.")
    require_unchanged(audit, result)
    return result


def _address(unit: str) -> tuple[str, int]:
    layer, colon, index = unit.rpartition(":")
    if not colon or not layer or not (index.isascii() and index.isdigit()):
        raise PlanError(
            f"A unit must be LAYER:INDEX, for example visual.layer4.2:1895; got {unit!r}."
        )
    return layer, int(index)


def _unit_page(
    folder: Path, result: AuditResult, names: Names, layer: str, index: int, top: int
) -> dict[str, Any]:
    rows = concepts_of(folder, layer, index)
    return {
        "format": FORMAT,
        "audit": result.digest,
        "model": result.model.name,
        "layer": layer,
        "unit": index,
        "answers": [
            answer
            for pooling in dict.fromkeys(row.pooling for row in rows)
            for answer in _answers([r for r in rows if r.pooling == pooling], names, top)
        ],
        "agreement": [
            {"pooling": pooling, **found}
            for pooling in dict.fromkeys(row.pooling for row in rows if row.pooling)
            if (found := _agreement([r for r in rows if r.pooling in ("", pooling)], names))
        ],
        "fidelity": fidelity_lines(
            [f for f in result.text_units.fidelity if f.layer == layer] if result.text_units else []
        ),
        "monosemanticity": _likeness(folder, layer, index),
        "findings": _findings(result, names, layer, index),
        "probes": _probes(result, names, layer, index),
        "reading": MEANING,
    }


def _answers(rows: Sequence[AtlasRow], names: Names, top: int) -> list[dict[str, Any]]:
    pages = []
    for arm in dict.fromkeys(row.arm for row in rows):
        own = [row for row in rows if row.arm == arm]
        family = family_of(rows, arm)
        pages.append(
            {
                "arm": arm,
                "pooling": own[0].pooling,
                "concepts": len(own),
                "family": {
                    "set": family.family[0],
                    "nearest": family.nearest[0],
                    "shared": int(family.shared[0]),
                    "p": _plain(float(family.p[0])),
                },
                "strongest": [
                    {"concept": r.concept, "name": names.concept(r.concept), **_values(r)}
                    for r in own[:top]
                ],
            }
        )
    return pages


def _agreement(rows: Sequence[AtlasRow], names: Names) -> dict[str, Any]:
    found = arms_agree(rows)
    if found is None:
        return {}
    concepts, agreed = found
    return {
        "arms": list(agreed.arms),
        "shared": [
            {"concept": concepts[i], "name": names.concept(concepts[i])} for i in agreed.shared[0]
        ],
        "chance": _plain(float(agreed.chance[0])),
        "correlations": [
            {"arms": list(pair), "value": _plain(float(value))}
            for pair, value in zip(agreed.pairs, agreed.correlation[0], strict=True)
        ],
    }


def _likeness(folder: Path, layer: str, index: int) -> list[dict[str, Any]]:
    return [
        {
            "arm": one.arm,
            "pooling": one.pooling,
            "value": _plain(one.value),
            "neutral": _plain(one.neutral),
            "clusters": one.clusters,
        }
        for one in likeness_of(folder, layer, index)
    ]


def _findings(result: AuditResult, names: Names, layer: str, index: int) -> list[dict[str, Any]]:
    return [
        {
            "id": c.finding.id,
            "identity": names.concept(c.finding.identity),
            "harm": names.concept(c.finding.harm),
            "severity": c.finding.severity.name.lower(),
            "grade": c.finding.grade.value,
            "marks": [str(mark) for mark in c.finding.marks],
            "pooling": c.record.pooling,
            "place": c.place,
            "of": len(c.finding.units),
            "contribution": c.record.contribution
            if isinstance(c.record.contribution, float)
            else None,
        }
        for c in findings_of(result, layer, index)
    ]


def _probes(result: AuditResult, names: Names, layer: str, index: int) -> list[dict[str, Any]]:
    return [
        {
            "concept": used.probe.concept,
            "name": names.concept(used.probe.concept),
            "modality": used.probe.modality,
            "pooling": used.probe.pooling,
            "weight": used.weight,
            "place": used.place,
            "of": used.probe.n_units,
            "auroc": used.probe.auroc if isinstance(used.probe.auroc, float) else None,
        }
        for used in probes_of(result, layer, index)
    ]


def _concept_page(
    folder: Path, result: AuditResult, names: Names, asked: str, top: int, reveal: bool
) -> dict[str, Any]:
    ref = find_concept(asked, {r: names.concept(r) for r in names.concepts})
    rows = units_for(folder, ref)
    record = names.concepts[ref]
    terms = [t if reveal else names.term(t, record.severity) for t in record.terms]
    groups = dict.fromkeys((row.arm, row.layer, row.pooling) for row in rows)
    return {
        "format": FORMAT,
        "audit": result.digest,
        "model": result.model.name,
        "concept": ref,
        "name": names.concept(ref),
        "asked": asked,
        "terms": terms,
        "units": [
            {
                "arm": arm,
                "layer": layer,
                "pooling": pooling,
                "units": len(own),
                "strongest": [{"unit": row.unit, **_values(row)} for row in own[:top]],
            }
            for arm, layer, pooling in groups
            if (own := [r for r in rows if (r.arm, r.layer, r.pooling) == (arm, layer, pooling)])
        ],
        "reading": MEANING,
    }


def _values(row: AtlasRow) -> dict[str, Any]:
    return {name: _number(row.estimates[name]) for name in SHOWN if name in row.estimates}


def _number(estimate: Estimate) -> dict[str, Any]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    shown = {name: _plain(value) for name, value in ends.items()}
    return {**shown, "clusters": estimate.clusters, "undefined": estimate.reason or None}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _say_unit(page: dict[str, Any]) -> None:
    say(f"{page['layer']}:{page['unit']} of {page['model']}", bold=True)
    for answer in page["answers"]:
        say(f"{_heading(answer['arm'], answer['pooling'])}{answer['concepts']} concepts):")
        _table([(entry["name"], entry) for entry in answer["strongest"]], answer["arm"])
        say(f"  {_family_line(answer['family'])}")
    for line in page["fidelity"]:
        say(line)
    for agreed in page["agreement"]:
        _say_agreement(agreed)
    for one in page["monosemanticity"]:
        say(
            f"Monosemanticity in {ARMS.get(one['arm'], one['arm'])} ({one['pooling']}): "
            f"{_short(one['value'])}, where all pairs of {one['clusters']} clusters have "
            f"{_short(one['neutral'])} (likeness to a second model)"
        )
    say("Findings that it carries:")
    for finding in page["findings"]:
        marks = f", {', '.join(finding['marks'])}" if finding["marks"] else ""
        say(
            f"  - {finding['id']}  {finding['identity']} and {finding['harm']} "
            f"({finding['severity']}, {finding['grade']}{marks}): place {finding['place']} of "
            f"{finding['of']}, contribution {_short(finding['contribution'])}"
        )
    if not page["findings"]:
        say("  - none among the units that findings list")
    say("Probes that use it:")
    for probe in page["probes"]:
        say(
            f"  - {probe['name']} ({ARMS.get(probe['modality'], probe['modality'])}): weight "
            f"{probe['weight']:+.3g}, place {probe['place']} of {probe['of']}; held-out AUROC "
            f"{_short(probe['auroc'])}"
        )
    if not page["probes"]:
        say("  - none among the units that probes list")
    say(page["reading"])


def _heading(arm: str, pooling: str) -> str:
    start = "What prompts ask it for" if arm == "text" else "What it answers to"
    return f"{start}, {ARMS.get(arm, arm)} ({f'{pooling}; ' if pooling else ''}"


def _family_line(family: dict[str, Any]) -> str:
    if family["p"] is None:
        return "Family: none; it prefers fewer than two concepts."
    seen = f"{family['shared']} of its strongest are of {family['nearest']}"
    says = f"Family: {family['set']}" if family["set"] else "Family: none"
    return f"{says}; {seen} (p = {family['p']:.2g} with shuffled names)."


def _say_agreement(agreed: dict[str, Any]) -> None:
    arms = _listed([ARMS.get(arm, arm) for arm in agreed["arms"]])
    shared = ", ".join(entry["name"] for entry in agreed["shared"]) or "nothing"
    chance = "" if agreed["chance"] is None else f" (by chance: p = {agreed['chance']:.2g})"
    say(f"Among its strongest in {arms} ({agreed['pooling']}): {shared}{chance}.")
    for pair in agreed["correlations"]:
        both = " and ".join(ARMS.get(arm, arm) for arm in pair["arms"])
        say(f"  Correlation of its profiles over {both}: {_short(pair['value'])}")


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _say_concept(page: dict[str, Any]) -> None:
    say(f"Units for {page['name']} ({page['concept']}) in {page['model']}", bold=True)
    say(f"Terms: {', '.join(page['terms'])}")
    for group in page["units"]:
        shown = ARMS.get(group["arm"], group["arm"])
        pooling = f"{group['pooling']}; " if group["pooling"] else ""
        say(f"{group['layer']}, {shown} ({pooling}{group['units']} units):")
        _table([(f"{group['layer']}:{e['unit']}", e) for e in group["strongest"]], group["arm"])
    say(page["reading"])


def _table(entries: Sequence[tuple[str, dict[str, Any]]], arm: str) -> None:
    columns = TEXT_SHOWN if arm == "text" else PICTURES_SHOWN
    lines = [["", *columns.values()]]
    lines += [[name, *(_cell(entry.get(m)) for m in columns)] for name, entry in entries]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)]
        say(f"  {'  '.join(cells).rstrip()}")


def _cell(number: dict[str, Any] | None) -> str:
    if number is None:
        return "not stored"
    if number["value"] is None:
        return "undefined"
    return f"{_short(number['value'])} ({_short(number['low'])}, {_short(number['high'])})"


def _short(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"
