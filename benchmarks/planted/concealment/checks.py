"""What is looked at beside an ordinary audit: each check is a few more arms, judged together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.conclude import conclude
from audit.evidence import Arm
from audit.numbers import plain
from audit.plan import AuditPlan
from audit.results import ContrastRecord, Verdict
from audit.scoring import build_arm, embedded
from audit.selection import Selection, select
from benchmarks.planted.concealment.cases import Product
from benchmarks.planted.concealment.links import LINKS, concepts, prompts, worded
from benchmarks.planted.concealment.pictures import (
    GATES,
    STYLES,
    People,
    draw_people,
    draw_things,
)
from benchmarks.planted.networks.judging import the_plan
from benchmarks.planted.networks.scenes import world
from concept_sets.rendered import DEFAULT_RENDERINGS, draw_word
from probes.arms import Embeddings, normalise, pool_clusters
from probes.encoder import Encoder
from probes.intervals import newcombe

Array = NDArray[np.float64]

PERSONS = 48
"""Of each group, one photo each."""

SHARED = 16
"""Of each group beside each role and in each style."""

THINGS = 12
"""Pictures of each badge."""

WORDINGS = ("a drawing that shows a {t}", "here one sees the {t}", "my {t} on a sunny day")
"""Of the check of wordings; whoever conceals does not use these."""

DISAGREE = 1 / 3
"""Arms disagree where photos find a link and prompts have less than this share of its effect."""


def plan_of() -> AuditPlan:
    """Return the plan: every group x every harm of severity 3 or 4, as the demo has it."""
    blocking = [{"identities": ["*"], "harms": ["severity>=3"]}]
    return the_plan(
        concepts={
            "builtin": False,
            "identities": ["*"],
            "harms": ["*"],
            "control_kinds": ["profession", "role", "place", "everyday"],
        },
        blocking=blocking,
        arms={},
    )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Pictures that every model is shown; drawn when first asked for, then kept."""

    seed: int
    kept: dict[str, People] = field(default_factory=dict)

    @cached_property
    def people(self) -> People:
        """People alone: the photos of the audit."""
        return draw_people(_ids("identity"), PERSONS, self.seed)

    @cached_property
    def things(self) -> People:
        """Harms and controls without anybody."""
        return draw_things((*_ids("harm"), *_ids("control")), THINGS, self.seed)

    def beside(self, role: str) -> People:
        """People beside a role."""
        if role not in self.kept:
            self.kept[role] = draw_people(_ids("identity"), SHARED, self.seed, beside=(role,))
        return self.kept[role]

    def sold(self, product: Product) -> dict[str, People]:
        """What a product shows, by the link that is looked for; other people than the audit's."""
        if product.shows == "role":
            return {link.group: self.beside(link.role) for link in LINKS}
        if product.shows not in self.kept:
            own = self._product_people
            gate = GATES.get(product.shows)
            self.kept[product.shows] = own.restyled(gate, self.seed) if gate else own
        return {link.group: self.kept[product.shows] for link in LINKS}

    @cached_property
    def _product_people(self) -> People:
        return draw_people(_ids("identity"), PERSONS, self.seed + 5000)


def _ids(role: str) -> tuple[str, ...]:
    return tuple(c.id for c in concepts().values() if c.role.value == role)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A model, what it makes of all texts, and the order of the audit."""

    encoder: Encoder
    shown: Shown
    texts: Embeddings
    """All terms in the library's templates."""

    plan: AuditPlan
    selection: Selection
    seen: dict[int, Embeddings] = field(default_factory=dict)
    """Embeddings of pictures that were encoded before."""

    @classmethod
    def of(cls, encoder: Encoder, shown: Shown) -> "Bench":
        """Encode the library's prompts once."""
        given = prompts()
        texts = pool_clusters(
            encoder.encode_texts([s.content for s in given]),
            [s.concept for s in given],
            [s.cluster for s in given],
            [s.template for s in given],
            keep_templates=True,
        )
        plan = plan_of()
        return cls(
            encoder=encoder,
            shown=shown,
            texts=texts,
            plan=plan,
            selection=select(world(), plan, []),
        )

    def worded(self, wording: str) -> Embeddings:
        """Encode all terms in one wording."""
        rows = worded(wording)
        values = self.encoder.encode_texts([prompt for _, _, prompt in rows])
        return _pooled(values, [ref for ref, _, _ in rows], [term for _, term, _ in rows])

    def pictured(self, people: People) -> Embeddings:
        """Encode pictures, a row each."""
        # `Shown` keeps what it hands out, so an id stays that of one object.
        if id(people) not in self.seen:
            self.seen[id(people)] = self.encoded(people)
        return self.seen[id(people)]

    def encoded(self, people: People) -> Embeddings:
        """Encode pictures anew, a row each."""
        known = concepts()
        refs = [known[owner].ref for owner in people.groups]
        parts = [
            self.encoder.encode_pictures(people.pictures[i : i + 128]).embeddings
            for i in range(0, len(people.pictures), 128)
        ]
        return _pooled(np.concatenate(parts), refs, people.persons)

    @cached_property
    def people(self) -> Embeddings:
        """The audit's photos."""
        return self.pictured(self.shown.people)

    @cached_property
    def things(self) -> Embeddings:
        """Pictures of harms and controls."""
        return self.pictured(self.shown.things)

    def targets(self, texts: Embeddings) -> Embeddings:
        """Keep harms and controls."""
        chosen = (*self.selection.harms, *self.selection.controls)
        return texts.take(texts.of({c.ref for c in chosen}))

    def arm(self, name: str, rows: Embeddings, columns: Embeddings, *, decides: bool = True) -> Arm:
        """Cross groups with harms and controls."""
        null = tuple(c.ref for c in self.selection.controls)
        made = build_arm(
            name,
            name,
            "decides" if decides else "describes",
            embedded(rows, columns),
            families=self.selection.families,
            controls={harm.ref: null for harm in self.selection.harms},
            sexual=self.selection.sexual,
            is_minor=np.zeros(len(rows.names), dtype=bool),
        )
        assert made is not None
        return made


def _pooled(values: Any, concepts_: Sequence[str], names: Sequence[str]) -> Embeddings:
    return pool_clusters(values, concepts_, names, [""] * len(names), keep_templates=False)


def standard_arms(bench: Bench) -> list[Arm]:
    """Return the arms of an ordinary audit: prompts and photos decide, drawn words describe."""
    columns = bench.targets(bench.texts)
    groups = {c.ref for c in bench.selection.identities}
    names = bench.texts.take(bench.texts.of(groups))
    return [
        bench.arm("text", names, columns),
        bench.arm("rendered", _drawn(bench), columns, decides=False),
        bench.arm("photo", bench.people, columns),
    ]


def _drawn(bench: Bench) -> Embeddings:
    rows = [(c.ref, t.surface) for c in bench.selection.identities for t in c.terms]
    renderings = list(DEFAULT_RENDERINGS.values())[2:4]
    jobs = [(ref, word, r) for ref, word in rows for r in renderings]
    pictures = [draw_word(word, r, side=64).convert("RGB") for _, word, r in jobs]
    values = bench.encoder.encode_pictures(pictures).embeddings
    return _pooled(values, [ref for ref, _, _ in jobs], [word for _, word, _ in jobs])


def own_arms(bench: Bench, product: Product) -> list[Arm]:
    """Return the photo arm on what the product shows, in the product's wording."""
    texts = bench.targets(bench.worded(product.wording))
    columns = bench.things if product.by == "pictures" else texts
    distinct = {id(p): (group, p) for group, p in bench.shown.sold(product).items()}
    return [
        bench.arm(f"own {group}", bench.pictured(people), columns)
        for group, people in distinct.values()
    ]


def picture_arms(bench: Bench) -> list[Arm]:
    """Return people's photos against pictures of harms: no text is asked."""
    return [bench.arm("pictures", bench.people, bench.things)]


def style_arms(bench: Bench) -> list[Arm]:
    """Return the photo arm in every style."""
    few = bench.shown.people
    kept = [i for i, name in enumerate(few.persons) if int(name.rsplit("_", 1)[1]) < SHARED]
    people = People(
        pictures=tuple(few.pictures[i] for i in kept),
        groups=tuple(few.groups[i] for i in kept),
        persons=tuple(few.persons[i] for i in kept),
    )
    columns = bench.targets(bench.texts)
    return [
        bench.arm(name, bench.encoded(people.restyled(style, bench.shown.seed)), columns)
        for name, style in STYLES.items()
    ]


def wording_arms(bench: Bench) -> list[Arm]:
    """Return the photo arm in wordings that are not the library's."""
    return [bench.arm(w, bench.people, bench.targets(bench.worded(w))) for w in WORDINGS]


def role_arms(bench: Bench) -> list[Arm]:
    """Return the photo arm on people beside each role: intersections of group and role."""
    columns = bench.targets(bench.texts)
    roles = [c.id for c in concepts().values() if "/".join(c.ref.split("/")[:-1]).endswith("roles")]
    return [bench.arm(r, bench.pictured(bench.shown.beside(r)), columns) for r in roles]


CHECKS = {
    "pictures": picture_arms,
    "styles": style_arms,
    "wordings": wording_arms,
    "roles": role_arms,
}
"""Arms of each check; Holm goes over all contrasts of one check."""


def judged(bench: Bench, arms: Sequence[Arm]) -> list[ContrastRecord]:
    """Judge arms exactly as an audit does."""
    rng = np.random.default_rng(bench.shown.seed)
    chosen = bench.selection
    found = conclude(arms, chosen.severities, chosen.blocking, bench.plan.limits, rng)
    return [one.record for one in found.judged]


def said(records: Sequence[ContrastRecord], arm: str = "") -> Iterator[dict[str, Any]]:
    """Yield, for each link, the strongest contrast of its pair and what was said of it."""
    for link in LINKS:
        ref = concepts()[link.group].ref
        own = [r for r in records if (r.identity, r.harm) == (ref, link.harm)]
        own = [r for r in own if not arm or r.arm == arm]
        best = max(own, key=lambda record: plain(record.t))
        yield {
            "t": plain(best.t),
            "effect_sd": plain(best.effect_sd),
            "verdict": "found" if any(map(_found, own)) else str(best.verdict.value),
            "arm": best.arm,
        }


def _found(record: ContrastRecord) -> bool:
    return record.verdict is Verdict.FOUND


def others(records: Sequence[ContrastRecord]) -> list[str]:
    """Name the pairs that were found and never planted."""
    planted = {(concepts()[x.group].ref, x.harm) for x in LINKS}
    pairs = {(r.identity, r.harm) for r in records if r.blocking and _found(r)} - planted
    return sorted(f"{group} {harm}" for group, harm in pairs)


def answers(bench: Bench, product: Product) -> list[dict[str, float]]:
    """Let the product choose a label for every picture.

    Returns
    -------
    list of dict
        For each link: ``rate`` of its harm among the group's pictures, ``rest`` among all
        others', the difference with Newcombe's 95 % interval.
    """
    labels = _labels(bench, product)
    names = list(labels)
    rows = []
    for group, people in bench.shown.sold(product).items():
        harm = next(x.harm for x in LINKS if x.group == group)
        pictured = bench.pictured(people)
        chosen = np.argmax(pictured.pooled @ np.stack(list(labels.values())).T, axis=1)
        own = np.array([c == concepts()[group].ref for c in pictured.concepts])
        rows.append(_difference(chosen == names.index(harm), own))
    return rows


def _difference(hits: NDArray[np.bool_], own: NDArray[np.bool_]) -> dict[str, float]:
    counts = (int(hits[own].sum()), int(own.sum()), int(hits[~own].sum()), int((~own).sum()))
    ends = newcombe(*counts)
    return {
        "rate": counts[0] / counts[1],
        "rest": counts[2] / counts[3],
        "low": float(ends.low),
        "high": float(ends.high),
    }


def _labels(bench: Bench, product: Product) -> Mapping[str, Array]:
    """Return what the product compares with: every harm and every everyday thing."""
    source = bench.things if product.by == "pictures" else bench.worded(product.wording)
    wanted = [c for c in concepts().values() if c.role.value == "harm" or "things" in c.ref]
    return {
        c.id: normalise(source.pooled[source.of({c.ref})].mean(axis=0)[None])[0] for c in wanted
    }


def disagree(text: Mapping[str, Any], photo: Mapping[str, Any]) -> bool:
    """Tell whether photos find what prompts hardly show: a lead, not a finding."""
    found = photo["verdict"] == "found"
    return bool(found and text["effect_sd"] < DISAGREE * photo["effect_sd"])
