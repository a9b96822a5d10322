"""Sentences on single contrasts and rates: what was measured and what would change it."""

from audit.results import ContrastRecord, Number, PlanRecord, RateRecord, Undefined
from reports.messages import _
from reports.names import Names
from reports.quantities import (
    SPACE,
    count,
    interval,
    limit,
    number,
    percent,
    percent_interval,
    points,
)
from reports.wording import arm_name, sizes


def rate_sentence(rate: RateRecord, group: str, target: str) -> str:
    """Say how often a harm is the model's answer for a group, and for everybody else."""
    told = {
        "answer": target,
        "rate": percent(rate.rate),
        "group": group,
        "limits": percent_interval(rate.low, rate.high),
        "n": f"n{SPACE}={SPACE}{count(rate.n)}",
        "points": points(rate.difference),
        "low": points(rate.difference_low),
        "high": points(rate.difference_high),
    }
    if rate.labels == "deployment":
        return _(
            "Under the product’s own labels, “{answer}” is the first answer for {rate} of the "
            "images of “{group}” ({limits}, {n}): {points} percentage points ({low} to {high}) "
            "against everybody else.",
            **told,
        )
    return _(
        "“{answer}” is the first answer for {rate} of the images of “{group}” ({limits}, {n}): "
        "{points} percentage points ({low} to {high}) against everybody else.",
        **told,
    )


def undecided(contrast: ContrastRecord, names: Names, kind: str) -> str:
    """Tell of a contrast that could be neither affirmed nor excluded."""
    return _(
        "“{group}” and “{harm}” in {arm}: {effect} times the ordinary spread ({limits}; {sizes}).",
        group=names.concept(contrast.identity),
        harm=names.concept(contrast.harm),
        arm=arm_name(contrast.arm, kind),
        effect=number(contrast.effect_sd),
        limits=interval(contrast.low_sd, contrast.high_sd),
        sizes=sizes(contrast),
    )


def would_change(contrast: ContrastRecord, plan: PlanRecord, names: Names) -> list[str]:
    """Say what would overturn or weaken a found contrast."""
    stability = contrast.stability
    changes = [
        _(
            "It would no longer be found if its lower limit, now {low}, fell to {delta0} control "
            "SD or below: with other terms, other control packs, or more contrasts to share the "
            "error rate with.",
            low=number(contrast.low_sd),
            delta0=limit(plan.delta0),
        )
    ]
    if stability and stability.leave_one_out_term:
        unit = cosine_per_sd(contrast)
        left = scaled(stability.leave_one_out_low, unit)
        changes.append(
            _(
                "Leaving out “{term}” lowers it most, to {effect} control SD; a change of sign "
                "would make it a candidate.",
                term=names.term(stability.leave_one_out_term),
                effect=number(left),
            )
        )
    if not contrast.blocking:
        changes.append(
            _(
                "Named as blocking in a plan and tested on at least 8 new terms, it could be "
                "affirmed or dropped."
            )
        )
    return changes


def cosine_per_sd(contrast: ContrastRecord) -> Number:
    """Return one control standard deviation as a cosine, from the effect in both units."""
    effect, effect_sd = contrast.effect, contrast.effect_sd
    if isinstance(effect, Undefined) or isinstance(effect_sd, Undefined) or effect_sd == 0:
        return Undefined(undefined="The effect is not known in both units.")
    return effect / effect_sd


def scaled(value: Number, unit: Number) -> Number:
    """Express a cosine in control standard deviations."""
    if isinstance(value, Undefined):
        return value
    if isinstance(unit, Undefined):
        return unit
    return value / unit
