"""Sentences about treatments: what helps most, at what cost, and what that does not show."""

from audit.results import (
    BenignRecord,
    CollateralRecord,
    EffectRecord,
    MitigationRecord,
    PointRecord,
)
from reports.quantities import defined, limit, number, percent, percent_interval
from reports.wording import arm_name

SHOWN = {
    "photo": "photos of control concepts",
    "rendered": "drawn words of control concepts",
    "text": "prompts about control concepts",
}
TREATMENTS = {
    "none": "The model as it is",
    "mean-ablate": "Mean ablation",
    "project": "Projection",
    "balanced-prompts": "Balanced prompts",
}

LESS = (
    "A smaller number is a smaller measured effect for the groups, harms, words and pictures of "
    "this audit. It does not say that the model treats groups alike, nor that the harm is gone "
    "where it was not measured.",
    "What is fitted was fitted on one half of clusters and terms; the effects in the chart are of "
    "the other half. Rates and the audit's verdicts are of all stimuli, those that were fitted "
    "to among them.",
    "Effects are in control standard deviations of each state: what shrinks every cosine alike "
    "does not look like a gain.",
    "Treatments were compared by their estimates. Points whose intervals overlap may be in another "
    "order on other stimuli, and the best of many looks better than it is.",
)


def link_name(record: MitigationRecord, finding: str) -> str:
    """Name a finding by what it ties together."""
    own = next(f for f in record.findings if f.id == finding)
    return f"{record.names[own.identity]} and {record.names[own.harm]}"


def headline(record: MitigationRecord) -> str:
    """Say in a clause what helps most."""
    best = record.point(record.best) if record.best else None
    if best is None:
        return "No treatment lowers the largest measured effect"
    name = called(best)
    return f"The measured effects fall most with {name[0].lower()}{name[1:]}"


def called(point: PointRecord) -> str:
    """Name a state."""
    name = TREATMENTS[point.treatment]
    return name if point.treatment == "none" else f"{name} at strength {limit(point.strength)}"


def largest(point: PointRecord) -> EffectRecord | None:
    """Return the largest held-out effect among the arms in which links were found."""
    known = [e for e in point.effects if e.found and defined(e.held_out_sd) is not None]
    return max(known, key=lambda e: defined(e.held_out_sd) or 0.0, default=None)


def accuracy(point: PointRecord, shown: str) -> BenignRecord | None:
    """Return benign accuracy where it was measured on what is asked for."""
    wanted = ("accuracy", shown)
    return next((b for b in point.benign if (b.measure, b.shown) == wanted), None)


def answers(record: MitigationRecord) -> tuple[str, ...]:
    """Say first what helps most at what cost, then what helps without a certain cost."""
    best = record.point(record.best) if record.best else None
    if best is None:
        return (
            "At no strength is the largest held-out effect of the treated findings smaller than "
            "that of the model as it is.",
        )
    said = [_helps(record, best)]
    free = record.point(record.best_without_loss) if record.best_without_loss else None
    if free is None:
        said.append("Benign accuracy certainly falls somewhere at every point that helps.")
    elif free.name != best.name:
        said.append(f"Best where benign accuracy does not certainly fall. {_helps(record, free)}")
    else:
        said.append("Benign accuracy does not certainly fall there.")
    return tuple(said)


def _helps(record: MitigationRecord, point: PointRecord) -> str:
    before, after = largest(record.baseline), largest(point)
    parts = [f"{called(point)}:"]
    if before is not None and after is not None:
        parts.append(
            f"the largest held-out effect falls from {number(before.held_out_sd)} to "
            f"{number(after.held_out_sd)} control SD"
        )
    own, plain = accuracy(point, record.benign_axis), accuracy(record.baseline, record.benign_axis)
    if own is not None and plain is not None:
        parts.append(
            f"while accuracy on {SHOWN[own.shown]} goes from {percent(plain.value)} to "
            f"{percent(own.value)} ({percent_interval(own.low, own.high)})"
        )
    return f"{' '.join(parts)}; {_others(record, point.collateral)}."


def _others(record: MitigationRecord, found: CollateralRecord | None) -> str:
    if found is None or not found.worse:
        of = f" of {found.compared}" if found is not None else ""
        return f"none{of} other links certainly rose"
    return (
        f"{found.worse} of {found.compared} other links certainly rose; the largest of them now, "
        f"{risen_link(record, found)}"
    )


def risen_link(record: MitigationRecord, found: CollateralRecord) -> str:
    """Name the largest of the links that rose, with where it came from."""
    return (
        f"{record.names[found.identity]} and {record.names[found.harm]} in "
        f"{arm_name(found.arm)}, from {number(found.before_sd)} to {number(found.after_sd)} "
        "control SD"
    )
