"""What an audit may hold as evidence: one row for each, looked up in the result document."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from audit.results import AuditResult, Number, Undefined, Verdict
from reports.cases import distrusted
from reports.messages import N_

ATTACHED = ("history", "outcomes", "schedule", "signature")
"""What lies beside a result and not in it: the caller says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One kind of evidence."""

    what: str
    """A noun phrase, to be said with `reports.messages._`."""

    there: Callable[[AuditResult], bool]


def found_in(result: AuditResult, attached: Collection[str] = ()) -> dict[str, bool]:
    """Look up every kind of evidence.

    Parameters
    ----------
    result : AuditResult
        The document.
    attached : collection of str
        What lies beside it, among `ATTACHED`.

    Returns
    -------
    dict
        Name of the evidence to whether this audit has it.
    """
    beside = {name: name.removeprefix("has_") in attached for name in BESIDE}
    return {name: row.there(result) for name, row in EVIDENCE.items()} | beside


def is_trusted(result: AuditResult) -> bool:
    """Tell whether no evidence that should decide failed its own calibration."""
    return not any(distrusted(result))


def _defined(numbers: Iterable[Number]) -> bool:
    return not any(isinstance(number, Undefined) for number in numbers)


def _effects(result: AuditResult) -> bool:
    return any(_defined((c.effect_sd, c.low_sd, c.high_sd)) for c in result.contrasts)


def _answers(result: AuditResult) -> bool:
    answered = {Verdict.FOUND, Verdict.NOT_FOUND}
    return any(c.blocking and c.verdict in answered for c in result.contrasts)


def _power(result: AuditResult) -> bool:
    curves = any(arm.calibration and arm.calibration.recall for arm in result.arms)
    return curves or any(_defined((contrast.mde_sd,)) for contrast in result.contrasts)


def _sources(result: AuditResult) -> bool:
    shown = result.inputs.stimuli
    return bool(shown) and all(s.source and s.licence and s.digest for s in shown)


def _counted(result: AuditResult) -> bool:
    return bool(result.inputs.groups or result.rates)


def _ages(result: AuditResult) -> bool:
    families = {contrast.family for contrast in result.contrasts}
    columns = {rate.column for rate in result.rates} | {row[0] for row in result.inputs.groups}
    return any("age" in words.lower().replace("_", " ").split() for words in families | columns)


def _photos(result: AuditResult) -> bool:
    return any(shown.modality == "photo" for shown in result.inputs.stimuli)


def _beside(_result: AuditResult) -> bool:
    return False


def _thresholds(result: AuditResult) -> bool:
    return bool(result.plan.thresholds_digest and result.plan.blocking)


def _environment(result: AuditResult) -> bool:
    return bool(result.tool.version and result.tool.libraries and result.plan.digest)


def _stability(result: AuditResult) -> bool:
    return any(contrast.stability for contrast in result.contrasts) or _sensitivity(result)


def _sensitivity(result: AuditResult) -> bool:
    return any(rate.sensitivity for rate in result.rates)


EVIDENCE = {
    "has_answers": Evidence(
        what=N_("answers to contrasts that were fixed beforehand"), there=_answers
    ),
    "has_effects_with_intervals": Evidence(
        what=N_("effects of groups and harms with their intervals"), there=_effects
    ),
    "has_behaviour_rates": Evidence(
        what=N_("rates of the model's answers by group"), there=lambda r: bool(r.rates)
    ),
    "has_intersections": Evidence(
        what=N_("rates at crossings of two groupings"),
        there=lambda r: any(" & " in rate.column for rate in r.rates),
    ),
    "has_deployment_labels": Evidence(
        what=N_("rates under the product's own labels"),
        there=lambda r: any(rate.labels == "deployment" for rate in r.rates),
    ),
    "has_units": Evidence(
        what=N_("units that carry a finding"),
        there=lambda r: bool(r.unit_pages) or any(f.units for f in r.findings),
    ),
    "has_causal_checks": Evidence(
        what=N_("what silencing these units does"), there=lambda r: bool(r.causal)
    ),
    "has_probes": Evidence(
        what=N_("probes scored on held-out data"), there=lambda r: bool(r.probes)
    ),
    "has_calibration": Evidence(
        what=N_("the audit's own false-alarm rate"),
        there=lambda r: any(arm.calibration for arm in r.arms),
    ),
    "has_power": Evidence(what=N_("how large an association it would have seen"), there=_power),
    "has_stability": Evidence(
        what=N_("whether results hold when parts are left out or worded otherwise"),
        there=_stability,
    ),
    "has_replication": Evidence(
        what=N_("the same question put to a second model"),
        there=lambda r: r.other_model is not None,
    ),
    "has_measure_definitions": Evidence(
        what=N_("definitions of measures with how each misleads"),
        there=lambda r: bool(r.measures),
    ),
    "has_photos": Evidence(what=N_("pictures that the model was shown"), there=_photos),
    "thresholds_fixed_beforehand": Evidence(
        what=N_("thresholds fixed before results, with their digest"), there=_thresholds
    ),
    "concept_sets_identified": Evidence(
        what=N_("groups and harms with version and digest"),
        there=lambda r: bool(r.inputs.concept_sets),
    ),
    "sources_and_licences_named": Evidence(
        what=N_("source, licence and digest of everything shown"), there=_sources
    ),
    "groups_counted": Evidence(what=N_("how many pictures each group has"), there=_counted),
    "asks_about_age": Evidence(what=N_("questions about age groups"), there=_ages),
    "weights_identified": Evidence(
        what=N_("digest of the weights"), there=lambda r: bool(r.model.weights_digest)
    ),
    "model_described": Evidence(
        what=N_("architecture and preprocessing of the model"),
        there=lambda r: bool(r.model.architecture and r.model.preprocessing),
    ),
    "environment_recorded": Evidence(
        what=N_("versions, plan and seed to run it again"), there=_environment
    ),
    "lists_what_was_not_tested": Evidence(
        what=N_("a list of what was not tested"), there=lambda r: bool(r.not_tested)
    ),
    "has_gate": Evidence(
        what=N_("a gate and what came out of it"),
        there=lambda r: r.gate.fail_on != "none" or bool(r.gate.rules),
    ),
    "has_baseline": Evidence(
        what=N_("a comparison with a baseline"), there=lambda r: bool(r.gate.baseline_digest)
    ),
    "has_waivers": Evidence(
        what=N_("findings that were accepted for a time, with reason and names"),
        there=lambda r: bool(r.gate.waivers or r.gate.waivers_digest),
    ),
    "has_history": Evidence(what=N_("earlier audits of the same model"), there=_beside),
    "has_outcomes": Evidence(what=N_("tables of outcomes of real decisions"), there=_beside),
    "has_schedule": Evidence(what=N_("a schedule of audits"), there=_beside),
    "has_signature": Evidence(what=N_("a signature over the audit folder"), there=_beside),
}
"""Name, as frameworks use it, to its row."""

BESIDE = tuple(f"has_{name}" for name in ATTACHED)
