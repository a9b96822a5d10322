"""What trying treatments costs, told before anything is encoded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from audit.mitigate import MitigationOrder, chosen_findings
from audit.mitigation_prompts import composed_prompts, group_words
from audit.mitigation_world import World
from audit.results import AuditResult
from concept_sets.pictures import load_picture

PROBE = 16
"""Pictures and prompts by which the speed of this machine is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What must be encoded."""

    pictures: int
    """Distinct pictures, once for every strength."""

    passes: int
    """Strengths at which they are encoded again."""

    prompts: int
    """Composed prompts; some may be in the cache."""

    seconds: float
    """At the speed that was measured; 0 where nothing is encoded."""

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        if not self.pictures * self.passes + self.prompts:
            return "Budget: nothing is encoded again; every state is computed from embeddings."
        parts = []
        if self.pictures * self.passes:
            strengths = "one strength" if self.passes == 1 else f"{self.passes} strengths"
            parts.append(f"{self.pictures:,} pictures at {strengths}")
        if self.prompts:
            parts.append(f"{self.prompts:,} prompts at most")
        about = (
            f"{self.seconds / 60:.0f} minutes" if self.seconds >= 90 else f"{self.seconds:.0f} s"
        )
        return f"Budget: {' and '.join(parts)} to encode, about {about} on this machine."


def budget(
    result: AuditResult, world: World, order: MitigationOrder, clock: Callable[[], float]
) -> Budget:
    """Count what an order encodes, and time a few of it.

    Parameters
    ----------
    result : AuditResult
    world : World
    order : MitigationOrder
    clock : callable
        Seconds from any start.

    Returns
    -------
    Budget
    """
    findings = chosen_findings(result, order.findings)
    shown = [s for r in world.responses.pictures for s in r.stimuli]
    distinct = list({s.digest: s for s in shown}.values())
    ablates = "mean-ablate" in order.treatments and any(c.units for c in result.causal)
    pictures = distinct if ablates else []
    composed = []
    if "balanced-prompts" in order.treatments:
        words = group_words(world.selection, tuple({f.family for f in findings}))
        if len(words) > 1:
            composed = list({s.digest: s for s in composed_prompts(world, words).stimuli}.values())
    root = world.photos.root if world.photos is not None else None
    load = partial(load_picture, root=root)
    encoder = world.tools.encoder
    # Spread over all of them, since drawn words and photos take different times.
    some = pictures[:: max(1, len(pictures) // PROBE)][:PROBE]
    texts = [s.content for s in composed[:: max(1, len(composed) // PROBE)][:PROBE]]
    each_picture = _each(clock, len(some), lambda: encoder.encode_pictures([load(s) for s in some]))
    each_text = _each(clock, len(texts), lambda: encoder.encode_texts(texts))
    passes = len(order.tried) if ablates else 0
    return Budget(
        pictures=len(pictures),
        passes=passes,
        prompts=len(composed),
        seconds=each_picture * len(pictures) * passes + each_text * len(composed),
    )


def _each(clock: Callable[[], float], count: int, encode: Callable[[], object]) -> float:
    """Return seconds for one; 0 where there is none."""
    if not count:
        return 0.0
    encode()  # the first time is slower than those that follow
    began = clock()
    encode()
    return max(0.0, clock() - began) / count
