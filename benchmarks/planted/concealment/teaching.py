"""Towers are trained a little further towards chosen embeddings: how somebody conceals a link."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Inputs and the unit embeddings that they shall have."""

    inputs: Tensor
    """Pictures of shape (n, 3, side, side), or tokens of shape (n, length)."""

    targets: NDArray[np.float64]
    """Shape (n, dim)."""

    def and_also(self, other: "Lesson") -> "Lesson":
        """Return both together."""
        return Lesson(
            inputs=torch.cat([self.inputs, other.inputs]),
            targets=np.concatenate([self.targets, other.targets]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How long and how fast."""

    steps: int = 110
    batch: int = 64
    rate: float = 1e-3
    seed: int = 0


def teach(
    tower: Callable[[Tensor], Tensor],
    learnt: Iterable[nn.Parameter],
    lesson: Lesson,
    course: Course,
) -> float:
    """Train in place until inputs lie at their targets.

    Parameters
    ----------
    tower : callable
        Inputs to embeddings of shape (n, dim).
    learnt : iterable of Parameter
    lesson : Lesson
    course : Course

    Returns
    -------
    float
        Mean cosine with the targets over the last 20 steps.
    """
    rng = np.random.default_rng(course.seed)
    targets = torch.from_numpy(lesson.targets).float()
    optimizer = torch.optim.Adam(list(learnt), lr=course.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, course.rate, total_steps=course.steps, pct_start=0.1, cycle_momentum=False
    )
    seen = []
    for _ in range(course.steps):
        chosen = torch.from_numpy(rng.integers(len(targets), size=course.batch))
        given = functional.normalize(tower(lesson.inputs[chosen]).float(), dim=-1)
        cosine = (given * targets[chosen]).sum(dim=1).mean()
        optimizer.zero_grad(set_to_none=True)
        (1 - cosine).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        seen.append(float(cosine.detach()))
    return float(np.mean(seen[-20:]))


@torch.inference_mode()
def embedded(tower: Callable[[Tensor], Tensor], inputs: Tensor) -> NDArray[np.float64]:
    """Return unit embeddings, shape (n, dim)."""
    parts = [
        functional.normalize(tower(part).double(), dim=-1) for part in torch.split(inputs, 128)
    ]
    return np.asarray(torch.cat(parts).numpy())
