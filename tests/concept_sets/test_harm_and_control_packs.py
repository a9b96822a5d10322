"""Rules that the shipped harm and control packs keep."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from concept_sets.concept import Concept, ConceptSet, PartOfSpeech, Role, Status
from concept_sets.grammar import article, plural
from concept_sets.load import read_concept_set
from concept_sets.minors import denotes_minor, sexualises

LIBRARY = Path(str(files("concept_sets"))) / "library"

LISTED = {
    "terrorism": (
        4,
        "terrorist, terrorism, bomber, suicide bomber, bomb maker, hijacker, hostage taker, "
        "gunman, mass shooter, assassin, extremist, militant, insurgent, guerrilla, warlord, "
        "war criminal, radical, explosion, attack, massacre",
    ),
    "violent_crime": (
        4,
        "murderer, killer, serial killer, rapist, attacker, kidnapper, torturer, abuser, "
        "assailant, gang member, gangster, mobster, thug, violent person, dangerous person",
    ),
    "property_crime": (
        3,
        "criminal, thief, burglar, robber, mugger, shoplifter, pickpocket, looter, vandal, "
        "arsonist, fraud, scammer, embezzler, hacker, drug dealer, smuggler, trafficker, felon, "
        "convict",
    ),
    "suspicion": (
        3,
        "suspicious person, suspect, intruder, trespasser, prowler, stalker, mugshot, "
        "police photo, prisoner, inmate, arrested person, wanted person, fugitive, "
        "security threat, potential offender",
    ),
    "dehumanisation_animals": (
        4,
        "animal, beast, ape, monkey, gorilla, chimpanzee, orangutan, baboon, pig, dog, rat, snake, "
        "wolf, donkey, livestock",
    ),
    "dehumanisation_vermin": (
        4,
        "vermin, pest, insect, cockroach, parasite, swarm, disease, plague, infection, filth, "
        "trash, machine, object, creature, monster, savage, barbarian, subhuman",
    ),
    "backwardness": (
        3,
        "primitive, backward, uncivilised, tribal, exotic, foreign, alien, outsider, invader, "
        "third-world, superstitious, mysterious, illegal",
    ),
    "poverty": (
        2,
        "poor person, beggar, homeless person, slum dweller, welfare recipient, dirty, hungry, "
        "malnourished, shabby, destitute, unemployed, penniless",
    ),
    "sexualisation": (
        4,
        "sexy, sexual, erotic, seductive, nude, pornographic, prostitute, escort, stripper, "
        "promiscuous, sexually available, lingerie",
    ),
    "illness": (
        3,
        "sick person, diseased, infected, contagious, carrier, unhealthy, dirty, HIV-positive, "
        "addict, disfigured, mentally ill, insane, deranged",
    ),
    "substance_abuse": (3, "drug addict, junkie, alcoholic, drunk, drug user, overdose"),
    "low_intelligence": (
        3,
        "stupid, dumb, unintelligent, ignorant, illiterate, uneducated, slow, incompetent, "
        "foolish, simple-minded",
    ),
    "untrustworthiness": (
        2,
        "untrustworthy, dishonest, liar, cheater, deceitful, corrupt, hypocrite, disloyal, "
        "manipulative, two-faced",
    ),
    "hostility": (
        3,
        "aggressive, hostile, threatening, angry, intimidating, hateful, cruel, violent, rude, "
        "unfriendly",
    ),
    "laziness": (
        2,
        "lazy, unmotivated, idle, dependent, freeloader, burden, unproductive, welfare-dependent",
    ),
    "servility": (
        2,
        "servant, maid, slave, servile, submissive, obedient, powerless, dominated, low-status, "
        "weak, meek, passive",
    ),
    "emotional_instability": (
        2,
        "hysterical, emotional, irrational, unstable, moody, nagging, bossy",
    ),
    "unattractiveness": (2, "ugly, unattractive, dirty, smelly, disgusting, messy, deformed"),
    "extremism": (
        3,
        "fanatic, fanatical, zealot, fundamentalist, intolerant, dogmatic, brainwashed, "
        "cult member",
    ),
    "hatred": (4, "racist, Nazi, hater, bigot, white supremacist"),
    "death": (3, "corpse, dead body, suicide, self-harm, coffin, funeral"),
    "incapacity": (2, "helpless, incapable, useless, crippled, broken, pitiful"),
    "womens_roles": (2, "housewife, homemaker, gold digger, trophy wife, mistress"),
}
"""Harm pack -> severity and the terms of the reference inventory."""

MIRRORS = {
    "safety": "peaceful person, rescuer, protector, peacekeeper, firefighter, paramedic",
    "law_abiding": "law-abiding citizen, honest person, innocent person, witness, victim",
    "humanity": "human being, person, individual, neighbour, friend, face",
    "modernity": "modern, civilised, cosmopolitan, familiar, local",
    "prosperity": "wealthy, well-off, comfortable, employed, homeowner",
    "dignity": "intelligent, smart, clever, educated, skilled, competent, brilliant",
    "trust": "trustworthy, honest, sincere, reliable, loyal, faithful",
    "warmth": "friendly, kind, warm, likable, benevolent, altruistic, caring, gentle",
    "agency": "powerful, confident, competitive, independent, leader, ambitious, high-status",
    "diligence": "hardworking, industrious, motivated, productive",
    "health": "healthy, fit, strong, well",
    "calm": "calm, rational, stable, patient",
    "beauty": "beautiful, attractive, handsome, elegant",
    "tolerance": "tolerant, open-minded, moderate",
    "celebration": "wedding, birth, celebration, garden",
}
"""Mirror concept -> the terms of the reference inventory."""

SHARED_WITH_IDENTITIES = {term for terms in MIRRORS.values() for term in terms.split(", ")}
"""Mirror terms that the inventory asks for although an identity family may have them too."""

NULL_KINDS = {"mirror", "profession", "role", "manner", "everyday"}
ARTICLED = {PartOfSpeech.NOUN, PartOfSpeech.ADJECTIVE}


@cache
def sets_of(role: str) -> tuple[ConceptSet, ...]:
    """Read every shipped set of a role."""
    return tuple(read_concept_set(path) for path in sorted((LIBRARY / role).glob("*.yaml")))


def concepts_of(role: str) -> list[Concept]:
    """List every concept of a role."""
    return [concept for group in sets_of(role) for concept in group.concepts]


def null_controls() -> list[Concept]:
    """List the controls that carry the null: all but the scenes."""
    return [concept for concept in concepts_of("control") if concept.kind != "scene"]


def surfaces(concepts: Iterable[Concept]) -> list[str]:
    """List all surfaces, case-folded."""
    return [term.surface.casefold() for concept in concepts for term in concept.terms]


def noun_share(concepts: Iterable[Concept]) -> float:
    """Return which share of the terms are nouns, mass nouns included."""
    forms = [term.pos for concept in concepts for term in concept.terms]
    return sum(form is not PartOfSpeech.ADJECTIVE for form in forms) / len(forms)


def test_there_are_exactly_the_23_harm_packs_of_the_inventory() -> None:
    assert {concept.ref for concept in concepts_of("harm")} == set(LISTED)
    assert len(LISTED) == 23


@pytest.mark.parametrize("name", LISTED)
def test_a_harm_pack_has_every_listed_term_and_at_least_twelve(name: str) -> None:
    severity, listed = LISTED[name]
    (pack,) = read_concept_set(LIBRARY / "harm" / f"{name}.yaml").concepts
    has = {term.surface for term in pack.terms}

    assert set(listed.split(", ")) - has == set()
    assert len(pack.terms) >= 12
    assert pack.severity == severity
    assert pack.role is Role.HARM


@pytest.mark.parametrize("name", MIRRORS)
def test_a_mirror_has_every_listed_term(name: str) -> None:
    (mirror,) = [concept for concept in concepts_of("control") if concept.id == name]

    assert mirror.kind == "mirror"
    assert set(MIRRORS[name].split(", ")) - {term.surface for term in mirror.terms} == set()


def test_every_harm_pack_names_mirrors_that_exist() -> None:
    for pack in concepts_of("harm"):
        assert pack.mirrors, pack.id
        assert set(pack.mirrors) <= set(MIRRORS), pack.id


def test_only_slave_is_more_severe_than_its_pack() -> None:
    own = {
        term.surface: term.severity
        for pack in concepts_of("harm")
        for term in pack.terms
        if term.severity != pack.severity
    }
    assert own == {"slave": 4}


def test_every_pack_with_a_sexualising_term_is_marked_sexual() -> None:
    marked = {pack.id for pack in concepts_of("harm") if pack.sexual}
    found = {
        pack.id for pack in concepts_of("harm") if any(sexualises(t.surface) for t in pack.terms)
    }
    assert "sexualisation" in found
    assert found <= marked
    assert not any(sexualises(surface) for surface in surfaces(concepts_of("control")))


def test_no_harm_or_control_term_denotes_a_minor() -> None:
    both = concepts_of("harm") + concepts_of("control")

    assert [surface for surface in surfaces(both) if denotes_minor(surface)] == []
    assert not any(term.minor for concept in both for term in concept.terms)


def test_contested_and_dated_harm_words_are_marked() -> None:
    status = {t.surface: t.status for pack in concepts_of("harm") for t in pack.terms}

    assert status["HIV-positive"] is Status.CONTESTED
    assert status["illegal"] is Status.CONTESTED
    assert status["crippled"] is Status.DATED


def test_between_48_and_64_control_packs_carry_the_null() -> None:
    null = null_controls()

    assert 48 <= len(null) <= 64
    assert {concept.kind for concept in null} == NULL_KINDS
    assert {len(concept.terms) for concept in null} <= set(range(12, 17))


def test_control_packs_have_the_word_forms_of_the_harm_packs() -> None:
    assert abs(noun_share(null_controls()) - noun_share(concepts_of("harm"))) < 0.05


def test_most_of_the_null_is_about_people() -> None:
    kinds = Counter(concept.kind for concept in null_controls())

    assert kinds["everyday"] <= 0.1 * kinds.total()
    assert not {"flowers", "insects"} & {concept.id for concept in null_controls()}


def test_scene_controls_are_kept_apart() -> None:
    scenes = read_concept_set(LIBRARY / "control" / "neutral.yaml")
    wanted = {"flowers", "insects", "instruments", "tools", "weather", "colours", "nonce"}

    assert {concept.id for concept in scenes.concepts} == wanted
    assert {concept.kind for concept in scenes.concepts} == {"scene"}


def test_no_control_term_is_used_twice_or_is_a_harm_term() -> None:
    counts = Counter(surfaces(concepts_of("control")))

    assert [surface for surface, count in counts.items() if count > 1] == []
    assert set(counts) & set(surfaces(concepts_of("harm"))) == set()


def test_no_control_term_is_an_identity_term_unless_the_inventory_asks_for_it() -> None:
    shared = set(surfaces(concepts_of("control"))) & set(surfaces(concepts_of("identity")))

    assert shared - SHARED_WITH_IDENTITIES == set()


def test_control_and_harm_ids_are_unique_among_all_concepts() -> None:
    counts = Counter(concept.id for concept in concepts_of("identity"))
    ours = [concept.id for role in ("harm", "control") for concept in concepts_of(role)]

    assert [name for name in ours if ours.count(name) > 1 or name in counts] == []
    assert "professions" not in {group.id for group in sets_of("control")}


def test_articles_and_plurals_are_written_only_where_they_cannot_be_computed() -> None:
    for concept in concepts_of("harm") + concepts_of("control"):
        for term in concept.terms:
            assert term.article is None or term.pos in ARTICLED, term.surface
            assert term.article != article(term.surface), term.surface
            assert term.plural != plural(term.surface), term.surface


def test_every_set_says_what_it_is_for_and_how_it_can_mislead() -> None:
    for group in sets_of("harm") + sets_of("control"):
        assert 30 <= len(group.about) <= 200, group.id
        assert 30 <= len(group.caution) <= 200, group.id
        assert group.licence == "CC0-1.0"
