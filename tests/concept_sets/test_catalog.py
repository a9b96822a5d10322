"""Concepts are found by name, users add their own, and two sets never share an id."""

import pytest

from concept_sets.catalog import load_library
from concept_sets.concept import Role
from concept_sets.errors import ConceptSetError

PACK = """\
id: {id}
version: 1.0.0
name: A pack
role: {role}
about: Invented.
licence: CC0-1.0
sources: {{usage: Usage}}
defaults: {{pos: noun, source: usage}}
concepts:
{concepts}
"""
TEMPLATES = """\
version: 9.0.0
slots: [bare]
templates: {noun: {bare: "{t}"}, mass: {bare: "{t}"}, adjective: {bare: "{t}"},
  place: {bare: "{t}"}, phrase: {bare: "{t}"}}
anchors: [a person]
"""


def pack(folder, name, *concepts, role="identity", word="word"):
    severity = ", severity: 2" if role == "harm" else ""
    lines = [f"  - {{id: {one}, name: {one}{severity}, terms: [{word}]}}" for one in concepts]
    file = folder / f"{name}.yaml"
    file.write_text(PACK.format(id=name, role=role, concepts="\n".join(lines)))
    return file


@pytest.fixture
def library(tmp_path):
    pack(tmp_path, "lands", "north", "south", "shared")
    pack(tmp_path, "seas", "salt", "shared")
    pack(tmp_path, "doom", "doom", role="harm")
    pack(tmp_path, "calm", "calm", "quiet", role="control")
    return load_library([tmp_path], builtin=False)


def refs(concepts):
    return [concept.ref for concept in concepts]


def test_the_builtin_library_loads_and_has_all_three_roles():
    library = load_library()

    assert {held.role for held in library.sets} == set(Role)
    assert min(map(len, (library.identities(), library.harms()))) >= 20
    assert len(library.controls()) >= 40


def test_scenes_are_no_part_of_the_null():
    library = load_library()

    assert {control.kind for control in library.scenes()} == {"scene"}
    assert "scene" not in {control.kind for control in library.controls()}


def test_sets_stand_by_role_then_by_id_wherever_they_came_from(library, tmp_path):
    again = load_library(sorted(tmp_path.iterdir(), reverse=True), builtin=False)

    assert [held.id for held in library.sets] == ["lands", "seas", "doom", "calm"]
    assert again == library
    assert again.digest == library.digest


def test_roles_are_told_apart(library):
    assert refs(library.harms()) == ["doom"]
    assert refs(library.controls()) == ["calm", "calm/quiet"]
    assert len(library.identities()) == 5


def test_a_concept_is_found_by_reference_or_by_an_id_that_only_one_has(library):
    assert library.concept("lands/north").ref == "lands/north"
    assert library.concept("north").ref == "lands/north"
    assert library.concept("doom").ref == "doom"
    assert library.concept("calm").ref == "calm"


def test_an_ambiguous_id_names_the_choices(library):
    with pytest.raises(ConceptSetError, match=r"ambiguous.*'lands/shared', 'seas/shared'"):
        library.concept("shared")


@pytest.mark.parametrize(
    ("ask", "hint"),
    [
        (lambda library: library.concept("nroth"), r"'nroth'.*Did you mean 'north'\?"),
        (lambda library: library.concept("lands/nort"), r"Did you mean 'lands/north'\?"),
        (lambda library: library.concept("zzz"), r"No concept named 'zzz'; .* shows all\.$"),
        (lambda library: library.family("land"), r"'land'.*Did you mean 'lands'\?"),
        (lambda library: library.select(["land/*"]), r"'land/\*'"),
        (lambda library: library.select(["lands/*", "seaz"]), r"Did you mean 'seas'\?"),
        (lambda library: library.select(["doom"], role=Role.IDENTITY), "No concept named 'doom'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(library, ask, hint):
    with pytest.raises(ConceptSetError, match=hint):
        ask(library)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["lands/*"], ["lands/north", "lands/south", "lands/shared"]),
        (["lands"], ["lands/north", "lands/south", "lands/shared"]),
        (["*/s*"], ["lands/south", "lands/shared", "seas/salt", "seas/shared"]),
        (["doom", "north"], ["lands/north", "doom"]),
        (["north", "lands/north", "lands/n*"], ["lands/north"]),
        (["shared"], ["lands/shared", "seas/shared"]),
        ([], []),
    ],
)
def test_patterns_select_in_library_order_and_once(library, patterns, found):
    assert refs(library.select(patterns)) == found


def test_two_different_sets_with_one_id_are_refused_with_both_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = pack(tmp_path / "a", "lands", "north")
    other = pack(tmp_path / "b", "lands", "north", word="other")

    with pytest.raises(
        ConceptSetError, match=r"different concept sets with the id 'lands'"
    ) as error:
        load_library([one, other], builtin=False)
    assert str(one) in str(error.value)
    assert str(other) in str(error.value)


def test_the_same_set_twice_counts_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [pack(tmp_path / folder, "lands", "north") for folder in "ab"]

    assert len(load_library(files, builtin=False).sets) == 1


def test_a_user_set_may_not_replace_a_builtin_one(tmp_path):
    with pytest.raises(ConceptSetError, match="with the id 'regions'"):
        load_library([pack(tmp_path, "regions", "north")])


def test_a_user_set_joins_the_builtin_ones(tmp_path):
    joined = load_library([pack(tmp_path, "lands", "north")])

    assert joined.concept("lands/north").role is Role.IDENTITY
    assert len(joined.sets) == len(load_library().sets) + 1
    assert joined.digest != load_library().digest


def test_templates_of_a_user_replace_the_builtin_ones(tmp_path):
    pack(tmp_path, "lands", "north")
    assert load_library([tmp_path], builtin=False).templates.version == "1.0.0"
    (tmp_path / "templates.yaml").write_text(TEMPLATES)

    assert load_library([tmp_path], builtin=False).templates.version == "9.0.0"


def test_a_folder_is_searched_to_the_bottom(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    pack(deep, "lands", "north").rename(deep / "lands.yml")

    assert len(load_library([tmp_path], builtin=False).sets) == 1


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ConceptSetError, match="the path does not exist"):
        load_library([tmp_path / "none"])
    with pytest.raises(ConceptSetError, match=r"the path holds no \*\.yaml file"):
        load_library([tmp_path])
