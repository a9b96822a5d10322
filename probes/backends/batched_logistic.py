"""Many sparse logistic paths at once, in matrix products on a device.

Accelerated proximal steps, one column for each path. The intercept is minimised out at every
point, steps are as long as the curvature along them allows, momentum restarts where it leads
uphill, and a path goes on to its next penalty when its own duality gap is small enough. For CUDA
devices: on a CPU adelie does the same several times faster.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from probes.sparse_problem import NotConverged, Path, Problem

TARGET = 1e-4
"""Relative duality gap at which a path goes on; smaller where a problem asks for less."""

COLUMNS = 2048
"""Paths that advance together; bounds the memory to about a gigabyte at 2,560 units."""

CHECK_EVERY = 10
"""Steps between two looks at the gap, each of which costs one more product."""

MOST_STEPS = 20_000
"""Steps at one penalty, after which the gap is told as it is."""

_GROW, _SHRINK = 2.0, 0.9
"""What becomes of the curvature after a step that was too long, and after one that was not."""


class _Task(NamedTuple):
    """What is asked, one column for each path; ``design`` is shared."""

    design: Tensor
    labels: Tensor
    weights: Tensor
    factors: Tensor
    lambdas: Tensor
    """Shape (n_lambdas, n_paths)."""
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Where each path stands; coefficients are per standard deviation."""

    at: Tensor
    """Index of the penalty, shape (n_paths,)."""
    steps: Tensor
    now: Tensor
    """Coefficients, shape (n_units, n_paths)."""
    before: Tensor
    odds: Tensor
    """Log odds without intercept, shape (n_rows, n_paths)."""
    odds_before: Tensor
    intercepts: Tensor
    curvature: Tensor
    momentum: Tensor


class _Answers(NamedTuple):
    """Solutions as they come in, on the device."""

    coefficients: Tensor
    """Shape (n_paths, n_lambdas, n_units)."""
    intercepts: Tensor
    gaps: Tensor


def usable() -> bool:
    """Tell whether torch sees a CUDA device."""
    return torch.cuda.is_available()


def solve_batch(problems: Sequence[Problem], *, device: str = "cuda") -> Iterator[Path]:
    """Solve paths that share one design, in their order.

    Parameters
    ----------
    problems : sequence of Problem
        All of the same ``design`` and number of penalties.
    device : str
        Where torch computes, in 32 bits. ``cpu`` gives the same answers, slowly.

    Yields
    ------
    Path
        With its duality gaps.

    Raises
    ------
    NotConverged
        If a gap is still above its problem's tolerance after ``MOST_STEPS`` steps.

    References
    ----------
    Beck & Teboulle (2009), SIAM Journal on Imaging Sciences 2, 183-202; O'Donoghue & Candès
    (2015), Foundations of Computational Mathematics 15, 715-732, for restarts.
    """
    if not problems:
        return
    design = torch.from_numpy(problems[0].design.T).to(device).T
    for first in range(0, len(problems), COLUMNS):
        some = problems[first : first + COLUMNS]
        answers = _solved(_task(design, some))
        for number, problem in enumerate(some):
            path = Path(*(part[number].cpu().numpy().astype(np.float64) for part in answers))
            path = path._replace(coefficients=path.coefficients / problem.factors)
            if not path.gap <= problem.tolerance:
                raise NotConverged(
                    f"the duality gap must be at most {problem.tolerance:.1g}; "
                    f"the batched solver came to {path.gap:.1g}"
                )
            yield path


def _task(design: Tensor, problems: Sequence[Problem]) -> _Task:
    def columns(arrays: Sequence[np.ndarray]) -> Tensor:  # type: ignore[type-arg]
        stacked = np.stack(arrays, axis=1).astype(np.float32)
        return torch.from_numpy(stacked).to(design.device)

    return _Task(
        design=design,
        labels=columns([p.labels for p in problems]),
        weights=columns([p.weights for p in problems]),
        factors=columns([p.factors for p in problems]),
        lambdas=columns([p.lambdas for p in problems]),
        targets=columns([np.array([min(TARGET, p.tolerance)]) for p in problems])[0],
    )


@torch.inference_mode()
def _solved(task: _Task) -> _Answers:
    # A caller may have allowed coarser products, which would stall above the gaps asked for.
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        return _walked(task)
    finally:
        torch.set_float32_matmul_precision(precision)


def _walked(task: _Task) -> _Answers:
    n_lambdas, n_paths = task.lambdas.shape
    n_units = task.design.shape[1]
    empty = task.design.new_empty
    answers = _Answers(
        empty(n_paths, n_lambdas, n_units), empty(n_paths, n_lambdas), empty(n_paths, n_lambdas)
    )
    state, live = _start(task), torch.arange(n_paths, device=task.design.device)
    while len(live):
        state = _record(task, state, live, answers)
        keep = state.at < n_lambdas
        if keep.sum() <= 0.75 * len(live):
            task, state, live = _only(task, keep), _kept(state, keep), live[keep]
        for _ in range(CHECK_EVERY if len(live) else 0):
            state = _step(task, state)
    return answers


def _start(task: _Task) -> _State:
    n_paths, empty = task.lambdas.shape[1], task.design.new_zeros
    share = (task.weights * task.labels).sum(dim=0)
    units, rows = empty(task.design.shape[1], n_paths), empty(len(task.design), n_paths)
    return _State(
        at=torch.zeros(n_paths, dtype=torch.long, device=task.design.device),
        steps=empty(n_paths),
        now=units,
        before=units,
        odds=rows,
        odds_before=rows,
        intercepts=torch.logit(share),
        curvature=empty(n_paths) + 1,
        momentum=empty(n_paths) + 1,
    )


def _only(task: _Task, keep: Tensor) -> _Task:
    return _Task(task.design, *(part[..., keep] for part in task[1:]))


def _kept(state: _State, keep: Tensor) -> _State:
    names = _State.__dataclass_fields__
    return _State(**{name: getattr(state, name)[..., keep] for name in names})


def _penalty(task: _Task, state: _State) -> Tensor:
    """Penalty of each path now; the last for those that have ended."""
    at = state.at.clamp(max=len(task.lambdas) - 1)
    return task.lambdas.gather(0, at[None])[0]


def _step(task: _Task, state: _State) -> _State:
    """Go one step; where it was too long for the curvature, stay and make the next one shorter."""
    following = (1 + torch.sqrt(1 + 4 * state.momentum**2)) / 2
    push = (state.momentum - 1) / following
    point = state.now + push * (state.now - state.before)
    odds = state.odds + push * (state.odds - state.odds_before)
    intercepts = _best_intercepts(task, odds, state.intercepts)
    residuals = task.weights * (torch.sigmoid(odds + intercepts) - task.labels)
    target = point - task.design.T @ residuals / task.factors / state.curvature
    new = _shrunk(target, _penalty(task, state) / state.curvature)
    new_odds = task.design @ (new / task.factors)
    bend = _bend(task.weights, odds + intercepts, new_odds - odds)
    short = bend <= state.curvature * (new - point).square().sum(dim=0) * 1.0001
    uphill = ((point - new) * (new - state.now)).sum(dim=0) > 0
    return _State(
        at=state.at,
        steps=state.steps + 1,
        now=torch.where(short, new, state.now),
        before=torch.where(short, state.now, state.before),
        odds=torch.where(short, new_odds, state.odds),
        odds_before=torch.where(short, state.odds, state.odds_before),
        intercepts=intercepts,
        curvature=state.curvature * torch.where(short, _SHRINK, _GROW),
        momentum=torch.where(short, torch.where(uphill, 1.0, following), state.momentum),
    )


def _shrunk(values: Tensor, by: Tensor) -> Tensor:
    return values.sign() * (values.abs() - by).clamp(min=0)


def _bend(weights: Tensor, odds: Tensor, change: Tensor) -> Tensor:
    """Bound the curvature of the loss along a change, with the intercept following freely.

    The logistic's second derivative is largest where the odds come nearest to 0; unlike a
    difference of losses, a sum of squares keeps its digits near the optimum.
    """
    change = change - (weights * change).sum(dim=0)
    end = odds + change
    nearest = torch.where(odds * end > 0, torch.minimum(odds.abs(), end.abs()), 0.0)
    slope = torch.sigmoid(nearest) * torch.sigmoid(-nearest)
    return (weights * slope * change.square()).sum(dim=0)


def _best_intercepts(task: _Task, odds: Tensor, start: Tensor) -> Tensor:
    intercepts = start
    for _ in range(2):
        chances = torch.sigmoid(odds + intercepts)
        slope = (task.weights * chances * (1 - chances)).sum(dim=0)
        miss = (task.weights * (task.labels - chances)).sum(dim=0)
        intercepts = intercepts + (miss / slope.clamp(min=1e-8)).clamp(-2, 2)
    return intercepts


def _record(task: _Task, state: _State, live: Tensor, answers: _Answers) -> _State:
    """Keep the answers of paths whose gap is small enough, and send these to their next penalty."""
    intercepts = _best_intercepts(task, state.odds, state.intercepts)
    gaps = _gaps(task, state, intercepts)
    walking = state.at < len(task.lambdas)
    done = walking & ((gaps <= task.targets) | (state.steps >= MOST_STEPS))
    where = (live[done], state.at[done])
    answers.coefficients[where] = state.now.T[done]
    answers.intercepts[where] = intercepts[done]
    answers.gaps[where] = gaps[done]
    return replace(
        state,
        at=state.at + done,
        steps=torch.where(done, 0.0, state.steps),
        intercepts=intercepts,
        momentum=torch.where(done, 1.0, state.momentum),
    )


def _gaps(task: _Task, state: _State, intercepts: Tensor) -> Tensor:
    """Relative duality gaps, as `probes.sparse_problem.duality_gaps` has them."""
    labels, penalty, margins = task.labels, _penalty(task, state), state.odds + intercepts
    losses = torch.nn.functional.softplus(margins) - labels * margins
    primal = (task.weights * losses).sum(dim=0) + penalty * state.now.abs().sum(dim=0)
    chances = torch.sigmoid(margins)
    pull = task.design.T @ (task.weights * (labels - chances)) / task.factors
    reach = (penalty / pull.abs().amax(dim=0)).clamp(max=1)
    shrunk = labels + reach * (chances - labels)
    entropy = torch.special.entr(shrunk) + torch.special.entr(1 - shrunk)
    dual = (task.weights * entropy).sum(dim=0)
    gaps: Tensor = ((primal - dual).clamp(min=0) / dual).nan_to_num(nan=torch.inf)
    return gaps
