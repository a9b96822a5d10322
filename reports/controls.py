"""What an audit would have found, and how often it raises a false alarm, in sentences."""

from audit.results import ArmRecord, AuditResult, CalibrationRecord, Number, Undefined
from reports.messages import _, ngettext, together
from reports.names import Names
from reports.quantities import defined, listed, number, percent, percent_interval
from reports.wording import arm_name

POWER = 0.8


def control_sentences(result: AuditResult, names: Names) -> str:
    """Say the positive and the negative control of the evidence that was to decide.

    Parameters
    ----------
    result : AuditResult
        Of ``run`` or ``score``.
    names : Names
        Words for what is stored.

    Returns
    -------
    str
        What would have been found with 80 % probability, with the false-alarm rate on control
        packs; where either could not be had, the reason.
    """
    asked = [arm for arm in result.arms if arm.role == "decides"] or list(result.arms)
    if not asked:
        return _(
            "What this audit would have found, and its false-alarm rate, are not known: no kind of "
            "evidence compared groups with harms."
        )
    tested = [arm for arm in asked if arm.calibration is not None and arm.calibration.tests]
    without = [_without(arm, result, names) for arm in asked if arm not in tested]
    if not tested:
        return together(without)
    return together([_seen(tested, result), _alarms(tested, result), *without])


def _seen(arms: list[ArmRecord], result: AuditResult) -> str:
    told = []
    for arm in arms:
        seen = defined(seen_sd(arm.calibration)) if arm.calibration else None
        if seen is not None:
            effect, spoken = number(seen), arm_name(arm.arm, result.model.kind)
            told.append(_("{effect} ({arm})", effect=effect, arm=spoken))
    if not told:
        return _("What this audit would have found with 80 % probability is not known.")
    return _(
        "With these stimuli this audit would have found a link of {effects} control SD with 80 % "
        "probability.",
        effects=listed(told),
    )


def _alarms(arms: list[ArmRecord], result: AuditResult) -> str:
    rates = []
    for arm in arms:
        calibration = arm.calibration
        if calibration is not None and calibration.tests:
            told = ngettext(
                "{rate} ({arm}; {n} test, {limits})",
                "{rate} ({arm}; {n} tests, {limits})",
                calibration.tests,
                rate=percent(calibration.rejections / calibration.tests),
                arm=arm_name(arm.arm, result.model.kind),
                limits=percent_interval(calibration.low, calibration.high),
            )
            rates.append(told)
    return _("Its false-alarm rate on control packs was {rates}.", rates=listed(rates))


def _without(arm: ArmRecord, result: AuditResult, names: Names) -> str:
    return _(
        "What would have been found in {arm}, and how often falsely, is not known: {reason}",
        arm=arm_name(arm.arm, result.model.kind),
        reason=names.sentence(arm.reason),
    )


def seen_sd(calibration: CalibrationRecord) -> Number:
    """Return the smallest link found with 80 % probability: the larger of both ways of planting."""
    in_scores = seen_in_scores(calibration)
    if not calibration.embedded or isinstance(in_scores, Undefined):
        return in_scores
    embedded = calibration.embedded_seen_sd
    return embedded if isinstance(embedded, Undefined) else max(in_scores, embedded)


def seen_in_scores(calibration: CalibrationRecord) -> Number:
    """Return what plants in scores say; a result that does not state it has their curve."""
    if not isinstance(calibration.seen_sd, Undefined):
        return calibration.seen_sd
    low, share = 0.0, 0.0
    for point in calibration.recall:
        now = point.found / point.planted if point.planted else 0.0
        if now >= POWER:
            return low + (point.effect_sd - low) * (POWER - share) / (now - share)
        low, share = point.effect_sd, max(share, now)
    return calibration.seen_sd


def where_planted(calibration: CalibrationRecord, names: Names) -> str:
    """Say what each way of planting found, or why there is one only."""
    scores = _("{effect} control SD added to scores.", effect=number(seen_in_scores(calibration)))
    embedded = calibration.embedded_seen_sd
    if isinstance(embedded, Undefined):
        why = names.sentence(embedded.undefined)
        return together([scores, _("Embeddings: {reason}", reason=why)])
    written = _("{effect} control SD written into embeddings.", effect=number(embedded))
    return together([scores, written])
