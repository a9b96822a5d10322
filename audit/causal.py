"""Whether silencing units lowers a found link (decision.md, step 11): the mark *causal*."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from audit.causal_cache import TrialCache, trial_key
from audit.causal_halves import Half, PictureSide, Refused, halves_of
from audit.causal_record import AnswersRecord, CausalRecord, DoseRecord, MatchedRecord
from audit.causal_trial import Bench, CausalSettings, Trial, run_trial
from audit.gather import Instruments
from audit.numbers import number
from audit.results import FindingRecord, Mark, Number, Undefined
from concept_sets.errors import PictureError
from probes.arms import Embeddings
from probes.causal import CausalTest
from probes.encoder import Pooling, Reading
from probes.intervals import wilson
from probes.interventions import Holding
from probes.multiplicity import holm
from probes.readings import find_layer

PictureArm = Literal["photo", "rendered"]

TEXT_ONLY = (
    "the link was found in prompts alone, so the text tower carries it and no unit of the image "
    "tower can earn the mark"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalMaterial:
    """What is needed to silence the units of a found link."""

    sides: Mapping[str, PictureSide]
    """``photo`` and ``rendered``, where they were shown."""

    texts: Embeddings
    """Pooled text embeddings of all terms."""

    families: Mapping[str, tuple[str, ...]]
    controls: tuple[str, ...]
    sexual: frozenset[str] = frozenset()
    """Harm packs that sexualise: they meet no cluster of minors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """One finding's trial before Holm."""

    arm: PictureArm
    reading: Reading
    bench: Bench
    trial: Trial

    @property
    def p(self) -> float:
        """NaN where it could not be had."""
        return self.trial.test.p if self.trial.test is not None else float("nan")


def causal_checks(
    findings: Sequence[FindingRecord],
    material: CausalMaterial,
    tools: Instruments,
    rng: np.random.Generator,
    settings: CausalSettings | None = None,
) -> tuple[CausalRecord, ...]:
    """Silence the units that carry each found link and see whether it gets weaker.

    Units are chosen on one half of the clusters of pictures and of the terms, as those whose own
    silencing lowers the double difference most there. They are silenced together on the other
    half, and held against matched sets of other units.

    Parameters
    ----------
    findings : sequence of FindingRecord
        Found contrasts; those found in pictures are tested, on photos where both arms found them.
    material : CausalMaterial
        Pictures and text embeddings.
    tools : Instruments
        Encoder, cache, progress and readings; the deepest layer that is read is the one that is
        silenced. Finished trials are kept in the cache, so that a run that is cut goes on there.
    rng : numpy.random.Generator
        Each finding's draws depend on its id, not on the other findings.
    settings : CausalSettings, optional

    Returns
    -------
    tuple of CausalRecord
        One per finding, in order. *Causal* where Holm over the tested findings rejects; the p of
        each is the largest of three: of the link against control packs on the measured half, of
        the drop against matched sets, and of the drop over clusters and terms.
    """
    settings = settings or CausalSettings()
    seed = int(rng.integers(2**63))
    tried = [_tried(finding, material, tools, seed, settings) for finding in findings]
    tested = [one for one in tried if isinstance(one, _Tested) and np.isfinite(one.p)]
    adjusted = dict(zip(map(id, tested), holm(np.array([one.p for one in tested])), strict=True))
    return tuple(
        _untested(finding, one, settings)
        if isinstance(one, str)
        else _record(finding, one, float(adjusted.get(id(one), np.nan)), len(tested))
        for finding, one in zip(findings, tried, strict=True)
    )


def mark_causal(
    findings: Sequence[FindingRecord], records: Sequence[CausalRecord]
) -> tuple[FindingRecord, ...]:
    """Mark findings whose units were shown to carry them, and say so in their evidence.

    Parameters
    ----------
    findings : sequence of FindingRecord
    records : sequence of CausalRecord
        From `causal_checks`; findings without one stay as they are.

    Returns
    -------
    tuple of FindingRecord
        *Causal* where the record says so; its reason stands in the counter-evidence otherwise.
    """
    known = {record.finding: record for record in records}
    return tuple(
        _marked(finding, known[finding.id]) if finding.id in known else finding
        for finding in findings
    )


def _marked(finding: FindingRecord, record: CausalRecord) -> FindingRecord:
    place = "evidence" if record.causal else "counter_evidence"
    said = (*getattr(finding, place), record.reason)
    marks = finding.marks
    if record.causal and Mark.CAUSAL not in marks:
        marks = (*marks, Mark.CAUSAL)
    return finding.model_copy(update={place: said, "marks": marks})


def _tried(
    finding: FindingRecord,
    material: CausalMaterial,
    tools: Instruments,
    seed: int,
    settings: CausalSettings,
) -> _Tested | str:
    rng = np.random.default_rng([seed, *hashlib.sha256(finding.id.encode()).digest()[:8]])
    try:
        return _test(finding, material, tools, rng, settings)
    except Refused as why:
        return str(why)
    except PictureError as error:
        return f"a picture can no longer be read: {error}"


def _test(
    finding: FindingRecord,
    material: CausalMaterial,
    tools: Instruments,
    rng: np.random.Generator,
    settings: CausalSettings,
) -> _Tested:
    arm = _arm(finding, material)
    reading = _reading(tools)
    halves = halves_of(
        finding,
        material.sides[arm],
        material.texts,
        family=material.families.get(finding.family, ()),
        controls=material.controls,
        adults_only=finding.harm in material.sexual,
        max_pictures=settings.max_pictures,
        rng=rng,
    )
    bench = _bench(tools, reading, settings, rng)
    first, second = halves[settings.choose_on], halves[1 - settings.choose_on]
    run = partial(_watched, bench, first, second, f"silencing units for {finding.id}")
    if tools.cache is None:
        trial = run()
    else:
        key = trial_key(bench, tools.encoder.identity, reading, first, second)
        trial = TrialCache(tools.cache.root).outcome(key, run)
    return _Tested(arm=arm, reading=reading, bench=bench, trial=trial)


def _watched(bench: Bench, choosing: Half, measuring: Half, label: str) -> Trial:
    bench.progress.start(bench.settings.edits(bench.layer.n_units), label)
    try:
        return run_trial(bench, choosing, measuring)
    finally:
        bench.progress.finish()


def _arm(finding: FindingRecord, material: CausalMaterial) -> PictureArm:
    """Return the arm of pictures that found the link, photos first."""
    arms: tuple[PictureArm, ...] = ("photo", "rendered")
    found = [arm for arm in arms if arm in finding.arms]
    if not found:
        raise Refused(TEXT_ONLY)
    shown = [arm for arm in found if arm in material.sides]
    if not shown:
        raise Refused("its pictures are not at hand, only what the model made of them")
    return shown[0]


def _reading(tools: Instruments) -> Reading:
    """Return the deepest layer that is read."""
    order = [layer.name for layer in tools.encoder.layers]
    known = [reading for reading in tools.readings if reading.layer in order]
    if not known:
        raise Refused("no layer of this model is read")
    return max(known, key=lambda reading: order.index(reading.layer))


def _bench(
    tools: Instruments, reading: Reading, settings: CausalSettings, rng: np.random.Generator
) -> Bench:
    if not isinstance(tools.encoder, Holding):
        raise Refused("units of this model cannot be silenced: its tower is not at hand")
    return Bench(
        encoder=tools.encoder,
        layer=find_layer(reading.layer, tools.encoder.layers),
        where="class" if reading.pooling is Pooling.CLS else "everywhere",
        image_size=tools.encoder.identity.image_size,
        settings=settings,
        rng=rng,
        progress=tools.progress,
    )


def _untested(finding: FindingRecord, why: str, settings: CausalSettings) -> CausalRecord:
    reason = f"Whether units carry the link could not be tested: {why}."
    missing = Undefined(undefined=why)
    return CausalRecord(
        finding=finding.id,
        arm="",
        how=settings.how,
        effect=missing,
        drop=missing,
        p=missing,
        causal=False,
        reason=reason,
    )


def _record(finding: FindingRecord, one: _Tested, adjusted: float, n_tests: int) -> CausalRecord:
    trial, settings = one.trial, one.bench.settings
    found, test, response = trial.drop, trial.test, trial.response
    kept = wilson(trial.unchanged, trial.clusters)
    alike = "nothing that was silenced or steered changes anything"
    none = trial.unmatched or alike
    causal = bool(adjusted <= settings.alpha and found.before > 0)
    return CausalRecord(
        finding=finding.id,
        arm=one.arm,
        layer=one.reading.layer,
        pooling=one.reading.pooling.value,
        units=trial.units,
        how=settings.how,
        where=one.bench.where,
        pictures=trial.pictures,
        clusters=trial.own_clusters,
        effect=number(found.before, alike),
        drop=number(found.value, alike),
        low=number(found.low, alike),
        high=number(found.high, alike),
        share=number(found.share, "there is no link to lower on the half that is measured"),
        p=number(one.p, none),
        p_link=number(test.p_link, alike) if test else Undefined(undefined=none),
        p_matched=number(test.p_matched, alike) if test else Undefined(undefined=none),
        p_clusters=number(found.p, alike),
        p_adjusted=number(adjusted, none),
        matched=_matched(trial),
        doses=_doses(trial),
        monotonicity=number(response.monotonicity, alike),
        slope=number(response.slope, alike),
        unchanged=number(trial.unchanged / trial.clusters, alike),
        unchanged_low=number(float(kept.low), alike),
        unchanged_high=number(float(kept.high), alike),
        unchanged_matched=number(trial.unchanged_matched, none),
        answers=_answers(trial),
        retrieved_neutral=number(trial.own_clusters / trial.clusters, alike),
        causal=causal,
        reason=_reason(one, adjusted, n_tests, causal),
    )


def _answers(trial: Trial) -> tuple[AnswersRecord, ...]:
    states = ("as it is", "units silenced", "matched sets silenced")
    empty = "there is no cluster to answer for"
    return tuple(
        AnswersRecord.model_validate(
            {
                "state": state,
                "harm_rate": number(answers.harm_rate, empty),
                "harm_rate_rest": number(answers.harm_rate_rest, empty),
                "retrieved": number(answers.retrieved, empty),
            }
        )
        for state, answers in zip(states, trial.answers, strict=False)
    )


def _matched(trial: Trial) -> MatchedRecord:
    why = trial.unmatched
    known = len(trial.drops) > 0
    return MatchedRecord(
        sets=len(trial.drops),
        alike=number(trial.alike, why),
        norm_ratio=number(trial.norm_ratio, why),
        rate_gap=number(trial.rate_gap, why),
        drop=_quantile(trial, 0.5) if known else Undefined(undefined=why),
        drop_high=_quantile(trial, 0.95) if known else Undefined(undefined=why),
    )


def _quantile(trial: Trial, share: float) -> Number:
    return number(float(np.quantile(trial.drops, share)), "nothing that was silenced has an effect")


def _doses(trial: Trial) -> tuple[DoseRecord, ...]:
    single = "there is one cluster"
    return tuple(
        DoseRecord(
            dose=point.dose,
            change=number(point.change, single),
            low=number(point.low, single),
            high=number(point.high, single),
            blank=number(blank, "the blank picture has no embedding"),
        )
        for point, blank in zip(trial.response.points, trial.blank, strict=True)
    )


def _reason(one: _Tested, adjusted: float, n_tests: int, causal: bool) -> str:
    """Say what was silenced, what happened, and which rule decided."""
    trial, found = one.trial, one.trial.drop
    n = len(trial.units)
    set_of = (
        f"the {n} units of {one.reading.layer} that carry" if n > 1 else "the unit that carries"
    )
    if found.before <= 0:
        return (
            "Whether units carry the link could not be tested: it is not there on the half on "
            f"which they were silenced (double difference {found.before:.3g})."
        )
    what = (
        f"Silencing {set_of} it most, chosen on the other half of the stimuli, lowers the double "
        f"difference from {found.before:.3g} by {found.value:.3g} ({found.low:.3g} to "
        f"{found.high:.3g}), which is {100 * found.share:.0f} % of it"
    )
    if trial.test is None or not np.isfinite(adjusted):
        why = trial.unmatched or "its spread is not known"
        return f"{what}; no verdict, since {why}."
    than = (
        f"more than {100 * trial.test.percentile:.1f} % of {len(trial.drops)} matched sets of "
        f"other units. {_deciding(trial.test)} gives p = {adjusted:.3g} by Holm over {n_tests} "
        "tested findings"
    )
    limit = one.bench.settings.alpha
    return f"{what}, {than}: {'at most' if causal else 'not at most'} {limit:g}."


def _deciding(test: CausalTest) -> str:
    """Name the largest of the three p-values."""
    if test.p == test.p_link:
        return "The link itself, on this half against control packs,"
    if test.p == test.p_matched:
        return "The comparison with matched sets"
    return "The spread of the drop over clusters and terms"
