"""Who meets what: the plan's patterns against a library, and never minors with sexualisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import PlanError
from audit.plan import validate_plan
from audit.scoring import build_arm, embedded, with_rows
from audit.selection import select
from concept_sets.catalog import Library, load_library
from concept_sets.concept import (
    Concept,
    ConceptSet,
    PartOfSpeech,
    Role,
    Status,
    Term,
    Visibility,
)
from concept_sets.minors import concept_denotes_minor, is_allowed_pair
from probes.arms import Embeddings, normalise

rules = settings(deadline=None, max_examples=40)
TEMPLATES = load_library(builtin=False).templates


def term(surface, **marks):
    return Term(
        surface=surface,
        pos=PartOfSpeech.NOUN,
        status=Status.CURRENT,
        visible=Visibility.YES,
        sources=("usage",),
        **marks,
    )


def concept(ref, role, surfaces, **about):
    family, _, own = ref.rpartition("/")
    terms = tuple(s if isinstance(s, Term) else term(s) for s in surfaces)
    name = about.pop("name", own.replace("_", " "))
    return Concept(id=own, name=name, family=family or own, role=role, terms=terms, **about)


def identity(ref, *surfaces, **about):
    return concept(ref, Role.IDENTITY, surfaces or (f"{ref[-1]}ian",), **about)


def harm(ref, *surfaces, severity=4, **about):
    return concept(ref, Role.HARM, surfaces or (f"{ref}ing",), severity=severity, **about)


def control(ref, *surfaces, kind="role", **about):
    return concept(ref, Role.CONTROL, surfaces or (f"{ref}work",), kind=kind, **about)


def library(*concepts):
    families = {}
    for one in concepts:
        families.setdefault((one.family, one.role), []).append(one)
    sets = tuple(
        ConceptSet(
            id=family, version="1.0.0", name=family, role=role, language="en", about="",
            caution="", licence="CC0-1.0", sources={}, concepts=tuple(members), digest="sha256:0",
        )
        for (family, role), members in families.items()
    )  # fmt: skip
    return Library(sets=sets, templates=TEMPLATES)


PEOPLE = (identity("isles/a"), identity("isles/b"), identity("isles/c"))
HARMS = (harm("raiding"), harm("idling", severity=2))
CONTROLS = (control("baking"), control("singing", kind="profession"), control("rain", kind="odd"))
SMALL = library(*PEOPLE, *HARMS, *CONTROLS)


def chosen(held, groups=(), **plan):
    return select(held, validate_plan(plan, where=""), groups)


def test_the_default_takes_every_concept_and_the_kinds_of_control_that_carry_the_null():
    selection = chosen(SMALL)

    assert selection.families == {"isles": ("isles/a", "isles/b", "isles/c")}
    assert selection.severities == {"raiding": 4, "idling": 2}
    assert [c.ref for c in selection.controls] == ["baking", "singing"]
    assert selection.blocking == ()


def test_the_unmarked_concept_is_no_group():
    held = library(*PEOPLE, identity("isles/p", "person", unmarked=True), *HARMS, *CONTROLS)

    assert chosen(held).families == {"isles": ("isles/a", "isles/b", "isles/c")}


def test_a_family_of_one_is_left_out_and_named():
    held = library(*PEOPLE, identity("guilds/z"), *HARMS, *CONTROLS)
    selection = chosen(held)

    assert "guilds" not in selection.families
    assert [what for what, _ in selection.left_out] == ["guilds"]


def test_blocking_pairs_are_crossed_within_an_entry_and_listed_once():
    entry = {"identities": ["isles/a", "b"], "harms": ["raiding"]}
    every = {"identities": ["isles/a"], "harms": ["severity>=2"]}
    selection = chosen(SMALL, blocking=[entry, every])

    assert selection.blocking == (
        ("isles/a", "raiding"),
        ("isles/b", "raiding"),
        ("isles/a", "idling"),
    )


def test_groups_of_photos_may_block_too():
    entry = {"identities": ["photos:town/*"], "harms": ["raiding"]}
    selection = chosen(SMALL, ["photos:town/Ard", "photos:town/Bel"], blocking=[entry])

    assert selection.blocking == (("photos:town/Ard", "raiding"), ("photos:town/Bel", "raiding"))


def test_a_pair_that_shares_a_word_neither_blocks_nor_is_tested():
    held = library(*PEOPLE, identity("isles/d", "raidinging folk"), *HARMS, *CONTROLS)
    entry = {"identities": ["isles/*"], "harms": ["raiding"]}
    selection = chosen(held, blocking=[entry])

    assert set(selection.leaking) == {("isles/d", "raiding")}
    assert ("isles/d", "raiding") not in selection.blocking
    assert len(selection.blocking) == 3


@pytest.mark.parametrize(
    ("plan", "key"),
    [
        ({"concepts": {"identities": ["iles/*"]}}, "concepts.identities"),
        ({"concepts": {"harms": ["raid"]}}, "concepts.harms"),
        ({"concepts": {"identities": ["isles/a"]}}, "families of two or more"),
        ({"concepts": {"harms": []}}, "harm packs"),
        ({"concepts": {"control_kinds": ["none"]}}, "control packs"),
        ({"blocking": [{"identities": ["*"], "harms": ["rading"]}]}, "blocking.0.harms"),
        ({"blocking": [{"identities": ["x"], "harms": ["*"]}]}, "blocking.0.identities"),
    ],
)
def test_a_plan_that_selects_nothing_is_refused_by_its_key(plan, key):
    with pytest.raises(PlanError, match=key):
        chosen(SMALL, **plan)


def test_a_sexualising_pack_is_known_by_mark_name_or_word():
    held = library(
        *PEOPLE,
        *HARMS,
        harm("marked", "zib", sexual=True),
        harm("seduction", "zob"),
        harm("worded", "zub", "lewd"),
        *CONTROLS,
    )

    assert chosen(held).sexual == {"marked", "seduction", "worded"}


@pytest.mark.parametrize(
    "young",
    [
        identity("isles/y", "zid", minor=True),
        identity("isles/y", term("zid", minor=True), term("zod", minor=True)),
        identity("isles/y", "schoolboys", "12-year-old"),
        identity("isles/y", "zid", name="teenagers"),
        identity("isles/schoolgirls", "zid", name="zids"),
    ],
    ids=["concept mark", "term marks", "words", "name", "id"],
)
def test_minors_are_known_by_mark_name_or_word_and_never_block_with_sexualisation(young):
    held = library(*PEOPLE, young, *HARMS, harm("lewdness", "lewd"), *CONTROLS)
    every = {"identities": ["*"], "harms": ["*"]}
    selection = chosen(held, blocking=[every])

    assert {(young.ref, t.surface) for t in young.terms} == selection.minors
    assert (young.ref, "lewdness") not in selection.blocking
    assert (young.ref, "raiding") in selection.blocking
    assert ("isles/a", "lewdness") in selection.blocking


def test_single_terms_of_minors_are_marked_in_a_concept_of_adults():
    mixed = identity("isles/m", "zid", "schoolboy", term("zod", minor=True))
    selection = chosen(library(*PEOPLE, mixed, *HARMS, *CONTROLS))

    assert selection.minors == {("isles/m", "schoolboy"), ("isles/m", "zod")}


@pytest.mark.parametrize("word", ["schoolgirl", "lewd"])
def test_a_control_pack_holds_neither_minors_nor_sexualisation(word):
    held = library(*PEOPLE, *HARMS, *CONTROLS, control("mixed", "zab", word))
    selection = chosen(held)

    assert "mixed" not in {c.ref for c in selection.controls}
    assert [what for what, _ in selection.left_out] == ["mixed"]


def test_a_pack_that_sexualises_minors_is_refused():
    held = library(*PEOPLE, harm("lewdness", "lewd", "schoolgirl"), *CONTROLS)
    with pytest.raises(PlanError, match="'lewdness' sexualises and holds 'schoolgirl'"):
        chosen(held)


def test_the_built_in_library_keeps_minors_and_sexualisation_apart():
    everything = load_library()
    selection = chosen(everything, blocking=[{"identities": ["*"], "harms": ["*"]}])
    by_ref = {c.ref: c for c in (*selection.identities, *selection.harms)}
    forbidden = [
        (i, h)
        for i, h in selection.blocking
        if h in selection.sexual and all(map(concept_denotes_minor, by_ref[i].terms))
    ]

    assert selection.sexual >= {"sexualisation"}
    assert len(selection.minors) > 30
    assert forbidden == []
    assert all(is_allowed_pair(c, h) for c in selection.controls for h in selection.harms)


# Scoring: the same rule once more, on the tables that are computed.


def drawn(names, concepts, rng):
    values = normalise(rng.normal(size=(len(names), 6)))
    return Embeddings(names=tuple(names), concepts=tuple(concepts), pooled=values, by_template={})


@st.composite
def crossings(draw):
    """Identity rows that may denote minors, and harms that may sexualise."""
    groups = [f"isles/{k}" for k in "abc"]
    sizes = {group: draw(st.integers(1, 4)) for group in groups}
    rows = [(group, draw(st.booleans())) for group, n in sizes.items() for _ in range(n)]
    harms = {f"h{k}": draw(st.booleans()) for k in range(3)}
    return rows, harms, draw(st.integers(0, 999))


class Watched:
    """Embeddings whose products are recorded, so that nothing forbidden is ever computed."""

    def __init__(self, rows, columns):
        self.inner, self.asked = embedded(rows, columns), []
        self.row_concepts, self.column_concepts = rows.concepts, columns.concepts

    def table(self, rows, columns):
        self.asked.append((set(rows.tolist()), {self.column_concepts[j] for j in columns}))
        return self.inner.table(rows, columns)


@rules
@given(crossing=crossings())
def test_no_row_of_a_minor_ever_meets_a_sexualising_column(crossing):
    rows, harms, seed = crossing
    rng = np.random.default_rng(seed)
    packs = [*harms, *(f"c{k}" for k in range(3))]
    who = drawn([f"{i}" for i in range(len(rows))], [g for g, _ in rows], rng)
    what = drawn(packs, packs, rng)
    is_minor = np.array([minor for _, minor in rows])
    sexual = {h for h, marked in harms.items() if marked}
    source = Watched(who, what)
    arm = build_arm(
        "text", "", "decides", source,
        families={"isles": ("isles/a", "isles/b", "isles/c")},
        controls=dict.fromkeys(harms, ("c0", "c1", "c2")),
        sexual=sexual, is_minor=is_minor,
    )  # fmt: skip

    young = set(np.flatnonzero(is_minor).tolist())
    for asked_rows, asked_packs in source.asked:
        assert not (asked_rows & young and asked_packs & sexual)
    for scores in arm.scores if arm else ():
        assert not np.isnan(scores.scores).any()
        if set(scores.controls) & sexual:
            assert set(scores.controls) <= sexual
            assert not {who.names[i] for i in young} & set(scores.row_names)
        else:
            assert len(scores.row_names) == len(rows)


def test_a_family_that_keeps_one_group_of_adults_has_no_sexualisation_contrast():
    rows = Embeddings(names=("x", "y"), concepts=("f/a", "f/b"), pooled=np.eye(2), by_template={})
    columns = Embeddings(names=("h", "s", "c"), concepts=("h", "s", "c"),
                         pooled=np.ones((3, 2)), by_template={})  # fmt: skip
    arm = build_arm(
        "text", "", "decides", embedded(rows, columns), families={"f": ("f/a", "f/b")},
        controls={"h": ("c",), "s": ("c",)}, sexual={"s"}, is_minor=np.array([False, True]),
    )  # fmt: skip

    assert [set(scores.controls) for scores in arm.scores] == [{"h"}]


def test_without_rows_for_two_groups_there_is_no_arm():
    assert with_rows({"f": ("f/a", "f/b"), "g": ("g/a",)}, ["f/a", "g/a", "g/a"]) == {}
    assert with_rows({"f": ("f/a", "f/b", "f/c")}, ["f/c", "f/a"]) == {"f": ("f/a", "f/c")}
