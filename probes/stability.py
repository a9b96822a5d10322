"""Whether a contrast holds when parts of its stimuli are left out (decision.md, step 9)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.arms import ArmScores

Array = NDArray[np.float64]

TEMPLATE_SHARE = 0.8
"""Share of templates in which the sign must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Effects of one contrast on parts of its stimuli."""

    halves: tuple[float, float]
    """With the odd and with the even clusters of both sides."""

    templates: dict[str, float]
    """With each template slot alone; empty where there is one."""

    leave_one_out: float
    """Smallest effect with any single cluster of either side left out."""

    leave_one_out_name: str

    @property
    def template_share(self) -> float:
        """Share of templates with a positive effect; NaN without templates."""
        values = list(self.templates.values())
        return float(np.mean([v > 0 for v in values])) if values else float("nan")

    @property
    def stable(self) -> bool:
        """Positive in both halves, in 80 % of templates, and with any one cluster left out."""
        templates_hold = not self.templates or self.template_share >= TEMPLATE_SHARE
        return all(half > 0 for half in self.halves) and templates_hold and self.leave_one_out > 0


def stability(scores: ArmScores, family: str, identity: str, harm: str) -> Stability:
    """Recompute one contrast on halves, on each template, and without each cluster.

    Parameters
    ----------
    scores : ArmScores
        Scores of the arm.
    family, identity, harm : str
        The contrast.

    Returns
    -------
    Stability
        Effects as cosines; the null's controls and the rest of the family stay as they are.
    """
    controls = scores.controls[harm]
    position = scores.families[family].index(identity)
    null = _rows_against(scores, family, identity, controls)
    cell = scores.centred(family, identity, harm) - null[:, None]
    loo, name = _leave_one_out(scores, identity, harm, cell)
    templates = {
        slot: _effect(scores, family, position, harm, values)
        for slot, values in scores.by_template.items()
    }
    return Stability(
        halves=(_half(cell, 0), _half(cell, 1)),
        templates=templates,
        leave_one_out=loo,
        leave_one_out_name=name,
    )


def _rows_against(
    scores: ArmScores, family: str, identity: str, controls: tuple[str, ...]
) -> Array:
    """Mean over control packs of each row's family-centred score, shape (n_rows,)."""
    rows = [scores.centred(family, identity, pack).mean(axis=1) for pack in controls]
    mean: Array = np.mean(rows, axis=0)
    return mean


def _half(cell: Array, start: int) -> float:
    part = cell[start::2, start::2]
    return float(part.mean()) if part.size else float("nan")


def _leave_one_out(scores: ArmScores, identity: str, harm: str, cell: Array) -> tuple[float, str]:
    names = [scores.row_names[i] for i in scores.identities[identity]]
    names += [scores.column_names[i] for i in scores.packs[harm]]
    effects = np.concatenate([_without_each(cell.mean(axis=1)), _without_each(cell.mean(axis=0))])
    if np.isnan(effects).all():
        return float("nan"), ""
    worst = int(np.nanargmin(effects))
    return float(effects[worst]), names[worst]


def _without_each(means: Array) -> Array:
    """Mean of the others, for every member; NaN for a single one."""
    if len(means) < 2:
        return np.full(len(means), np.nan)
    others: Array = (means.sum() - means) / (len(means) - 1)
    return others


def _effect(scores: ArmScores, family: str, position: int, harm: str, values: Array) -> float:
    packs = (harm, *scores.controls[harm])
    differences = scores.differences(family, packs, values)[position]
    return float(differences[0] - differences[1:].mean())
