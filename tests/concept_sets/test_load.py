"""A concept set says what its file says, or is refused with file, line and key."""

import random
import re

import pytest
import yaml

from concept_sets.concept import PartOfSpeech, Role, Status, Visibility
from concept_sets.errors import ConceptSetError
from concept_sets.load import content_digest, read_concept_set

IDENTITY = """\
id: lands
version: 1.2.0
name: Lands
role: identity
about: Invented lands.
caution: ""
licence: CC0-1.0
sources: {atlas: "An atlas", usage: "Usage"}
defaults: {pos: noun, status: current, visible: no, source: usage}
concepts:
  - id: north
    name: The north
    defaults: {pos: adjective, visible: weak}
    terms:
      - Northish
      - {surface: Northia, pos: place, source: [atlas, usage], status: dated, notes: "old"}
  - id: young
    name: The young
    minor: true
    terms: [{surface: "Zib", plural: Zibim, article: an}]
  - {id: person, name: Person, unmarked: true, terms: [person]}
"""

HARM = """\
id: doom
version: 1.0.0
name: Doom
role: harm
about: Invented.
licence: CC0-1.0
sources: {usage: "Usage"}
defaults: {pos: mass, source: [usage]}
concepts:
  - id: doom
    name: Doom
    severity: 3
    mirrors: [calm]
    sexual: true
    terms: [doom, {surface: gloom, severity: 1}]
"""


def read(folder, text):
    name = re.search(r"^id: *(\w+)", text, re.MULTILINE)
    file = folder / f"{name.group(1) if name else 'x'}.yaml"
    file.write_text(text)
    return read_concept_set(file)


def test_terms_take_the_defaults_of_their_concept_then_of_the_set(tmp_path):
    lands = read(tmp_path, IDENTITY)
    northish, northia = lands.concepts[0].terms

    assert (lands.id, lands.role, lands.language, lands.caution) == ("lands", "identity", "en", "")
    assert northish.pos is PartOfSpeech.ADJECTIVE
    assert northish.visible is Visibility.WEAK
    assert northish.status is Status.CURRENT
    assert northish.sources == ("usage",)
    assert northia.pos is PartOfSpeech.PLACE
    assert northia.status is Status.DATED
    assert northia.sources == ("atlas", "usage")
    assert northia.severity is None
    assert northia.notes == "old"


def test_no_is_a_visibility_and_not_a_boolean(tmp_path):
    assert read(tmp_path, IDENTITY).concepts[2].terms[0].visible is Visibility.NO


def test_every_term_of_a_concept_of_minors_is_a_minor(tmp_path):
    north, young, person = read(tmp_path, IDENTITY).concepts

    assert young.minor
    assert young.terms[0].minor
    assert (young.terms[0].article, young.terms[0].plural) == ("an", "Zibim")
    assert not north.minor
    assert person.unmarked


def test_terms_of_a_harm_take_its_severity_unless_they_have_their_own(tmp_path):
    doom = read(tmp_path, HARM).concepts[0]

    assert doom.role is Role.HARM
    assert [term.severity for term in doom.terms] == [3, 1]
    assert doom.mirrors == ("calm",)
    assert doom.sexual


def test_a_set_that_holds_only_itself_is_called_by_its_id(tmp_path):
    assert read(tmp_path, HARM).concepts[0].ref == "doom"
    assert read(tmp_path, IDENTITY).concepts[0].ref == "lands/north"


def shuffled(value, rng):
    if isinstance(value, dict):
        items = [(key, shuffled(inner, rng)) for key, inner in value.items()]
        return dict(rng.sample(items, len(items)))
    return [shuffled(inner, rng) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("text", [IDENTITY, HARM], ids=["identity", "harm"])
def test_layout_and_key_order_do_not_change_the_digest(tmp_path, text, seed):
    tree = yaml.load(text, Loader=yaml.BaseLoader)
    tree = {**shuffled(tree, random.Random(seed)), "id": tree["id"]}
    other = yaml.dump(tree, Dumper=_PlainDumper, sort_keys=False, width=40)

    original, relaid = read(tmp_path, text), read(tmp_path, "# a comment\n" + other)

    assert original == relaid
    assert original.digest == relaid.digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", original.digest)


class _PlainDumper(yaml.SafeDumper):
    """Writes every text without quotes, as it came."""


_PlainDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(*_scalar(text)))


def _scalar(text):
    words = {"true": "bool"}
    if text.isdigit():
        return "tag:yaml.org,2002:int", text
    return f"tag:yaml.org,2002:{words.get(text, 'str')}", text


def test_defaults_written_out_give_the_same_digest(tmp_path):
    implicit = read(tmp_path, HARM)
    explicit = read(
        tmp_path,
        HARM.replace("doom, {surface: gloom,", "{surface: doom, pos: mass, status: current, "
                     "visible: 'yes', severity: 3}, {surface: gloom,"),
    )  # fmt: skip

    assert implicit.digest == explicit.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gloom", "glum"),
        ("severity: 1", "severity: 2"),
        ("1.0.0", "1.0.1"),
        ("mirrors: [calm]", "mirrors: [warmth]"),
        ("sexual: true", "sexual: false"),
        ("Invented.", "Made up."),
        ("pos: mass", "pos: noun"),
        ("[doom, {surface: gloom, severity: 1}]", "[{surface: gloom, severity: 1}, doom]"),
    ],
)  # fmt: skip
def test_any_change_of_content_changes_the_digest(tmp_path, old, new):
    assert read(tmp_path, HARM).digest != read(tmp_path, HARM.replace(old, new)).digest


def test_the_digest_can_be_verified_from_the_set(tmp_path):
    doom = read(tmp_path, HARM)

    assert content_digest(doom) == doom.digest


@pytest.mark.parametrize(
    ("text", "old", "new", "sentence"),
    [
        (HARM, "severity: 3", "severty: 3", "line 12, concepts[0].severty: unknown key 'severty'"),
        (HARM, "severity: 3", "severty: 3", "Did you mean 'severity'?"),
        (HARM, "    severity: 3\n", "", "concepts[0]: the key 'severity' is missing"),
        (HARM, "severity: 3", "severity: 5", "a whole number from 1 to 4; got 5"),
        (HARM, "severity: 1}", "severity: high}", "terms[1].severity: must be a whole number"),
        (HARM, "role: harm", "role: harms", "must be one of identity, harm, control; got 'harms'"),
        (HARM, "pos: mass", "pos: nuon", "defaults.pos: must be one of noun, mass"),
        (HARM, "1.0.0", "1.0", "version: must be text; got 1.0"),
        (HARM, "1.0.0", "one", "a version of three numbers such as 1.0.0; got 'one'"),
        (HARM, "source: [usage]", "source: [usge]", "'usge' is not among the sources"),
        (HARM, "source: [usage]", "source: [usge]", "Did you mean 'usage'?"),
        (HARM, "terms: [doom,", "terms: [yes: 1,", "unknown key 'yes'"),
        (HARM, "terms: [doom,", "terms: [true,", "terms[0]: must be a mapping"),
        (HARM, "terms: [doom,", "terms: ['',", "must not be empty"),
        (HARM, "terms: [doom,", f"terms: [{'x' * 121},", "at most 120 characters; this has 121"),
        (HARM, "about: Invented.\n", "", "the key 'about' is missing"),
        (HARM, "sexual: true", "sexual: yes", "must be true or false; got 'yes'"),
        (HARM, ", source: [usage]}", "}", "terms[0]: the key 'source' is missing"),
        (HARM, "pos: mass, ", "", "terms[0]: the key 'pos' is missing"),
        (HARM, "- id: doom", "- id: Doom!", "1 to 64 lower-case letters"),
        (HARM, "mirrors: [calm]", "mirrors: ['../calm']", "must be a concept id"),
        (HARM, "about: Invented.", "about: Invented.\nlanguage: English", "a language tag"),
        (HARM, "[doom, {surface: gloom, severity: 1}]", "[]", "a list with at least one entry"),
        (IDENTITY, "minor: true", "minor: true\n    severity: 2", "only harms have a severity"),
        (
            IDENTITY,
            "article: an",
            "article: an, severity: 1",
            "only terms of harms have a severity",
        ),
        (IDENTITY, "article: an", "article: the", "article: must be one of a, an, ; got 'the'"),
        (IDENTITY, "id: young", "id: north", "the id 'north' is used by 2 concepts"),
        (IDENTITY, "visible: weak", "visible: maybe", "must be one of yes, weak, no; got 'maybe'"),
        (IDENTITY, "  - {id: person, ", "  - {", "the key 'id' is missing"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, text, old, new, sentence):
    assert old in text
    with pytest.raises(ConceptSetError, match=r"^(doom|lands)\.yaml, line \d+") as caught:
        read(tmp_path, text.replace(old, new, 1))

    assert sentence in str(caught.value)


def test_the_id_is_the_name_of_the_file(tmp_path):
    (tmp_path / "other.yaml").write_text(HARM)

    with pytest.raises(ConceptSetError, match="must equal the name of the file, 'other'"):
        read_concept_set(tmp_path / "other.yaml")


@pytest.mark.parametrize("name", ["../up", "a/b", "A", "é", "a" * 65, "nul\x00"])
def test_an_id_can_never_be_a_path(tmp_path, name):
    (tmp_path / "x.yaml").write_text(HARM.replace("id: doom", f"id: {name!r}", 1))

    with pytest.raises(ConceptSetError):
        read_concept_set(tmp_path / "x.yaml")
